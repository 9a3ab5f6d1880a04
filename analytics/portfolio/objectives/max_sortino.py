"""Maximum Sortino ratio: expected return above the risk-free rate per unit of downside deviation."""

from typing import Final

import numpy as np

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.portfolio.frontier import efficient_frontier
from analytics.portfolio.objectives._objective import Objective, Task

MOST_STEPS: Final = 50  # about five are needed
SETTLED: Final = 1e-12  # largest change of a weight
SHORTEST: Final = 1e-6  # of a step


def solve(task: Task) -> FloatArray:
    """Return the weights of the largest (μ′w − f) / downside deviation within the limits, (n,).

    The squared downside deviation is w′Mw with M the second moments of the sessions that fell below the
    risk-free rate, so that a Newton step is a maximum Sharpe ratio with M as the covariance; when those sessions
    no longer change, the solution is exact. Raises InputError where no portfolio is expected to beat the rate.
    """
    excess = task.returns - task.risk_free_rate / TRADING_DAYS
    gain = task.expected_returns - task.risk_free_rate
    weights = _step(task, excess)
    if not weights @ gain > 0:
        got = "no portfolio within the limits that beats the risk-free rate"
        raise InputError("expected_returns", got=got, allowed="at least one")
    for _ in range(MOST_STEPS):
        target = _step(task, excess[excess @ weights < 0])
        length = 1.0
        while length > SHORTEST and _ratio(weights + length * (target - weights), gain, excess) < _ratio(
            weights, gain, excess
        ):
            length /= 2
        if length <= SHORTEST or np.abs(target - weights).max() <= SETTLED:
            break
        weights = weights + length * (target - weights)
    return weights


def _step(task: Task, below: FloatArray) -> FloatArray:
    moments = TRADING_DAYS * below.T @ below / len(task.returns)
    return efficient_frontier(
        task.expected_returns, moments, risk_free_rate=task.risk_free_rate, feasible=task.feasible, points=2
    ).max_sharpe


def _ratio(weights: FloatArray, gain: FloatArray, excess: FloatArray) -> float:
    downside = np.sqrt(TRADING_DAYS * np.mean(np.minimum(excess @ weights, 0) ** 2))
    return float(weights @ gain / downside) if downside > 0 else np.inf


OBJECTIVE = Objective(
    key="max_sortino",
    label="Maximum Sortino ratio",
    description="The most expected return above the risk-free rate per unit of downside deviation.",
    reference="Sortino and van der Meer (1991)",
    respects_limits=True,
    solve=solve,
)
