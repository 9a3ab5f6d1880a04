"""Exponential moving averages of the close: the trend, with the most recent sessions counting most."""

import talib

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, average_vote, sign_of
from analytics.parameters import Parameter

WINDOWS = (10, 12, 20, 26, 30, 50, 100, 200)
OUTPUTS = tuple(f"ema_{window}" for window in WINDOWS)
RATED = (10, 20, 30, 50, 100, 200)


def compute(inputs: Columns, **windows: int) -> tuple[FloatArray, ...]:
    """Return the eight averages, each of shape (n,) in USD. NaN when: fewer than `window` bars.

    Raises InputError where ema_12 is not below ema_26: their vote would mean the opposite.
    """
    if windows["ema_12"] >= windows["ema_26"]:
        raise InputError(
            "ema_12",
            got=windows["ema_12"],
            allowed=f"less than ema_26 ({windows['ema_26']})",
            fix="Their vote compares them.",
        )
    return tuple(talib.EMA(inputs["close"], timeperiod=windows[name]) for name in OUTPUTS)


def trend(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy while the 12-session average is above the 26-session average."""
    return sign_of(outputs["ema_12"] - outputs["ema_26"], scale=outputs["ema_26"])


INDICATOR = Indicator(
    key="ema",
    label="EMA",
    description="Averages of the close that forget the past gradually: they turn sooner than simple averages.",
    formula="EMA_n(t) = EMA_n(t−1) + 2/(n+1) · (C_t − EMA_n(t−1)), begun with SMA_n of the first n closes",
    reference="TA-Lib EMA",
    group="moving_average",
    pane="price",
    inputs=("close",),
    outputs=OUTPUTS,
    parameters=tuple(
        Parameter(name, f"EMA {window}", window, "sessions in this average", minimum=2, maximum=500)
        for name, window in zip(OUTPUTS, WINDOWS, strict=True)
    ),
    compute=compute,
    warm_up=199,
    votes=(
        Vote(
            key="ema", label="EMA 12 / 26", rule="buy while EMA 12 is above EMA 26, sell while below", decide=trend,
            because=("EMA 12 at {ema_12:,.2f} is above EMA 26 at {ema_26:,.2f}.", "EMA 12 equals EMA 26 at {ema_26:,.2f}.",
                     "EMA 12 at {ema_12:,.2f} is below EMA 26 at {ema_26:,.2f}."),
            reads=("ema_12", "ema_26"), warm_up=25,
        ),
        *(average_vote(f"ema_{window}", f"EMA {window}", warm_up=window - 1) for window in RATED),
    ),
    drawn=("ema_12", "ema_26"),
)  # fmt: skip
