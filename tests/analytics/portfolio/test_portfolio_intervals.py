"""Intervals of a fixed portfolio: against statsmodels and scipy, their properties, and how often they hold the truth."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, stats
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.metrics import Performance
from analytics.metrics.risk import annual_volatility
from analytics.portfolio.intervals import MIN_SESSIONS, _newey_west, _waves, portfolio_intervals
from pipeline.sources import simulated

SESSIONS, REPLICATIONS = 1_260, 6_000  # so many put the error of a coverage of 95 % at 0.3 points
VOLATILITY = 0.01  # daily, of the simulated processes
COVERAGE = (0.92, 0.97)


def garch(alpha: float, beta: float, seed: int) -> FloatArray:
    """Returns (SESSIONS, REPLICATIONS) whose variance clusters; normal shocks, unconditional VOLATILITY."""
    rng = np.random.default_rng(seed)
    variance, found = np.ones(REPLICATIONS), np.empty((SESSIONS, REPLICATIONS))
    for session in range(-500, SESSIONS):
        shock = np.sqrt(variance) * rng.standard_normal(REPLICATIONS)
        if session >= 0:
            found[session] = shock
        variance = (1 - alpha - beta) + alpha * shock**2 + beta * variance
    return VOLATILITY * found


PROCESSES = {
    "normal": lambda: VOLATILITY * np.random.default_rng(1).standard_normal((SESSIONS, REPLICATIONS)),
    "student t5": lambda: VOLATILITY * 0.6**0.5 * np.random.default_rng(2).standard_t(5, (SESSIONS, REPLICATIONS)),
    "garch, half-life of two weeks": lambda: garch(0.10, 0.85, 3),
    "garch, half-life of seven weeks": lambda: garch(0.08, 0.90, 4),
}


def held(low: FloatArray, truth: FloatArray | float, high: FloatArray) -> float:
    return float(np.mean((low <= truth) & (truth <= high)))


@pytest.mark.parametrize("process", PROCESSES)
def test_95_percent_intervals_cover_92_to_97_percent(process: str) -> None:
    found = portfolio_intervals(PROCESSES[process]())
    truth = VOLATILITY * np.sqrt(TRADING_DAYS)
    assert COVERAGE[0] <= held(found.mean_return_low, 0.0, found.mean_return_high) <= COVERAGE[1]
    assert COVERAGE[0] <= held(found.volatility_low, truth, found.volatility_high) <= COVERAGE[1]


def test_the_usual_bandwidth_would_not_do_for_volatility() -> None:
    """Why the variance has its own estimator: with the lags of the mean a 95 % interval covers half of that."""
    squares = garch(0.08, 0.90, 4) ** 2
    error = np.sqrt(_newey_west(squares - squares.mean(axis=0)) / SESSIONS)
    assert np.mean(np.abs(squares.mean(axis=0) - VOLATILITY**2) <= 1.96 * error) < 0.6


def test_coverage_in_markets_of_the_simulated_source() -> None:
    """Three stocks as the source makes them, prices, dividends and all, with weights of 50, 30 and 20 %."""
    weights, deviation = np.array([0.5, 0.3, 0.2]), np.array(simulated.ANNUAL_VOLATILITY)
    mean_held, volatility_held = [], []
    for seed in range(400):
        market, true = simulated._market(3, seed), simulated.truth(3, seed)
        bars = [simulated._stock(number, 4, market, seed)[0]["adj_close"].to_numpy() for number in range(3)]
        found = portfolio_intervals(np.column_stack([np.diff(prices) / prices[:-1] for prices in bars]) @ weights)
        noise = np.array([
            np.random.default_rng([seed, simulated.OF_STOCKS, number, 1]).uniform(0.15, 0.35) for number in range(3)
        ])  # fmt: skip
        mean = simulated.ANNUAL_RISK_FREE + weights @ (true.alpha + true.betas @ np.array(simulated.ANNUAL_PREMIUM))
        volatility = np.sqrt(
            (weights @ true.betas * deviation) @ (weights @ true.betas * deviation) + ((weights * noise) ** 2).sum()
        )
        mean_held.append(held(found.mean_return_low, mean, found.mean_return_high))
        volatility_held.append(held(found.volatility_low, volatility, found.volatility_high))
    assert COVERAGE[0] <= np.mean(mean_held) <= COVERAGE[1]
    assert COVERAGE[0] <= np.mean(volatility_held) <= COVERAGE[1]


@pytest.mark.parametrize("n_sessions", [MIN_SESSIONS, 300, 1_260])
def test_mean_equals_statsmodels(n_sessions: int) -> None:
    returns = 0.01 * np.random.default_rng(n_sessions).standard_t(5, n_sessions)
    lags = int(4 * (n_sessions / 100) ** (2 / 9))
    fit = sm.OLS(returns, np.ones(n_sessions)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True
    )
    found = portfolio_intervals(returns, confidence=0.9)
    low, high = fit.conf_int(alpha=0.1)[0]
    np.testing.assert_allclose(
        [found.mean_return, found.mean_return_low, found.mean_return_high],
        TRADING_DAYS * np.array([fit.params[0], low, high]), rtol=PARITY,
    )  # fmt: skip


def test_volatility_equals_the_metric_and_its_interval_scipys_cosines() -> None:
    returns = 0.01 * np.random.default_rng(1).standard_t(5, 2_520)
    found = portfolio_intervals(returns)
    dates = np.arange(2_520).astype("datetime64[D]")
    assert found.volatility == pytest.approx(annual_volatility(Performance(dates, returns)), rel=PARITY)
    squares = (returns - returns.mean()) ** 2
    waves = fft.dct(squares, norm="ortho")[1:3]
    error = np.sqrt(np.mean(waves**2) / 2_520) / returns.var(ddof=1)
    half = stats.t.ppf(0.975, 2) * error / 2
    expected = found.volatility * np.exp([-half, half])
    np.testing.assert_allclose([found.volatility_low, found.volatility_high], expected, rtol=PARITY)


def test_number_of_cosines() -> None:
    assert [_waves(n) for n in (30, 252, 1_260, 2_520, 5_040, 6_300)] == [2, 2, 2, 2, 4, 4]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1_000), st.integers(MIN_SESSIONS, 400), st.floats(0.1, 10), st.floats(0.5, 0.99))
def test_scale_order_and_columns(seed: int, n_sessions: int, scale: float, confidence: float) -> None:
    returns = 0.01 * np.random.default_rng(seed).standard_normal((n_sessions, 2))
    found = portfolio_intervals(returns, confidence=confidence)
    larger = portfolio_intervals(scale * returns, confidence=confidence)
    alone = portfolio_intervals(returns[:, 1], confidence=confidence)
    wider = portfolio_intervals(returns, confidence=(1 + confidence) / 2)
    for name in (
        "mean_return",
        "mean_return_low",
        "mean_return_high",
        "volatility",
        "volatility_low",
        "volatility_high",
    ):
        np.testing.assert_allclose(getattr(larger, name), scale * getattr(found, name), rtol=PARITY, atol=EXACT)
        np.testing.assert_allclose(getattr(alone, name), getattr(found, name)[1], rtol=PARITY, atol=EXACT)
    assert (found.volatility_low > 0).all()
    assert (wider.mean_return_low < found.mean_return_low).all()
    assert (wider.volatility_high > found.volatility_high).all()


def test_too_little_to_know() -> None:
    short = portfolio_intervals(np.full(MIN_SESSIONS - 1, 0.01))
    assert np.isnan([short.mean_return, short.mean_return_low, short.volatility, short.volatility_high]).all()
    still = portfolio_intervals(np.full(50, 0.0001))
    assert still.mean_return == pytest.approx(0.0252, rel=PARITY)
    assert still.volatility == pytest.approx(0, abs=EXACT)
    assert np.isnan([still.volatility_low, still.volatility_high]).all()


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="1 missing values"):
        portfolio_intervals([0.01, np.nan])
    with pytest.raises(InputError, match="confidence: got 95"):
        portfolio_intervals(np.zeros(50), confidence=95)
