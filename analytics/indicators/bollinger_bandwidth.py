"""Bollinger bandwidth: how far apart the Bollinger bands are, so that a squeeze can be seen."""

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns
from analytics.indicators.bollinger import compute as bands
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int, width: float) -> tuple[FloatArray, ...]:
    """Return the width, shape (n,), a fraction of the middle band, 0 or more. NaN when: fewer than `window` bars."""
    upper, middle, lower = bands(inputs, window=window, width=width)
    return ((upper - lower) / middle,)


INDICATOR = Indicator(
    key="bollinger_bandwidth",
    label="Bollinger bandwidth",
    description="The distance between the Bollinger bands as a fraction of the average: a low one is a market at rest.",
    formula="bandwidth = (upper − lower) / middle, the bands of 20 sessions and 2 standard deviations",
    reference="Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib BBANDS",
    group="volatility",
    pane="own",
    inputs=("close",),
    outputs=("bb_bandwidth",),
    parameters=(
        Parameter("window", "Window", 20, "sessions in the average", minimum=2, maximum=500),
        Parameter("width", "Width", 2.0, "standard deviations to each side", minimum=0.1, maximum=5, step=0.1),
    ),
    compute=compute,
    warm_up=19,
    fraction=True,
)
