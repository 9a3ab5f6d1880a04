"""Ichimoku (Hosoda): the middle of recent ranges, and the cloud they cast ahead."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns, average_vote
from analytics.parameters import Parameter


def compute(inputs: Columns, *, conversion: int, base: int, span: int) -> tuple[FloatArray, ...]:
    """Return conversion, base and the two edges of the cloud that stands over the bar, each of shape (n,) in USD.

    The cloud over a bar was computed `base` − 1 bars before it, as charts draw it. NaN when: fewer bars than the
    window (and, for the cloud, than its shift).
    """
    middles = [_middle(inputs, window) for window in (conversion, base, span)]
    return middles[0], middles[1], _later((middles[0] + middles[1]) / 2, base - 1), _later(middles[2], base - 1)


def _middle(inputs: Columns, window: int) -> FloatArray:
    highest, lowest = talib.MAX(inputs["high"], timeperiod=window), talib.MIN(inputs["low"], timeperiod=window)
    return np.asarray((highest + lowest) / 2)


def _later(values: FloatArray, bars: int) -> FloatArray:
    return np.concatenate([np.full(min(bars, len(values)), np.nan), values[: max(0, len(values) - bars)]])


INDICATOR = Indicator(
    key="ichimoku",
    label="Ichimoku 9/26/52",
    description="The middle of the range of 9 and of 26 sessions, and the cloud: the same carried 25 sessions ahead.",
    formula="conversion = (H_9 + L_9) / 2; base = (H_26 + L_26) / 2; cloud = (conversion + base) / 2 and (H_52 + L_52) / 2 of 25 sessions ago",
    reference="Hosoda, Ichimoku Kinko Hyo (1969); TradingView, Ichimoku Cloud",
    group="moving_average",
    pane="price",
    inputs=("high", "low", "close"),
    outputs=("ichimoku_conversion", "ichimoku_base", "ichimoku_span_a", "ichimoku_span_b"),
    parameters=(
        Parameter("conversion", "Conversion", 9, "sessions in the range of the conversion line", minimum=2, maximum=200),
        Parameter("base", "Base", 26, "sessions in the range of the base line, and the shift of the cloud", minimum=2, maximum=200),
        Parameter("span", "Span B", 52, "sessions in the range of the cloud's second edge", minimum=2, maximum=400),
    ),
    compute=compute,
    warm_up=76,
    votes=(average_vote("ichimoku_base", "Ichimoku base", warm_up=25),),
)  # fmt: skip
