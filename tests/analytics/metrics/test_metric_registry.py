"""Every metric: documented, golden, and NaN rather than 0 or an exception where it is undefined."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from performances import of_returns, random_performance, trades
from tolerances import EXACT

from analytics.errors import InputError
from analytics.metrics import METRICS, Metric, Performance, compute_metrics

ROOT = Path(__file__).parents[3]
GOLDEN = json.loads((ROOT / "tests/golden/metrics_ten_sessions.json").read_text())
OF_ACCOUNT = {
    "exposure_share",
    "average_gross_exposure",
    "average_net_exposure",
    "annual_turnover",
    "risk_adjusted_return",
}
OF_TRADES = {key for key, metric in METRICS.items() if metric.level in ("trade", "cost")}
REACHING_BACK = {"return_3m", "return_6m", "return_1y", "annual_return_3y", "annual_return_5y", "annual_return_10y"}
DEFINED_ON_ONE_ROW = {
    "start_date", "end_date", "total_return", "annual_mean_return", "best_day", "worst_day", "positive_days",
    "average_daily_return", "expected_daily_return", "average_down_day", "daily_profit_factor", "outlier_loss_ratio",
    "max_consecutive_up_days", "max_consecutive_down_days", "annual_downside_deviation", "value_at_risk",
    "expected_shortfall", "tail_ratio", "max_drawdown", "max_drawdown_days", "max_drawdown_start", "max_drawdown_date",
    "n_drawdowns", "average_drawdown", "average_drawdown_days", "pain_index", "ulcer_index",
    "conditional_drawdown_at_risk", "expected_monthly_return", "expected_yearly_return", "best_month", "worst_month",
    "best_year", "worst_year", "average_down_month", "positive_months", "positive_quarters", "positive_years",
    "gain_to_pain_ratio", "monthly_gain_to_pain_ratio", "recovery_factor", "common_sense_ratio", "risk_of_ruin",
    "sortino_ratio", "adjusted_sortino_ratio", "omega_ratio", "return_mtd", "return_ytd", "benchmark_total_return",
    "benchmark_max_drawdown", "excess_total_return", "up_capture", "batting_average",
}  # fmt: skip
NEEDS_A_LOSS = {
    "average_down_day", "daily_profit_factor", "outlier_loss_ratio", "average_down_month", "gain_to_pain_ratio",
    "monthly_gain_to_pain_ratio", "common_sense_ratio", "sortino_ratio", "adjusted_sortino_ratio", "omega_ratio",
    "recovery_factor", "max_drawdown_start", "max_drawdown_date", "average_drawdown", "average_drawdown_days",
}  # fmt: skip
DEFINED_ON_CONSTANT = DEFINED_ON_ONE_ROW - NEEDS_A_LOSS | {
    "annual_return", "annual_risk_free_rate", "annual_volatility", "annual_tracking_error", "normal_value_at_risk",
    "normal_expected_shortfall", "average_up_day", "average_up_month", "outlier_win_ratio", "stability",
    "benchmark_annual_return", "benchmark_annual_volatility",
}  # fmt: skip
# tests/analytics/metrics/test_trade_metrics.py and test_what_no_library_has_in_our_convention
BY_HAND = OF_TRADES | OF_ACCOUNT | {
    "start_date", "end_date", "max_drawdown_start", "max_drawdown_date", "max_drawdown_end", "recovery_factor",
    "excess_total_return", "serenity_index",
}  # fmt: skip


def percent(name: str) -> np.ndarray:
    return np.asarray(GOLDEN[name], dtype=float) / 100.0


def golden_performance() -> Performance:
    return of_returns(
        percent("returns_percent"),
        benchmark=percent("benchmark_returns_percent"),
        risk_free=percent("risk_free_returns_percent"),
    )


@pytest.mark.parametrize("key", sorted(GOLDEN["values"]))
def test_ten_sessions_worked_out_in_fractions(key):
    assert METRICS[key].func(golden_performance()) == pytest.approx(GOLDEN["values"][key], rel=EXACT, abs=EXACT)


def test_every_metric_is_checked_against_a_number_of_another_source():
    from test_metric_parity import PAIRS

    assert set(GOLDEN["values"]) | {key for _, key in PAIRS} | BY_HAND == set(METRICS)


def nan_keys(performance: Performance) -> set[str]:
    return {key for key, value in compute_metrics(performance).items() if math.isnan(value)}


@pytest.mark.parametrize("returns", [[], [np.nan] * 5], ids=["empty", "all NaN"])
def test_without_a_return_every_metric_is_nan(returns):
    full = of_returns(returns, benchmark=np.nan, risk_free=np.nan)
    assert nan_keys(full) == set(METRICS)


def test_one_session_defines_only_what_one_number_can():
    metrics = compute_metrics(of_returns([-0.01], benchmark=0.01, risk_free=0.0))
    assert {key for key, value in metrics.items() if not math.isnan(value)} == DEFINED_ON_ONE_ROW
    assert metrics["total_return"] == pytest.approx(-0.01, rel=EXACT)
    assert metrics["max_drawdown_days"] == 0.0  # it is the first date: no day has passed


@pytest.mark.parametrize("value", [0.01, 0.1 + 0.2 - 0.3])
def test_constant_returns_have_no_ratio_of_risk(value):
    metrics = compute_metrics(of_returns([value] * 30, benchmark=value, risk_free=0.0))
    of_noise = {"tail_ratio", "outlier_win_ratio", "up_capture", "stability", "average_up_month"}
    noise = of_noise if value < EXACT else set()  # what rounding leaves of a zero has none of these either
    assert {key for key, number in metrics.items() if not math.isnan(number)} == DEFINED_ON_CONSTANT - noise
    assert metrics["annual_volatility"] == metrics["annual_tracking_error"] == 0.0
    assert metrics["max_drawdown"] == metrics["max_drawdown_days"] == 0.0  # each session is a new peak


def test_growth_that_is_constant_but_for_rounding_has_no_sharpe_ratio():
    equity = 100_000.0 * 1.01 ** np.arange(200)
    returns = equity[1:] / equity[:-1] - 1.0
    assert len(set(returns)) > 1
    assert math.isnan(METRICS["sharpe_ratio"].func(of_returns(returns, risk_free=0.0)))


def test_what_is_not_given_is_unknown_not_zero():
    bare = nan_keys(Performance(random_performance().dates, random_performance().returns))
    of_benchmark = {key for key, metric in METRICS.items() if metric.level == "benchmark"}
    of_risk_free = {
        "annual_risk_free_rate", "annual_downside_deviation", "sharpe_ratio", "sharpe_ratio_se", "omega_ratio",
        "probabilistic_sharpe_ratio", "smart_sharpe_ratio", "sortino_ratio", "smart_sortino_ratio",
        "adjusted_sortino_ratio", "smart_adjusted_sortino_ratio", "ulcer_performance_index", "serenity_index",
    }  # fmt: skip
    too_short = {"annual_return_3y", "annual_return_5y", "annual_return_10y", "max_drawdown_end"}
    assert bare == of_benchmark | of_risk_free | OF_TRADES | OF_ACCOUNT | too_short


def test_sessions_with_an_unknown_return_are_left_out():
    full = random_performance()
    rows = np.arange(len(full.returns)) % 7 != 3
    holes = Performance(
        full.dates, np.where(rows, full.returns, np.nan), full.benchmark_returns, full.risk_free_returns
    )
    kept = Performance(full.dates[rows], full.returns[rows], full.benchmark_returns[rows], full.risk_free_returns[rows])
    same = {key for key in METRICS if not key.startswith("benchmark_")}  # the benchmark has no holes
    got, expected = compute_metrics(holes), compute_metrics(kept)
    np.testing.assert_equal({key: got[key] for key in same}, {key: expected[key] for key in same})


def test_arrays_of_unequal_length_are_refused():
    with pytest.raises(InputError, match=r"benchmark_returns: got \(2,\); allowed: one value per date, shape \(3,\)"):
        Performance(np.arange("2024-01-01", "2024-01-04", dtype="datetime64[D]"), np.zeros(3), np.zeros(2))


def test_total_loss_and_wild_returns_raise_no_warning():
    ruin = compute_metrics(of_returns([0.1, -1.0, 0.0], benchmark=0.0, risk_free=0.0))
    assert ruin["total_return"] == ruin["annual_return"] == ruin["max_drawdown"] == -1.0
    assert compute_metrics(of_returns([30.0, 30.0]))["annual_return"] == math.inf


def test_every_metric_is_fully_declared():
    for key, metric in METRICS.items():
        assert isinstance(metric, Metric)
        assert metric.key == key
        assert metric.level in ("period", "benchmark", "trade", "cost")
        assert all((metric.label, metric.formula, metric.reference))
        assert metric.description.endswith(".")
        assert metric.description.count(". ") == 0, f"{key}: one sentence for the info tip"


def test_every_metric_is_documented():
    page = (ROOT / "docs/METHODS.md").read_text()
    section = page.split("## Metrics")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, flags=re.MULTILINE))
    assert set(rows) == set(METRICS)
    for key, metric in METRICS.items():
        assert f"| {metric.unit} | {metric.better} |" in rows[key], key


def test_trade_metrics_are_nan_without_trades_and_their_sums_are_zero():
    metrics = compute_metrics(of_returns([0.0, 0.0], trades=trades([])))
    assert metrics["n_trades"] == metrics["total_fees"] == metrics["total_slippage"] == 0.0
    sums = {"n_trades", "annual_trades", "total_fees", "total_slippage"}
    assert {key for key in OF_TRADES if not math.isnan(metrics[key])} == sums
