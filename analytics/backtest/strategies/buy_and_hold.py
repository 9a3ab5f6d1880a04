"""Buy every ticker once and keep it: what the other strategies are compared with."""

import numpy as np

from analytics.backtest.strategies._strategy import Strategy
from analytics.conventions import FloatArray
from analytics.market import Panel


def decide(panel: Panel, first_rows: np.ndarray) -> FloatArray:
    """Return 1 / n_tickers at each ticker's first row, shape (n_dates, n_tickers); NaN elsewhere."""
    targets = np.full(panel.close.shape, np.nan)
    listed = np.flatnonzero(first_rows < len(panel.dates))
    targets[first_rows[listed], listed] = 1.0 / len(panel.tickers)
    return targets


STRATEGY = Strategy(
    key="buy_and_hold",
    label="Buy and hold",
    description="Puts the same share of the account into every ticker as soon as it can and keeps it.",
    parameters=(),
    decide=decide,
)
