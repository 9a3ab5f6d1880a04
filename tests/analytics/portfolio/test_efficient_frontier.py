"""The frontier: the published example, an interior-point solver, the first-order conditions, degenerate problems."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from tolerances import EXACT, PARITY, SOLVER

from analytics.conventions import FRONTIER_POINTS, FloatArray
from analytics.errors import InputError
from analytics.portfolio import efficient_frontier, evaluate
from analytics.portfolio.covariance import ledoit_wolf
from analytics.portfolio.expected_returns import mean_historical
from analytics.portfolio.limits import long_only

GOLDEN = Path(__file__).parents[2] / "golden" / "bailey_lopez_de_prado_2013.json"
Solver = Callable[..., FloatArray]


def problem(seed: int, n_assets: int, *, decimals: int = 12) -> tuple[FloatArray, FloatArray]:
    """Few decimals make ties among the expected returns."""
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal((n_assets, 2 * n_assets))
    covariance = 0.04 * (draw @ draw.T / (2 * n_assets) + 0.05 * np.eye(n_assets))
    return np.round(rng.normal(0.08, 0.06, n_assets), decimals), covariance


def violation(weights: FloatArray, mu: FloatArray, sigma: FloatArray, upper: float) -> float:
    """By how much the best λ ≥ 0 and ν fail the first-order conditions of a minimum-variance portfolio.

    Σw − λμ − ν must not be negative where the weight could rise, nor positive where it could fall.
    """
    gradient, one = sigma @ weights / sigma.max(), np.ones_like(mu)
    could_rise, could_fall = weights < upper - PARITY, weights > PARITY
    above, below = (
        np.column_stack([mu, one, -one])[could_rise],
        np.column_stack([-mu, -one, -one])[could_fall],
    )
    scale = 1e4  # the solver's tolerances are an absolute 1e-7
    found = linprog(
        [0, 0, scale],
        A_ub=scale * np.vstack([above, below]),
        b_ub=scale * np.concatenate([gradient[could_rise], -gradient[could_fall]]),
        bounds=[(0, None), (None, None), (0, None)],
    )
    assert found.status == 0
    return float(found.x[2])


def assert_matches_solver(
    mu: FloatArray, sigma: FloatArray, solve: Solver, *, upper: float = 1.0, points: int = FRONTIER_POINTS
) -> None:
    """Variance at each point equals the solver's for the same expected return, and so does the best Sharpe ratio."""
    n = len(mu)
    rate = float(np.sort(mu)[n // 2 - 1])
    frontier = efficient_frontier(mu, sigma, risk_free_rate=rate, points=points, feasible=long_only(n, upper=upper))
    box, limits = np.vstack([-np.eye(n), np.eye(n)]), np.concatenate([np.zeros(n), np.full(n, upper)])
    for target, volatility in zip(frontier.expected_return, frontier.volatility, strict=True):
        found = solve(sigma, np.vstack([mu, np.ones(n)]), np.array([target, 1.0]), box, limits)
        assert volatility**2 == pytest.approx(found @ sigma @ found, rel=SOLVER)
    least = solve(sigma, np.ones((1, n)), np.ones(1), box, limits)
    assert frontier.volatility[0] ** 2 == pytest.approx(least @ sigma @ least, rel=SOLVER)
    # Largest Sharpe ratio: least y′Σy with (μ − f)′y = 1, y ≥ 0 and yᵢ ≤ u Σy; its weights are y / Σy.
    cone = np.vstack([-np.eye(n), np.eye(n) - upper])
    scaled = solve(sigma, (mu - rate)[None, :], np.ones(1), cone, np.zeros(2 * n))
    best = evaluate([frontier.max_sharpe, scaled / scaled.sum()], mu, sigma, risk_free_rate=rate).sharpe_ratio
    assert best[0] == pytest.approx(best[1], rel=SOLVER)


# ---- against published numbers and solvers


def test_corner_portfolios_of_the_published_example() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    mu, sigma = np.array(golden["expected_returns"]), np.array(golden["covariance"])
    frontier = efficient_frontier(mu, sigma, risk_free_rate=0.0)
    corners = evaluate(frontier.corners[::-1], mu, sigma, risk_free_rate=0.0)
    np.testing.assert_allclose(corners.expected_return, golden["corner_expected_return"], rtol=PARITY)
    np.testing.assert_allclose(corners.volatility, golden["corner_volatility"], rtol=PARITY)


def test_two_assets_by_hand() -> None:
    frontier = efficient_frontier(np.array([0.05, 0.10]), np.diag([0.04, 0.09]), risk_free_rate=0.02, points=2)
    np.testing.assert_allclose(frontier.min_variance, [9 / 13, 4 / 13], rtol=EXACT)
    np.testing.assert_allclose(frontier.weights, [[9 / 13, 4 / 13], [0, 1]], atol=EXACT)
    # Tangency weights are proportional to Σ⁻¹(μ − f) = (0.75, 0.8889).
    np.testing.assert_allclose(frontier.max_sharpe, np.array([27, 32]) / 59, rtol=EXACT)
    np.testing.assert_allclose(frontier.sharpe_ratio[1], 0.08 / 0.3, rtol=EXACT)


def test_real_stocks_equal_an_interior_point_solver(stock_returns: FloatArray, interior_point: Solver) -> None:
    mu, sigma = mean_historical(stock_returns), ledoit_wolf(stock_returns)
    assert_matches_solver(mu, sigma, interior_point)
    assert_matches_solver(mu, sigma, interior_point, upper=0.1)


@pytest.mark.parametrize(
    ("n_assets", "upper"), [(2, 1.0), (3, 0.5), (5, 0.3), (12, 0.1), (25, 1.0), (40, 0.05), (60, 1.0)]
)
def test_random_problems_equal_an_interior_point_solver(n_assets: int, upper: float, interior_point: Solver) -> None:
    mu, sigma = problem(n_assets, n_assets)
    assert_matches_solver(mu, sigma, interior_point, upper=upper, points=12)


# ---- what every frontier obeys


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.sampled_from([1, 2, 12]), st.sampled_from([1.0, 0.5, 0.2]))
def test_every_point_is_optimal(seed: int, n_assets: int, decimals: int, upper: float) -> None:
    mu, sigma = problem(seed, n_assets, decimals=decimals)
    upper = max(upper, 1 / n_assets)
    frontier = efficient_frontier(mu, sigma, risk_free_rate=0.02, points=7, feasible=long_only(n_assets, upper=upper))
    for weights in frontier.weights:
        assert weights.sum() == pytest.approx(1, abs=PARITY)
        assert weights.min() >= 0
        assert weights.max() <= upper
        assert violation(weights, mu, sigma, upper) <= PARITY
    np.testing.assert_allclose(np.diff(frontier.expected_return, 2), 0, atol=PARITY)  # evenly spaced
    assert (np.diff(frontier.volatility) >= -EXACT).all()
    best = np.sort(mu)[::-1]
    full = int(1 / upper + PARITY)
    top = upper * best[:full].sum() + (best[full] * (1 - full * upper) if full < n_assets else 0)
    assert frontier.expected_return[-1] == pytest.approx(top, abs=PARITY)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 20), st.floats(-0.5, 0.5), st.floats(0.1, 10))
