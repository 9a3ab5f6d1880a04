"""Metrics against six libraries, after their conventions are turned to ours."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from engine_peers import SCIPY, SKFOLIO, VECTORBT
from library_peers import EMPYRICAL, FFN, QUANTSTATS
from library_record import DAYS, record
from performances import of_returns, random_performance
from tolerances import PARITY

from analytics.metrics import METRICS, compute_metrics

SEEDS = (1, 5)
PEERS = {
    "quantstats": QUANTSTATS, "empyrical": EMPYRICAL, "ffn": FFN, "skfolio": SKFOLIO, "vectorbt": VECTORBT,
    "scipy": SCIPY,
}  # fmt: skip
PAIRS = [(library, key) for library, peers in PEERS.items() for key in peers]
QUANTSTATS_ROWS = {
    "Start Period": "start_date", "End Period": "end_date", "Risk-Free Rate": "annual_risk_free_rate",
    "Time in Market": "exposure_share", "Cumulative Return": "total_return", "CAGR﹪": "annual_return",
    "Sharpe": "sharpe_ratio", "Prob. Sharpe Ratio": "probabilistic_sharpe_ratio", "Smart Sharpe": "smart_sharpe_ratio",
    "Sortino": "sortino_ratio", "Smart Sortino": "smart_sortino_ratio", "Sortino/√2": "adjusted_sortino_ratio",
    "Smart Sortino/√2": "smart_adjusted_sortino_ratio", "Omega": "omega_ratio", "Max Drawdown": "max_drawdown",
    "Max DD Date": "max_drawdown_date", "Max DD Period Start": "max_drawdown_start",
    "Max DD Period End": "max_drawdown_end", "Longest DD Days": "max_drawdown_days",
    "Volatility (ann.)": "annual_volatility", "R^2": "r_squared", "Information Ratio": "information_ratio",
    "Calmar": "calmar_ratio", "Skew": "skewness", "Kurtosis": "kurtosis",
    "Ulcer Performance Index": "ulcer_performance_index", "Risk-Adjusted Return": "risk_adjusted_return",
    "Risk-Return Ratio": "risk_return_ratio", "Avg. Return": "average_daily_return", "Avg. Win": "average_up_day",
    "Avg. Loss": "average_down_day", "Win/Loss Ratio": "daily_payoff_ratio", "Profit Ratio": "profit_ratio",
    "Expected Daily": "expected_daily_return", "Expected Monthly": "expected_monthly_return",
    "Expected Yearly": "expected_yearly_return", "Kelly Criterion": "kelly_criterion", "Risk of Ruin": "risk_of_ruin",
    "Daily Value-at-Risk": "normal_value_at_risk", "Expected Shortfall (cVaR)": "normal_expected_shortfall",
    "Max Consecutive Wins": "max_consecutive_up_days", "Max Consecutive Losses": "max_consecutive_down_days",
    "Gain/Pain Ratio": "gain_to_pain_ratio", "Gain/Pain (1M)": "monthly_gain_to_pain_ratio",
    "Payoff Ratio": "daily_payoff_ratio", "Profit Factor": "daily_profit_factor",
    "Common Sense Ratio": "common_sense_ratio", "CPC Index": "cpc_index", "Tail Ratio": "tail_ratio",
    "Outlier Win Ratio": "outlier_win_ratio", "Outlier Loss Ratio": "outlier_loss_ratio", "MTD": "return_mtd",
    "3M": "return_3m", "6M": "return_6m", "YTD": "return_ytd", "1Y": "return_1y", "3Y (ann.)": "annual_return_3y",
    "5Y (ann.)": "annual_return_5y", "10Y (ann.)": "annual_return_10y", "All-time (ann.)": "annual_return",
    "Best Day": "best_day", "Worst Day": "worst_day", "Best Month": "best_month", "Worst Month": "worst_month",
    "Best Year": "best_year", "Worst Year": "worst_year", "Avg. Drawdown": "average_drawdown",
    "Avg. Drawdown Days": "average_drawdown_days", "Recovery Factor": "recovery_factor", "Ulcer Index": "ulcer_index",
    "Serenity Index": "serenity_index", "Avg. Up Month": "average_up_month", "Avg. Down Month": "average_down_month",
    "Win Days": "positive_days", "Win Month": "positive_months", "Win Quarter": "positive_quarters",
    "Win Year": "positive_years", "Beta": "beta", "Alpha": "annual_alpha", "Correlation": "benchmark_correlation",
    "Treynor Ratio": "treynor_ratio",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _numpy_one(monkeypatch):
    monkeypatch.setattr(np, "NINF", -np.inf, raising=False)  # empyrical 0.5.9 still uses the name numpy 2 removed


@cache
def ours(seed: int) -> tuple:
    one = record(seed)
    return one, compute_metrics(one.performance())


def close(expected: float, tolerance: float = PARITY):
    return pytest.approx(float(expected), rel=tolerance, abs=tolerance)


@pytest.mark.parametrize(("library", "key"), PAIRS)
def test_a_metric_equals_that_of_a_library(library, key):
    for seed in SEEDS:
        one, metrics = ours(seed)
        assert metrics[key] == close(PEERS[library][key](one)), seed


def test_at_least_forty_metrics_equal_three_libraries():
    libraries = {key: {library for library, peers in PEERS.items() if key in peers} for key in METRICS}
    assert sum(len(found) >= 3 for found in libraries.values()) >= 60
    assert sum(len(found - {"scipy"}) >= 3 for found in libraries.values()) >= 50  # of portfolio libraries alone
    assert {library: len(peers) for library, peers in PEERS.items() if len(peers) < 20} == {}
    assert {key for _, key in PAIRS} <= set(METRICS)


def test_every_row_of_the_full_quantstats_report_has_a_metric():
    from quantstats import reports

    one = record(1)
    rows = reports.metrics(one.r, one.b, mode="full", display=False, periods_per_year=DAYS).index
    assert len(rows) == 81
    assert set(rows) == set(QUANTSTATS_ROWS)
    assert set(QUANTSTATS_ROWS.values()) <= set(METRICS)


def test_what_no_library_has_in_our_convention_is_made_of_what_they_have():
    one, metrics = ours(1)
    held = one.r.abs() > 0.002
    exposed = compute_metrics(of_returns(one.r, gross_exposure=held.astype(float)))
    share = 1 - held.value_counts(normalize=True)[False]
    assert metrics["recovery_factor"] == close(QUANTSTATS["total_return"](one) / -QUANTSTATS["max_drawdown"](one))
    assert exposed["risk_adjusted_return"] == close(EMPYRICAL["annual_return"](one) / share)
    assert metrics["excess_total_return"] == close(FFN["total_return"](one) - FFN["benchmark_total_return"](one))
    pitfall = EMPYRICAL["conditional_drawdown_at_risk"](one) / EMPYRICAL["annual_volatility"](one)
    assert metrics["serenity_index"] == close(VECTORBT["ulcer_performance_index"](one) / pitfall)


def test_dates_equal_those_of_quantstats():
    import quantstats.stats as qs

    one, metrics = ours(1)
    details = qs.drawdown_details(qs.to_drawdown_series(one.r))
    deepest = details.loc[details["max drawdown"].idxmin()]
    day = pd.Timedelta(days=1)
    assert day_of(metrics["max_drawdown_start"]) == pd.Timestamp(deepest["start"]) - day  # the first session below
    assert day_of(metrics["max_drawdown_date"]) == pd.Timestamp(deepest["valley"])
    assert day_of(metrics["max_drawdown_end"]) == pd.Timestamp(deepest["end"]) + day  # the last session below
    assert (day_of(metrics["start_date"]), day_of(metrics["end_date"])) == (one.r.index[0], one.r.index[-1])


def day_of(number: float) -> pd.Timestamp:
    return pd.Timestamp(0) + pd.Timedelta(days=number)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_longest_drawdown_equals_its_definition(seed):
    one = random_performance(seed=seed)
    returns = pd.Series(one.returns, index=pd.DatetimeIndex(one.dates))
    assert METRICS["max_drawdown_days"].func(one) == longest_drawdown(returns)


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
