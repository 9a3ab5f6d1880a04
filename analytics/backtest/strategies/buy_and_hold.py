"""Buy every ticker once and keep it: what the other strategies are compared with."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._strategy import Strategy
from analytics.conventions import FloatArray


def decide(inputs: StrategyInputs) -> FloatArray:
    """Return 1 / n_tickers at each ticker's first row, shape (n_dates, n_tickers); NaN elsewhere."""
    first_rows, dates, tickers = inputs.first_rows, inputs.panel.dates, inputs.panel.tickers
    targets = np.full(inputs.panel.close.shape, np.nan)
    listed = np.flatnonzero(first_rows < len(dates))
    targets[first_rows[listed], listed] = 1.0 / len(tickers)
    return targets


STRATEGY = Strategy(
    key="buy_and_hold",
    label="Buy and hold",
    description="Puts the same share of the account into every ticker as soon as it can and keeps it.",
    parameters=(),
    decide=decide,
    explain=lambda _inputs, _column, rows: ["bought once and kept"] * len(rows),
)
