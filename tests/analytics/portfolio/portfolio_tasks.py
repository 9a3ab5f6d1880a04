"""Random tasks and limits for the objectives, and the measures that two of them are judged by."""

import numpy as np
from tolerances import PARITY

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.portfolio.constraints import Constraints, Universe, feasible_weights
from analytics.portfolio.limits import FeasibleSet, long_only
from analytics.portfolio.objectives import Task


def random_task(seed: int, n_assets: int, feasible: FeasibleSet | None = None, *, sessions: int = 250) -> Task:
    rng = np.random.default_rng(seed)
    market = 0.008 * rng.standard_t(6, (sessions, 1)) * rng.uniform(0.5, 1.5, n_assets)
    returns = 0.0006 + market + 0.01 * rng.standard_t(6, (sessions, n_assets)) * rng.uniform(0.5, 1.5, n_assets)
    covariance = TRADING_DAYS * (np.cov(returns, rowvar=False).reshape(n_assets, n_assets) + 1e-6 * np.eye(n_assets))
    benchmark = returns @ rng.dirichlet(np.ones(n_assets)) + 0.001 * rng.standard_normal(sessions)
    return Task(
        returns, 0.03 + TRADING_DAYS * np.abs(returns.mean(axis=0)), covariance, 0.02,
        feasible or long_only(n_assets), benchmark,
    )  # fmt: skip


def editor_limits(seed: int, n_assets: int) -> FeasibleSet:
    """Caps, a sector, cash and turnover, which today's equal weights obey but for the cash."""
    rng = np.random.default_rng(seed)
    tickers = tuple(f"T{number}" for number in range(n_assets))
    sectors = {ticker: ("left", "right")[number % 2] for number, ticker in enumerate(tickers)}
    least_cash = float(rng.choice([0.0, 0.1]))
    constraints = Constraints(
        max_weight=min(float(rng.uniform(1.5, 4) / n_assets), 1.0),
        sector_bounds={"left": (0.0, 0.6), "right": (0.2, 1.0)},
        min_cash=least_cash,
        max_cash=float(rng.choice([least_cash, 0.3])),
        max_turnover=float(rng.choice([0.2, 0.4, 1.0])),
    )
    return feasible_weights(constraints, Universe(tickers, sectors, {}, dict.fromkeys(tickers, 1 / n_assets)))


def cvar(weights: FloatArray, task: Task) -> float:
    """Rockafellar and Uryasev's, with the part of a session that fills the twentieth."""
    losses = np.sort(-(task.returns - task.risk_free_rate / TRADING_DAYS) @ weights)[::-1]
    tail = 0.05 * len(losses)
    whole = int(tail + PARITY)
    return float((losses[:whole].sum() + (tail - whole) * losses[min(whole, len(losses) - 1)]) / tail)


def sortino(weights: FloatArray, task: Task) -> float:
    excess = (task.returns - task.risk_free_rate / TRADING_DAYS) @ weights
    gain = weights @ (task.expected_returns - task.risk_free_rate)
    return float(gain / np.sqrt(TRADING_DAYS * np.mean(np.minimum(excess, 0) ** 2)))
