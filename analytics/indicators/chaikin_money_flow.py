"""Chaikin money flow: whether the volume of the last sessions closed near the highs or near the lows."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, either
from analytics.indicators.vwma import weighed_by_volume
from analytics.parameters import Parameter

OUTFLOW, INFLOW = -0.05, 0.05


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the flow, shape (n,), −1 to 1. NaN when: fewer than `window` bars, or no volume in the window.

    A bar without range moves no money, whatever its volume.
    """
    high, low, close = inputs["high"], inputs["low"], inputs["close"]
    place = np.divide((close - low) - (high - close), high - low, out=np.zeros(len(close)), where=high > low)
    return (weighed_by_volume(place, inputs["volume"], window),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy on a clear inflow, sell on a clear outflow."""
    return either(outputs["cmf_20"] > INFLOW, outputs["cmf_20"] < OUTFLOW)


INDICATOR = Indicator(
    key="chaikin_money_flow",
    label="Chaikin money flow 20",
    description="The volume of 20 sessions, counted for the buyers where the close is near the high: above 0 they were in control.",
    formula="CMF = Σ M · volume / Σ volume over 20 sessions; M = ((C − L) − (H − C)) / (H − L), 0 where H = L",
    reference="Chaikin, in Achelis, Technical Analysis from A to Z (2001); M · volume is the step of TA-Lib AD; R TTR CMF",
    group="volume",
    pane="own",
    inputs=("high", "low", "close", "volume"),
    outputs=("cmf_20",),
    parameters=(Parameter("window", "Window", 20, "sessions in the sums", minimum=2, maximum=200),),
    compute=compute,
    warm_up=19,
    votes=(
        Vote(
            key="chaikin_money_flow",
            label="Chaikin money flow",
            rule="buy above 0.05, sell below −0.05",
            decide=vote,
            because=(
                "Money flow at {cmf_20:.2f} is above 0.05: the volume closed near the highs.",
                "Money flow at {cmf_20:.2f} is between −0.05 and 0.05.",
                "Money flow at {cmf_20:.2f} is below −0.05: the volume closed near the lows.",
            ),
        ),
    ),
    levels=(OUTFLOW, INFLOW),
)
