"""Yang-Zhang volatility: from open, high, low and close, so that nights and days both count."""

import numpy as np

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns
from analytics.indicators.realised_volatility import sample_variance
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the volatility, shape (n,), annual, a fraction. NaN when: fewer than window + 1 bars."""
    opening, high, low, close = (np.log(inputs[name]) for name in ("open", "high", "low", "close"))
    night = opening - np.concatenate([[np.nan], close[:-1]])
    day = close - opening
    within = (high - close) * (high - opening) + (low - close) * (low - opening)  # Rogers and Satchell, no drift
    k = 0.34 / (1.34 + (window + 1) / (window - 1))
    variance = (
        sample_variance(night, window) + k * sample_variance(day, window) + (1 - k) * _rolling_mean(within, window)
    )
    return (np.sqrt(TRADING_DAYS * variance),)


def _rolling_mean(values: FloatArray, window: int) -> FloatArray:
    """Return the mean of the last `window` values, each window summed anew, shape (n,)."""
    count = max(0, len(values) - window + 1)
    total = np.zeros(count)
    for first in range(window if count else 0):
        total += values[first : first + count]
    return np.concatenate([np.full(len(values) - count, np.nan), total / window])


INDICATOR = Indicator(
    key="yang_zhang_volatility",
    label="Yang-Zhang volatility 21",
    description="The annual volatility of the last month, from the gaps and the daily ranges: surer than closes alone.",
    formula=(
        "√(252 · (σ²_night + k σ²_day + (1 − k) σ²_RS)), k = 0.34 / (1.34 + (n + 1) / (n − 1)), n = 21; sample variances of "
        "ln(O_t / C_{t−1}) and ln(C / O), σ²_RS the mean of ln(H/C) ln(H/O) + ln(L/C) ln(L/O)"
    ),
    reference="Yang and Zhang, Drift-Independent Volatility Estimation, Journal of Business (2000); R TTR volatility (yang.zhang)",
    group="volatility",
    pane="own",
    inputs=("open", "high", "low", "close"),
    outputs=("yang_zhang_vol_21",),
    parameters=(Parameter("window", "Window", 21, "sessions in the sample", minimum=2, maximum=500),),
    compute=compute,
    warm_up=21,
    fraction=True,
)
