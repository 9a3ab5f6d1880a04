"""Williams %R: how far below the recent high the close stands."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, band_vote, level_reasons
from analytics.parameters import Parameter

OVERSOLD, OVERBOUGHT = -80.0, -20.0


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return %R, shape (n,), −100 to 0. NaN when: fewer than `window` bars, or the range is zero."""
    high, low, close = inputs["high"], inputs["low"], inputs["close"]
    percent_r = talib.WILLR(high, low, close, timeperiod=window)
    # TA-Lib gives 0, the most overbought, where the range is zero.
    flat = talib.MAX(high, timeperiod=window) == talib.MIN(low, timeperiod=window)
    return (np.where(flat, np.nan, percent_r),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy when oversold, sell when overbought."""
    return band_vote(outputs["williams_r_14"], buy_below=OVERSOLD, sell_above=OVERBOUGHT)


INDICATOR = Indicator(
    key="williams_r",
    label="Williams %R 14",
    description="The close within the range of 14 sessions, counted down from the high: −100 at the low, 0 at the high.",
    formula="%R = −100 · (H_14 − C) / (H_14 − L_14); L_14, H_14 the lowest low and highest high",
    reference="Williams, How I Made One Million Dollars (1973); TA-Lib WILLR",
    group="oscillator",
    pane="own",
    inputs=("high", "low", "close"),
    outputs=("williams_r_14",),
    parameters=(Parameter("window", "Window", 14, "sessions in the range", minimum=2, maximum=200),),
    compute=compute,
    warm_up=13,
    votes=(
        Vote(
            key="williams_r",
            label="Williams %R",
            rule="buy below −80, sell above −20",
            decide=vote,
            rating="oscillator",
            because=level_reasons("%R", "williams_r_14", low=OVERSOLD, high=OVERBOUGHT),
        ),
    ),
    levels=(OVERSOLD, OVERBOUGHT),
)
