"""The efficient frontier of the universe `stocks` over the trailing window."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Table

from analytics.conventions import FRONTIER_SESSIONS, TRADING_DAYS, FloatArray
from analytics.portfolio import DEFAULT_ESTIMATOR, Portfolios, efficient_frontier, evaluate, random_portfolios
from analytics.returns import daily_risk_free, simple_returns
from pipeline import schema, store
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.steps._step import Context, Outcome, Step

KEY = "frontier"
UNIVERSE = "stocks"
DAYS_FOR_WINDOW = 6 * 366  # a market that opens five days a week has the window's 1,261 sessions in five years
SHARED_BY = 0.5  # of the stocks have a session with which the window may end
MARKED = ("min_variance", "max_sharpe")


def run(context: Context) -> Outcome:
    """Compute the frontier of the stocks that are complete over the window, and a cloud of random portfolios."""
    stocks = instrument_queries.stock_tickers(context.reader)
    window = _window(context, stocks)
    complete = window.dropna(axis="columns")
    if complete.shape[1] < 2 or len(complete) <= TRADING_DAYS:
        _store(context, {})
        return Outcome(0, message=f"no frontier: {complete.shape[1]} stocks complete over {len(complete)} sessions")
    returns, dates, tickers = simple_returns(complete)[1:], complete.index[1:], list(complete.columns)
    message = f"{len(tickers)} stocks over {len(returns)} sessions"
    left_out = sorted(set(stocks) - set(tickers))
    message += f"; too short: {', '.join(left_out)}" if left_out else ""
    risk_free_rate = _risk_free_rate(context, dates)
    if not context.input_changed(KEY, {UNIVERSE: _digest(complete, risk_free_rate)}):
        return Outcome(0, message=f"{message}; nothing changed")
    context.report(0.4, f"{len(tickers)} stocks")
    groups = _portfolios(returns, risk_free_rate)
    as_of = str(dates[-1].date())
    key = {"universe": UNIVERSE, "as_of": as_of, "estimator": DEFAULT_ESTIMATOR.key}
    head = key | {
        "start_date": str(dates[0].date()), "end_date": as_of, "n_obs": len(returns),
        "risk_free_rate": risk_free_rate,
    }  # fmt: skip
    held = np.vstack([groups["frontier"].weights, groups["marked"].weights])
    rows = _store(context, {
        schema.frontier_runs: pd.DataFrame([head]), schema.frontier_points: _points(groups, tickers).assign(**key),
        schema.frontier_weights: _weights(held, tickers).assign(**key),
    })  # fmt: skip
    return Outcome(rows, message=message)


def _store(context: Context, found: dict[Table, pd.DataFrame]) -> int:
    """Put the rows in the place of the frontier before; without any there is none."""
    with store.transaction(context.connection):
        for table in (schema.frontier_weights, schema.frontier_points, schema.frontier_runs):
            store.drop(context.connection, table, UNIVERSE)
        if not found:
            context.input_changed(KEY, {UNIVERSE: "none"})
        return sum(store.replace(context.connection, table, rows, owner=UNIVERSE) for table, rows in found.items())


def _window(context: Context, stocks: list[str]) -> pd.DataFrame:
    """Adjusted closes of the trailing window; only the recent years are read where they hold it whole."""
    size = FRONTIER_SESSIONS + 1
    last_dates = sorted(price_queries.last_dates(context.reader, stocks).values())
    if not last_dates:
        return pd.DataFrame()
    start = np.datetime64(last_dates[len(last_dates) // 2]) - np.timedelta64(DAYS_FOR_WINDOW, "D")
    recent = _up_to_shared_session(price_queries.adjusted_closes(context.reader, stocks, start=str(start)))
    if len(recent) < size:  # a market of few sessions, or a short history
        recent = _up_to_shared_session(price_queries.adjusted_closes(context.reader, stocks))
    return recent.iloc[-size:]


def _digest(complete: pd.DataFrame, risk_free_rate: float) -> str:
    """A word for all that the frontier depends on."""
    text = f"{list(complete.columns)} {complete.index[0]} {complete.index[-1]} {risk_free_rate!r}"
    return hashlib.sha256(text.encode() + np.ascontiguousarray(complete.to_numpy(float)).tobytes()).hexdigest()


def _portfolios(returns: FloatArray, risk_free_rate: float) -> dict[str, Portfolios]:
    """The frontier, its marked portfolios, the single stocks and the cloud.

    Without a risk-free rate there is no Sharpe ratio, and no portfolio that maximises it; the frontier itself does
    not depend on the rate.
    """
    known = bool(np.isfinite(risk_free_rate))
    estimates: dict[str, Any] = {
        "expected_returns": DEFAULT_ESTIMATOR.expected_returns(returns),
        "covariance": DEFAULT_ESTIMATOR.covariance(returns),
        "risk_free_rate": risk_free_rate if known else 0.0,
    }
    frontier = efficient_frontier(**estimates)
    best = [frontier.min_variance, frontier.max_sharpe] if known else [frontier.min_variance]
    groups = {
        "frontier": frontier, "marked": evaluate(np.vstack(best), **estimates),
        "asset": evaluate(np.eye(returns.shape[1]), **estimates), "random": random_portfolios(**estimates),
    }  # fmt: skip
    if known:
        return groups
    return {
        name: replace(group, sharpe_ratio=np.full_like(group.sharpe_ratio, np.nan)) for name, group in groups.items()
    }


def _up_to_shared_session(closes: pd.DataFrame) -> pd.DataFrame:
    """The sessions up to the last that most stocks have: one fresher ticker must not leave all others incomplete."""
    shared = np.flatnonzero(closes.notna().mean(axis=1).to_numpy() > SHARED_BY)
    return closes.iloc[: shared[-1] + 1] if len(shared) else closes.iloc[:0]


def _risk_free_rate(context: Context, dates: pd.DatetimeIndex) -> float:
    """Annual risk-free rate: the mean daily rate of the window × 252. NaN when: the source has none."""
    daily, monthly = (factor_queries.factor_returns(context.reader, frequency)["rf"] for frequency in ("D", "M"))
    risk_free = daily_risk_free(dates.to_numpy().astype("datetime64[D]"), daily=daily, monthly=monthly)
    known = risk_free.values[np.isfinite(risk_free.values)]
    return float(known.mean() * TRADING_DAYS) if len(known) else float("nan")


def _points(groups: dict[str, Portfolios], tickers: list[str]) -> pd.DataFrame:
    """Every point of the picture in one numbering: frontier, the two marked ones, the assets, the cloud."""
    frames = []
    for kind, group in groups.items():
        count = len(group.expected_return)
        kinds = list(MARKED[:count]) if kind == "marked" else [kind] * count
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
    KEY, "Frontier", ("instruments", "prices", "factor_returns"),
    ("frontier_runs", "frontier_points", "frontier_weights"), run,
)  # fmt: skip
