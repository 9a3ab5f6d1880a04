"""Money flow index (Quong and Soudack): the relative strength index of prices weighed by volume."""

import numpy as np
import talib

from analytics.conventions import FloatArray
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import ROUNDING, Columns, Vote, band_vote, level_reasons
from analytics.parameters import Parameter

OVERSOLD, OVERBOUGHT = 20.0, 80.0
LEAST_FLOW = 1.0  # USD: TA-Lib counts a total flow below this as none


def compute(inputs: Columns, *, window: int) -> tuple[FloatArray, ...]:
    """Return the index, shape (n,), 0 to 100. NaN when: fewer than `window` changes, or no money moved the price."""
    bars = inputs["high"], inputs["low"], inputs["close"]
    index = talib.MFI(*bars, inputs["volume"], timeperiod=window)
    typical = talib.TYPPRICE(*bars)
    moved = np.abs(np.diff(typical, prepend=typical[0])) > ROUNDING * typical
    flow = talib.SUM(typical * inputs["volume"] * moved, timeperiod=window)
    # TA-Lib gives 0, the most oversold, where there is no flow: an index without volume, a halted stock.
    return (np.where(flow < LEAST_FLOW, np.nan, index),)


def vote(_inputs: Columns, outputs: Columns) -> FloatArray:
    """Buy when oversold, sell when overbought."""
    return band_vote(outputs["mfi_14"], buy_below=OVERSOLD, sell_above=OVERBOUGHT)


INDICATOR = Indicator(
    key="mfi",
    label="MFI 14",
    description="The share of the last 14 sessions' trading, in money, that went with a rising price.",
    formula="MFI = 100 · Σ positive flow / Σ flow over 14 sessions; flow = TP · volume, positive where TP rose; TP = (H + L + C) / 3",
    reference="Quong and Soudack, Volume-Weighted RSI: Money Flow, Stocks & Commodities (1989); TA-Lib MFI",
    group="volume",
    pane="own",
    inputs=("high", "low", "close", "volume"),
    outputs=("mfi_14",),
    parameters=(Parameter("window", "Window", 14, "sessions in the sum", minimum=2, maximum=200),),
    compute=compute,
    warm_up=14,
    votes=(
        Vote(
            key="mfi",
            label="MFI",
            rule="buy below 20, sell above 80",
            decide=vote,
            because=level_reasons("MFI", "mfi_14", low=OVERSOLD, high=OVERBOUGHT),
        ),
    ),
    levels=(OVERSOLD, OVERBOUGHT),
)
