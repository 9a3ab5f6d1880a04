"""What must hold of the metrics whatever the returns are."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from performances import of_returns, random_performance, trades
from tolerances import EXACT, PARITY

from analytics.metrics import METRICS, Performance, compute_metrics

returns_lists = st.lists(st.floats(-0.2, 0.2), min_size=5, max_size=60)
UNSCALED = (
    "tail_ratio", "daily_payoff_ratio", "daily_profit_factor", "gain_to_pain_ratio", "common_sense_ratio", "cpc_index",
    "kelly_criterion", "probabilistic_sharpe_ratio", "smart_sharpe_ratio", "r_squared", "benchmark_correlation",
    "outlier_win_ratio", "outlier_loss_ratio", "autocorrelation", "treynor_ratio",
)  # fmt: skip
SHARES = (
    "positive_days", "positive_months", "positive_quarters", "positive_years", "pain_index", "ulcer_index",
    "conditional_drawdown_at_risk", "probabilistic_sharpe_ratio", "r_squared", "stability", "batting_average",
    "risk_of_ruin",
)  # fmt: skip
checked = settings(max_examples=50, deadline=None)


def close(expected: float, tolerance: float = PARITY):
    return pytest.approx(expected, rel=tolerance, abs=tolerance)


@checked
@given(returns_lists)
def test_bounds(returns):
    metrics = compute_metrics(of_returns(returns, benchmark=returns, risk_free=0.0))
    assert -1.0 <= metrics["max_drawdown"] <= 0.0
    assert 0.0 <= metrics["max_drawdown_days"] <= len(returns) - 1
    assert metrics["expected_shortfall"] >= metrics["value_at_risk"] - EXACT
    assert metrics["worst_day"] <= -metrics["value_at_risk"] <= metrics["best_day"]
    assert metrics["annual_volatility"] >= 0.0
    for key in SHARES:
        assert not metrics[key] < 0.0, key
        assert not metrics[key] > 1.0 + EXACT, key
    assert metrics["ulcer_index"] >= metrics["pain_index"] - EXACT
    assert metrics["max_drawdown"] <= -metrics["conditional_drawdown_at_risk"] + EXACT
    assert not metrics["max_drawdown"] > metrics["average_drawdown"] + EXACT
    assert metrics["max_consecutive_up_days"] + metrics["max_consecutive_down_days"] <= len(returns)
    assert not abs(metrics["smart_sharpe_ratio"]) > abs(metrics["sharpe_ratio"])
    assert not abs(metrics["benchmark_correlation"]) > 1.0 + EXACT


@checked
@given(returns_lists)
def test_an_account_is_its_own_benchmark_with_beta_one_and_no_alpha(returns):
    assume(np.std(returns) > 1e-6)
    metrics = compute_metrics(of_returns(returns, benchmark=returns, risk_free=0.0001))
    assert metrics["beta"] == close(1.0)
    assert metrics["annual_alpha"] == close(0.0)
    assert metrics["annual_tracking_error"] == 0.0
    assert np.isnan(metrics["information_ratio"])


@checked
@given(st.floats(0.1, 5.0), st.integers(0, 20))
def test_scaling_excess_returns_scales_risk_and_leaves_the_ratios(scale, seed):
    one = random_performance(seed=seed, n=120)
    excess = one.returns - one.risk_free_returns
    before = compute_metrics(of_returns(excess, benchmark=one.benchmark_returns, risk_free=0.0))
    after = compute_metrics(of_returns(scale * excess, benchmark=one.benchmark_returns, risk_free=0.0))
    for key in ("sharpe_ratio", "sharpe_ratio_se", "sortino_ratio", "omega_ratio", "skewness", "kurtosis", *UNSCALED):
        assert after[key] == close(before[key]), key
    for key in (
        "annual_volatility",
        "annual_downside_deviation",
        "value_at_risk",
        "expected_shortfall",
        "normal_value_at_risk",
        "normal_expected_shortfall",
        "average_up_day",
        "best_day",
        "beta",
        "annual_mean_return",
    ):
        assert after[key] == close(scale * before[key]), key


@checked
@given(returns_lists)
def test_mirrored_returns_swap_gains_and_losses(returns):
    assume(np.std(returns) > 1e-6)
    mirrored = compute_metrics(of_returns(-np.asarray(returns), risk_free=0.0))
    metrics = compute_metrics(of_returns(returns, risk_free=0.0))
    assert mirrored["sharpe_ratio"] == close(-metrics["sharpe_ratio"])
    assert mirrored["skewness"] == close(-metrics["skewness"], 1e-7)
    assert mirrored["best_day"] == -metrics["worst_day"]
    assert -mirrored["average_up_day"] == pytest.approx(metrics["average_down_day"], rel=EXACT, nan_ok=True)
    assert mirrored["max_consecutive_up_days"] == metrics["max_consecutive_down_days"]
    assert mirrored["probabilistic_sharpe_ratio"] == close(1.0 - metrics["probabilistic_sharpe_ratio"], 1e-7)
    assert mirrored["autocorrelation"] == pytest.approx(metrics["autocorrelation"], rel=1e-7, abs=1e-7, nan_ok=True)


def test_the_order_of_the_returns_matters_to_the_drawdown_alone():
    one = random_performance(n=100)
    backwards = Performance(one.dates, one.returns[::-1])
    forwards = Performance(one.dates, one.returns)
    for key in ("total_return", "annual_volatility", "value_at_risk", "kurtosis"):
        assert METRICS[key].func(backwards) == close(METRICS[key].func(forwards)), key
    assert METRICS["max_drawdown"].func(backwards) != METRICS["max_drawdown"].func(forwards)


def test_three_trades_by_hand():
    held = {"gross_exposure": np.array([0.0, 0.5, 1.0, 0.0]), "turnover": np.array([0.0, 0.5, 0.5, 1.0])}
    metrics = compute_metrics(of_returns([0.0] * 4, trades=trades([300.0, -100.0, 0.0], days=[1, 2, 9]), **held))
    assert metrics["n_trades"] == 3.0
    assert metrics["win_rate"] == close(1 / 3, EXACT)
    assert metrics["profit_factor"] == close(3.0, EXACT)
    assert metrics["average_trade_return"] == close(0.2 / 3, EXACT)
    assert metrics["average_holding_days"] == close(4.0, EXACT)
    assert metrics["exposure_share"] == 0.5
    assert metrics["average_gross_exposure"] == close(0.375, EXACT)
    assert metrics["annual_turnover"] == close(252 * 0.5 / 2, EXACT)
    assert (metrics["total_fees"], metrics["total_slippage"]) == (6.0, 9.0)


def test_without_a_losing_trade_there_is_no_profit_factor():
    assert np.isnan(METRICS["profit_factor"].func(of_returns([0.1], trades=trades([10.0, 20.0]))))
