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
OF_TRADES = {"n_trades", "win_rate", "profit_factor", "average_trade_return", "average_holding_days"}
OF_ACCOUNT = {"exposure_share", "average_gross_exposure", "annual_turnover", "total_fees", "total_slippage"}
DEFINED_ON_ONE_ROW = {
    "total_return", "best_day", "worst_day", "positive_days", "annual_downside_deviation", "max_drawdown",
    "max_drawdown_days", "value_at_risk", "expected_shortfall", "sortino_ratio", "omega_ratio",
    "benchmark_total_return",
}  # fmt: skip
DEFINED_ON_CONSTANT = DEFINED_ON_ONE_ROW - {"sortino_ratio", "omega_ratio"} | {
    "annual_return", "annual_volatility", "annual_tracking_error",
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


def test_the_golden_numbers_cover_every_metric_of_returns():
    assert set(GOLDEN["values"]) == set(METRICS) - OF_TRADES - OF_ACCOUNT


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
    assert {key for key, number in metrics.items() if not math.isnan(number)} == DEFINED_ON_CONSTANT
    assert metrics["annual_volatility"] == metrics["annual_tracking_error"] == 0.0
    assert metrics["max_drawdown"] == metrics["max_drawdown_days"] == 0.0  # each session is a new peak


def test_growth_that_is_constant_but_for_rounding_has_no_sharpe_ratio():
    equity = 100_000.0 * 1.01 ** np.arange(200)
    returns = equity[1:] / equity[:-1] - 1.0
    assert len(set(returns)) > 1
    assert math.isnan(METRICS["sharpe_ratio"].func(of_returns(returns, risk_free=0.0)))


def test_what_is_not_given_is_unknown_not_zero():
    bare = nan_keys(Performance(random_performance().dates, random_performance().returns))
    needs_more = {
        "sharpe_ratio", "sharpe_ratio_se", "sortino_ratio", "omega_ratio", "annual_downside_deviation",
        "beta", "annual_alpha", "annual_tracking_error", "information_ratio", "benchmark_total_return",
    }  # fmt: skip
    assert bare == needs_more | OF_TRADES | OF_ACCOUNT


def test_sessions_with_an_unknown_return_are_left_out():
    full = random_performance()
    rows = np.arange(len(full.returns)) % 7 != 3
    holes = Performance(
        full.dates, np.where(rows, full.returns, np.nan), full.benchmark_returns, full.risk_free_returns
    )
    kept = Performance(full.dates[rows], full.returns[rows], full.benchmark_returns[rows], full.risk_free_returns[rows])
    same = set(METRICS) - {"benchmark_total_return"}  # the benchmark has no holes
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
    assert all(math.isnan(metrics[key]) for key in OF_TRADES - {"n_trades"})
