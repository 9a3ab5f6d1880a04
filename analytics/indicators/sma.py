"""Simple moving averages of the close: the trend over about a month, a quarter and a year."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Columns, Indicator, sign_of
from analytics.parameters import Parameter


def compute(inputs: Columns, *, short: int, medium: int, long: int) -> tuple[FloatArray, ...]:
    """Return the three averages, each of shape (n,) in USD. NaN when: fewer than `window` bars."""
    return tuple(talib.SMA(inputs["close"], timeperiod=window) for window in (short, medium, long))


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy while the 50-day average is above the 200-day average."""
    return sign_of(outputs["sma_50"] - outputs["sma_200"], scale=outputs["sma_200"])


def _window(name: str, label: str, default: int) -> Parameter:
    return Parameter(name, label, default, f"sessions in the {name} average", minimum=2, maximum=500)


INDICATOR = Indicator(
    key="sma",
    label="SMA 20/50/200",
    description="The average close of the last 20, 50 and 200 sessions: which way the price has been drifting.",
    formula="SMA_n(t) = (C_t + … + C_{t−n+1}) / n",
    reference="TA-Lib SMA",
    group="moving_average",
    pane="price",
    inputs=("close",),
    outputs=("sma_20", "sma_50", "sma_200"),
    parameters=(_window("short", "Short", 20), _window("medium", "Medium", 50), _window("long", "Long", 200)),
    compute=compute,
    warm_up=199,
    vote=vote,
    vote_rule="buy while SMA 50 is above SMA 200, sell while below",
)
