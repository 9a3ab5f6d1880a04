"""Aroon (Chande): how long ago the high and the low of the last sessions were made."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, either
from analytics.parameters import Parameter

OLD, RECENT = 30.0, 70.0


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return Aroon up and down, each of shape (n,), 0 to 100. NaN when: fewer than window + 1 bars."""
    down, up = talib.AROON(inputs["high"], inputs["low"], timeperiod=window)
    return up, down


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy where the high is recent and the low is old, sell in the mirror case."""
    up, down = outputs["aroon_up_14"], outputs["aroon_down_14"]
    return either((up > RECENT) & (down < OLD), (down > RECENT) & (up < OLD))


INDICATOR = Indicator(
    key="aroon",
    label="Aroon 14",
    description="How recent the high and the low of the last 14 sessions are: 100 is today, 0 is 14 sessions ago.",
    formula="up = 100 · (14 − sessions since the highest of 15 highs) / 14; down the same of the lowest low; of equal ones the latest",
    reference="Chande, A Time Price Oscillator, Stocks & Commodities (1995); TA-Lib AROON",
    group="trend",
    pane="own",
    inputs=("high", "low"),
    outputs=("aroon_up_14", "aroon_down_14"),
    parameters=(Parameter("window", "Window", 14, "sessions looked back", minimum=2, maximum=200),),
    compute=compute,
    warm_up=14,
    votes=(
        Vote(
            key="aroon",
            label="Aroon",
            rule="buy while Aroon up is above 70 and down below 30, sell in the mirror case",
            decide=vote,
            because=(
                "Aroon up at {aroon_up_14:.0f} and down at {aroon_down_14:.0f}: the high is recent, the low is old.",
                "Aroon up at {aroon_up_14:.0f} and down at {aroon_down_14:.0f} do not stand above 70 and below 30.",
                "Aroon up at {aroon_up_14:.0f} and down at {aroon_down_14:.0f}: the low is recent, the high is old.",
            ),
        ),
    ),
    levels=(OLD, RECENT),
)
