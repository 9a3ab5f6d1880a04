"""Momentum: how far the close has come in ten sessions."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, change, sign_of
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the change of the close, shape (n,) in USD. NaN when: fewer than window + 1 bars."""
    return (talib.MOM(inputs["close"], timeperiod=window),)


def vote(inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy while the momentum grows, sell while it shrinks."""
    return sign_of(change(outputs["momentum_10"]), scale=inputs["close"])


INDICATOR = Indicator(
    key="momentum",
    label="Momentum 10",
    description="The close less the close of 10 sessions ago: growing, the move gathers pace.",
    formula="MOM = C_t − C_{t−10}",
    reference="TA-Lib MOM; vote: TradingView, Technical Ratings",
    group="oscillator",
    pane="own",
    inputs=("close",),
    outputs=("momentum_10",),
    parameters=(Parameter("window", "Window", 10, "sessions between the two closes", minimum=1, maximum=500),),
    compute=compute,
    warm_up=10,
    votes=(
        Vote(
            key="momentum", label="Momentum 10", rule="buy while it rises, sell while it falls", decide=vote, warm_up=11, rating="oscillator",
            because=("Momentum rose to {momentum_10:.2f} from {before.momentum_10:.2f}.",
                     "Momentum stayed at {momentum_10:.2f}.",
                     "Momentum fell to {momentum_10:.2f} from {before.momentum_10:.2f}."),
        ),
    ),
    levels=(0.0,),
)  # fmt: skip
