"""The papers' worked examples, ffn's numbers, and how often luck is taken for skill."""

import math

import ffn
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY, ROUNDED_SOURCE

from analytics.backtest.overfitting import (
    Trials,
    deflated_sharpe_ratio,
    effective_trials,
    expected_maximum_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    significance,
)
from analytics.conventions import TRADING_DAYS
from analytics.errors import InputError
from analytics.metrics import METRICS, Performance

YEAR = math.sqrt(TRADING_DAYS)
FALSE_FINDS = 0.08  # of the seeds: 5 % and what 25 of them, or the handful of runs, may differ by chance
SESSIONS = 2_520
SEEDS = 25


def test_the_probabilistic_ratio_is_that_of_the_2012_paper():
    """A hedge fund of 24 months, 0.458 a month: 0.982 as if normal, 0.913 with its skewness and kurtosis."""
    assert probabilistic_sharpe_ratio(0.458, n_obs=24) == pytest.approx(0.982, abs=ROUNDED_SOURCE)
    found = probabilistic_sharpe_ratio(0.458, n_obs=24, skewness=-2.448, kurtosis=10.164 - 3.0)
    assert found == pytest.approx(0.913, abs=ROUNDED_SOURCE)


@pytest.mark.parametrize(
    ("periods", "skewness", "kurtosis", "years"),
    [(252, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_the_track_record_length_is_that_of_the_2012_paper(periods, skewness, kurtosis, years):
    """For an annual Sharpe ratio of 2 to be above 1 with 95 % confidence, in daily, weekly and monthly returns."""
    sharpe, benchmark = 2.0 / math.sqrt(periods), 1.0 / math.sqrt(periods)
    found = minimum_track_record_length(sharpe, skewness=skewness, kurtosis=kurtosis - 3.0, benchmark=benchmark)
    assert found / periods == pytest.approx(years, abs=0.005)  # printed with two digits


@pytest.mark.parametrize(
    ("n_trials", "skewness", "kurtosis", "expected"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_deflated_ratio_is_that_of_the_2014_paper(n_trials, skewness, kurtosis, expected):
    """Five years of 250 sessions, 2.5 a year, the tries' annual Sharpe ratios with a variance of ½."""
    found = deflated_sharpe_ratio(
        2.5 / math.sqrt(250), n_obs=1_250, n_trials=n_trials, variance=0.5 / 250, skewness=skewness,
        kurtosis=kurtosis - 3.0,
    )  # fmt: skip
    assert found == pytest.approx(expected, abs=ROUNDED_SOURCE)
    assert expected_maximum_sharpe(100, math.sqrt(0.5 / 250)) == pytest.approx(0.1132, abs=ROUNDED_SOURCE)


@pytest.mark.parametrize("n_trials", [1, 2, 37, 1_000])
def test_noise_and_the_deflated_ratio_are_ffns(n_trials):
    rng = np.random.default_rng(n_trials)
    returns = pd.Series(rng.standard_t(4, 500) / 100 + 0.001, index=pd.bdate_range("2020-01-01", periods=500))
    others = rng.normal(0.5, 0.8, n_trials)
    expected = ffn.calc_deflated_sharpe_ratio(returns, others, nperiods=TRADING_DAYS)
    spread = others.std(ddof=1) if n_trials > 1 else 0.0
    found = deflated_sharpe_ratio(
        returns.mean() / returns.std(), n_obs=500, n_trials=n_trials, variance=spread**2 / TRADING_DAYS,
        skewness=returns.skew(), kurtosis=returns.kurt(),
    )  # fmt: skip
    assert found == pytest.approx(expected, rel=PARITY)
    assert expected_maximum_sharpe(n_trials, 0.7) == pytest.approx(
        ffn.calc_expected_max_sharpe(n_trials, 0.7), rel=PARITY
    )


def test_the_probabilistic_ratio_is_the_registrys():
    returns = np.random.default_rng(3).standard_t(5, 300) / 100 + 0.0005
    dates = np.datetime64("2020-01-01") + np.arange(300)
    expected = METRICS["probabilistic_sharpe_ratio"].func(Performance(dates, returns, risk_free_returns=np.zeros(300)))
    z = (returns - returns.mean()) / returns.std()
    found = probabilistic_sharpe_ratio(
        returns.mean() / returns.std(ddof=1), n_obs=300, skewness=(z**3).mean(), kurtosis=(z**4).mean() - 3.0
    )
    assert found == pytest.approx(expected, rel=PARITY)


@given(
    sharpe=st.floats(0.01, 0.3), skewness=st.floats(-2.0, 2.0), kurtosis=st.floats(0.0, 8.0), share=st.floats(0.0, 0.9)
)
@settings(max_examples=50, deadline=None)
def test_the_least_record_is_where_the_confidence_is_reached(sharpe, skewness, kurtosis, share):
    given_ = {"skewness": skewness, "kurtosis": kurtosis, "benchmark": share * sharpe}
    n_obs = minimum_track_record_length(sharpe, **given_)
    assert probabilistic_sharpe_ratio(sharpe, n_obs=n_obs, **given_) == pytest.approx(0.95, abs=1e-6)
    assert probabilistic_sharpe_ratio(sharpe, n_obs=2 * n_obs, **given_) > 0.95


@given(n_trials=st.integers(2, 10_000), scale=st.floats(0.01, 3.0))
@settings(max_examples=50, deadline=None)
def test_more_tries_find_more_by_luck(n_trials, scale):
    found = expected_maximum_sharpe(n_trials, scale)
    assert found == pytest.approx(scale * expected_maximum_sharpe(n_trials, 1.0), rel=EXACT)
    assert expected_maximum_sharpe(2 * n_trials, scale) > found > 0.0
    of_one = deflated_sharpe_ratio(0.1, n_obs=1_000, n_trials=1, variance=1.0)
    assert deflated_sharpe_ratio(0.1, n_obs=1_000, n_trials=n_trials, variance=(scale / YEAR) ** 2) < of_one


def test_the_best_of_noise_is_as_large_as_expected():
    best = np.random.default_rng(0).standard_normal((4_000, 100)).max(axis=1)
    # the mean of 4,000 maxima is known to 0.007; the formula itself is 0.02 above the true mean for 100 tries
    assert expected_maximum_sharpe(100, 1.0) == pytest.approx(best.mean(), abs=0.05)


def test_correlated_tries_are_worth_fewer():
    assert effective_trials(100, 0.0) == 100.0
    assert effective_trials(100, 0.25) == 75.25
    assert effective_trials(100, 1.0) == effective_trials(100, 1.4) == 1.0
    assert effective_trials(100, -0.3) == 100.0


def noise(sharpe_ratios, n_obs=SESSIONS):
    """Tries with normal returns."""
    values = np.asarray(sharpe_ratios, dtype=float)
    return Trials(values, np.full(len(values), n_obs), np.zeros(len(values)), np.full(len(values), np.nan))


def test_the_verdict_follows_from_its_parts():
    trials = noise([0.2, 0.9, -0.1, 0.3])
    found = significance(trials, 1, benchmark_sharpe_ratio=0.4)
    error = math.sqrt((1 + (0.9 / YEAR) ** 2 / 2) / (SESSIONS - 1)) * YEAR
    one = 1.0 - 0.5 * math.erfc(-(0.5 / error) / math.sqrt(2.0))
    assert found.p_value == pytest.approx(1.0 - (1.0 - one) ** 4, rel=PARITY)
    assert (found.n_trials, found.effective_trials, found.null_sharpe_ratio) == (4, 4.0, 0.4)
    assert found.typical_sharpe_ratio == pytest.approx(0.325, rel=EXACT)
    assert found.noise_maximum == expected_maximum_sharpe(4, np.std([0.2, 0.9, -0.1, 0.3], ddof=1))
    assert found.probabilistic == probabilistic_sharpe_ratio(0.9 / YEAR, n_obs=SESSIONS)
    assert not found.significant
    assert "Not significant: as one of 4 tries" in found.verdict
    without = significance(trials, 1)
    assert significance(trials, 1, benchmark_sharpe_ratio=math.nan) == without
    assert without.null_sharpe_ratio == pytest.approx(np.mean([0.2, -0.1, 0.3]), rel=EXACT)
    assert significance(noise([-0.2, 0.9, -0.1]), 1).null_sharpe_ratio == 0.0


@given(count=st.integers(1, 40), seed=st.integers(0, 100), benchmark=st.none() | st.floats(-1.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_what_is_needed_is_where_significance_begins(count, seed, benchmark):
    values = np.random.default_rng(seed).normal(0.0, 0.3, count)
    first = significance(noise(values), 0, benchmark_sharpe_ratio=benchmark)
    assert first.significant == (first.sharpe_ratio > first.needed)
    assert first.verdict.startswith("Significant" if first.significant else "Not significant")


@given(count=st.integers(1, 4), seed=st.integers(0, 100), benchmark=st.floats(-1.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_more_tries_make_the_same_result_less_sure(count, seed, benchmark):
    values = np.random.default_rng(seed).normal(0.0, 0.3, count)
    less = significance(noise(values), 0, benchmark_sharpe_ratio=benchmark)
    more = significance(noise([*values, *values]), 0, benchmark_sharpe_ratio=benchmark)
    assert more.p_value > less.p_value or more.p_value == less.p_value == 1.0  # as sure of luck as one can be
    assert more.needed > less.needed


def test_what_is_unknown_has_no_verdict():
    found = significance(noise([np.nan, 0.5]), 0)
    assert math.isnan(found.p_value)
    assert math.isnan(found.deflated)
    assert not found.significant
    assert found.verdict.startswith("Not known")
    assert math.isnan(probabilistic_sharpe_ratio(0.1, n_obs=1))
    assert math.isnan(minimum_track_record_length(0.1, benchmark=0.1))
    assert math.isnan(probabilistic_sharpe_ratio(1.0, n_obs=100, skewness=3.0))  # no such distribution: γ₄ ≥ γ₃² − 2


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="n_trials"):
        expected_maximum_sharpe(0, 1.0)
    with pytest.raises(InputError, match="n_trials"):
        expected_maximum_sharpe(math.nan, 1.0)
    with pytest.raises(InputError, match="confidence"):
        minimum_track_record_length(0.1, confidence=1.0)
    with pytest.raises(InputError, match="sharpe_ratio"):
        noise([])
    with pytest.raises(InputError, match="skewness"):
        Trials(np.zeros(2), np.ones(2), np.zeros(3), np.zeros(2))


def random_signals(kind: str, market_sharpe: float, seed: int, *, cells: int = 100) -> tuple[Trials, float]:
    """Cells that are long or flat at random, each for its own share of weeks or months, and the market's Sharpe ratio."""
    rng = np.random.default_rng([seed, cells])
    market = 0.01 * (market_noise(kind, rng) + market_sharpe / YEAR)
    weeks = int(rng.choice([5, 20]))
    long = rng.random((cells, -(-SESSIONS // weeks))) < rng.uniform(0.1, 0.95, (cells, 1))
    returns = np.repeat(long, weeks, axis=1)[:, :SESSIONS] * market
    deviations = returns - returns.mean(axis=1, keepdims=True)
    spread = returns.std(axis=1)
    skewness, tails = ((deviations**k).mean(axis=1) / spread**k for k in (3, 4))
    sharpe = returns.mean(axis=1) / returns.std(axis=1, ddof=1) * YEAR
    return Trials(sharpe, np.full(cells, SESSIONS), skewness, tails - 3.0), market.mean() / market.std() * YEAR


def market_noise(kind: str, rng: np.random.Generator) -> np.ndarray:
    values = rng.standard_normal(SESSIONS)
    if kind == "garch":
        variance = 1.0
        for t in range(SESSIONS):
            values[t] *= math.sqrt(variance)
            variance = 0.02 + 0.08 * values[t] ** 2 + 0.9 * variance
    return values


@pytest.mark.parametrize("kind", ["normal", "garch"])
@pytest.mark.parametrize("market_sharpe", [0.0, 0.8])
def test_random_signals_have_no_winner(kind, market_sharpe):
    """Whatever the market earned: against 0 or by the deflated ratio alone, holding it at random would look like skill."""
    found = {"others": 0, "benchmark": 0, "deflated": 0}
    for seed in range(SEEDS):
        trials, benchmark = random_signals(kind, market_sharpe, seed)
        best = int(np.argmax(trials.sharpe_ratio))
        alone = significance(trials, best)
        found["others"] += alone.significant
        found["benchmark"] += significance(trials, best, benchmark_sharpe_ratio=benchmark).significant
        found["deflated"] += alone.deflated > 0.95
    assert max(found["others"], found["benchmark"]) <= FALSE_FINDS * SEEDS
    assert (found["deflated"] > FALSE_FINDS * SEEDS) == (market_sharpe > 0.0)


@pytest.mark.parametrize(("cells", "correlation"), [(2, 0.0), (5, 0.5), (100, 0.0), (1_000, 0.0), (1_000, 0.9)])
@pytest.mark.parametrize("skill", [0.0, 0.6])
def test_tries_of_equal_skill_have_no_winner(cells, correlation, skill):
    """2,000 histories of tries with the same true Sharpe ratio, drawn as what they are: normal, equally correlated."""
    rng, wins, histories = np.random.default_rng([cells, int(10 * skill)]), 0, 2_000 if cells < 100 else 300
    for _ in range(histories):
        common, own = rng.standard_normal(), rng.standard_normal(cells)
        values = skill + (math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own) * YEAR / math.sqrt(
            SESSIONS
        )
        wins += significance(noise(values), int(values.argmax())).significant
    assert wins / histories <= FALSE_FINDS


def test_skill_is_found_among_noise():
    """A true Sharpe ratio of 1.5 over ten years among 100 tries without."""
    found = 0
    for seed in range(100):
        values = np.random.default_rng(seed).normal(0.0, YEAR / math.sqrt(SESSIONS), 101)
        values[7] += 1.5
        found += int(np.argmax(values)) == 7 and significance(noise(values), 7).significant
    assert found >= 80
