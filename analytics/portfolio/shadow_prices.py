"""What each limit costs: the expected return that it keeps from a portfolio of the same volatility."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError, NoPortfolioError
from analytics.portfolio.frontier import Frontier, efficient_frontier
from analytics.portfolio.limits import SPLIT, FeasibleSet, Limit

AT_LIMIT = 1e-7  # a limit that is nearer than this binds
STEP = 1e-6  # how far a limit is moved to see what that brings


@dataclass(frozen=True, eq=False)
class Cost:
    """What one limit costs at a portfolio of the frontier, at the same volatility; annual fractions.

    price: expected return gained for each unit (100 percentage points) that the limit gives way by, at the margin;
    of a limit on each of several tickers, for all of them at once. gain: expected return gained without the limit.
    NaN when: the limit cannot be done without; price also at minimum variance and for counts of positions.
    """

    limit: Limit
    price: float
    gain: float


def limit_costs(frontier: Frontier, weights: FloatArray) -> list[Cost]:
    """Return the cost of every limit that binds at a portfolio (n_assets,) of a frontier, the dearest first.

    The price is the exact frontier's answer to the limit moved by 1e-6, outwards: where several limits meet in one
    portfolio their multipliers are not unique, and the gain of giving way is the smallest of what they say. At
    minimum variance more return at the same risk grows without bound at the margin, and the price is NaN.
    """
    mu, sigma, rate, feasible = frontier.problem
    reached = float(weights @ mu + (1 - weights.sum()) * rate)
    volatility = float(np.sqrt(max(float(weights @ sigma @ weights), 0.0)))
    least = np.abs(weights - frontier.min_variance).max() <= AT_LIMIT
    found = []
    for limit in feasible.limits:
        if limit.relaxable and limit.excess(weights) >= -AT_LIMIT:
            wider = feasible.with_value(limit.key, limit.value + (STEP if limit.side == "max" else -STEP))
            price = np.nan if least or limit.kind in SPLIT else _gain(frontier, wider, reached, volatility) / STEP
            found.append(Cost(limit, price, _gain(frontier, feasible.without(limit.key), reached, volatility)))
    return sorted(found, key=lambda cost: -np.nan_to_num(cost.gain))


def _gain(frontier: Frontier, freer: FeasibleSet, expected_return: float, volatility: float) -> float:
    """Expected return at the same volatility within other limits, less the one there is."""
    mu, sigma, rate, _ = frontier.problem
    try:
        other = efficient_frontier(mu, sigma, risk_free_rate=rate, feasible=freer, points=2)
        weights = other.at_volatility(min(volatility, other.volatility[-1]))
    except (NoPortfolioError, InputError):
        return np.nan
    return float(weights @ mu + (1 - weights.sum()) * rate - expected_return)
