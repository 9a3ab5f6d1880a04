"""Black-Litterman: the published example, PyPortfolioOpt's and skfolio's answers, and what a confidence means."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skfolio.moments import EquilibriumMu
from skfolio.prior import BlackLitterman, EmpiricalPrior
from tolerances import EXACT, PARITY, ROUNDED_SOURCE

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError, MissingDataError, UnknownKeyError
from analytics.portfolio import efficient_frontier
from analytics.portfolio.covariance import sample_covariance
from analytics.portfolio.expected_returns import EXPECTED_RETURNS
from analytics.portfolio.expected_returns.black_litterman import black_litterman, equilibrium_returns
from analytics.portfolio.market_data import MarketData, View

# He and Litterman (1999), tables 1 and 2: correlations, volatilities and market weights of seven stock markets.
COUNTRIES = ("Australia", "Canada", "France", "Germany", "Japan", "UK", "USA")
CORRELATION = np.array([
    [1.000, 0.488, 0.478, 0.515, 0.439, 0.512, 0.491],
    [0.488, 1.000, 0.664, 0.655, 0.310, 0.608, 0.779],
    [0.478, 0.664, 1.000, 0.861, 0.355, 0.783, 0.668],
    [0.515, 0.655, 0.861, 1.000, 0.354, 0.777, 0.653],
    [0.439, 0.310, 0.355, 0.354, 1.000, 0.405, 0.306],
    [0.512, 0.608, 0.783, 0.777, 0.405, 1.000, 0.652],
    [0.491, 0.779, 0.668, 0.653, 0.306, 0.652, 1.000],
])  # fmt: skip
VOLATILITY = np.array([0.160, 0.203, 0.248, 0.271, 0.210, 0.200, 0.187])
MARKET = np.array([0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615])
SIGMA = CORRELATION * np.outer(VOLATILITY, VOLATILITY)
# Germany beats the rest of Europe by 5 %, Canada the USA by 3 %. Their Ω is τ diag(PΣP′): a confidence of one half.
GERMANY = View({"Germany": 1.0, "France": -0.052 / 0.176, "UK": -0.124 / 0.176}, 0.05, 0.5)
CANADA = View({"Canada": 1.0, "USA": -1.0}, 0.03, 0.5)


def problem(seed: int, n_assets: int) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """A prior, a covariance and tickers."""
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal((n_assets, 2 * n_assets))
    sigma = 0.04 * (draw @ draw.T / (2 * n_assets) + 0.1 * np.eye(n_assets))
    return rng.normal(0.08, 0.05, n_assets), sigma, tuple(f"T{number}" for number in range(n_assets))


# ---- published numbers and other libraries


@pytest.mark.parametrize(("views", "percent"), [
    ((), [3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6]),
    ((GERMANY,), [4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1]),
    ((GERMANY, CANADA), [4.4, 8.7, 9.5, 11.2, 4.6, 7.0, 7.5]),
    ((GERMANY, View(CANADA.assets, 0.04, 0.5)), [4.4, 9.1, 9.5, 11.3, 4.6, 7.0, 7.3]),
], ids=["equilibrium", "one view", "two views", "a stronger one"])  # fmt: skip
def test_the_published_example(views: tuple[View, ...], percent: list[float]) -> None:
    data = MarketData(COUNTRIES, np.zeros((2, 7)), risk_free_rate=0.0, market_weights=MARKET, views=views)
    found = EXPECTED_RETURNS["black_litterman"].estimate(data, SIGMA)
    np.testing.assert_allclose(found, np.array(percent) / 100, rtol=0, atol=ROUNDED_SOURCE)  # one decimal of a percent


def test_pyportfolioopt_gives_the_same() -> None:
    """Its 1.6.0: market_implied_prior_returns, then BlackLittermanModel with omega="idzorek" and τ = 0.05."""
    sigma = np.array([[0.09, 0.03, 0.012], [0.03, 0.0625, 0.01], [0.012, 0.01, 0.04]])
    prior = equilibrium_returns(sigma, np.array([0.5, 0.3, 0.2]), risk_free_rate=0.03)
    np.testing.assert_allclose(prior, [0.171, 0.119375, 0.0725], rtol=PARITY)
    views = (View({"A": 1.0}, 0.10, 0.6), View({"B": 1.0, "C": -1.0}, 0.04, 0.25))
    found = black_litterman(prior, sigma, views, tickers=("A", "B", "C"))
    expected = [0.12843612737920937, 0.10542036511713032, 0.06666224377745243]
    np.testing.assert_allclose(found, expected, rtol=PARITY)


@pytest.mark.parametrize("tau", [0.05, 1.0])
def test_skfolio_gives_the_same_whatever_tau(tau: float, stock_returns: FloatArray) -> None:
    returns = pd.DataFrame(stock_returns[:, :8], columns=list("ABCDEFGH"))
    weights = np.arange(1.0, 9.0) / 36
    model = BlackLitterman(
        ["A = 0.0006", "C - D = 0.0002", "0.5*E + 0.5*F - H = -0.0001"],
        prior_estimator=EmpiricalPrior(mu_estimator=EquilibriumMu(risk_aversion=2.5, weights=weights)),
        tau=tau, view_confidences=[0.7, 0.2, 0.9],
    )  # fmt: skip
    expected = TRADING_DAYS * model.fit(returns).return_distribution_.mu
    views = (
        View({"A": 1.0}, TRADING_DAYS * 0.0006, 0.7), View({"C": 1.0, "D": -1.0}, TRADING_DAYS * 0.0002, 0.2),
        View({"E": 0.5, "F": 0.5, "H": -1.0}, -TRADING_DAYS * 0.0001, 0.9),
    )  # fmt: skip
    data = MarketData(tuple("ABCDEFGH"), returns.to_numpy(), risk_free_rate=0.0, market_weights=weights, views=views)
    found = EXPECTED_RETURNS["black_litterman"].estimate(data, sample_covariance(data.returns))
    np.testing.assert_allclose(found, expected, rtol=PARITY)


# ---- what the words mean


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.floats(0, 1), st.floats(-0.5, 0.5))
def test_a_confidence_is_the_share_of_the_way(seed: int, n_assets: int, confidence: float, value: float) -> None:
    prior, sigma, tickers = problem(seed, n_assets)
    coefficients = np.random.default_rng(seed).normal(size=n_assets)
    view = View(dict(zip(tickers, coefficients, strict=True)), value, confidence)
    found = black_litterman(prior, sigma, [view], tickers=tickers)
    expected = coefficients @ prior + confidence * (value - coefficients @ prior)
    assert coefficients @ found == pytest.approx(expected, abs=PARITY)
    # Everything else follows by its regression on the viewed portfolio.
    direction = sigma @ coefficients
    np.testing.assert_allclose(np.outer(found - prior, direction), np.outer(direction, found - prior), atol=PARITY)


def test_no_confidence_and_views_that_agree_change_nothing() -> None:
    prior, sigma, tickers = problem(1, 5)
    nothing = [View({"T0": 1.0}, 0.9, 0.0), View({"T1": 1.0, "T2": -1.0}, -0.9, 1e-300)]
    agreeing = [View({"T0": 1.0}, prior[0], 1.0), View({"T1": 1.0, "T2": -1.0}, prior[1] - prior[2], 0.5)]
    for views in ([], nothing, agreeing):
        np.testing.assert_allclose(black_litterman(prior, sigma, views, tickers=tickers), prior, atol=EXACT)


def test_certain_views_hold_together() -> None:
    prior, sigma, tickers = problem(2, 6)
    views = [View({"T0": 1.0}, 0.2, 1.0), View({"T3": 1.0, "T4": -1.0}, 0.05, 1.0)]
    found = black_litterman(prior, sigma, views, tickers=tickers)
    assert found[0] == pytest.approx(0.2, abs=PARITY)
    assert found[3] - found[4] == pytest.approx(0.05, abs=PARITY)


def test_absolute_views_are_of_total_returns_and_relative_ones_ignore_the_rate() -> None:
    low, high = (equilibrium_returns(SIGMA, MARKET, risk_free_rate=rate) for rate in (0.0, 0.03))
    np.testing.assert_allclose(high - low, 0.03, rtol=PARITY)
    before = black_litterman(low, SIGMA, [CANADA], tickers=COUNTRIES)
    np.testing.assert_allclose(black_litterman(high, SIGMA, [CANADA], tickers=COUNTRIES), before + 0.03, rtol=PARITY)
    certain = View({"Japan": 1.0}, 0.06, 1.0)
    assert black_litterman(high, SIGMA, [certain], tickers=COUNTRIES)[4] == pytest.approx(0.06, abs=PARITY)


def test_without_views_the_market_is_what_to_hold() -> None:
    mu = equilibrium_returns(SIGMA, 1e12 * MARKET, risk_free_rate=0.03)  # market values, in any unit
    frontier = efficient_frontier(mu, SIGMA, risk_free_rate=0.03)
    np.testing.assert_allclose(frontier.max_sharpe, MARKET, atol=1e-7)
    data = MarketData(COUNTRIES, np.zeros((2, 7)), risk_free_rate=0.03)  # no market values: equal weights stand in
    found = EXPECTED_RETURNS["black_litterman"].estimate(data, SIGMA)
    np.testing.assert_allclose(found, 0.03 + 2.5 * SIGMA.mean(axis=1), rtol=PARITY)


# ---- bad input


def test_what_cannot_be_used_is_named() -> None:
    prior, sigma, tickers = problem(3, 3)
    with pytest.raises(UnknownKeyError, match=r"ticker of a view: got 'T9'; allowed: T0, T1, T2"):
        black_litterman(prior, sigma, [View({"T9": 1.0}, 0.1, 0.5)], tickers=tickers)
    contradiction = [View({"T0": 1.0}, 0.1, 1.0), View({"T0": 2.0}, 0.5, 1.0)]
    with pytest.raises(InputError, match=r"certain views .* contradicts them.*Lower a confidence below 1"):
        black_litterman(prior, sigma, contradiction, tickers=tickers)
    doubted = [contradiction[0], View({"T0": 2.0}, 0.5, 0.99)]
    assert black_litterman(prior, sigma, doubted, tickers=tickers)[0] == pytest.approx(0.1, abs=PARITY)
    twins = np.array([[0.04, 0.04, 0.01], [0.04, 0.04, 0.01], [0.01, 0.01, 0.09]])
    with pytest.raises(InputError, match="a view on assets that move as one"):
        black_litterman(prior, twins, [View({"T0": 1.0, "T1": -1.0}, 0.1, 0.5)], tickers=tickers)
    found = black_litterman(prior, twins, [View({"T0": 1.0}, 0.1, 1.0)], tickers=tickers)
    assert found[0] - prior[0] == pytest.approx(found[1] - prior[1], abs=PARITY)
    with pytest.raises(MissingDataError, match="need a risk-free rate"):
        equilibrium_returns(sigma, np.ones(3), risk_free_rate=np.nan)
    for weights in ([1, np.nan, 1], [1, -1, 1], [0, 0, 0]):
        with pytest.raises(InputError, match="market_weights: got"):
            equilibrium_returns(sigma, np.array(weights, dtype=float), risk_free_rate=0.02)


@pytest.mark.parametrize(("assets", "value", "confidence", "message"), [
    ({}, 0.05, 0.5, "not all 0"), ({"A": 0.0}, 0.05, 0.5, "not all 0"),
    ({"A": np.nan}, 0.05, 0.5, "a number per ticker"),
    ({"A": 1.0}, 5.0, 0.5, "Write 5 % as 0.05"), ({"A": 1.0}, np.nan, 0.5, "Write 5 % as 0.05"),
    ({"A": 1.0}, 0.05, 50, "0 .ignored. to 1 .certain."), ({"A": 1.0}, 0.05, np.nan, "view's confidence: got nan"),
])  # fmt: skip
def test_a_view_of_nothing_or_beyond_reason_is_refused(
    assets: dict[str, float], value: float, confidence: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        View(assets, value, confidence)
