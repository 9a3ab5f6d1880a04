"""What a backtest answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analytics.backtest.engine import returns_of
from analytics.conventions import DateArray, FloatArray

SESSION_COLUMNS = (
    "equity", "benchmark", "drawdown", "gross_exposure", "net_exposure", "cash", "turnover", "risk_free",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """An account over its sessions, each array of shape (n_sessions,), and what led to it.

    equity, benchmark and cash in USD at the close; drawdown 0 or less; gross_exposure, net_exposure and turnover
    (value traded) as shares of equity; risk_free: simple return of the session, NaN unknown. orders: decided, date
    (None while pending), ticker, side, target_weight. trades: the columns of `round_trips`. metrics: {key of the
    metric registry: value}. audit: how the answer was made, in plain JSON values.
    """

    dates: DateArray
    equity: FloatArray
    benchmark: FloatArray
    drawdown: FloatArray
    gross_exposure: FloatArray
    net_exposure: FloatArray
    cash: FloatArray
    turnover: FloatArray
    risk_free: FloatArray
    orders: pd.DataFrame
    trades: pd.DataFrame
    metrics: dict[str, float]
    audit: dict[str, Any]

    def returns(self, initial_capital: float) -> FloatArray:
        """Return the simple returns per session, the first one from the initial capital, shape (n_sessions,)."""
        return returns_of(self.equity, initial_capital)

    def benchmark_returns(self, initial_capital: float) -> FloatArray:
        """Return the same of the benchmark."""
        return returns_of(self.benchmark, initial_capital)

    def equity_frame(self) -> pd.DataFrame:
        """Return one row per session: date (ISO text) and SESSION_COLUMNS."""
        return pd.DataFrame(
            {"date": np.datetime_as_string(self.dates, unit="D").astype(object)}
            | {name: getattr(self, name) for name in SESSION_COLUMNS}
        )
