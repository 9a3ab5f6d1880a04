"""Covariances: by hand, against scikit-learn, skfolio, statsmodels and numpy, and what each promises."""

from collections.abc import Callable

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from skfolio import moments
from sklearn import covariance as sklearn_covariance
from tolerances import EXACT, PARITY

from analytics.conventions import MIN_FACTOR_SESSIONS, TRADING_DAYS, FloatArray
from analytics.errors import InputError, MissingDataError
from analytics.portfolio.covariance import COVARIANCES, ledoit_wolf, sample_covariance
from analytics.portfolio.covariance.denoised import denoised
from analytics.portfolio.covariance.exponentially_weighted import exponentially_weighted
from analytics.portfolio.covariance.factor_model import factor_model_covariance
from analytics.portfolio.covariance.oas import oas
from analytics.portfolio.market_data import MarketData

Estimate = Callable[[FloatArray], FloatArray]
OF_RETURNS = (sample_covariance, ledoit_wolf, oas, exponentially_weighted, denoised)  # that need nothing else
WELL_CONDITIONED = (ledoit_wolf, oas, denoised)  # positive definite with fewer sessions than assets
FOUR = 0.01 * np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])


def random_returns(seed: int, n_sessions: int, n_assets: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_normal((n_sessions, 1))
    return 0.0005 + market + 0.02 * rng.standard_normal((n_sessions, n_assets))


def with_factors(seed: int, n_sessions: int, n_assets: int, n_factors: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    factors = 0.01 * rng.standard_normal((n_sessions, n_factors))
    loadings = rng.normal(0.5, 0.5, (n_factors, n_assets))
    return factors @ loadings + 0.01 * rng.standard_normal((n_sessions, n_assets)), factors


# ---- by hand


def test_sample_by_hand() -> None:
    returns = np.array([[0.01, 0.00], [0.03, 0.02]])
    np.testing.assert_allclose(sample_covariance(returns), 252 * 0.0002 * np.ones((2, 2)), rtol=PARITY)


def test_shrinkage_by_hand() -> None:
    # In units of 1e-4: S = diag(2, ½), m = 5/4, d² = 9/16, b² = (34/4 − 17/4) / 8 = 17/32, so s = 17/18.
    expected = np.diag([2 / 18 + 17 / 18 * 5 / 4, 0.5 / 18 + 17 / 18 * 5 / 4])
    np.testing.assert_allclose(ledoit_wolf(FOUR), 252e-4 * expected, rtol=EXACT, atol=EXACT)
    # tr S² = 17/4, tr² S = 25/4: s = min(1, (42/4) / (5 · 9/8)) = 1.
    np.testing.assert_allclose(oas(FOUR), 252e-4 * np.diag([1.25, 1.25]), rtol=EXACT, atol=EXACT)
    # Ten times as often: s = (42/4) / (41 · 9/8) = 28/123.
    expected = np.diag([95 * 2 + 28 * 1.25, 95 * 0.5 + 28 * 1.25]) / 123
    np.testing.assert_allclose(oas(np.tile(FOUR, (10, 1))), 252e-4 * expected, rtol=EXACT, atol=EXACT)


def test_exponential_weights_by_hand() -> None:
    # Weights 1/7, 2/7, 4/7; the mean is taken as 0.
    returns = 0.01 * np.array([[1.0, 2.0], [-1.0, 0.0], [2.0, 1.0]])
    expected = np.array([[1 + 2 + 16, 2 + 8], [2 + 8, 4 + 4]]) / 7
    np.testing.assert_allclose(exponentially_weighted(returns, half_life=1), 252e-4 * expected, rtol=EXACT)


def test_denoising_by_hand() -> None:
    # Every eigenvalue of four sessions of two assets lies below (1 + √½)²: nothing is left but the variances.
    expected = np.diag(np.diag(sample_covariance(FOUR)))
    np.testing.assert_allclose(denoised(FOUR), expected, rtol=EXACT, atol=EXACT)
    # With one correlation throughout there is one eigenvalue to keep, and all others are equal as they are.
    rng = np.random.default_rng(1)
    draw = rng.standard_normal((500, 5))
    white = (draw - draw.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(draw.T))).T
    equal = white @ np.linalg.cholesky(0.7 * np.eye(5) + 0.3).T * np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    np.testing.assert_allclose(denoised(equal), sample_covariance(equal), rtol=PARITY)


def test_factor_model_without_noise_is_exact() -> None:
    factor = np.tile([0.01, -0.01], MIN_FACTOR_SESSIONS)[:, None]
    variance = TRADING_DAYS * factor.var(ddof=1)
    expected = variance * np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(factor_model_covariance(factor * [1.0, 2.0] + 0.001, factor), expected, rtol=PARITY)


# ---- against independent libraries


@pytest.mark.parametrize(("n_sessions", "n_assets"), [(2, 3), (30, 60), (250, 1), (1_260, 20)])
def test_shrinkage_equals_scikit_learn(n_sessions: int, n_assets: int) -> None:
    returns = random_returns(n_assets, n_sessions, n_assets)
    for ours, theirs in ((ledoit_wolf, sklearn_covariance.ledoit_wolf), (oas, sklearn_covariance.oas)):
        expected, _ = theirs(returns)
        np.testing.assert_allclose(ours(returns), TRADING_DAYS * expected, rtol=PARITY, atol=EXACT)


def test_estimates_of_real_returns(stock_returns: FloatArray) -> None:
    cases = [
        (sample_covariance, moments.EmpiricalCovariance()), (ledoit_wolf, moments.LedoitWolf()), (oas, moments.OAS()),
        (denoised, moments.DenoiseCovariance()), (exponentially_weighted, moments.EWCovariance(half_life=63)),
    ]  # fmt: skip
    for ours, theirs in cases:
        expected = TRADING_DAYS * theirs.fit(stock_returns).covariance_
        np.testing.assert_allclose(ours(stock_returns), expected, rtol=PARITY, err_msg=ours.__name__)
    np.testing.assert_allclose(sample_covariance(stock_returns), 252 * np.cov(stock_returns.T), rtol=PARITY)


@pytest.mark.parametrize(("n_assets", "n_factors"), [(12, 1), (40, 2), (60, 3)])
def test_denoising_equals_skfolio(n_assets: int, n_factors: int) -> None:
    returns, _ = with_factors(n_assets, 1_000, n_assets, n_factors)
    expected = TRADING_DAYS * moments.DenoiseCovariance().fit(returns).covariance_
    np.testing.assert_allclose(denoised(returns), expected, rtol=PARITY)


@pytest.mark.parametrize("half_life", [5, 63, 500])
def test_exponential_weights_equal_skfolio(half_life: int) -> None:
    returns = random_returns(half_life, 300, 8)
    expected = TRADING_DAYS * moments.EWCovariance(half_life=half_life, min_observations=1).fit(returns).covariance_
    np.testing.assert_allclose(exponentially_weighted(returns, half_life=half_life), expected, rtol=PARITY, atol=EXACT)


def test_factor_model_equals_statsmodels() -> None:
    returns, factors = with_factors(5, 400, 7, 3)
    factors[-30:] = np.nan  # the factor files end earlier
    factors[3, 1] = np.nan
    known = np.isfinite(factors).all(axis=1)
    fits = [sm.OLS(column[known], sm.add_constant(factors[known])).fit() for column in returns.T]
    loadings = np.array([fit.params[1:] for fit in fits])
    expected = loadings @ np.cov(factors[known].T) @ loadings.T + np.diag([fit.mse_resid for fit in fits])
    np.testing.assert_allclose(factor_model_covariance(returns, factors), TRADING_DAYS * expected, rtol=PARITY)
    shorter = factor_model_covariance(returns[known], factors[known])
    np.testing.assert_array_equal(factor_model_covariance(returns, factors), shorter)


# ---- what each promises


@pytest.mark.parametrize("estimate", OF_RETURNS)
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000), st.integers(3, 40), st.integers(1, 12), st.floats(0.1, 10))
def test_scale_symmetry_and_order(estimate: Estimate, seed: int, n_sessions: int, n_assets: int, scale: float) -> None:
    returns = random_returns(seed, n_sessions, n_assets)
    found = estimate(returns)
    size = np.abs(found).max()
    np.testing.assert_array_equal(found, found.T)
    assert np.linalg.eigvalsh(found)[0] >= -PARITY * size
    np.testing.assert_allclose(estimate(scale * returns), scale**2 * found, rtol=1e-7, atol=1e-7 * scale**2 * size)
    order = np.random.default_rng(seed).permutation(n_assets)
    np.testing.assert_allclose(estimate(returns[:, order]), found[np.ix_(order, order)], atol=PARITY * size)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.integers(3, 60), st.integers(1, 40))
