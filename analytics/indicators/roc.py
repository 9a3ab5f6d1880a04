"""Rate of change: the plainest momentum, today's close against an earlier one."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, sign_of
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the change, shape (n,), in percent. NaN when: fewer than window + 1 bars."""
    return (talib.ROC(inputs["close"], timeperiod=window),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy after a rise, sell after a fall."""
    return sign_of(outputs["roc_12"])


INDICATOR = Indicator(
    key="roc",
    label="ROC 12",
    description="The change of the close over 12 sessions, in percent.",
    formula="ROC = 100 · (C_t / C_{t−12} − 1)",
    reference="TA-Lib ROC",
    group="oscillator",
    pane="own",
    inputs=("close",),
    outputs=("roc_12",),
    parameters=(Parameter("window", "Window", 12, "sessions looked back", minimum=1, maximum=500),),
    compute=compute,
    warm_up=12,
    votes=(
        Vote(
            key="roc",
            label="Rate of change",
            rule="buy above 0, sell below 0",
            decide=vote,
            because=(
                "The close has risen by {roc_12:.1f} % in 12 sessions.",
                "The close is where it was 12 sessions ago.",
                "The close has moved by {roc_12:.1f} % in 12 sessions.",
            ),
        ),
    ),
    levels=(0.0,),
)
