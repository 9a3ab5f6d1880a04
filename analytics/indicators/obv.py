"""On-balance volume (Granville): whether volume has been flowing into the rises or into the falls."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, sign_of

AVERAGE_WINDOW = 20


def compute(inputs: Columns) -> tuple[FloatArray, ...]:
    """Return the running balance, shape (n,) in shares; it begins at the first bar's volume, so only changes matter."""
    return (talib.OBV(inputs["close"], inputs["volume"]),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy while the balance is above its own average, which does not depend on where it began."""
    balance = outputs["obv"]
    return sign_of(balance - talib.SMA(balance, timeperiod=AVERAGE_WINDOW), scale=np.abs(balance))


INDICATOR = Indicator(
    key="obv",
    label="OBV",
    description="Volume added on rising and taken off on falling sessions: its direction matters, not its level.",
    formula="OBV_t = OBV_{t−1} + sign(C_t − C_{t−1}) · volume_t, begun with the first volume",
    reference="Granville, Granville's New Key to Stock Market Profits (1963); TA-Lib OBV",
    group="volume",
    pane="own",
    inputs=("close", "volume"),
    outputs=("obv",),
    parameters=(),
    compute=compute,
    warm_up=0,
    votes=(
        Vote(
            key="obv",
            label="On-balance volume",
            rule="buy while OBV is above its own 20-session average, sell while below",
            decide=vote,
            warm_up=19,
            because=(
                "OBV is above its own 20-session average.",
                "OBV equals its own 20-session average.",
                "OBV is below its own 20-session average.",
            ),
        ),
    ),
)
