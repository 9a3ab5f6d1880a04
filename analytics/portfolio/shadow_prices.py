"""What each limit costs: the expected return that it keeps from a portfolio of the same volatility."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError, NoPortfolioError
from analytics.portfolio._parametric import Corners, corners_of, positive_definite
from analytics.portfolio.frontier import Frontier, efficient_frontier
from analytics.portfolio.limits import SPLIT, FeasibleSet, Limit

BINDING = 1e-9  # annual return per unit of a limit below which rounding speaks


@dataclass(frozen=True, eq=False)
class Cost:
    """What one limit costs at a portfolio of the frontier, at the same volatility; annual fractions.

    price: expected return gained for each unit (100 percentage points) that the limit gives way by, at the margin;
    of a limit on each of several tickers, for all of them at once. gain: expected return gained without the limit.
    NaN when: a volatility of 0, or the limit cannot be done without.
    """

    limit: Limit
    price: float
    gain: float


def limit_costs(frontier: Frontier, weights: FloatArray) -> list[Cost]:
    """Return the cost of every limit that binds at a portfolio (n_assets,) of a frontier, the dearest first.

    The price is the limit's multiplier over λ: at λ = 0, minimum variance, more return at the same risk is not
    at stake, and it is NaN. Counts of positions and least positions have no multiplier: their price is NaN.
    """
    mu, sigma, rate, feasible = frontier.problem
    corners = corners_of(mu - rate, positive_definite(sigma), feasible)
    target, volatility = float(weights @ (mu - rate)), float(np.sqrt(max(float(weights @ sigma @ weights), 0.0)))
    duals = _duals_at(corners, corners.weights @ (mu - rate), target)
    found = []
    for limit in feasible.limits:
        price = _price(limit, duals, weights, feasible)
        if limit.relaxable and (limit.kind in SPLIT or not price < BINDING):
            found.append(Cost(limit, price, _gain(frontier, limit, target + rate, volatility)))
    return sorted(found, key=lambda cost: -np.nan_to_num(cost.gain))


def _duals_at(corners: Corners, reached: FloatArray, target: float) -> dict[str, FloatArray]:
    """The duals over λ between two corners, where both are linear in λ and λ in the return."""
    right = int(np.clip(np.searchsorted(reached, target), 1, max(len(reached) - 1, 1)))
    left = right - 1
    right = min(right, len(reached) - 1)
    gap = reached[right] - reached[left]
    share = float(np.clip((target - reached[left]) / gap, 0, 1)) if gap > 0 else 1.0

    def at(values: FloatArray) -> FloatArray:
        return (1 - share) * values[left] + share * values[right]

    tolerance = at(corners.tolerance)
    unit = tolerance if tolerance > 0 else np.nan
    return {
        "upper": at(corners.upper_duals) / unit, "lower": at(corners.lower_duals) / unit,
        "rows": at(corners.row_duals) / unit, "turnover": at(corners.turnover_duals) / unit,
    }  # fmt: skip


def _price(limit: Limit, duals: dict[str, FloatArray], weights: FloatArray, feasible: FeasibleSet) -> float:
    if limit.kind == "turnover":
        return float(duals["turnover"])
    if limit.kind == "sum":
        row = next(i for i, row in enumerate(feasible.rows) if np.array_equal(row, limit.coefficients))
        bound = feasible.row_upper[row] if limit.side == "max" else feasible.row_lower[row]
        return float(duals["rows"][row] * (1 if limit.side == "max" else -1)) if bound == limit.value else 0.0
    if limit.kind == "each":
        side, bound = ("upper", feasible.upper) if limit.side == "max" else ("lower", feasible.lower)
        return float(duals[side][(limit.coefficients != 0) & (bound == limit.value)].sum())
    return np.nan


def _gain(frontier: Frontier, limit: Limit, expected_return: float, volatility: float) -> float:
    """Expected return at the same volatility without the limit, less the one with it."""
    mu, sigma, rate, feasible = frontier.problem
    try:
        freer = efficient_frontier(mu, sigma, risk_free_rate=rate, feasible=feasible.without(limit.key), points=2)
        weights = freer.at_volatility(min(volatility, freer.volatility[-1]))
    except (NoPortfolioError, InputError):
        return np.nan
    return float(weights @ mu + (1 - weights.sum()) * rate - expected_return)
