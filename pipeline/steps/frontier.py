"""The efficient frontier of the universe `stocks` over the trailing window."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import FRONTIER_SESSIONS, TRADING_DAYS, FloatArray
from analytics.portfolio import DEFAULT_ESTIMATOR, Portfolios, efficient_frontier, evaluate, random_portfolios
from analytics.returns import daily_risk_free
from pipeline import schema, store
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.steps._step import Context, Outcome, Step

UNIVERSE = "stocks"
MARKED = ("min_variance", "max_sharpe")


def run(context: Context) -> Outcome:
    """Compute the frontier of the stocks that are complete over the window, and a cloud of random portfolios."""
    closes = price_queries.adjusted_closes(context.reader, instrument_queries.stock_tickers(context.reader))
    window = closes.iloc[-(FRONTIER_SESSIONS + 1) :]
    complete = window.dropna(axis="columns")
    if complete.shape[1] < 2 or len(complete) <= TRADING_DAYS:
        return Outcome(0, message=f"no frontier: {complete.shape[1]} stocks complete over {len(complete)} sessions")
    returns = complete.pct_change().iloc[1:]
    estimator = DEFAULT_ESTIMATOR
    expected_returns = estimator.expected_returns(returns.to_numpy())
    covariance = estimator.covariance(returns.to_numpy())
    risk_free_rate = _risk_free_rate(context, returns.index)
    context.report(0.4, f"{returns.shape[1]} stocks")
    estimates: dict[str, Any] = {
        "expected_returns": expected_returns,
        "covariance": covariance,
        "risk_free_rate": risk_free_rate,
    }
    frontier = efficient_frontier(**estimates)
    marked = evaluate(np.vstack([frontier.min_variance, frontier.max_sharpe]), **estimates)
    groups = {
        "frontier": frontier, "marked": marked, "asset": evaluate(np.eye(returns.shape[1]), **estimates),
        "random": random_portfolios(**estimates),
    }  # fmt: skip
    key = {"universe": UNIVERSE, "as_of": str(returns.index[-1].date()), "estimator": estimator.key}
    tickers = list(returns.columns)
    with store.transaction(context.connection):
        for table in (schema.frontier_weights, schema.frontier_points, schema.frontier_runs):
            store.delete(context.connection, table)
        store.insert(context.connection, schema.frontier_runs, pd.DataFrame([key | {
            "start_date": str(returns.index[0].date()), "end_date": key["as_of"], "n_obs": len(returns),
            "risk_free_rate": risk_free_rate,
        }]))  # fmt: skip
        points = _points(groups, tickers)
        rows = store.insert(context.connection, schema.frontier_points, points.assign(**key))
        weights = _weights(np.vstack([frontier.weights, marked.weights]), tickers)
        rows += store.insert(context.connection, schema.frontier_weights, weights.assign(**key))
    left_out = sorted(set(closes.columns) - set(tickers))
    message = f"{len(tickers)} stocks over {len(returns)} sessions"
    return Outcome(rows, message=message + (f"; too short: {', '.join(left_out)}" if left_out else ""))


def _risk_free_rate(context: Context, dates: pd.DatetimeIndex) -> float:
    """Annual risk-free rate: the mean daily rate of the window × 252; 0 where the source has none."""
    daily, monthly = (factor_queries.factor_returns(context.reader, frequency)["rf"] for frequency in ("D", "M"))
    risk_free = daily_risk_free(dates.to_numpy().astype("datetime64[D]"), daily=daily, monthly=monthly)
    known = risk_free.values[np.isfinite(risk_free.values)]
    return float(known.mean() * TRADING_DAYS) if len(known) else 0.0


def _points(groups: dict[str, Portfolios], tickers: list[str]) -> pd.DataFrame:
    """Every point of the picture in one numbering: frontier, the two marked ones, the assets, the cloud."""
    frames = []
    for kind, group in groups.items():
        kinds = list(MARKED) if kind == "marked" else [kind] * len(group.expected_return)
        frames.append(pd.DataFrame({
            "kind": kinds, "ticker": tickers if kind == "asset" else None, "expected_return": group.expected_return,
            "volatility": group.volatility, "sharpe_ratio": group.sharpe_ratio,
        }))  # fmt: skip
    points = pd.concat(frames, ignore_index=True)
    return points.assign(point=range(len(points)))


def _weights(weights: FloatArray, tickers: list[str]) -> pd.DataFrame:
    """The weights of the first points, a row per point and ticker."""
    count = len(tickers)
    return pd.DataFrame({
        "point": np.repeat(np.arange(len(weights)), count), "ticker": np.tile(tickers, len(weights)),
        "weight": np.clip(weights, 0.0, 1.0).ravel(),  # −1e-17 is a zero
    })  # fmt: skip


STEP = Step(
    "frontier", "Frontier", ("instruments", "prices", "factor_returns"),
    ("frontier_runs", "frontier_points", "frontier_weights"), run,
)  # fmt: skip
