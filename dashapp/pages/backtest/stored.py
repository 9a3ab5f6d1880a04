"""A stored backtest with everything that the tear sheet and its exports show of it."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd

from analytics.backtest.tear_sheet import Record
from analytics.conventions import INITIAL_CAPITAL
from dashapp.data import workspace
from pipeline import backtests
from pipeline.queries import results as result_queries
from pipeline.workspace import reading

KEPT_RESULTS = 8  # of which the account, the trades and the drawn pages stay in memory


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
        return capital_of(self.result)

    @cached_property
    def record(self) -> Record:
        """The account as series of returns."""
        return Record.of(self.account, self.initial_capital)


def capital_of(result: dict[str, Any]) -> float:
    """Return the capital that a result's account began with, USD."""
    return float(result["params"].get("initial_capital", INITIAL_CAPITAL))


def result_row(result_id: str) -> dict[str, Any]:
    """Return a stored result's own row; raises MissingDataError where there is none of this name."""
    return backtests.load(result_id, workspace=workspace())


def stored(result_id: str) -> Stored:
    """Return a stored result; raises MissingDataError where there is none of this name."""
    result = result_row(result_id)
    account, trades = _account_and_trades(workspace(), result_id)
    return Stored(result, account, trades, tickers_alone(result_id))


def curves_of(result_id: str) -> pd.DataFrame:
    """Return date, equity, benchmark and drawdown of a stored result, without the rest of its account."""
    with reading(workspace()) as reader:
        return result_queries.curves(reader, result_id)


def trades_of(result_id: str) -> pd.DataFrame:
    """Return the trades of a stored result."""
    return _account_and_trades(workspace(), result_id)[1]


def tickers_alone(result_id: str) -> pd.DataFrame:
    """Return each ticker of a result on its own account; none before its second stage has ended."""
    with reading(workspace()) as reader:
        return result_queries.tickers(reader, result_id)


def _account_and_trades(path: Path, result_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What never changes once it is stored; not to be written to. Three parts of the page ask for it at once: one reads it."""
    with _turn(path, result_id):
        return _read(path, result_id)


@lru_cache(maxsize=KEPT_RESULTS)
def _turn(_path: Path, _result_id: str) -> Lock:
    return Lock()


@lru_cache(maxsize=KEPT_RESULTS)
def _read(path: Path, result_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    with reading(path) as reader:
        return result_queries.equity(reader, result_id), result_queries.trades(reader, result_id)


def is_current(result_id: str, data_run_id: str) -> bool:
    """Whether a stored result was asked of this data run."""
    with reading(workspace()) as reader:
        return result_queries.is_current(reader, result_id, data_run_id)
