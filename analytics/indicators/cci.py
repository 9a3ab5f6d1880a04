"""Commodity channel index (Lambert): how unusual today's typical price is among the recent ones."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, band_vote, level_reasons
from analytics.parameters import Parameter

OVERSOLD, OVERBOUGHT = -100.0, 100.0


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the index, shape (n,), unbounded. NaN when: fewer than `window` bars, or all typical prices are equal."""
    bars = inputs["high"], inputs["low"], inputs["close"]
    index = talib.CCI(*bars, timeperiod=window)
    typical = talib.TYPPRICE(*bars)
    # With equal prices the formula is 0/0; TA-Lib gives 0, or ±67 where rounding leaves a last bit.
    flat = talib.MAX(typical, timeperiod=window) == talib.MIN(typical, timeperiod=window)
    return (np.where(flat, np.nan, index),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy when oversold, sell when overbought."""
    return band_vote(outputs["cci_20"], buy_below=OVERSOLD, sell_above=OVERBOUGHT)


INDICATOR = Indicator(
    key="cci",
    label="CCI 20",
    description="The distance of the typical price from its 20-session average, in units of its usual distance.",
    formula="CCI = (TP − SMA_20(TP)) / (0.015 · mean |TP − SMA_20(TP)|), TP = (H + L + C) / 3",
    reference="Lambert, Commodity Channel Index, Commodities (1980); TA-Lib CCI",
    group="oscillator",
    pane="own",
    inputs=("high", "low", "close"),
    outputs=("cci_20",),
    parameters=(Parameter("window", "Window", 20, "sessions in the average", minimum=2, maximum=200),),
    compute=compute,
    warm_up=19,
    votes=(
        Vote(
            key="cci",
            label="CCI",
            rule="buy below −100, sell above 100",
            decide=vote,
            rating="oscillator",
            because=level_reasons("CCI", "cci_20", low=OVERSOLD, high=OVERBOUGHT, digits=0),
        ),
    ),
    levels=(OVERSOLD, OVERBOUGHT),
)
