"""Expected returns and covariance: against scikit-learn and numpy, by hand, and their bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import covariance as sklearn_covariance
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.portfolio import DEFAULT_ESTIMATOR, ESTIMATORS
from analytics.portfolio.covariance import ledoit_wolf, sample_covariance
from analytics.portfolio.expected_returns import mean_historical


def random_returns(seed: int, n_sessions: int, n_assets: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_normal((n_sessions, 1))
    return 0.0005 + market + 0.02 * rng.standard_normal((n_sessions, n_assets))


def test_by_hand() -> None:
    returns = np.array([[0.01, 0.00], [0.03, 0.02]])
    np.testing.assert_allclose(mean_historical(returns), [252 * 0.02, 252 * 0.01], rtol=EXACT)
    np.testing.assert_allclose(sample_covariance(returns), 252 * 0.0002 * np.ones((2, 2)), rtol=PARITY)


def test_ledoit_wolf_by_hand() -> None:
    returns = 0.01 * np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    # In units of 1e-4: S = diag(2, ½), m = 5/4, d² = 9/16, b² = (34/4 − 17/4) / 8 = 17/32, so s = 17/18.
    expected = np.diag([2 / 18 + 17 / 18 * 5 / 4, 0.5 / 18 + 17 / 18 * 5 / 4])
    np.testing.assert_allclose(ledoit_wolf(returns), 252e-4 * expected, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize(("n_sessions", "n_assets"), [(2, 3), (30, 60), (250, 1), (1_260, 20)])
def test_ledoit_wolf_equals_scikit_learn(n_sessions: int, n_assets: int) -> None:
    returns = random_returns(n_assets, n_sessions, n_assets)
    expected, _ = sklearn_covariance.ledoit_wolf(returns)
    np.testing.assert_allclose(ledoit_wolf(returns), TRADING_DAYS * expected, rtol=PARITY, atol=EXACT)


def test_estimates_of_real_returns(stock_returns: FloatArray) -> None:
    expected, shrinkage = sklearn_covariance.ledoit_wolf(stock_returns)
    assert 0 < shrinkage < 1
    np.testing.assert_allclose(ledoit_wolf(stock_returns), TRADING_DAYS * expected, rtol=PARITY)
    np.testing.assert_allclose(sample_covariance(stock_returns), 252 * np.cov(stock_returns.T), rtol=PARITY)
    np.testing.assert_allclose(mean_historical(stock_returns), 252 * stock_returns.mean(axis=0), rtol=PARITY)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.integers(2, 40), st.integers(1, 12), st.floats(0.1, 10))
def test_scale_symmetry_and_trace(seed: int, n_sessions: int, n_assets: int, scale: float) -> None:
    returns = random_returns(seed, n_sessions, n_assets)
    shrunk = ledoit_wolf(returns)
    np.testing.assert_allclose(ledoit_wolf(scale * returns), scale**2 * shrunk, rtol=1e-7)
    np.testing.assert_array_equal(shrunk, shrunk.T)
    plain = sample_covariance(returns) * (n_sessions - 1) / n_sessions
    assert np.trace(shrunk) == pytest.approx(np.trace(plain), rel=PARITY)  # shrinkage moves variance, it makes none
    assert np.linalg.eigvalsh(shrunk)[0] >= np.linalg.eigvalsh(plain)[0] - EXACT


def test_default_estimator_is_registered() -> None:
    assert ESTIMATORS["mean__ledoit_wolf"] is DEFAULT_ESTIMATOR
    returns = random_returns(1, 300, 4)
    np.testing.assert_array_equal(DEFAULT_ESTIMATOR.covariance(returns), ledoit_wolf(returns))
    np.testing.assert_array_equal(DEFAULT_ESTIMATOR.expected_returns(returns), mean_historical(returns))


@pytest.mark.parametrize("estimate", [mean_historical, sample_covariance, ledoit_wolf])
def test_unusable_returns_are_refused(estimate: object) -> None:
    assert callable(estimate)
    with pytest.raises(InputError, match=r"1 missing values.; allowed: complete returns"):
        estimate(np.array([[0.1, np.nan], [0.1, 0.2]]))
    with pytest.raises(InputError, match="two or more sessions"):
        estimate(np.array([[0.1, 0.2]]))
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        estimate(np.zeros(3))
