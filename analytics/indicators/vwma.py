"""Volume-weighted moving average: the average close, with busy sessions counting more."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, average_vote
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the average, shape (n,) in USD. NaN when: fewer than `window` bars, or no volume in the window."""
    return (weighed_by_volume(inputs["close"], inputs["volume"], window),)


def weighed_by_volume(prices: FloatArray, volume: FloatArray, window: int) -> FloatArray:
    """Return the mean of the last `window` prices weighed by volume, shape (n,). NaN when: the window has no volume."""
    traded = talib.SUM(volume, timeperiod=window)
    # A running sum keeps last bits of what has left it, so whether there was any volume is asked of the maximum.
    none = talib.MAX(volume, timeperiod=window) <= 0
    return np.divide(
        talib.SUM(prices * volume, timeperiod=window), traded, out=np.full(len(prices), np.nan), where=~none
    )


INDICATOR = Indicator(
    key="vwma",
    label="VWMA 20",
    description="The average close of 20 sessions, each weighed by its volume: where most of the trading closed.",
    formula="VWMA_n = Σ C · volume / Σ volume over n sessions",
    reference="TradingView, VWMA; R TTR VWMA",
    group="moving_average",
    pane="price",
    inputs=("close", "volume"),
    outputs=("vwma_20",),
    parameters=(Parameter("window", "Window", 20, "sessions in the average", minimum=2, maximum=500),),
    compute=compute,
    warm_up=19,
    votes=(average_vote("vwma_20", "VWMA 20", warm_up=19),),
)
