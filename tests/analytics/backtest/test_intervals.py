"""The intervals are of the registry's metrics, and hold the truth about as often as they say."""

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st
from scratch import bare_environment
from tolerances import PARITY

from analytics.backtest.intervals import HEADLINE, SPREADS, WIDEST, block_lengths, bootstrap_metrics, headline_intervals
from analytics.bootstrap import stationary_rows
from analytics.conventions import TRADING_DAYS
from analytics.metrics import METRICS, Performance
from analytics.portfolio.intervals import MIN_SESSIONS, portfolio_intervals

COVERED = (0.89, 0.99)  # of 200 histories; 95 % ± four binomial standard errors, less what short histories lack
ROOT = Path(__file__).resolve().parents[3]


def performance(n: int = 500, seed: int = 0, *, gaps: bool = False) -> Performance:
    rng = np.random.default_rng(seed)
    benchmark = rng.normal(0.0004, 0.01, n)
    returns, free = 0.6 * benchmark + rng.normal(0.0003, 0.006, n), np.full(n, 0.0001)
    if gaps:
        returns[3], benchmark[7:12], free[20] = np.nan, np.nan, np.nan
    return Performance(
        np.datetime64("2015-01-01") + np.arange(n), returns, benchmark_returns=benchmark, risk_free_returns=free
    )


def sessions_of(given: Performance) -> np.ndarray:
    table = np.column_stack([given.returns, given.risk_free_returns, given.benchmark_returns])
    return table[np.isfinite(given.returns)]


@pytest.mark.parametrize("gaps", [False, True])
def test_the_identity_resample_has_the_registrys_metrics(gaps):
    given = performance(gaps=gaps)
    sessions = sessions_of(given)
    found = bootstrap_metrics(sessions, np.arange(len(sessions))[None])
    assert set(found) == {*HEADLINE} - {*SPREADS}
    for key in found:
        assert found[key][0] == pytest.approx(METRICS[key].func(given), rel=PARITY), key


@pytest.mark.parametrize("gaps", [False, True])
def test_each_resample_has_the_registrys_metrics(gaps):
    sessions = sessions_of(performance(120, gaps=gaps))
    n = len(sessions)
    rows = stationary_rows(np.random.default_rng(1), n=n, block_length=6.0, draws=8)
    found = bootstrap_metrics(sessions, rows)
    for draw, own in enumerate(rows):
        returns, free, benchmark = sessions[own].T
        dates = np.datetime64("2015-01-01") + np.arange(n)
        drawn = Performance(dates, returns, benchmark_returns=benchmark, risk_free_returns=free)
        for key in found:
            assert found[key][draw] == pytest.approx(METRICS[key].func(drawn), rel=PARITY), key


def test_the_ends_are_those_of_archs_bootstrap():
    given = performance(600, 3)
    intervals = headline_intervals(given, seed=1)
    excess = given.returns - given.risk_free_returns
    peer = StationaryBootstrap(block_lengths(given.returns)[0], excess, seed=np.random.default_rng(2))
    drawn = peer.apply(lambda x: x.mean() / x.std(ddof=1) * math.sqrt(TRADING_DAYS), 2_000)
    width = intervals["sharpe_ratio"][1] - intervals["sharpe_ratio"][0]
    # an end from 1,500 or 2,000 draws is known to 0.07 standard errors, 0.017 of the width; the allowance is four of
    # the error of the difference
    assert intervals["sharpe_ratio"] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.1 * width)


@pytest.mark.parametrize("gaps", [False, True])
def test_volatility_has_the_interval_of_portfolios(gaps):
    given = performance(400, 4, gaps=gaps)
    intervals = headline_intervals(given, seed=1, draws=50)
    active = given.returns - given.benchmark_returns
    for key, series in (("annual_volatility", given.returns), ("annual_tracking_error", active)):
        expected = portfolio_intervals(series[np.isfinite(series)])
        assert intervals[key] == (expected.volatility_low, expected.volatility_high)
        assert float(expected.volatility) == pytest.approx(METRICS[key].func(given), rel=PARITY)


