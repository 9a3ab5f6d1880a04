"""The ledger of trials: how often a hypothesis has been tried, counted across days and never forgotten.

A hypothesis is a strategy on a universe, whatever its parameters, costs, rules and dates: choosing the best of those
is what makes luck look like skill.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, store

COLUMNS = ("id", "result_id", "sharpe_ratio", "n_obs", "skewness", "kurtosis")


def hypothesis_of(strategy: str, tickers: Iterable[str]) -> str:
    """Return the text that names a hypothesis: strategy and sorted tickers."""
    return f"{strategy}|{','.join(sorted(tickers))}"


def count_result(
    path: Path, result_id: str, *, strategy: str, tickers: Iterable[str], metrics: Mapping[str, Any], sessions: int
) -> None:
    """Count a stored result as a try; one that was counted before is not counted again."""
    tried = {"id": result_id, "result_id": result_id, "n_obs": float(sessions)}
    tried |= {name: metrics.get(name) for name in ("sharpe_ratio", "skewness", "kurtosis")}
    count(path, hypothesis_of(strategy, tickers), pd.DataFrame([tried]))


def count(path: Path, hypothesis: str, tried: pd.DataFrame) -> None:
    """Count tries, a row each with COLUMNS; an id that is there is left as it is."""
    rows = tried.reindex(columns=list(COLUMNS)).assign(hypothesis=hypothesis, created_at=store.utc_now())
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        store.insert_missing(connection, schema.trials, rows)