def test_variance_is_moved_and_not_made(seed: int, n_sessions: int, n_assets: int) -> None:
    returns = random_returns(seed, n_sessions, n_assets)
    sample = sample_covariance(returns)
    for estimate in (ledoit_wolf, oas):
        plain = (n_sessions - 1) / n_sessions * sample
        assert np.trace(estimate(returns)) == pytest.approx(np.trace(plain), rel=PARITY)
        assert np.linalg.eigvalsh(estimate(returns))[0] >= np.linalg.eigvalsh(plain)[0] - EXACT
    np.testing.assert_allclose(np.diag(denoised(returns)), np.diag(sample), rtol=PARITY)


@pytest.mark.parametrize("estimate", WELL_CONDITIONED)
def test_fewer_sessions_than_assets_and_twins_leave_it_positive_definite(estimate: Estimate) -> None:
    few = random_returns(1, 20, 50)
    twins = np.hstack([few[:, :3], few[:, :3]])
    for returns in (few, twins):
        assert np.linalg.eigvalsh(sample_covariance(returns))[0] < EXACT
        eigenvalues = np.linalg.eigvalsh(estimate(returns))
        assert eigenvalues[0] > 1e-3 * eigenvalues[-1]


def test_equal_weights_are_the_limit_of_a_long_half_life() -> None:
    returns = random_returns(2, 100, 4)
    expected = TRADING_DAYS * returns.T @ returns / 100
    np.testing.assert_allclose(exponentially_weighted(returns, half_life=1e12), expected, rtol=PARITY)
    recent = np.vstack([50 * returns, returns])  # a storm that is fifty half-lives away is forgotten
    found = exponentially_weighted(recent, half_life=2)
    np.testing.assert_allclose(found, exponentially_weighted(returns, half_life=2), rtol=PARITY)


