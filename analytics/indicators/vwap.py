"""Rolling volume-weighted average price: what a share cost on average over the last sessions."""

from dataclasses import replace

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, average_vote
from analytics.indicators.vwma import weighed_by_volume
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the average price, shape (n,) in USD. NaN when: fewer than `window` bars, or no volume in the window."""
    typical = talib.TYPPRICE(inputs["high"], inputs["low"], inputs["close"])
    return (weighed_by_volume(typical, inputs["volume"], window),)


INDICATOR = Indicator(
    key="vwap",
    label="VWAP 20",
    description="What the shares of the last 20 sessions changed hands for on average, as well as daily bars can tell.",
    formula="VWAP_n = Σ TP · volume / Σ volume over n sessions, TP = (H + L + C) / 3",
    reference="Berkowitz, Logue and Noser, The Total Cost of Transactions on the NYSE (1988), over a rolling window; R TTR VWAP",
    group="volume",
    pane="price",
    inputs=("high", "low", "close", "volume"),
    outputs=("vwap_20",),
    parameters=(Parameter("window", "Window", 20, "sessions in the average", minimum=2, maximum=500),),
    compute=compute,
    warm_up=19,
    votes=(replace(average_vote("vwap_20", "VWAP 20", warm_up=19), key="vwap", rating=None),),
)
