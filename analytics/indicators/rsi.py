"""Relative strength index (Wilder): how one-sided the recent closes have been."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, band_vote, level_reasons
from analytics.parameters import Parameter

OVERSOLD, OVERBOUGHT = 30.0, 70.0


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the index, shape (n,), 0 to 100. NaN when: fewer than `window` changes, or the close has not moved."""
    close = inputs["close"]
    index = talib.RSI(close, timeperiod=window)
    # TA-Lib gives 0, the most oversold, where there is neither gain nor loss; only then is the mirror image's 0 too.
    unmoved = (index == 0) & (talib.RSI(-close, timeperiod=window) == 0)
    return (np.where(unmoved, np.nan, index),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy when oversold, sell when overbought."""
    return band_vote(outputs["rsi_14"], buy_below=OVERSOLD, sell_above=OVERBOUGHT)


INDICATOR = Indicator(
    key="rsi",
    label="RSI 14",
    description="The share of upward moves in the last 14 sessions: below 30 the selling, above 70 the buying, looks overdone.",
    formula="RSI = 100 − 100 / (1 + Wilder average gain / Wilder average loss)",
    reference="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib RSI",
    group="oscillator",
    pane="own",
    inputs=("close",),
    outputs=("rsi_14",),
    parameters=(Parameter("window", "Window", 14, "sessions in the average", minimum=2, maximum=200),),
    compute=compute,
    warm_up=14,
    votes=(
        Vote(
            key="rsi",
            label="RSI",
            rule="buy below 30, sell above 70",
            decide=vote,
            rating="oscillator",
            because=level_reasons("RSI", "rsi_14", low=OVERSOLD, high=OVERBOUGHT),
        ),
    ),
    levels=(OVERSOLD, OVERBOUGHT),
)
