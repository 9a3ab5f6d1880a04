"""Donchian channel: the highest high and the lowest low of the last sessions."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return upper, middle and lower line, each of shape (n,) in USD. NaN when: fewer than `window` bars."""
    upper = talib.MAX(inputs["high"], timeperiod=window)
    lower = talib.MIN(inputs["low"], timeperiod=window)
    return upper, (upper + lower) / 2, lower


INDICATOR = Indicator(
    key="donchian",
    label="Donchian 20",
    description="The range of the last 20 sessions, today's included: a high on the upper line is a new high.",
    formula="upper = H_20, lower = L_20, the highest high and lowest low; middle = (upper + lower) / 2",
    reference="Donchian, High Finance in Copper, Financial Analysts Journal (1960); R TTR DonchianChannel",
    group="trend",
    pane="price",
    inputs=("high", "low"),
    outputs=("donchian_upper", "donchian_middle", "donchian_lower"),
    parameters=(Parameter("window", "Window", 20, "sessions in the range", minimum=2, maximum=500),),
    compute=compute,
    warm_up=19,
)
