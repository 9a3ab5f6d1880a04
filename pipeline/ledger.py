"""The ledger of trials: how often a hypothesis has been tried, counted across days and never forgotten.

A hypothesis is a strategy on a universe, whatever its parameters, costs, rules and dates: choosing the best of those
is what makes luck look like skill. A standard
backtest, which is repeated night after night on newer data, is one try, not many; what somebody asks again on newer data is another one.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, store
from pipeline.queries import Reader
from pipeline.queries import trials as trial_queries

COLUMNS = ("id", "result_id", "sharpe_ratio", "n_obs", "skewness", "kurtosis")


def hypothesis_of(strategy: str, tickers: Iterable[str]) -> str:
    """Return the text that names a hypothesis: strategy and sorted tickers."""
    return f"{strategy}|{','.join(sorted(tickers))}"


def count_result(
    path: Path, result_id: str, *, strategy: str, tickers: Iterable[str], metrics: Mapping[str, Any], sessions: int,
    trial: str | None = None,
) -> None:  # fmt: skip
    """Count a stored result as a try; one that was counted before is not counted again.

    trial: the id of a try that is repeated on newer data, the same whenever it is; its row keeps its first day and has
    the figures and the result_id of the newest run. None: the result is a try of its own.
    """
    hypothesis = hypothesis_of(strategy, tickers)
    tried: dict[str, Any] = {"result_id": result_id, "n_obs": float(sessions)}
    known = {name: metrics.get(name) for name in ("sharpe_ratio", "skewness", "kurtosis")}
    tried |= {name: None if value is None else float(value) for name, value in known.items()}
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        if trial_queries.is_counted(Reader(connection), hypothesis, result_id):
            return
        if trial is None or not store.update(
            connection, schema.trials, {"id": trial, "hypothesis": hypothesis}, **tried
        ):
            _insert(connection, hypothesis, pd.DataFrame([tried | {"id": trial or result_id}]))


def count(path: Path, hypothesis: str, tried: pd.DataFrame) -> None:
    """Count tries, a row each with COLUMNS; an id that is there is left as it is."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        _insert(connection, hypothesis, tried)


def _insert(connection: sqlite3.Connection, hypothesis: str, tried: pd.DataFrame) -> None:
    rows = tried.reindex(columns=list(COLUMNS)).assign(hypothesis=hypothesis, created_at=store.utc_now())
    store.insert_missing(connection, schema.trials, rows)
