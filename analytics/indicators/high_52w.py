"""Distance from the 52-week high (George and Hwang): how far the close is below the best price of a year."""

import talib

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the distance, shape (n,), a fraction, 0 or less. NaN when: fewer than `window` bars."""
    return (inputs["close"] / talib.MAX(inputs["high"], timeperiod=window) - 1,)


INDICATOR = Indicator(
    key="high_52w",
    label="52-week high",
    description="The close against the highest price of the last 252 sessions: near 0, the stock is near its high.",
    formula="C / H_252 − 1, H_252 the highest high of 252 sessions, today's included",
    reference="George and Hwang, The 52-Week High and Momentum Investing, Journal of Finance (2004)",
    group="trend",
    pane="own",
    inputs=("high", "close"),
    outputs=("high_52w_distance",),
    parameters=(Parameter("window", "Window", TRADING_DAYS, "sessions in the year", minimum=2, maximum=600),),
    compute=compute,
    warm_up=251,
    fraction=True,
)
