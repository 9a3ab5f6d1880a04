"""Expected returns: by hand, against skfolio and numpy, and how much shrinkage helps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skfolio.moments import EmpiricalCovariance, LedoitWolf, ShrunkMu, ShrunkMuMethods
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError, MissingDataError
from analytics.portfolio.covariance import ledoit_wolf, sample_covariance
from analytics.portfolio.expected_returns import EXPECTED_RETURNS, mean_historical
from analytics.portfolio.expected_returns.james_stein import bayes_stein
from analytics.portfolio.market_data import MarketData


def random_returns(seed: int, n_sessions: int, n_assets: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_normal((n_sessions, 1))
    return rng.normal(0.0005, 0.0005, n_assets) + market + 0.02 * rng.standard_normal((n_sessions, n_assets))


def test_mean_by_hand() -> None:
    returns = np.array([[0.01, 0.00], [0.03, 0.02]])
    np.testing.assert_allclose(mean_historical(returns), [252 * 0.02, 252 * 0.01], rtol=EXACT)


def test_mean_of_real_returns(stock_returns: FloatArray) -> None:
    np.testing.assert_allclose(mean_historical(stock_returns), 252 * stock_returns.mean(axis=0), rtol=PARITY)


# ---- James-Stein


def test_james_stein_by_hand() -> None:
    # One year of two alike assets that earned 10 and 30 %: the target is 20 %, d′Σ⁻¹d = 2 · 0.1² / 0.04 = ½ and
    # the shrinkage 4 / (4 + ½) = 8/9.
    returns = np.tile([0.10, 0.30], (TRADING_DAYS, 1)) / TRADING_DAYS
    found = bayes_stein(returns, 0.04 * np.eye(2))
    np.testing.assert_allclose(found, [0.2 - 0.1 / 9, 0.2 + 0.1 / 9], rtol=PARITY)
    # The steadier asset counts for more in the target: (9 · 0.1 + 0.3) / 10 = 0.12 with variances of 1 to 9.
    found = bayes_stein(returns, np.diag([0.04, 0.36]))
    shrinkage = 4 / (4 + 0.02**2 / 0.04 + 0.18**2 / 0.36)
    np.testing.assert_allclose(found, 0.12 + (1 - shrinkage) * np.array([-0.02, 0.18]), rtol=PARITY)


@pytest.mark.parametrize(("ours", "theirs"), [(sample_covariance, EmpiricalCovariance()), (ledoit_wolf, LedoitWolf())])
def test_james_stein_equals_skfolio(ours: object, theirs: object, stock_returns: FloatArray) -> None:
    assert callable(ours)
    model = ShrunkMu(covariance_estimator=theirs, vol_weighted_target=True, method=ShrunkMuMethods.BAYES_STEIN)
    for returns in (stock_returns, random_returns(1, 300, 40), random_returns(2, 50, 3)):
        expected = TRADING_DAYS * model.fit(returns).mu_
        np.testing.assert_allclose(bayes_stein(returns, ours(returns)), expected, rtol=PARITY)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(-0.01, 0.01), st.floats(0.1, 10))
def test_james_stein_shrinks_in_every_unit(seed: int, n_assets: int, shift: float, scale: float) -> None:
    returns = random_returns(seed, 60, n_assets)
    sigma, mean = sample_covariance(returns), mean_historical(returns)
    found = bayes_stein(returns, sigma)
    assert np.ptp(found) <= np.ptp(mean) + EXACT
    np.testing.assert_array_equal(np.argsort(found), np.argsort(mean))
    moved = bayes_stein(scale * returns + shift, scale**2 * sigma)
    np.testing.assert_allclose(moved, scale * found + TRADING_DAYS * shift, rtol=PARITY, atol=PARITY)
    steadiest = np.linalg.solve(sigma, np.ones(n_assets))
    steadiest /= steadiest.sum()
    assert steadiest @ found == pytest.approx(steadiest @ mean, rel=PARITY, abs=PARITY)  # its return stays


def test_equal_means_stay_and_more_history_counts_for_more() -> None:
    returns = random_returns(3, 100, 5)
    level = returns - returns.mean(axis=0) + 0.001
    np.testing.assert_allclose(bayes_stein(level, sample_covariance(level)), 0.252, rtol=PARITY)
    sigma = sample_covariance(returns)
    short, long = bayes_stein(returns, sigma), bayes_stein(np.tile(returns, (50, 1)), sigma)
    assert np.ptp(short) < 0.8 * np.ptp(long)
    assert np.ptp(long) < np.ptp(mean_historical(returns))


def test_shrinkage_is_nearer_to_the_truth() -> None:
    """Over 200 simulated histories of 20 stocks, the squared error falls by about a third."""
    rng = np.random.default_rng(4)
    truth = rng.normal(0.08, 0.04, 20) / TRADING_DAYS
    mixing = np.linalg.cholesky((0.3 * np.eye(20) + 0.7 * 0.4) * 0.018**2)
    plain = shrunk = 0.0
    for _ in range(200):
        returns = truth + rng.standard_normal((500, 20)) @ mixing.T
        plain += ((mean_historical(returns) - TRADING_DAYS * truth) ** 2).sum()
        shrunk += ((bayes_stein(returns, ledoit_wolf(returns)) - TRADING_DAYS * truth) ** 2).sum()
    assert shrunk < 0.7 * plain


def test_james_stein_needs_an_invertible_covariance() -> None:
    returns = random_returns(5, 10, 20)
    with pytest.raises(InputError, match=r"covariance: got 'smallest eigenvalue .*Ledoit-Wolf"):
        bayes_stein(returns, sample_covariance(returns))


# ---- from the factor models


@pytest.mark.parametrize("key", ["capm", "ff3", "ff5"])
def test_a_factor_model_gives_what_is_stored_or_names_what_is_not(key: str) -> None:
    returns, tickers = random_returns(6, 10, 3), ("A", "B", "C")
    stored = {
        "capm": np.array([0.05, 0.06, 0.07]),
        "ff3": np.array([0.04, 0.03, 0.02]),
        "ff5": np.array([0.01, 0.02, 0.03]),
    }
    data = MarketData(tickers, returns, risk_free_rate=0.02, model_returns=stored)
    found = EXPECTED_RETURNS[key].estimate(data, np.eye(3))
    np.testing.assert_array_equal(found, stored[key])
    found[0] = 1.0
    assert stored[key][0] != 1.0  # a copy
    data = MarketData(tickers, returns, risk_free_rate=0.02, model_returns={key: np.array([0.05, np.nan, np.nan])})
    label = EXPECTED_RETURNS[key].label
    with pytest.raises(MissingDataError, match=f"No {label} expected return is stored for B, C. Leave them out"):
        EXPECTED_RETURNS[key].estimate(data, np.eye(3))
    with pytest.raises(MissingDataError, match="for A, B, C"):
        EXPECTED_RETURNS[key].estimate(MarketData(tickers, returns, risk_free_rate=0.02), np.eye(3))


def test_a_long_list_of_unknown_tickers_is_cut() -> None:
    data = MarketData(tuple(f"T{i}" for i in range(30)), random_returns(7, 5, 30), risk_free_rate=0.02)
    with pytest.raises(MissingDataError, match="T9 and 20 more"):
        EXPECTED_RETURNS["capm"].estimate(data, np.eye(30))
