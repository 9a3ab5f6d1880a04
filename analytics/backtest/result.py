"""What a backtest answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import DateArray, FloatArray


@dataclass(frozen=True)
class BacktestResult:
    """An account over its sessions, each array of shape (n_sessions,), and what led to it.

    equity and benchmark in USD at the close; drawdown 0 or less; gross_exposure and net_exposure as shares
    of equity. orders: decided, date (None while pending), ticker, side, target_weight. trades: the columns
    of `round_trips`. metrics: {key of the metric registry: value}. audit: how the answer was made, in plain
    JSON values.
    """

    dates: DateArray
    equity: FloatArray
    benchmark: FloatArray
    drawdown: FloatArray
    gross_exposure: FloatArray
    net_exposure: FloatArray
    orders: pd.DataFrame
    trades: pd.DataFrame
    metrics: dict[str, float]
    audit: dict[str, Any]

    def equity_frame(self) -> pd.DataFrame:
        """Return one row per session: date (ISO text), equity, benchmark, drawdown and both exposures."""
        names = ("equity", "benchmark", "drawdown", "gross_exposure", "net_exposure")
        return pd.DataFrame(
            {"date": np.datetime_as_string(self.dates, unit="D").astype(object)}
            | {name: getattr(self, name) for name in names}
        )
