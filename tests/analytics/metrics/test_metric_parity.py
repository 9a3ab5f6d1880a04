"""Metrics against empyrical, scipy and pandas, after their conventions are set to ours."""

import math

import numpy as np
import pandas as pd
import pytest
from performances import of_returns, random_performance
from tolerances import PARITY

from analytics.metrics import METRICS

SEEDS = (1, 2, 3)
DAYS = 252


def value(key: str, seed: int) -> float:
    return METRICS[key].func(random_performance(seed=seed))


def close(expected: float):
    return pytest.approx(float(expected), rel=PARITY, abs=PARITY)


@pytest.fixture
def empyrical(monkeypatch):
    monkeypatch.setattr(np, "NINF", -np.inf, raising=False)  # empyrical 0.5.9 still uses the name numpy 2 removed
    import empyrical

    return empyrical


@pytest.mark.parametrize("seed", SEEDS)
def test_returns_and_risk_equal_empyrical(empyrical, seed):
    returns = random_performance(seed=seed).returns
    risk_free = random_performance(seed=seed).risk_free_returns
    assert value("total_return", seed) == close(empyrical.cum_returns_final(returns))
    assert value("annual_return", seed) == close(empyrical.annual_return(returns, annualization=DAYS))
    assert value("annual_volatility", seed) == close(empyrical.annual_volatility(returns, annualization=DAYS))
    assert value("max_drawdown", seed) == close(empyrical.max_drawdown(returns))
    assert value("value_at_risk", seed) == close(-empyrical.value_at_risk(returns, cutoff=0.05))
    assert value("expected_shortfall", seed) == close(-empyrical.conditional_value_at_risk(returns, cutoff=0.05))
    assert value("annual_downside_deviation", seed) == close(
        empyrical.downside_risk(returns, required_return=risk_free, annualization=DAYS)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_ratios_equal_empyrical(empyrical, seed):
    one = random_performance(seed=seed)
    assert value("sharpe_ratio", seed) == close(
        empyrical.sharpe_ratio(one.returns, risk_free=one.risk_free_returns, annualization=DAYS)
    )
    assert value("sortino_ratio", seed) == close(
        empyrical.sortino_ratio(one.returns, required_return=one.risk_free_returns, annualization=DAYS)
    )
    assert value("calmar_ratio", seed) == close(empyrical.calmar_ratio(one.returns, annualization=DAYS))
    assert value("omega_ratio", seed) == close(
        empyrical.omega_ratio(one.returns, risk_free=one.risk_free_returns, required_return=0.0)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_benchmark_metrics_equal_empyrical(empyrical, seed):
    one = random_performance(seed=seed)
    excess, benchmark = one.returns - one.risk_free_returns, one.benchmark_returns - one.risk_free_returns
    assert value("beta", seed) == close(empyrical.beta(excess, benchmark))
    compounded = empyrical.alpha(excess, benchmark, annualization=DAYS)  # (1 + daily alpha)^252 − 1
    assert value("annual_alpha", seed) == close(DAYS * ((1.0 + compounded) ** (1.0 / DAYS) - 1.0))
    assert value("information_ratio", seed) == close(
        empyrical.excess_sharpe(one.returns, one.benchmark_returns) * math.sqrt(DAYS)
    )
    assert value("benchmark_total_return", seed) == close(empyrical.cum_returns_final(one.benchmark_returns))


@pytest.mark.parametrize("seed", SEEDS)
def test_moments_equal_scipy(seed):
    from scipy import stats

    returns = random_performance(seed=seed).returns
    assert value("skewness", seed) == close(stats.skew(returns))
    assert value("kurtosis", seed) == close(stats.kurtosis(returns))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rest_equals_pandas(seed):
    one = random_performance(seed=seed)
    returns = pd.Series(one.returns, index=pd.DatetimeIndex(one.dates))
    active = returns - one.benchmark_returns
    assert value("annual_tracking_error", seed) == close(active.std() * np.sqrt(DAYS))
    assert value("best_day", seed) == returns.max()
    assert value("worst_day", seed) == returns.min()
    assert value("positive_days", seed) == close(returns.gt(0).mean())
    assert value("max_drawdown_days", seed) == longest_drawdown(returns)


def longest_drawdown(returns: pd.Series) -> float:
    """The definition, session by session."""
    value, peak, since, longest = 1.0, 1.0, returns.index[0], 0
    under = False
    for date, change in returns.items():
        value *= 1.0 + change
        if value >= peak:
            longest = max(longest, (date - since).days) if under else longest
            peak, since, under = value, date, False
        else:
            under = True
            longest = max(longest, (date - since).days)
    return float(longest)


def test_sharpe_standard_error_is_the_spread_seen_in_repeated_samples():
    rng = np.random.default_rng(11)
    samples = 0.05 + rng.standard_normal((4_000, 250))  # Sharpe 0.05 a session
    sharpes = samples.mean(axis=1) / samples.std(axis=1, ddof=1) * math.sqrt(DAYS)
    errors = [METRICS["sharpe_ratio_se"].func(of_returns(0.01 * row, risk_free=0.0)) for row in samples[:200]]
    assert np.mean(errors) == pytest.approx(sharpes.std(ddof=1), rel=0.05)
