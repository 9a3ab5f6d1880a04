"""Estimators: every pair of expected returns and covariance, from one set of market data."""

import numpy as np
import pytest
from tolerances import EXACT

from analytics.conventions import FloatArray
from analytics.errors import InputError, UnknownKeyError
from analytics.portfolio.covariance import COVARIANCES, ledoit_wolf
from analytics.portfolio.estimators import DEFAULT_ESTIMATOR, ESTIMATORS, estimator
from analytics.portfolio.expected_returns import EXPECTED_RETURNS, mean_historical
from analytics.portfolio.market_data import MarketData, View

RETURNS = ("mean", "james_stein", "capm", "ff3", "ff5", "black_litterman")
COVARIANCE = ("sample", "ledoit_wolf", "oas", "exponentially_weighted", "factor_model", "denoised")


@pytest.fixture(scope="module")
def data(stock_returns: FloatArray) -> MarketData:
    """Twenty stocks, with factors made of their own returns that end a month earlier."""
    n_assets = stock_returns.shape[1]
    tickers = tuple(f"T{number}" for number in range(n_assets))
    factors = np.column_stack([stock_returns.mean(axis=1), stock_returns[:, :10].mean(axis=1)])
    factors[-21:] = np.nan
    return MarketData(
        tickers, stock_returns, risk_free_rate=0.02, factor_returns=factors,
        model_returns={key: np.linspace(0.05, 0.15, n_assets) for key in ("capm", "ff3", "ff5")},
        market_weights=np.linspace(1, 3, n_assets), views=(View({"T1": 1.0, "T2": -1.0}, 0.05, 0.4),),
    )  # fmt: skip


def test_every_choice_is_there_and_every_pair() -> None:
    assert set(EXPECTED_RETURNS) == set(RETURNS)
    assert set(COVARIANCES) == set(COVARIANCE)
    assert set(ESTIMATORS) == {f"{returns}__{covariance}" for returns in RETURNS for covariance in COVARIANCE}
    for key, pair in ESTIMATORS.items():
        assert key == pair.key
        for text in (pair.label, pair.description, pair.reference):
            assert len(text) > 10
    assert len({pair.label for pair in ESTIMATORS.values()}) == len(ESTIMATORS)


@pytest.mark.parametrize("key", list(ESTIMATORS))
def test_every_pair_gives_a_frontier_its_input(key: str, data: MarketData) -> None:
    mu, sigma = ESTIMATORS[key].estimate(data)
    n_assets = len(data.tickers)
    assert mu.shape == (n_assets,)
    assert np.isfinite(mu).all()
    assert sigma.shape == (n_assets, n_assets)
    np.testing.assert_array_equal(sigma, sigma.T)
    eigenvalues = np.linalg.eigvalsh(sigma)
    assert eigenvalues[0] > 1e-4 * eigenvalues[-1]
    volatility = np.sqrt(np.diag(sigma))
    assert ((volatility > 0.1) & (volatility < 1)).all()  # annual, fractions
    assert (np.abs(mu) < 1).all()
    for first, again in zip((mu, sigma), ESTIMATORS[key].estimate(data), strict=True):
        np.testing.assert_array_equal(first, again)


def test_the_default_is_the_mean_with_ledoit_wolf(data: MarketData) -> None:
    assert DEFAULT_ESTIMATOR is ESTIMATORS["mean__ledoit_wolf"]
    assert DEFAULT_ESTIMATOR.label == "Historical mean, Ledoit-Wolf covariance"
    mu, sigma = DEFAULT_ESTIMATOR.estimate(data)
    np.testing.assert_array_equal(mu, mean_historical(data.returns))
    np.testing.assert_array_equal(sigma, ledoit_wolf(data.returns))


@pytest.mark.parametrize("key", ["black_litterman", "james_stein"])
@pytest.mark.parametrize("name", COVARIANCE)
def test_expected_returns_use_the_covariance_of_their_pair(key: str, name: str, data: MarketData) -> None:
    mu, sigma = ESTIMATORS[f"{key}__{name}"].estimate(data)
    np.testing.assert_array_equal(mu, EXPECTED_RETURNS[key].estimate(data, COVARIANCES[name].estimate(data)))
    assert np.abs(mu - EXPECTED_RETURNS[key].estimate(data, 2 * sigma)).max() > EXACT


def test_an_unknown_estimator_gets_a_suggestion() -> None:
    assert estimator("capm__oas") is ESTIMATORS["capm__oas"]
    with pytest.raises(UnknownKeyError, match=r"estimator: got 'mean_ledoit_wolf'.*Did you mean 'mean__ledoit_wolf'"):
        estimator("mean_ledoit_wolf")


@pytest.mark.parametrize(("changes", "message"), [
    ({"tickers": ("A", "A")}, "each ticker once"),
    ({"tickers": ("A",)}, "a column for each of 1 tickers"),
    ({"returns": np.zeros(5)}, r"returns: got 'shape \(5,\)'"),
    ({"model_returns": {"capm": np.zeros(3)}}, "model_returns capm: .*one number for each of 2 tickers"),
    ({"market_weights": np.zeros((2, 1))}, "market_weights: .*one number for each of 2 tickers"),
    ({"factor_returns": np.zeros((4, 3))}, "factor_returns: .*a row for each of 5 sessions"),
    ({"factor_returns": np.zeros(5)}, "factor_returns: .*a row for each of 5 sessions"),
])  # fmt: skip
def test_market_data_that_does_not_fit_together_is_refused(changes: dict[str, object], message: str) -> None:
    given = {"tickers": ("A", "B"), "returns": np.zeros((5, 2)), "risk_free_rate": 0.02} | changes
    with pytest.raises(InputError, match=message):
        MarketData(**given)
