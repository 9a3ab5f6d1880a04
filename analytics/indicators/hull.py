"""Hull moving average: a weighted average that has most of its lag taken out."""

from math import isqrt

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, average_vote
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the average, shape (n,) in USD. NaN when: fewer than window + ⌊√window⌋ − 1 bars."""
    close = inputs["close"]
    ahead = 2 * talib.WMA(close, timeperiod=window // 2) - talib.WMA(close, timeperiod=window)
    return (talib.WMA(ahead, timeperiod=isqrt(window)),)


INDICATOR = Indicator(
    key="hull",
    label="Hull 9",
    description="An average of 9 sessions that turns almost with the price: smooth, but quick.",
    formula="HMA_n = WMA_⌊√n⌋(2 · WMA_⌊n/2⌋(C) − WMA_n(C)); WMA_n weighs the newest close n, the one before n − 1, …",
    reference="Hull, Hull Moving Average (2005)",
    group="moving_average",
    pane="price",
    inputs=("close",),
    outputs=("hull_9",),
    parameters=(Parameter("window", "Window", 9, "sessions in the average", minimum=4, maximum=400),),
    compute=compute,
    warm_up=10,
    votes=(average_vote("hull_9", "Hull 9", warm_up=10),),
)
