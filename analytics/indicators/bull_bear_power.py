"""Bull and bear power (Elder): how far buyers and sellers pushed the price from its average."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import ROUNDING, Columns, Vote, change, either
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return bull and bear power, each of shape (n,) in USD. NaN when: fewer than `window` bars."""
    average = talib.EMA(inputs["close"], timeperiod=window)
    return inputs["high"] - average, inputs["low"] - average


def vote(inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy in a rising average on a bear power below zero that recovers, sell in the mirror case."""
    bull, bear = outputs["bull_power"], outputs["bear_power"]
    least = ROUNDING * inputs["close"]
    trend = change(inputs["high"] - bull)  # of the average itself
    return either(
        (trend > least) & (bear < -least) & (change(bear) > least),
        (trend < -least) & (bull > least) & (change(bull) < -least),
        trend,
    )


INDICATOR = Indicator(
    key="bull_bear_power",
    label="Bull and bear power 13",
    description="The day's high and low against the 13-session average: how far each side could push the price.",
    formula="bull = H − EMA_13(C); bear = L − EMA_13(C)",
    reference="Elder, Trading for a Living (1993)",
    group="oscillator",
    pane="own",
    inputs=("high", "low", "close"),
    outputs=("bull_power", "bear_power"),
    parameters=(Parameter("window", "Window", 13, "sessions in the average", minimum=2, maximum=500),),
    compute=compute,
    warm_up=12,
    votes=(
        Vote(
            key="bull_bear_power", label="Bull and bear power",
            rule="buy while the average rises and bear power is below zero and rising, sell while it falls and bull power is above zero and falling",
            decide=vote, warm_up=13, rating="oscillator",
            because=("The average rises, and bear power recovers from {before.bear_power:.2f} to {bear_power:.2f}.",
                     "Bull power at {bull_power:.2f} and bear power at {bear_power:.2f} show no dip in a rising trend and no rally in a falling one.",
                     "The average falls, and bull power fades from {before.bull_power:.2f} to {bull_power:.2f}."),
        ),
    ),
    levels=(0.0,),
)  # fmt: skip