def test_weights_ignore_the_unit_and_level_of_returns(seed: int, n_assets: int, shift: float, scale: float) -> None:
    mu, sigma = problem(seed, n_assets)
    before = efficient_frontier(mu, sigma, risk_free_rate=0.02, points=5)
    after = efficient_frontier(scale * mu + shift, scale**2 * sigma, risk_free_rate=scale * 0.02 + shift, points=5)
    np.testing.assert_allclose(after.weights, before.weights, atol=1e-7)
    np.testing.assert_allclose(after.max_sharpe, before.max_sharpe, atol=1e-7)
    np.testing.assert_allclose(after.volatility, scale * before.volatility, rtol=1e-7)


def test_marked_portfolios_lie_on_the_frontier() -> None:
    mu, sigma = problem(4, 15)
    frontier = efficient_frontier(mu, sigma, risk_free_rate=0.03, points=2_000)
    best = evaluate(frontier.max_sharpe, mu, sigma, risk_free_rate=0.03)
    assert frontier.sharpe_ratio.max() <= best.sharpe_ratio[0] + EXACT
    assert frontier.sharpe_ratio.max() == pytest.approx(best.sharpe_ratio[0], rel=SOLVER)
    np.testing.assert_array_equal(frontier.min_variance, frontier.weights[0])
    assert violation(frontier.max_sharpe, mu, sigma, 1.0) <= PARITY


def test_bounds_may_differ_by_asset() -> None:
    mu, sigma = problem(5, 6)
    bounds = np.array([0.1, 0.0, 0.5, 0.3, 0.2, 0.25])
    frontier = efficient_frontier(mu, sigma, risk_free_rate=0.02, feasible=long_only(6, upper=bounds))
    assert (frontier.weights <= bounds).all()
    np.testing.assert_allclose(frontier.weights.sum(axis=1), 1, rtol=EXACT)
    without = [0, 2, 3, 4, 5]  # a bound of 0 is an asset left out
    smaller = efficient_frontier(
        mu[without], sigma[np.ix_(without, without)], risk_free_rate=0.02, feasible=long_only(5, upper=bounds[without])
    )
    np.testing.assert_allclose(frontier.weights[:, without], smaller.weights, atol=PARITY)


# ---- degenerate problems


