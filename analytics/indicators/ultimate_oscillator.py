"""Ultimate oscillator (Williams): buying pressure over three horizons at once."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, either
from analytics.parameters import Parameter

WEAK, STRONG = 30.0, 70.0


def compute(inputs: Columns, *, short: int, medium: int, long: int) -> tuple[FloatArray, ...]:
    """Return the oscillator, shape (n,), 0 to 100.

    NaN when: fewer than long + 1 bars, or the price has not moved within one of the windows. Raises InputError where
    the windows do not rise.
    """
    if not short < medium < long:
        raise InputError(
            "short, medium, long",
            got=f"{short}, {medium}, {long}",
            allowed="windows that rise",
            fix="TA-Lib would sort them.",
        )
    bars = inputs["high"], inputs["low"], inputs["close"]
    values = talib.ULTOSC(*bars, timeperiod1=short, timeperiod2=medium, timeperiod3=long)
    # TA-Lib leaves a horizon without any range out of the sum, which then reads as selling.
    still = talib.MAX(talib.TRANGE(*bars), timeperiod=max(2, short)) == 0
    return (np.where(still, np.nan, values),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy on strength, sell on weakness: unlike the other oscillators it confirms a move."""
    values = outputs["ultimate_oscillator"]
    return either(values > STRONG, values < WEAK)


INDICATOR = Indicator(
    key="ultimate_oscillator",
    label="Ultimate oscillator 7/14/28",
    description="Buying pressure, the close above the true low, over 7, 14 and 28 sessions: strong when all agree.",
    formula="UO = 100 · (4 A_7 + 2 A_14 + A_28) / 7; A_n = Σ (C − true low) / Σ true range over n sessions",
    reference="Williams, The Ultimate Oscillator, Stocks & Commodities (1985); TA-Lib ULTOSC; vote: TradingView, Technical Ratings",
    group="oscillator",
    pane="own",
    inputs=("high", "low", "close"),
    outputs=("ultimate_oscillator",),
    parameters=(
        Parameter("short", "Short", 7, "sessions in the short horizon", minimum=2, maximum=200),
        Parameter("medium", "Medium", 14, "sessions in the medium horizon", minimum=2, maximum=200),
        Parameter("long", "Long", 28, "sessions in the long horizon", minimum=2, maximum=400),
    ),
    compute=compute,
    warm_up=28,
    votes=(
        Vote(
            key="ultimate_oscillator", label="Ultimate oscillator", rule="buy above 70, sell below 30", decide=vote, rating="oscillator",
            because=("At {ultimate_oscillator:.1f} it is above 70: buying pressure on all horizons.",
                     "At {ultimate_oscillator:.1f} it is between 30 and 70.",
                     "At {ultimate_oscillator:.1f} it is below 30: selling pressure on all horizons."),
        ),
    ),
    levels=(WEAK, STRONG),
)  # fmt: skip
