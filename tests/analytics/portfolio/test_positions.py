"""The frontier with counts of positions obeys them, stays above its bound, and is close to the best there is."""

from itertools import combinations

import numpy as np
import pytest
from conflicts import COUNTED, STOCKS, Case
from tolerances import PARITY

from analytics.conventions import FloatArray
from analytics.errors import InputError, NoPortfolioError
from analytics.portfolio.constraints import Constraints, Universe, feasible_weights
from analytics.portfolio.frontier import efficient_frontier
from analytics.portfolio.infeasibility import explain
from analytics.portfolio.limits import FeasibleSet, long_only
from analytics.portfolio.positions import PositionsFrontier, frontier_of_positions

KEPT = 1e-9  # what the project promises of every bound
RATE = 0.02
CLOSE = 0.01  # of the variance of the best assets
SHARE = 0.95  # of portfolios that close; 0.996 to 1.000 over 60 seeds of each of the counts below, four seeds here


def estimates(n: int, seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    returns = rng.normal(size=(4 * n + 20, n)) * rng.uniform(0.1, 0.4, n) + 0.15 * rng.normal(size=(4 * n + 20, 1))
    return rng.normal(0.08, 0.06, n), np.cov(returns.T)


def universe(n: int) -> Universe:
    tickers = tuple(f"T{number:02d}" for number in range(n))
    return Universe(tickers, {ticker: f"S{number % 5}" for number, ticker in enumerate(tickers)})


def check(found: PositionsFrontier, feasible: FeasibleSet) -> None:
    """Every portfolio obeys every limit, judged limit by limit."""
    for weights in (*found.weights, found.min_variance, found.max_sharpe):
        held = np.abs(weights) > KEPT
        for limit in feasible.limits:
            value = {
                "each": weights[limit.coefficients != 0],
                "sum": limit.coefficients @ weights,
                "turnover": np.abs(weights - limit.coefficients).sum() / 2,
                "positions": float(held.sum()),
                "min_position": weights[held],
            }[limit.kind]
            slack = limit.value - value if limit.side == "max" else value - limit.value
            assert np.min(slack, initial=0.0) >= -KEPT, limit.label


SETS = {
    "four positions": Constraints(max_positions=4),
    "four positions of 10 % to 40 %": Constraints(max_positions=4, min_position=0.1, max_weight=0.4),
    "positions of 15 %": Constraints(min_position=0.15),
    "a ticker of each sector": Constraints(max_positions=5, sector_bounds={f"S{k}": (0.1, 0.5) for k in range(5)}),
    "with cash": Constraints(max_positions=3, min_position=0.1, min_cash=0.1, max_cash=0.6),
    "turnover": Constraints(max_positions=8, max_turnover=0.6),
    "a minimum of its own": Constraints(max_positions=3, ticker_bounds={"T07": (0.2, 0.6)}),
}


@pytest.mark.parametrize("name", SETS)
def test_portfolios_obey_every_limit_and_stay_above_the_bound(name: str) -> None:
    mu, sigma = estimates(20, seed=3)
    held = Universe(universe(20).tickers, universe(20).sectors, {}, {f"T{number:02d}": 0.25 for number in range(4)})
    feasible = feasible_weights(SETS[name], held)
    found = frontier_of_positions(mu, sigma, risk_free_rate=RATE, feasible=feasible, points=15)
    check(found, feasible)
    assert 1 < len(found.weights) <= 15
    assert (np.diff(found.expected_return) > 0).all()
    assert (np.diff(found.volatility) > 0).all()
    assert (found.gap > -PARITY).all()
    relaxed = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=feasible.without("positions", "min_position"))
    reachable = np.clip(found.expected_return, *relaxed.expected_return[[0, -1]])
    bound = np.array([np.sqrt(w @ sigma @ w) for w in map(relaxed.at_return, reachable)])
    np.testing.assert_allclose(found.bound, bound, rtol=PARITY)
    invested = found.max_sharpe.sum()
    ratio = (found.max_sharpe @ mu - invested * RATE) / np.sqrt(found.max_sharpe @ sigma @ found.max_sharpe)
    assert ratio >= found.sharpe_ratio.max() - PARITY