def in_cash(seed: int) -> Performance:
    """An account in the market for one of eight quarters, beside a market that is never still."""
    given = performance(504, seed)
    return replace(given, returns=np.where(np.arange(504) // 63 == 3, given.returns, 0.0))


def test_a_volatility_that_cannot_be_told_has_no_interval():
    wide = portfolio_intervals(in_cash(5).returns)
    assert wide.volatility_high > WIDEST * wide.volatility_low
    found = headline_intervals(in_cash(5), seed=1, draws=50)
    assert unknown(found["annual_volatility"])
    assert not unknown(found["sharpe_ratio"])
    low, high = headline_intervals(performance(504, 5), seed=1, draws=50)["annual_volatility"]
    assert low < high < WIDEST * low


def test_drawdowns_are_drawn_in_blocks_as_long_as_storms_last():
    calm = performance(2_000, 6)
    stormy = replace(calm, returns=0.01 * history("clustered", 2_000, 6))
    assert block_lengths(calm.returns)[1] < 5.0
    assert block_lengths(stormy.returns)[0] < 5.0
    assert block_lengths(stormy.returns)[1] > 20.0


def test_intervals_hold_the_estimate_and_are_ordered():
    given = performance()
    for key, (low, high) in headline_intervals(given, seed=1, draws=400).items():
        assert low < high
        if key != "max_drawdown":  # the worst order of the sessions is rarely the one that was
            assert low < METRICS[key].func(given) < high
    assert headline_intervals(given, seed=1, draws=400)["max_drawdown"][1] <= 0.0


def test_longer_histories_have_narrower_intervals():
    def width(n: int) -> float:
        low, high = headline_intervals(performance(n, 2), seed=1, draws=400)["sharpe_ratio"]
        return high - low

    assert width(4_000) < 0.5 * width(500)


@pytest.mark.parametrize("kind", ["independent", "autocorrelated", "clustered"])
def test_the_interval_of_the_sharpe_ratio_holds_the_truth(kind):
    held, n, histories = 0, 504, 200
    for seed in range(histories):
        returns = 0.0005 + 0.01 * history(kind, n, seed)
        given = Performance(np.datetime64("2015-01-01") + np.arange(n), returns, risk_free_returns=np.zeros(n))
        low, high = headline_intervals(given, seed=seed, draws=200)["sharpe_ratio"]
        held += low <= 0.05 * math.sqrt(TRADING_DAYS) <= high
    assert COVERED[0] <= held / histories <= COVERED[1]


def history(kind: str, n: int, seed: int) -> np.ndarray:
    """A series of mean 0 and variance 1: independent, AR(1) with 0.1, or GARCH(1,1) with 0.08 and 0.9."""
    noise = np.random.default_rng([seed, n]).standard_normal(n)
    if kind == "independent":
        return noise
    series, variance = np.empty(n), 1.0
    for t in range(n):
        if kind == "autocorrelated":
            series[t] = 0.1 * series[t - 1] + math.sqrt(0.99) * noise[t] if t else noise[t]
        else:
            series[t] = math.sqrt(variance) * noise[t]
            variance = 0.02 + 0.08 * series[t] ** 2 + 0.9 * variance
    return series


@given(scale=st.floats(0.1, 2.0), seed=st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_more_leverage_scales_what_is_linear_and_leaves_the_ratios(scale, seed):
    given = performance(200, seed)
    still = replace(given, risk_free_returns=np.zeros(200))
    scaled = replace(still, returns=scale * still.returns)
    one, other = (headline_intervals(item, seed=seed, draws=60) for item in (still, scaled))
    assert other["sharpe_ratio"] == pytest.approx(one["sharpe_ratio"], rel=PARITY)
    for key in ("annual_volatility", "beta", "annual_alpha"):
        assert other[key] == pytest.approx([scale * end for end in one[key]], rel=PARITY, abs=PARITY)


def unknown(pair: tuple[float, float]) -> bool:
    return math.isnan(pair[0]) and math.isnan(pair[1])


def test_what_is_undefined_has_no_interval():
    given = performance(100)
    short = headline_intervals(performance(MIN_SESSIONS - 1), seed=1)
    assert all(unknown(pair) for pair in short.values())
    enough = headline_intervals(performance(MIN_SESSIONS), seed=1, draws=100)
    assert not any(unknown(enough[key]) for key in {*HEADLINE} - {*SPREADS})
    alone = headline_intervals(Performance(given.dates, given.returns), seed=1, draws=100)
    known = {"total_return", "annual_return", "annual_volatility", "max_drawdown", "calmar_ratio"}
    assert {key for key, pair in alone.items() if not unknown(pair)} == known
    flat = headline_intervals(replace(given, returns=np.zeros(100), risk_free_returns=np.zeros(100)), seed=1, draws=100)
    for key in ("sharpe_ratio", "sortino_ratio", "calmar_ratio"):
        assert unknown(flat[key]), key
    assert flat["total_return"] == flat["max_drawdown"] == (0.0, 0.0)
    lost = headline_intervals(replace(given, returns=np.full(100, -1.0)), seed=1, draws=100)
    assert lost["max_drawdown"] == (-1.0, -1.0)


def test_another_process_with_another_hash_seed_finds_the_same():
    script = (
        "import sys; sys.path[:0] = ['tests/analytics/backtest', 'tests'];"
        "from test_intervals import *; print(headline_intervals(performance(100), seed=7, draws=50))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=bare_environment(PYTHONHASHSEED="5", PYTHONPATH=str(ROOT)), check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(headline_intervals(performance(100), seed=7, draws=50))
    assert headline_intervals(performance(100), seed=8, draws=50) != headline_intervals(
        performance(100), seed=7, draws=50
    )
