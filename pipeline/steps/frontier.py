"""The efficient frontiers of every universe under every pair of estimators, over the trailing window."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Table

from analytics.errors import PlumblineError
from analytics.portfolio import (
    DEFAULT_ESTIMATOR,
    ESTIMATORS,
    Estimator,
    Portfolios,
    efficient_frontier,
    evaluate,
    random_portfolios,
)
from pipeline import schema, store
from pipeline.queries import frontier as frontier_queries
from pipeline.queries import portfolio_inputs as inputs_of
from pipeline.queries.portfolio_inputs import PortfolioInputs
from pipeline.steps._step import Context, Outcome, Step

KEY = "frontier"
TABLES = (schema.frontier_weights, schema.frontier_points, schema.frontier_runs)
ALL_PAIRS_UP_TO = 250  # tickers; the weights of 36 frontiers of 3,000 would be five million rows a night
MARKED = ("min_variance", "max_sharpe")


def run(context: Context) -> Outcome:
    """Compute the frontiers of the tickers that are complete over the window, universe by universe."""
    rows, messages = 0, []
    universes = {"stocks": "All stocks"} | inputs_of.universes(context.reader)
    for universe in set(frontier_queries.frontier_universes(context.reader)) - set(universes):
        _store(context, universe, {})
    for number, universe in enumerate(universes):
        context.report(number / len(universes), universe)
        written, message = _universe(context, universe)
        rows += written
        messages.append(f"{universe}: {message}")
    return Outcome(rows, message="; ".join(messages))


def _universe(context: Context, universe: str) -> tuple[int, str]:
    """Rows written for one universe, and what there is to say of it."""
    inputs = inputs_of.portfolio_inputs(context.reader, universe)
    if inputs is None:
        _store(context, universe, {})
        context.note_inputs(KEY, {universe: "none"})
        return 0, "fewer than two tickers are complete over a year, no frontier"
    message = f"{len(inputs.data.tickers)} tickers over {len(inputs.dates)} sessions"
    message += f", too short: {', '.join(inputs.left_out)}" if inputs.left_out else ""
    if not context.input_changed(KEY, {universe: _digest(inputs)}):
        return 0, f"{message}, nothing changed"
    found: list[dict[Table, pd.DataFrame]] = []
    missing = []
    few = len(inputs.data.tickers) <= ALL_PAIRS_UP_TO
    # Rows are stored in the order of their key.
    for _, estimator in sorted(ESTIMATORS.items()) if few else [(DEFAULT_ESTIMATOR.key, DEFAULT_ESTIMATOR)]:
        try:
            found.append(_rows(inputs, estimator))
        except PlumblineError:
            missing.append(estimator.key)
    message += "" if few else f", {DEFAULT_ESTIMATOR.key} alone: the app computes the others when they are asked for"
    message += f", no data for {len(missing)} of {len(ESTIMATORS)} estimators" if missing else ""
    rows = {table: pd.concat([one[table] for one in found], ignore_index=True) for table in TABLES} if found else {}
    return _store(context, universe, rows), message


def _store(context: Context, universe: str, found: dict[Table, pd.DataFrame]) -> int:
    """Put the rows in the place of the frontiers before; without any there are none."""
    with store.transaction(context.connection):
        for table in TABLES:
            store.drop(context.connection, table, universe)
        return sum(store.replace(context.connection, table, rows, owner=universe) for table, rows in found.items())


def _digest(inputs: PortfolioInputs) -> str:
    """A word for all that the frontiers depend on."""
    data = inputs.data
    parts = [data.returns, data.factor_returns, data.market_weights, *data.model_returns.values()]
    text = f"{data.tickers} {inputs.dates[0]} {inputs.as_of} {data.risk_free_rate!r} {sorted(ESTIMATORS)}".encode()
    arrays = b"|".join(b"" if part is None else np.ascontiguousarray(part).tobytes() for part in parts)
    return hashlib.sha256(text + arrays).hexdigest()


def _rows(inputs: PortfolioInputs, estimator: Estimator) -> dict[Table, pd.DataFrame]:
    """What one estimator adds to the three tables."""
    tickers, as_of = inputs.data.tickers, inputs.as_of
    groups = _portfolios(inputs, estimator)
    key = {"universe": inputs.universe, "as_of": as_of, "estimator": estimator.key}
    head = key | {
        "start_date": str(inputs.dates[0].date()), "end_date": as_of, "n_obs": len(inputs.dates),
        "risk_free_rate": inputs.data.risk_free_rate,
    }  # fmt: skip
    held = np.vstack([groups["frontier"].weights, groups["marked"].weights])
    return {
        schema.frontier_runs: pd.DataFrame([head]),
        schema.frontier_points: _points(groups, tickers).assign(**key),
        schema.frontier_weights: _weights(held, tickers).assign(**key),
    }


def _portfolios(inputs: PortfolioInputs, estimator: Estimator) -> dict[str, Portfolios]:
    """The frontier, its marked portfolios, the single tickers and, of the default estimator, the cloud.

    Without a risk-free rate there is no Sharpe ratio, and no portfolio that maximises it; the frontier itself does
    not depend on the rate.
    """
    mu, sigma = estimator.estimate(inputs.data)
    known = bool(np.isfinite(inputs.data.risk_free_rate))
    estimates: dict[str, Any] = {
        "expected_returns": mu, "covariance": sigma,
        "risk_free_rate": inputs.data.risk_free_rate if known else 0.0,
    }  # fmt: skip
    frontier = efficient_frontier(**estimates)
    best = [frontier.min_variance, frontier.max_sharpe] if known else [frontier.min_variance]
    groups = {
        "frontier": frontier, "marked": evaluate(np.vstack(best), **estimates), "asset": evaluate(np.eye(len(mu)), **estimates),
    }  # fmt: skip
    if estimator is DEFAULT_ESTIMATOR:
        groups["random"] = random_portfolios(**estimates)
    if known:
        return groups
    return {
        name: replace(group, sharpe_ratio=np.full_like(group.sharpe_ratio, np.nan)) for name, group in groups.items()
    }


def _points(groups: dict[str, Portfolios], tickers: tuple[str, ...]) -> pd.DataFrame:
    """Every point of the picture in one numbering: frontier, the two marked ones, the assets, the cloud."""
    frames = []
    for kind, group in groups.items():
        count = len(group.expected_return)
        kinds = list(MARKED[:count]) if kind == "marked" else [kind] * count
        frames.append(pd.DataFrame({
            "kind": kinds, "ticker": list(tickers) if kind == "asset" else None, "expected_return": group.expected_return,
            "volatility": group.volatility, "sharpe_ratio": group.sharpe_ratio,
        }))  # fmt: skip
    points = pd.concat(frames, ignore_index=True)
    return points.assign(point=range(len(points)))


def _weights(weights: np.ndarray, tickers: tuple[str, ...]) -> pd.DataFrame:
    """The weights of the first points, a row per point and ticker."""
    count = len(tickers)
    return pd.DataFrame({
        "point": np.repeat(np.arange(len(weights)), count), "ticker": np.tile(tickers, len(weights)),
        "weight": weights.ravel(),
    })  # fmt: skip


STEP = Step(
    KEY, "Frontier",
    ("instruments", "universe_members", "prices", "factor_returns", "factor_model_fits", "company_fundamentals"),
    ("frontier_runs", "frontier_points", "frontier_weights"), run,
)  # fmt: skip
