"""Keltner channel: a band around the average whose width is the usual distance covered in a session."""

import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Columns
from analytics.parameters import Parameter


def compute(inputs: Columns, *, window: int, range_window: int, width: float) -> tuple[FloatArray, ...]:
    """Return upper, middle and lower line, each of shape (n,) in USD.

    NaN when: fewer than `window` bars (middle), or fewer than range_window + 1 (the others).
    """
    middle = talib.EMA(inputs["close"], timeperiod=window)
    reach = width * talib.ATR(inputs["high"], inputs["low"], inputs["close"], timeperiod=range_window)
    return middle + reach, middle, middle - reach


INDICATOR = Indicator(
    key="keltner",
    label="Keltner 20, 10, 2",
    description="A channel of two average true ranges around the 20-session average: calmer than Bollinger bands, gaps included.",
    formula="middle = EMA_20(C); upper, lower = middle ± 2 · ATR_10",
    reference="Keltner, How to Make Money in Commodities (1960), with Raschke's average true range; StockCharts, Keltner Channels",
    group="volatility",
    pane="price",
    inputs=("high", "low", "close"),
    outputs=("keltner_upper", "keltner_middle", "keltner_lower"),
    parameters=(
        Parameter("window", "Window", 20, "sessions in the average", minimum=2, maximum=500),
        Parameter("range_window", "Range window", 10, "sessions in the average true range", minimum=2, maximum=200),
        Parameter("width", "Width", 2.0, "average true ranges to each side", minimum=0.1, maximum=5, step=0.1),
    ),
    compute=compute,
    warm_up=19,
)
