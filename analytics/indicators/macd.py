"""Moving average convergence/divergence (Appel): whether the short trend is gaining on the long one."""

import talib

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, sign_of
from analytics.parameters import Parameter


def compute(inputs: Columns, *, fast: int, slow: int, signal: int) -> tuple[FloatArray, ...]:
    """Return line, signal and histogram, each of shape (n,) in USD. NaN when: fewer than slow + signal − 1 bars.

    Raises InputError where `fast` is not below `slow`: TA-Lib would swap them without a word.
    """
    if fast >= slow:
        raise InputError("fast", got=fast, allowed=f"less than slow ({slow})", fix="Shorten fast or lengthen slow.")
    return talib.MACD(inputs["close"], fastperiod=fast, slowperiod=slow, signalperiod=signal)


def vote(inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy while the line is above its signal."""
    return sign_of(outputs["macd"] - outputs["macd_signal"], scale=inputs["close"])


INDICATOR = Indicator(
    key="macd",
    label="MACD 12/26/9",
    description="The distance between a fast and a slow average, against its own average: momentum building or fading.",
    formula="MACD = EMA_12(C) − EMA_26(C); signal = EMA_9(MACD); histogram = MACD − signal",
    reference="Appel, Technical Analysis: Power Tools for Active Investors (2005); TA-Lib MACD",
    group="oscillator",
    pane="own",
    inputs=("close",),
    outputs=("macd", "macd_signal", "macd_hist"),
    parameters=(
        Parameter("fast", "Fast", 12, "sessions in the fast average", minimum=2, maximum=200),
        Parameter("slow", "Slow", 26, "sessions in the slow average", minimum=3, maximum=500),
        Parameter("signal", "Signal", 9, "sessions in the signal line", minimum=2, maximum=200),
    ),
    compute=compute,
    warm_up=33,
    votes=(
        Vote(
            key="macd",
            label="MACD",
            rule="buy while MACD is above its signal, sell while below",
            decide=vote,
            rating="oscillator",
            because=(
                "MACD at {macd:.2f} is above its signal at {macd_signal:.2f}.",
                "MACD equals its signal at {macd:.2f}.",
                "MACD at {macd:.2f} is below its signal at {macd_signal:.2f}.",
            ),
        ),
    ),
    levels=(0.0,),
)
