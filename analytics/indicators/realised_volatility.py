"""Realised volatility: how much the close has been moving, as a yearly figure."""

import numpy as np

from analytics.conventions import STD_DDOF, TRADING_DAYS, FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the volatility, shape (n,), annual, a fraction. NaN when: fewer than `window` returns."""
    returns = np.diff(np.log(inputs["close"]), prepend=np.nan)
    return (np.sqrt(TRADING_DAYS * sample_variance(returns, window)),)


def sample_variance(values: FloatArray, window: int) -> FloatArray:
    """Return the sample variance of the last `window` values, shape (n,). NaN when: one of them is, or there are fewer.

    Every window is summed anew: what a running sum keeps of a crash that has left it would count as volatility.
    """
    count = len(values) - window + 1
    variance = np.full(len(values), np.nan)
    if count < 1:
        return variance
    mean, squares = np.zeros(count), np.zeros(count)
    for first in range(window):
        mean += values[first : first + count]
    mean /= window
    for first in range(window):
        squares += (values[first : first + count] - mean) ** 2
    variance[window - 1 :] = squares / (window - STD_DDOF)
    return variance


INDICATOR = Indicator(
    key="realised_volatility",
    label="Realised volatility 21",
    description="The annual volatility of the close over the last month of sessions.",
    formula="√252 · sample standard deviation of the last 21 log returns ln(C_t / C_{t−1})",
    reference="Andersen and Bollerslev, Answering the Skeptics (1998), with daily returns; R TTR volatility (close)",
    group="volatility",
    pane="own",
    inputs=("close",),
    outputs=("realised_vol_21",),
    parameters=(Parameter("window", "Window", 21, "returns in the sample", minimum=2, maximum=500),),
    compute=compute,
    warm_up=21,
    fraction=True,
)