def test_without_counts_it_is_the_frontier() -> None:
    mu, sigma = estimates(12, seed=1)
    feasible = long_only(12, upper=0.3)
    found = frontier_of_positions(mu, sigma, risk_free_rate=RATE, feasible=feasible, points=20)
    exact = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=feasible, points=20)
    np.testing.assert_allclose(found.volatility, exact.volatility, rtol=CLOSE / 10)
    np.testing.assert_allclose(found.gap, 0, atol=CLOSE / 10)
    np.testing.assert_allclose(found.weights[[0, -1]], exact.weights[[0, -1]], atol=PARITY)


def _best_variances(
    mu: FloatArray, sigma: FloatArray, most: int, least: float, cap: float, targets: FloatArray
) -> FloatArray:
    """The least variance at each return over all choices of assets: no search."""
    best = np.full(len(targets), np.inf)
    for size in range(1, most + 1):
        for chosen in combinations(range(len(mu)), size):
            part = np.array(chosen)
            bounds = Constraints(min_weight=least, max_weight=cap)
            allowed = feasible_weights(bounds, Universe(tuple(map(str, chosen))))
            try:
                frontier = efficient_frontier(
                    mu[part], sigma[np.ix_(part, part)], risk_free_rate=RATE, feasible=allowed, points=2
                )
            except NoPortfolioError:
                continue
            first, last = frontier.expected_return[[0, -1]]
            for number in np.flatnonzero(targets <= last + KEPT):
                weights = frontier.at_return(min(max(targets[number], first), last))
                best[number] = min(best[number], weights @ sigma[np.ix_(part, part)] @ weights)
    return best


@pytest.mark.parametrize(("most", "least", "cap"), [(3, 0.0, 1.0), (4, 0.0, 0.5), (5, 0.15, 0.4), (2, 0.0, 1.0)])
def test_close_to_the_best_of_all_choices_of_eight_assets(most: int, least: float, cap: float) -> None:
    excess = []
    for seed in range(4):
        mu, sigma = estimates(8, seed)
        allowed = feasible_weights(Constraints(max_weight=cap, max_positions=most, min_position=least), universe(8))
        found = frontier_of_positions(mu, sigma, risk_free_rate=RATE, feasible=allowed, points=12)
        best = _best_variances(mu, sigma, most, least, cap, found.expected_return)
        excess.append(found.volatility**2 / best - 1)
    beyond = np.concatenate(excess)
    assert beyond.min() > -PARITY  # nothing is better than the best
    assert (beyond < CLOSE).mean() >= SHARE


@pytest.mark.parametrize("case", COUNTED, ids=lambda case: case.name)
def test_a_conflict_has_no_frontier_and_the_nearest_set_has(case: Case) -> None:
    mu, sigma = estimates(6, seed=0)
    with pytest.raises(NoPortfolioError):
        frontier_of_positions(mu, sigma, risk_free_rate=RATE, feasible=case.feasible())
    conflict = explain(case.feasible())
    assert conflict is not None
    check(frontier_of_positions(mu, sigma, risk_free_rate=RATE, feasible=conflict.nearest, points=5), conflict.nearest)


def test_all_cash_where_nothing_may_be_held() -> None:
    mu, sigma = estimates(12, seed=2)
    allowed = feasible_weights(Constraints(exclude=STOCKS.tickers, max_cash=1.0, max_positions=3), STOCKS)
    found = frontier_of_positions(mu, sigma, risk_free_rate=RATE, feasible=allowed, points=5)
    assert found.weights.tolist() == [[0.0] * 12]
    assert found.expected_return.tolist() == [RATE]
    assert np.isnan(found.gap).all()


def test_the_same_inputs_give_the_same_bytes() -> None:
    mu, sigma = estimates(20, seed=5)
    feasible = feasible_weights(SETS["four positions of 10 % to 40 %"], universe(20))
    one, two = (
        frontier_of_positions(mu, sigma, risk_free_rate=RATE, feasible=feasible, points=10).weights.tobytes()
        for _ in range(2)
    )
    assert one == two


def test_what_cannot_be_used_is_refused() -> None:
    mu, sigma = estimates(4, seed=0)
    with pytest.raises(InputError, match="points"):
        frontier_of_positions(mu, sigma, risk_free_rate=RATE, feasible=long_only(4), points=1)
    with pytest.raises(InputError, match="risk_free_rate"):
        frontier_of_positions(mu, sigma, risk_free_rate=np.nan, feasible=long_only(4))
