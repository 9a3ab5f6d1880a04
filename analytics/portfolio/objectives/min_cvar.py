"""Minimum conditional value at risk: the least mean loss of the worst twentieth of the sessions."""

from typing import Final

import numpy as np

from analytics.conventions import CONFIDENCE, TRADING_DAYS, FloatArray
from analytics.errors import NoPortfolioError
from analytics.portfolio.limits import FeasibleSet
from analytics.portfolio.objectives._objective import Objective, Task

FIRST_SESSIONS: Final = 3.0  # times as many sessions as lie in the tail
UNIT: Final = 1e3  # returns are in thousandths: HiGHS keeps to rows within 1e-7 of its own units, so within 1e-10
BEYOND: Final = 1e-7  # of that unit, by which a loss must exceed the value at risk to count


def solve(task: Task) -> FloatArray:
    """Return the weights of least historical CVaR at 95 % within the limits, (n,).

    The linear programme min α + Σ uₜ / (0.05 T), uₜ ≥ lossₜ − α, uₜ ≥ 0, at first with the sessions that were
    worst for equal weights; those left out whose loss exceeds α are added until there are none, so that the
    answer is that of all sessions. Raises NoPortfolioError where no weights obey the limits.
    """
    excess = UNIT * (task.returns - task.risk_free_rate / TRADING_DAYS)  # of which cash has none
    tail = (1 - CONFIDENCE) * len(excess)
    first = np.argsort(excess.mean(axis=1), kind="stable")[: int(np.ceil(FIRST_SESSIONS * tail))]
    counted = np.isin(np.arange(len(excess)), first)
    while True:
        weights, value_at_risk = _programme(excess[counted], tail, task.feasible)
        added = (-excess @ weights > value_at_risk + BEYOND) & ~counted
        if not added.any():
            return weights
        counted |= added


def _programme(excess: FloatArray, tail: float, feasible: FeasibleSet) -> tuple[FloatArray, float]:
    """Weights and α of the sessions counted. Columns: weights, α, u (a session each), |w − holdings| (n)."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    count, n = excess.shape
    turns = n if np.isfinite(feasible.turnover) else 0
    losses = sparse.hstack([excess, np.ones((count, 1)), sparse.eye_array(count), sparse.csr_array((count, turns))])
    sums = sparse.hstack([feasible.rows, sparse.csr_array((len(feasible.rows), 1 + count + turns))])
    constraints = [
        LinearConstraint(losses, 0.0, np.inf),
        LinearConstraint(sums, feasible.row_lower, feasible.row_upper),
    ]
    if turns:
        one, gap = sparse.eye_array(n), sparse.csr_array((n, 1 + count))
        constraints += [
            LinearConstraint(sparse.hstack([-one, gap, one]), -feasible.holdings, np.inf),
            LinearConstraint(sparse.hstack([one, gap, one]), feasible.holdings, np.inf),
            LinearConstraint(np.append(np.zeros(n + 1 + count), np.ones(n))[None], -np.inf, 2 * feasible.turnover),
        ]
    free = np.full(count + turns, np.inf)
    found = milp(
        np.concatenate([np.zeros(n), [1.0], np.full(count, 1 / tail), np.zeros(turns)]),
        bounds=Bounds(
            np.concatenate([feasible.lower, [-np.inf], np.zeros(count + turns)]),
            np.concatenate([feasible.upper, [np.inf], free]),
        ),
        constraints=constraints,
    )
    if found.x is None:
        raise NoPortfolioError
    return found.x[:n], float(found.x[n])


OBJECTIVE = Objective(
    key="min_cvar",
    label="Minimum CVaR, 95 %",
    description="The least mean loss of the worst twentieth of the past sessions.",
    reference="Rockafellar and Uryasev (2000)",
    respects_limits=True,
    solve=solve,
)
