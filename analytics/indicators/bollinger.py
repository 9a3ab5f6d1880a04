"""Bollinger bands: how far the close has strayed from its average, in units of its own recent spread."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, sign_of
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int, width: float) -> tuple[FloatArray, ...]:
    """Return upper, middle and lower band, each of shape (n,) in USD. NaN when: fewer than `window` bars."""
    return talib.BBANDS(inputs["close"], timeperiod=window, nbdevup=width, nbdevdn=width, matype=talib.MA_Type.SMA)


def vote(inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy on a close below the lower band, sell on a close above the upper band."""
    close = inputs["close"]
    below = sign_of(close - outputs["bb_lower"], scale=close) < 0
    above = sign_of(close - outputs["bb_upper"], scale=close) > 0
    return below.astype(float) - above.astype(float)


INDICATOR = Indicator(
    key="bollinger",
    label="Bollinger 20, 2",
    description="A band of two standard deviations around the 20-session average: a close outside it is an unusual one.",
    formula="middle = SMA_20(C); upper, lower = middle ± 2 · population standard deviation of the same 20 closes",
    reference="Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib BBANDS",
    group="volatility",
    pane="price",
    inputs=("close",),
    outputs=("bb_upper", "bb_middle", "bb_lower"),
    parameters=(
        Parameter("window", "Window", 20, "sessions in the average", minimum=2, maximum=500),
        Parameter("width", "Width", 2.0, "standard deviations to each side", minimum=0.1, maximum=5, step=0.1),
    ),
    compute=compute,
    warm_up=19,
    votes=(
        Vote(
            key="bollinger",
            label="Bollinger bands",
            rule="buy on a close below the lower band, sell above the upper band",
            decide=vote,
            because=(
                "The close of {close:,.2f} is below the lower band at {bb_lower:,.2f}.",
                "The close of {close:,.2f} is within the bands, {bb_lower:,.2f} to {bb_upper:,.2f}.",
                "The close of {close:,.2f} is above the upper band at {bb_upper:,.2f}.",
            ),
        ),
    ),
)
