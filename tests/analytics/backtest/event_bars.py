"""One ticker's sessions as plain numbers, in the total-return basis."""

import math
from typing import NamedTuple

from analytics.market import Panel


class Bar(NamedTuple):
    """One ticker's session; open, high and low NaN where unknown, dollars (traded) too."""

    open: float
    high: float
    low: float
    close: float
    dollars: float

    @property
    def quote(self) -> float:
        return self.close if math.isnan(self.open) else self.open

    @property
    def range(self) -> tuple[float, float]:
        """The low and the high."""
        low = min(self.quote, self.close) if math.isnan(self.low) else self.low
        high = max(self.quote, self.close) if math.isnan(self.high) else self.high
        return low, high


def bars_of(panel: Panel, column: int) -> dict[int, Bar]:
    bars = {}
    for row in range(len(panel.dates)):
        open_, high, low, close, adjusted, volume = (
            float(getattr(panel, name)[row, column]) for name in ("open", "high", "low", "close", "adj_close", "volume")
        )
        if not math.isnan(close):
            factor = adjusted / close
            bars[row] = Bar(open_ * factor, high * factor, low * factor, adjusted, close * volume)
    return bars