def test_residuals_of_a_factor_model_do_not_move_together() -> None:
    returns, factors = with_factors(6, 2_000, 10, 2)
    twins = np.hstack([returns, returns])
    found = factor_model_covariance(twins, factors)
    own = found - found[:10, 10:][np.ix_(np.arange(20) % 10, np.arange(20) % 10)]
    np.testing.assert_allclose(own - np.diag(np.diag(own)), 0, atol=EXACT)
    assert (np.diag(own) > 0).all()
    # Where the factors are all that moves the assets together, little is lost.
    np.testing.assert_allclose(found[:10, :10], sample_covariance(returns), atol=0.1 * found.max())


# ---- bad input


@pytest.mark.parametrize("estimate", OF_RETURNS)
def test_unusable_returns_are_refused(estimate: Estimate) -> None:
    with pytest.raises(InputError, match=r"1 missing values.; allowed: complete returns"):
        estimate(np.array([[0.1, np.nan], [0.1, 0.2]]))
    with pytest.raises(InputError, match="two or more sessions"):
        estimate(np.array([[0.1, 0.2]]))
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        estimate(np.zeros(3))


def test_what_each_cannot_use_is_named() -> None:
    returns = random_returns(3, 300, 2)
    with pytest.raises(InputError, match="half_life: got 0"):
        exponentially_weighted(returns, half_life=0)
    for level in (0.1, 0.0):
        with pytest.raises(InputError, match="an asset that never moves"):
            denoised(np.column_stack([returns, np.full(300, level)]))
    with pytest.raises(MissingDataError, match="252 sessions with factor returns; 250 are known"):
        factor_model_covariance(returns, np.vstack([np.zeros((250, 1)), np.full((50, 1), np.nan)]))
    data = MarketData(("A", "B"), returns, risk_free_rate=0.02)
    with pytest.raises(MissingDataError, match="needs daily factor returns, and none are stored"):
        COVARIANCES["factor_model"].estimate(data)