def test_one_asset_is_its_own_frontier() -> None:
    frontier = efficient_frontier(np.array([0.08]), np.array([[0.04]]), risk_free_rate=0.02)
    np.testing.assert_array_equal(frontier.weights, np.ones((FRONTIER_POINTS, 1)))
    np.testing.assert_allclose(frontier.sharpe_ratio, 0.3, rtol=EXACT)
    np.testing.assert_array_equal(frontier.max_sharpe, [1.0])


def test_equal_expected_returns_leave_minimum_variance() -> None:
    _, sigma = problem(6, 8)
    frontier = efficient_frontier(np.full(8, 0.05), sigma, risk_free_rate=0.02)
    assert frontier.corners.shape == (1, 8)
    np.testing.assert_array_equal(frontier.weights, np.tile(frontier.min_variance, (FRONTIER_POINTS, 1)))
    assert violation(frontier.min_variance, np.zeros(8), sigma, 1.0) <= PARITY


def test_tied_best_assets_share_the_top() -> None:
    frontier = efficient_frontier(np.array([0.1, 0.1, 0.05]), np.diag([0.04, 0.12, 0.01]), risk_free_rate=0.02)
    np.testing.assert_allclose(frontier.weights[-1], [0.75, 0.25, 0], atol=PARITY)


def test_interchangeable_assets_get_the_same_weight() -> None:
    sigma = np.full((5, 5), 0.02) + 0.02 * np.eye(5)
    frontier = efficient_frontier(np.array([0.05, 0.05, 0.05, 0.08, 0.08]), sigma, risk_free_rate=0.02)
    np.testing.assert_allclose(frontier.weights[:, 0], frontier.weights[:, 1], atol=PARITY)
    np.testing.assert_allclose(frontier.weights[:, 3], frontier.weights[:, 4], atol=PARITY)
    np.testing.assert_allclose(frontier.min_variance, 0.2, rtol=PARITY)


@pytest.mark.parametrize("n_assets", [3, 10, 49])
def test_bounds_that_just_add_up_leave_equal_weights(n_assets: int) -> None:
    mu, sigma = problem(7, n_assets)
    frontier = efficient_frontier(mu, sigma, risk_free_rate=0.02, feasible=long_only(n_assets, upper=1 / n_assets))
    np.testing.assert_allclose(frontier.weights, 1 / n_assets, rtol=PARITY)


def test_all_below_the_risk_free_rate_still_gives_the_largest_ratio() -> None:
    mu, sigma = problem(8, 10)
    frontier = efficient_frontier(mu, sigma, risk_free_rate=0.5, points=1_000)
    best = evaluate(frontier.max_sharpe, mu, sigma, risk_free_rate=0.5).sharpe_ratio
    assert best < 0
    assert best >= frontier.sharpe_ratio.max() - EXACT


def test_more_assets_than_sessions_work_after_shrinkage() -> None:
    returns = 0.01 * np.random.default_rng(1).standard_normal((40, 60))
    frontier = efficient_frontier(mean_historical(returns), ledoit_wolf(returns), risk_free_rate=0.02)
    np.testing.assert_allclose(frontier.weights.sum(axis=1), 1, rtol=PARITY)


# ---- bad input


MU, SIGMA = np.array([0.05, 0.1]), np.diag([0.04, 0.09])


@pytest.mark.parametrize(("changes", "message"), [
    ({"expected_returns": np.array([0.05, np.nan])}, r"expected_returns: got \[0.05, nan\]"),
    ({"expected_returns": np.array([])}, "at least one"),
    ({"covariance": np.diag([0.04, np.nan])}, "1 missing values"),
    ({"covariance": np.eye(3)}, "a complete 2 × 2 matrix"),
    ({"covariance": np.array([[0.04, 0.01], [0.0, 0.09]])}, "a symmetric one"),
    ({"covariance": np.array([[0.04, 0.05], [0.05, 0.04]])}, r"smallest eigenvalue .*Shrink it \(Ledoit-Wolf\)"),
    ({"covariance": np.zeros((2, 2))}, "variances over 0"),
    ({"feasible": long_only(2, upper=0.4)}, "limits that contradict each other"),
    ({"feasible": long_only(3)}, "limits on 2"),
    ({"points": 1}, "points: got 1; allowed: a whole number from 2 on"),
    ({"points": 2.5}, "a whole number"),
    ({"risk_free_rate": np.inf}, "risk_free_rate: got inf"),
])  # fmt: skip
def test_bad_input_is_named(changes: dict[str, object], message: str) -> None:
    given_input = {"expected_returns": MU, "covariance": SIGMA, "risk_free_rate": 0.02} | changes
    with pytest.raises(InputError, match=message):
        efficient_frontier(given_input.pop("expected_returns"), given_input.pop("covariance"), **given_input)
