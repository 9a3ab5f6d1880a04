"""Awesome oscillator (Williams): the short drift of the middle price against the long one."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import ROUNDING, Columns, Vote, change, either
from analytics.parameters import Parameter


def compute(inputs: Columns, *, fast: int, slow: int) -> tuple[FloatArray, ...]:
    """Return the oscillator, shape (n,) in USD. NaN when: fewer than `slow` bars.

    Raises InputError where `fast` is not below `slow`.
    """
    if fast >= slow:
        raise InputError("fast", got=fast, allowed=f"less than slow ({slow})", fix="Shorten fast or lengthen slow.")
    middle = (inputs["high"] + inputs["low"]) / 2
    return (talib.SMA(middle, timeperiod=fast) - talib.SMA(middle, timeperiod=slow),)


def vote(inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy where the oscillator crosses zero upward, or turns up again above zero; sell is the mirror."""
    values = outputs["awesome_oscillator"]
    least = ROUNDING * inputs["close"]  # rounding is neither a crossing nor a turn
    now = np.where(np.abs(values) <= least, 0.0, values)
    one = np.concatenate([[np.nan], now])[: len(now)]
    moved, moved_before = change(now), change(one)
    buy = ((now > 0) & (one <= 0)) | ((one > 0) & (moved > least) & (moved_before < -least))
    sell = ((now < 0) & (one >= 0)) | ((one < 0) & (moved < -least) & (moved_before > least))
    return either(buy, sell, moved, moved_before)


INDICATOR = Indicator(
    key="awesome_oscillator",
    label="Awesome oscillator",
    description="The 5-session average of the middle price less the 34-session one: momentum, and where it turns.",
    formula="AO = SMA_5(M) − SMA_34(M), M = (H + L) / 2",
    reference="Williams, New Trading Dimensions (1998); vote: TradingView, Technical Ratings",
    group="oscillator",
    pane="own",
    inputs=("high", "low", "close"),
    outputs=("awesome_oscillator",),
    parameters=(
        Parameter("fast", "Fast", 5, "sessions in the fast average", minimum=2, maximum=200),
        Parameter("slow", "Slow", 34, "sessions in the slow average", minimum=3, maximum=500),
    ),
    compute=compute,
    warm_up=33,
    votes=(
        Vote(
            key="awesome_oscillator", label="Awesome oscillator",
            rule="buy where it crosses zero upward or turns up above zero, sell in the mirror case", decide=vote, warm_up=35, rating="oscillator",
            because=("At {awesome_oscillator:.2f} after {before.awesome_oscillator:.2f} it has crossed zero upward or turned up above zero.",
                     "At {awesome_oscillator:.2f} after {before.awesome_oscillator:.2f} it has neither crossed zero nor turned away from it.",
                     "At {awesome_oscillator:.2f} after {before.awesome_oscillator:.2f} it has crossed zero downward or turned down below zero."),
        ),
    ),
    levels=(0.0,),
)  # fmt: skip
