"""A stored backtest with everything that the tear sheet and its exports show of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from analytics.backtest.tear_sheet import Record
from analytics.conventions import INITIAL_CAPITAL
from dashapp.data import workspace
from pipeline import backtests
from pipeline.queries import results as result_queries
from pipeline.workspace import reading


@dataclass(frozen=True, eq=False)
class Stored:
    """One result as it is stored: its row, its account by session, its trades, and each ticker on its own.

    An earlier version stored less: columns that it did not know are NULL, and `tickers` may be empty.
    """

    result: dict[str, Any]
    account: pd.DataFrame
    trades: pd.DataFrame
    tickers: pd.DataFrame

    @property
    def metrics(self) -> dict[str, float | None]:
        """The metrics by key, None where undefined."""
        return dict(self.result["metrics"])

    @property
    def audit(self) -> dict[str, Any]:
        """What is known of how the result was made."""
        return dict(self.result["audit"])

    @property
    def initial_capital(self) -> float:
        """The capital that the account began with, USD."""
        return float(self.result["params"].get("initial_capital", INITIAL_CAPITAL))

    @cached_property
    def record(self) -> Record:
        """The account as series of returns."""
        return Record.of(self.account, self.initial_capital)


def stored(result_id: str) -> Stored:
    """Return a stored result; raises MissingDataError where there is none of this name."""
    result = backtests.load(result_id, workspace=workspace())
    with reading(workspace()) as reader:
        return Stored(
            result, result_queries.equity(reader, result_id), result_queries.trades(reader, result_id),
            result_queries.tickers(reader, result_id),
        )  # fmt: skip


def is_current(result_id: str, data_run_id: str) -> bool:
    """Whether a stored result was asked of this data run."""
    with reading(workspace()) as reader:
        return result_queries.is_current(reader, result_id, data_run_id)
