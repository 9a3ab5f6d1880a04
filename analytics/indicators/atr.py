"""Average true range (Wilder): how far the price travels in a session, gaps included."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the range, shape (n,) in USD. NaN when: fewer than window + 1 bars."""
    return (talib.ATR(inputs["high"], inputs["low"], inputs["close"], timeperiod=window),)


INDICATOR = Indicator(
    key="atr",
    label="ATR 14",
    description="The usual distance the price covers in a session, over about 14 sessions: a yardstick for stops and sizes.",
    formula="ATR = Wilder average of TR; TR_t = max(H_t, C_{t−1}) − min(L_t, C_{t−1})",
    reference="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib ATR",
    group="volatility",
    pane="own",
    inputs=("high", "low", "close"),
    outputs=("atr_14",),
    parameters=(Parameter("window", "Window", 14, "sessions in the average", minimum=2, maximum=200),),
    compute=compute,
    warm_up=14,
)
