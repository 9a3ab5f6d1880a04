"""Parabolic SAR (Wilder): a stop that follows the trend ever more closely, and turns with it."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, sign_of
from analytics.parameters import Parameter


def compute(inputs: Columns, *, acceleration: float, maximum: float) -> tuple[FloatArray, ...]:
    """Return the stop, shape (n,) in USD. NaN when: it is the first bar."""
    return (talib.SAR(inputs["high"], inputs["low"], acceleration=acceleration, maximum=maximum),)


def vote(inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy on a close above the stop, sell below."""
    return sign_of(inputs["close"] - outputs["parabolic_sar"], scale=inputs["close"])


INDICATOR = Indicator(
    key="parabolic_sar",
    label="Parabolic SAR 0.02, 0.2",
    description="A trailing stop: below the price in a rising trend, above it in a falling one, and it turns when touched.",
    formula="SAR_t = SAR_{t−1} + AF · (EP − SAR_{t−1}); EP the extreme of the trend, AF 0.02 more with each new one, up to 0.2",
    reference="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib SAR",
    group="trend",
    pane="price",
    inputs=("high", "low", "close"),
    outputs=("parabolic_sar",),
    parameters=(
        Parameter(
            "acceleration",
            "Acceleration",
            0.02,
            "first factor, and its growth with each new extreme",
            0.005,
            0.1,
            0.005,
        ),
        Parameter("maximum", "Maximum", 0.2, "largest acceleration factor", 0.1, 1.0, 0.05),
    ),
    compute=compute,
    warm_up=1,
    votes=(
        Vote(
            key="parabolic_sar",
            label="Parabolic SAR",
            rule="buy on a close above the stop, sell below",
            decide=vote,
            because=(
                "The close of {close:,.2f} is above the stop at {parabolic_sar:,.2f}: the trend is up.",
                "The close equals the stop at {parabolic_sar:,.2f}.",
                "The close of {close:,.2f} is below the stop at {parabolic_sar:,.2f}: the trend is down.",
            ),
        ),
    ),
)
