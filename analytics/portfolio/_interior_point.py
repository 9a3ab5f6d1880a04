"""The fallback where the critical line fails its own check: points of the frontier one by one, by Clarabel."""

from typing import Any

import numpy as np

from analytics.conventions import FRONTIER_POINTS, FloatArray
from analytics.errors import NoPortfolioError
from analytics.portfolio._parametric import Found, Problem

TIGHT = 1e-12  # of the duality gap and of feasibility; the solver stops earlier where rounding stops it


def solve_points(problem: Problem, *, needed: bool) -> Found | None:
    """Return optima even in their gain, from minimum variance up; None where the solver fails and is not needed.

    Raises NoPortfolioError where it is needed, and finds no portfolio or fails.
    """
    try:
        least, _ = _solve(problem, problem.sigma, problem.linear)
        most, _ = _solve(problem, np.zeros_like(problem.sigma), -problem.gains)
        targets = np.linspace(problem.gains @ least, problem.gains @ most, FRONTIER_POINTS)
        found = [_solve(problem, problem.sigma, problem.linear, target=target) for target in targets]
    except NoPortfolioError:
        if needed:
            raise
        return None
    x = np.clip([point for point, _ in found], problem.lower, problem.upper)
    tolerance = np.maximum.accumulate(np.maximum([-duals[-1] for _, duals in found], 0.0))
    return Found(tolerance, x, np.array([duals[:-1] for _, duals in found]), exact=False)


def _solve(
    problem: Problem, matrix: FloatArray, linear: FloatArray, *, target: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """The optimum and the multipliers of the rows, that of the target gain last."""
    import clarabel
    from scipy import sparse

    n = len(linear)
    rows = problem.rows if target is None else np.vstack([problem.rows, problem.gains])
    low = problem.row_lower if target is None else np.append(problem.row_lower, target)
    high = problem.row_upper if target is None else np.append(problem.row_upper, target)
    fixed = low == high
    box = np.vstack([rows[~fixed], -rows[~fixed], np.eye(n), -np.eye(n)])
    limit = np.concatenate([high[~fixed], -low[~fixed], problem.upper, -problem.lower])
    told = np.isfinite(limit)
    constraints = sparse.csc_matrix(np.vstack([rows[fixed], box[told]]))
    cones = [clarabel.ZeroConeT(int(fixed.sum())), clarabel.NonnegativeConeT(int(told.sum()))]
    right = np.concatenate([high[fixed], limit[told]])
    answer: Any = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(matrix)), linear, constraints, right, cones, _settings(clarabel)
    ).solve()
    if "Solved" not in str(answer.status) and "InsufficientProgress" not in str(answer.status):
        raise NoPortfolioError
    spread = np.zeros(len(limit))
    spread[told] = answer.z[int(fixed.sum()) :]
    duals = np.zeros(len(rows))
    duals[fixed] = answer.z[: int(fixed.sum())]
    free = int((~fixed).sum())
    duals[~fixed] = spread[:free] - spread[free : 2 * free]
    return np.array(answer.x), duals


def _settings(clarabel: Any) -> Any:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TIGHT
    return settings
