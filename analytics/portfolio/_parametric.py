"""From limits and estimates to the scaled problem of the critical line, and back: corners, single optima, fallback."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError, NoPortfolioError
from analytics.portfolio._path import AT_LOWER, INSIDE, Path, Point
from analytics.portfolio.limits import FeasibleSet

FARTHEST = 1e8  # λ of the scaled problem; what crosses beyond is a tie but for rounding
RIDGE = 1e-7  # of the mean variance, added where a covariance is singular
FIRM_RIDGE = 1e-5  # of the mean variance, where the first left rounding the choice
HAIR = 1e-9  # what weights may be beyond their limits
SNAP = 1e-12  # a smaller weight is what rounding leaves of a zero
NO_ANSWER = 1e-5  # what violates more is what a solver leaves of limits that contradict each other
KKT = 5e-9  # largest violation of the scaled first-order conditions that passes for a solution


@dataclass(frozen=True, eq=False)
class Problem:
    """½ x′Σx + (linear − λ gains)′x over lower ≤ x ≤ upper, row_lower ≤ rows @ x ≤ row_upper, in scaled units.

    Σ has mean variance 1, the gains a spread of 1, each row a largest coefficient of 1. x is w itself, or what is
    bought and then what is sold where turnover is limited.
    """

    sigma: FloatArray
    linear: FloatArray
    gains: FloatArray
    lower: FloatArray
    upper: FloatArray
    rows: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray


class Found(NamedTuple):
    """Optima of a problem: λ (k,), x (k, n), multipliers (k, m); whether they are every corner of the line."""

    tolerance: FloatArray
    x: FloatArray
    multipliers: FloatArray
    exact: bool


@dataclass(frozen=True, eq=False)
class Corners:
    """Optima of ½ w′Σw + (linear − λ gains)′w in the order of λ: tolerance (k,) and weights (k, n_assets).

    exact: found on the critical line; else each point was solved for by itself. residual: the largest violation
    of the scaled limits and first-order conditions.
    """

    tolerance: FloatArray
    weights: FloatArray
    exact: bool
    residual: float


def positive_definite(covariance: FloatArray) -> FloatArray:
    """Return the covariance, with a ridge where it is singular; raises InputError where it is none at all."""
    ridge = RIDGE * np.diag(covariance).mean()
    for added in (0.0, ridge):
        candidate = covariance + added * np.eye(len(covariance)) if added else covariance
        try:
            pivots = np.diag(np.linalg.cholesky(candidate)) ** 2
        except np.linalg.LinAlgError:
            continue
        if ridge > 0 and pivots.min() > ridge / 2:
            return candidate
    least = np.linalg.eigvalsh(covariance)[0]
    raise InputError(
        "covariance", got=f"smallest eigenvalue {least:.3g}", allowed="a positive semidefinite matrix with variances over 0",
        fix="Shrink it (Ledoit-Wolf), or leave out assets that never move.",
    )  # fmt: skip


def corners_of(
    gains: FloatArray, covariance: FloatArray, feasible: FeasibleSet, *, linear: FloatArray | None = None
) -> Corners:
    """Return every corner from λ = 0 up of ½ w′Σw + (linear − λ gains)′w over the feasible set.

    The last corner is the least volatile among those of the largest gain. Raises NoPortfolioError.
    """
    if (feasible.lower > feasible.upper).any():
        raise NoPortfolioError
    variance, size = np.diag(covariance).mean(), np.abs(feasible.rows).max(axis=1, initial=0.0)
    if ((feasible.row_lower > 0) | (feasible.row_upper < 0))[size == 0].any():
        raise NoPortfolioError
    size = np.where(size > 0, size, 1.0)
    level, spread = _level_and_spread(gains, feasible)
    pull = np.zeros(len(gains)) if linear is None else linear / variance
    problem = _problem(covariance / variance, pull, (gains - level) / spread, feasible, size)
    # Limits that miss each other by no more than rounding can be obeyed; of assets that are nearly the same, a firmer
    # ridge chooses.
    line = _critical_line(problem) or _critical_line(_loosened(problem)) or _critical_line(_ridged(problem))
    found, residual = _checked(problem, line)
    if residual > KKT:
        from analytics.portfolio._interior_point import solve_points  # only where the critical line gives up

        other, its = _checked(problem, solve_points(problem, needed=found is None))
        found, residual = (other, its) if its < residual else (found, residual)
    if found is None or residual > NO_ANSWER:
        raise NoPortfolioError
    n, held = feasible.n_assets, feasible.holdings
    weights = found.x if np.isinf(feasible.turnover) else held + found.x[:, :n] - found.x[:, n:]
    weights = np.where(np.abs(weights) < SNAP, 0.0, weights)
    return Corners(found.tolerance * variance / spread, weights, found.exact, residual)


def _checked(problem: Problem, found: Found | None) -> tuple[Found | None, float]:
    residual = np.inf if found is None else violation(problem, found)
    return found, residual if np.isfinite(residual) else np.inf


def _ridged(problem: Problem) -> Problem:
    return replace(problem, sigma=problem.sigma + FIRM_RIDGE * np.eye(len(problem.lower)))


def _loosened(problem: Problem) -> Problem:
    """The problem with every limit a hair wider, but for those that fix a sum or keep a weight at 0."""
    open_ = problem.row_lower < problem.row_upper
    return replace(
        problem, lower=np.where(problem.lower > 0, problem.lower - HAIR, problem.lower),
        upper=np.where(problem.upper > 0, problem.upper + HAIR, problem.upper),
        row_lower=problem.row_lower - HAIR * open_, row_upper=problem.row_upper + HAIR * open_,
    )  # fmt: skip


def _level_and_spread(gains: FloatArray, feasible: FeasibleSet) -> tuple[float, float]:
    """What is taken off the gains and divides them: their level says nothing where the sum of the weights is fixed."""
    even = np.ptp(feasible.rows, axis=1)
    fixed = ((even == 0) & (feasible.row_lower == feasible.row_upper) & (feasible.row_lower > 0)).any()
    spread = np.ptp(gains) if fixed else np.abs(gains).max()
    return (float(gains.mean()) if fixed else 0.0), float(spread) if spread > 0 else 1.0


def _problem(
    sigma: FloatArray, linear: FloatArray, gains: FloatArray, feasible: FeasibleSet, size: FloatArray
) -> Problem:
    rows, low, high = feasible.rows / size[:, None], feasible.row_lower / size, feasible.row_upper / size
    if np.isinf(feasible.turnover):
        return Problem(sigma, linear, gains, feasible.lower, feasible.upper, rows, low, high)
    held, n = feasible.holdings, len(gains)
    already, pull = rows @ held, linear + sigma @ held
    return Problem(
        np.block([[sigma, -sigma], [-sigma, sigma]]), np.append(pull, -pull), np.append(gains, -gains),
        lower=np.append(np.maximum(feasible.lower - held, 0), np.maximum(held - feasible.upper, 0)),
        upper=np.append(np.maximum(feasible.upper - held, 0), np.maximum(held - feasible.lower, 0)),
        rows=np.vstack([np.hstack([rows, -rows]), np.ones(2 * n)]),
        row_lower=np.append(low - already, -np.inf), row_upper=np.append(high - already, 2 * feasible.turnover),
    )  # fmt: skip


def _critical_line(problem: Problem) -> Found | None:
    """Every corner; None where the limits leave none, or rounding or a degenerate set lost the way."""
    from analytics.portfolio import _critical_line as line  # numba takes half a second: only who optimises waits

    n, m = len(problem.lower), len(problem.rows)
    # From the lower bounds, which are optimal under gradients that a ladder makes positive, and limits wide enough.
    # The least volatile assets stand on its lowest steps, so that the way is short.
    x, ladder = problem.lower.copy(), np.empty(n)
    ladder[np.argsort(np.diag(problem.sigma), kind="stable")] = np.linspace(0.5, 1.5, n)
    first, reached = ladder - problem.sigma @ x, problem.rows @ x
    ends = np.vstack([problem.row_lower, problem.row_upper])
    starts = np.vstack([np.minimum(problem.row_lower, reached), np.maximum(problem.row_upper, reached)])
    way = np.where(np.isinf(ends), 0.0, np.where(np.isinf(ends), 0.0, ends) - np.where(np.isinf(ends), 0.0, starts))
    box = (problem.sigma, problem.rows, problem.lower, problem.upper)
    state = np.concatenate([np.full(n, AT_LOWER), np.full(m, INSIDE)])
    point = Point(state, x, np.zeros(m), np.empty(n), np.empty(m))
    to_first = Path(*box, np.vstack([first, problem.linear - first]), np.vstack([starts, way]))
    if line.follow(to_first, point, 1.0, np.empty((1, 1 + n + m)))[0] != line.ARRIVED:
        return None
    along = Path(*box, np.vstack([problem.linear, -problem.gains]), np.vstack([ends, np.zeros((2, m))]))
    corners = np.empty((4 * (n + m) + 64, 1 + n + m))
    outcome, count = line.follow(along, point, FARTHEST, corners)
    if outcome != line.ARRIVED or count > len(corners):
        return None
    weights = np.clip(corners[:count, 1 : n + 1], problem.lower, problem.upper)  # but for the last bit they are
    return Found(corners[:count, 0], weights, corners[:count, n + 1 :], exact=True)


def violation(problem: Problem, found: Found) -> float:
    """Return by how much optima violate the limits and the first-order conditions of the scaled problem."""
    x, multipliers, tolerance = found.x, found.multipliers, found.tolerance[:, None]
    gradient = x @ problem.sigma + problem.linear - tolerance * problem.gains + multipliers @ problem.rows
    reached, unit = x @ problem.rows.T, 1 + tolerance  # beyond λ = 1 the gains set the scale
    below, above = x - problem.lower, problem.upper - x
    under, over = reached - problem.row_lower, problem.row_upper - reached
    # A positive gradient belongs at the lower bound, a negative one at the upper; a multiplier at its own limit.
    faults = (
        -below, -above, -under, -over, np.minimum(gradient / unit, below), np.minimum(-gradient / unit, above),
        np.minimum(multipliers / unit, over), np.minimum(-multipliers / unit, under),
    )  # fmt: skip
    # Weights keep to their limits five times as closely as multipliers to theirs.
    return float(
        max(weight * np.max(fault, initial=0.0) for weight, fault in zip((5, 5, 5, 5, 1, 1, 1, 1), faults, strict=True))
    )
