"""Exponential moving averages of the close: the trend, with the most recent sessions counting most."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Columns, Indicator, sign_of
from analytics.parameters import Parameter


def compute(inputs: Columns, *, short: int, long: int) -> tuple[FloatArray, ...]:
    """Return the two averages, each of shape (n,) in USD. NaN when: fewer than `window` bars."""
    return tuple(talib.EMA(inputs["close"], timeperiod=window) for window in (short, long))


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy while the 12-session average is above the 26-session average."""
    return sign_of(outputs["ema_12"] - outputs["ema_26"], scale=outputs["ema_26"])


def _window(name: str, label: str, default: int) -> Parameter:
    return Parameter(name, label, default, f"sessions in the {name} average", minimum=2, maximum=500)


INDICATOR = Indicator(
    key="ema",
    label="EMA 12/26",
    description="Averages of the close that forget the past gradually: they turn sooner than simple averages.",
    formula="EMA_n(t) = EMA_n(t−1) + 2/(n+1) · (C_t − EMA_n(t−1)), begun with SMA_n of the first n closes",
    reference="TA-Lib EMA",
    group="moving_average",
    pane="price",
    inputs=("close",),
    outputs=("ema_12", "ema_26"),
    parameters=(_window("short", "Short", 12), _window("long", "Long", 26)),
    compute=compute,
    warm_up=25,
    vote=vote,
    vote_rule="buy while EMA 12 is above EMA 26, sell while below",
)
