"""Simulated paths: their distribution is that of the run they were drawn from, moved as far as the shocks say."""

import math

import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY

from analytics.backtest.monte_carlo import QUANTILES, simulate_paths
from analytics.conventions import TRADING_DAYS
from analytics.errors import InputError

N = 504


def run_and_market(seed: int = 0, beta: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0004, 0.01, N)
    return beta * market + rng.normal(0.0002, 0.004, N), market


def test_final_values_and_drawdowns_are_distributed_as_archs():
    """Paths as long as the history: a circular block bootstrap of it."""
    run, _ = run_and_market()
    paths = simulate_paths(run, seed=1, draws=2_000, years=N / TRADING_DAYS)
    peer = CircularBlockBootstrap(paths.block_sessions, run, seed=np.random.default_rng(2))

    def measure(returns: np.ndarray) -> np.ndarray:
        value = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
        return np.array([value[-1], (value / np.maximum.accumulate(value)).min() - 1.0])

    drawn = peer.apply(measure, 2_000)
    for own, other in zip((paths.final_value, paths.max_drawdown), drawn.T, strict=True):
        both = np.sort(np.concatenate([own, other]))
        shares = [np.searchsorted(np.sort(sample), both, side="right") / 2_000 for sample in (own, other)]
        # Kolmogorov and Smirnov: two samples of 2,000 differ by 0.062 once in a thousand times
        assert np.abs(shares[0] - shares[1]).max() < 0.062


def test_the_mean_grows_as_the_mean_return():
    run, _ = run_and_market()
    paths = simulate_paths(run, seed=3, draws=4_000, years=1.0)
    expected = (1.0 + run.mean()) ** TRADING_DAYS
    error = paths.final_value.std() / math.sqrt(4_000)
    assert paths.final_value.mean() == pytest.approx(expected, abs=4.0 * error)


def test_a_premium_shock_is_passed_on_by_beta():
    run, market = run_and_market()
    base = simulate_paths(run, market, seed=1, draws=200, years=2.0)
    beta = np.polyfit(market, run, 1)[0]
    assert base.beta == pytest.approx(beta, rel=PARITY)
    shifted = simulate_paths(run + beta * -0.05 / TRADING_DAYS, seed=1, draws=200, years=2.0)
    shocked = simulate_paths(run, market, seed=1, draws=200, years=2.0, premium_shock=-0.05)
    assert shocked.final_value == pytest.approx(shifted.final_value, rel=PARITY)
    assert (shocked.final_value < base.final_value).all()
    assert shocked.loss_probability >= base.loss_probability


def test_more_volatility_widens_the_fan():
    run, _ = run_and_market()
    calm, base, wild = (
        simulate_paths(run, seed=1, draws=500, years=2.0, volatility_multiplier=k) for k in (0.0, 1.0, 2.0)
    )
    steady = (1.0 + run.mean()) ** 504
    assert calm.final_value == pytest.approx(np.full(500, steady), rel=PARITY)
    assert calm.max_drawdown == pytest.approx(np.full(500, min(steady - 1.0, 0.0)), abs=PARITY)
    width = [paths.fan[-1, -1] - paths.fan[-1, 0] for paths in (calm, base, wild)]
    assert width[0] < width[1] < width[2]
    assert wild.max_drawdown.mean() < 1.5 * base.max_drawdown.mean() < 0.0


@given(seed=st.integers(0, 50), years=st.floats(0.01, 2.0), draws=st.integers(1, 130))
@settings(max_examples=20, deadline=None)
def test_what_is_shown_follows_from_the_paths(seed, years, draws):
    run, market = run_and_market(seed)
    paths = simulate_paths(run, market, seed=seed, draws=draws, years=years)
    again = simulate_paths(run, market, seed=seed, draws=draws, years=years)
    assert np.array_equal(paths.fan, again.fan)
    assert len(paths.final_value) == len(paths.max_drawdown) == draws
    assert paths.sessions[0] == 0
    assert paths.sessions[-1] == max(1, round(years * TRADING_DAYS))
    assert (np.diff(paths.sessions) > 0).all()
    assert (paths.fan[0] == 1.0).all()
    assert (np.diff(paths.fan, axis=1) >= 0.0).all()
    assert paths.fan[-1] == pytest.approx(np.quantile(paths.final_value, QUANTILES), rel=EXACT)
    assert paths.loss_probability == (paths.final_value < 1.0).mean()
    assert (paths.max_drawdown <= np.minimum(paths.final_value, 1.0) - 1.0 + EXACT).all()


def test_stormy_runs_are_drawn_in_longer_blocks():
    rng, variance, returns = np.random.default_rng(6), 1.0, np.empty(2_000)
    for t in range(2_000):
        returns[t] = math.sqrt(variance) * rng.standard_normal()
        variance = 0.02 + 0.08 * returns[t] ** 2 + 0.9 * variance
    assert simulate_paths(0.01 * returns, seed=1, draws=1).block_sessions > 20
    assert simulate_paths(run_and_market()[0], seed=1, draws=1).block_sessions < 6


def test_what_is_lost_stays_lost():
    run = run_and_market()[0]
    run[7] = -1.0
    paths = simulate_paths(run, seed=1, draws=400, years=10.0)
    assert paths.ruin_probability == (paths.final_value == 0.0).mean() > 0.9
    assert paths.max_drawdown.min() == -1.0
    run[7] = -0.3
    geared = simulate_paths(run, seed=1, draws=100, years=5.0, volatility_multiplier=10.0)
    assert geared.final_value.min() == 0.0
    assert geared.max_drawdown.min() == -1.0


def test_unknown_sessions_are_left_out():
    run, market = run_and_market()
    holes, beside = np.insert(run, 5, np.nan), np.insert(market, 5, 0.01)
    found, expected = (simulate_paths(*pair, seed=1, draws=20) for pair in ((holes, beside), (run, market)))
    assert np.array_equal(found.final_value, expected.final_value)
    assert math.isnan(simulate_paths(run, seed=1, draws=2).beta)


@pytest.mark.parametrize(
    ("field", "value"),
    [("draws", 0), ("draws", 10**9), ("draws", 1.5), ("years", 0.0), ("years", math.nan), ("years", 1e300),
     ("premium_shock", -1.5), ("volatility_multiplier", -0.1), ("volatility_multiplier", math.inf)],
)  # fmt: skip
def test_nonsense_is_refused(field, value):
    with pytest.raises(InputError, match=field):
        simulate_paths(*run_and_market(), seed=1, **{field: value})


def test_what_cannot_be_simulated_is_refused():
    run, market = run_and_market()
    with pytest.raises(InputError, match="premium_shock"):
        simulate_paths(run, seed=1, premium_shock=-0.02)
    with pytest.raises(InputError, match="premium_shock"):
        simulate_paths(run, np.zeros(N), seed=1, premium_shock=-0.02)
    with pytest.raises(InputError, match="returns"):
        simulate_paths(run[:59], seed=1)
    with pytest.raises(InputError, match="market_returns"):
        simulate_paths(run, market[1:], seed=1)
