"""Evaluated and random portfolios: by hand, against the returns they would have had, and never above the frontier."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY

from analytics.conventions import FRONTIER_CLOUD, FloatArray
from analytics.errors import InputError
from analytics.portfolio import efficient_frontier, evaluate, random_portfolios


def problem(seed: int, n_assets: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal((n_assets, 2 * n_assets))
    return rng.normal(0.08, 0.05, n_assets), 0.04 * (draw @ draw.T / (2 * n_assets) + 0.1 * np.eye(n_assets))


def test_evaluate_by_hand() -> None:
    covariance = np.array([[0.04, 0.0], [0.0, 0.09]])
    found = evaluate([[1, 0], [0.6, 0.4]], np.array([0.05, 0.10]), covariance, risk_free_rate=0.01)
    np.testing.assert_allclose(found.expected_return, [0.05, 0.07], rtol=EXACT)
    np.testing.assert_allclose(found.volatility, [0.2, np.sqrt(0.36 * 0.04 + 0.16 * 0.09)], rtol=EXACT)
    np.testing.assert_allclose(found.sharpe_ratio, [0.2, 0.06 / found.volatility[1]], rtol=EXACT)
    single = evaluate([0.6, 0.4], np.array([0.05, 0.10]), covariance, risk_free_rate=0.01)
    np.testing.assert_array_equal(single.volatility, found.volatility[1:])


def test_without_risk_there_is_no_sharpe_ratio() -> None:
    found = evaluate([1.0], np.array([0.05]), np.zeros((1, 1)), risk_free_rate=0.01)
    assert np.isnan(found.sharpe_ratio).all()
    assert found.volatility == [0.0]


def test_evaluate_equals_the_moments_of_the_portfolio_returns(stock_returns: FloatArray) -> None:
    weights = np.random.default_rng(1).dirichlet(np.ones(20), 10)
    found = evaluate(weights, 252 * stock_returns.mean(axis=0), 252 * np.cov(stock_returns.T), risk_free_rate=0.0)
    held = stock_returns @ weights.T
    np.testing.assert_allclose(found.expected_return, 252 * held.mean(axis=0), rtol=PARITY)
    np.testing.assert_allclose(found.volatility, np.sqrt(252) * held.std(axis=0, ddof=1), rtol=PARITY)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_no_random_portfolio_beats_the_frontier(seed: int, n_assets: int) -> None:
    mu, sigma = problem(seed, n_assets)
    cloud = random_portfolios(mu, sigma, risk_free_rate=0.02, count=300, seed=seed)
    frontier = efficient_frontier(mu, sigma, risk_free_rate=0.02)
    np.testing.assert_allclose(cloud.weights.sum(axis=1), 1, rtol=EXACT)
    assert (cloud.weights >= 0).all()
    assert cloud.expected_return.max() <= frontier.expected_return[-1] + EXACT
    assert cloud.volatility.min() >= frontier.volatility[0] - EXACT
    best = evaluate(frontier.max_sharpe, mu, sigma, risk_free_rate=0.02).sharpe_ratio
    assert cloud.sharpe_ratio.max() <= best + PARITY
    # The exact frontier at the returns of the cloud: interpolated between neighbouring corners.
    reached = frontier.corners @ mu
    at = np.clip(cloud.expected_return, reached[0], None)
    weights = np.column_stack([np.interp(at, reached, column) for column in frontier.corners.T])
    least = evaluate(weights, mu, sigma, risk_free_rate=0.02).volatility
    assert (cloud.volatility >= least - PARITY).all()


def test_the_cloud_reaches_both_ends() -> None:
    mu, sigma = problem(1, 100)
    cloud = random_portfolios(mu, sigma, risk_free_rate=0.02)
    largest = cloud.weights.max(axis=1)
    assert len(largest) == FRONTIER_CLOUD
    assert largest.max() > 0.95
    assert largest.min() < 0.06
    spread = np.ptp(cloud.expected_return) / np.ptp(mu)
    uniform = np.random.default_rng(1).dirichlet(np.ones(100), FRONTIER_CLOUD) @ mu
    assert spread > 2 * np.ptp(uniform) / np.ptp(mu)


def test_same_seed_same_portfolios() -> None:
    mu, sigma = problem(2, 5)
    first, again, other = (random_portfolios(mu, sigma, risk_free_rate=0.0, count=10, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, other.weights)


def test_bad_input_is_named() -> None:
    mu, sigma = problem(3, 3)
    with pytest.raises(InputError, match="count: got 0; allowed: a whole number from 1 on"):
        random_portfolios(mu, sigma, risk_free_rate=0.0, count=0)
    with pytest.raises(InputError, match="risk_free_rate: got nan; allowed: a finite number"):
        random_portfolios(mu, sigma, risk_free_rate=np.nan)
    with pytest.raises(InputError, match="expected_returns"):
        random_portfolios(np.array([np.nan, 1, 2]), sigma, risk_free_rate=0.0)
