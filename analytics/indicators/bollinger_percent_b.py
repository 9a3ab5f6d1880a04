"""Bollinger %B: where the close stands between the Bollinger bands."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns
from analytics.indicators.bollinger import compute as bands
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int, width: float) -> tuple[FloatArray, ...]:
    """Return the place, shape (n,): 0 on the lower band, 1 on the upper one, beyond them outside.

    NaN when: fewer than `window` bars, or the bands have no width.
    """
    upper, _, lower = bands(inputs, window=window, width=width)
    spread = np.where(upper > lower, upper - lower, np.nan)
    return ((inputs["close"] - lower) / spread,)


INDICATOR = Indicator(
    key="bollinger_percent_b",
    label="Bollinger %B",
    description="Where the close stands between the Bollinger bands: 0 is the lower band, 1 the upper one.",
    formula="%B = (C − lower) / (upper − lower), the bands of 20 sessions and 2 standard deviations",
    reference="Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib BBANDS",
    group="volatility",
    pane="own",
    inputs=("close",),
    outputs=("bb_percent_b",),
    parameters=(
        Parameter("window", "Window", 20, "sessions in the average", minimum=2, maximum=500),
        Parameter("width", "Width", 2.0, "standard deviations to each side", minimum=0.1, maximum=5, step=0.1),
    ),
    compute=compute,
    warm_up=19,
    levels=(0.0, 1.0),
)
