"""TRIX (Hutson): the change of an average smoothed three times, which leaves short cycles out."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, Vote, sign_of
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the change per session, shape (n,), in percent. NaN when: fewer than 3 · window − 1 bars."""
    return (talib.TRIX(inputs["close"], timeperiod=window),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy while the smoothed average rises, sell while it falls."""
    return sign_of(outputs["trix_15"], scale=100.0)  # percent of the average itself


INDICATOR = Indicator(
    key="trix",
    label="TRIX 15",
    description="The daily change, in percent, of a three times smoothed average: the trend without its short cycles.",
    formula="TRIX = 100 · (E_t / E_{t−1} − 1), E = EMA_15(EMA_15(EMA_15(C)))",
    reference="Hutson, Good TRIX, Stocks & Commodities (1983); TA-Lib TRIX",
    group="oscillator",
    pane="own",
    inputs=("close",),
    outputs=("trix_15",),
    parameters=(Parameter("window", "Window", 15, "sessions in each of the three averages", minimum=2, maximum=200),),
    compute=compute,
    warm_up=43,
    votes=(
        Vote(
            key="trix",
            label="TRIX",
            rule="buy above 0, sell below 0",
            decide=vote,
            because=(
                "TRIX at {trix_15:.3f} % is above 0: the smoothed average rises.",
                "TRIX is 0: the smoothed average stands still.",
                "TRIX at {trix_15:.3f} % is below 0: the smoothed average falls.",
            ),
        ),
    ),
    levels=(0.0,),
)
