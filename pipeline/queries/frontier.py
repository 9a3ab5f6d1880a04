"""Stored efficient frontiers: runs, points and weights."""

from typing import Any

import pandas as pd

from pipeline.queries._connection import Reader

_RUN_COLUMNS = ("universe", "as_of", "estimator", "start_date", "end_date", "n_obs", "risk_free_rate")


def latest_frontier(
    reader: Reader, universe: str = "stocks", estimator: str = "mean__ledoit_wolf"
) -> dict[str, Any] | None:
    """Return the newest frontier run of a universe and an estimator as {column: value}, None where there is none."""
    row = reader.one(
        f"SELECT {', '.join(_RUN_COLUMNS)} FROM frontier_runs WHERE universe = ? AND estimator = ? "
        "ORDER BY as_of DESC LIMIT 1",
        (universe, estimator),
    )
    return dict(zip(_RUN_COLUMNS, row, strict=True)) if row else None


def frontier_universes(reader: Reader) -> list[str]:
    """Return the universes that have a stored frontier, sorted."""
    return [row[0] for row in reader.rows("SELECT DISTINCT universe FROM frontier_runs ORDER BY universe")]


def frontier_points(reader: Reader, *, universe: str, as_of: str, estimator: str) -> pd.DataFrame:
    """Return the points of one run, ordered by number: point, kind, ticker, expected_return, volatility, sharpe_ratio."""
    return reader.frame(
        "SELECT point, kind, ticker, expected_return, volatility, sharpe_ratio FROM frontier_points "
        "WHERE universe = ? AND as_of = ? AND estimator = ? ORDER BY point",
        (universe, as_of, estimator),
    )


def frontier_weights(reader: Reader, *, universe: str, as_of: str, estimator: str) -> pd.DataFrame:
    """Return the weights of one run's frontier, minimum-variance and maximum-Sharpe points: point, ticker, weight."""
    return reader.frame(
        "SELECT point, ticker, weight FROM frontier_weights "
        "WHERE universe = ? AND as_of = ? AND estimator = ? ORDER BY point, ticker",
        (universe, as_of, estimator),
    )
