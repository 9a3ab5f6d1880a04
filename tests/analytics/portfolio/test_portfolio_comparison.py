"""The table of objectives: its figures by hand and against empyrical, and rows that cannot be filled."""

from dataclasses import replace

import empyrical
import numpy as np
import pandas as pd
import pytest
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS
from analytics.errors import InputError, UnknownKeyError
from analytics.portfolio import evaluate
from analytics.portfolio.comparison import COLUMNS, compare
from analytics.portfolio.constraints import Constraints, Universe, feasible_weights
from analytics.portfolio.limits import long_only
from analytics.portfolio.objectives import OBJECTIVES, Task, choose


def task_of(n_assets: int, *, seed: int = 1) -> Task:
    rng = np.random.default_rng(seed)
    returns = 0.0008 + 0.012 * rng.standard_normal((300, n_assets)) + 0.006 * rng.standard_normal((300, 1))
    covariance = TRADING_DAYS * np.cov(returns, rowvar=False)
    return Task(
        returns, TRADING_DAYS * returns.mean(axis=0), covariance, 0.03, long_only(n_assets), returns.mean(axis=1)
    )


def test_every_objective_is_a_row_with_the_weights_it_gives() -> None:
    task, holdings = task_of(6), np.full(6, 1 / 6)
    found = compare(task, holdings=holdings)
    assert found.table["objective"].tolist() == list(OBJECTIVES)
    assert tuple(found.table.columns) == COLUMNS
    assert (found.table["note"] == "").all()
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=PARITY)
    for key, weights in zip(found.table["objective"], found.weights, strict=True):
        np.testing.assert_array_equal(weights, choose(OBJECTIVES[key], task).weights)
    table = found.table.set_index("objective")
    assert table["volatility"].idxmin() == "min_variance"
    assert table["sharpe_ratio"].idxmax() == "max_sharpe"
    assert table["cvar"].idxmin() == "min_cvar"
    assert table.loc["equal_weight", "effective_positions"] == pytest.approx(6, rel=EXACT)


def test_figures_equal_empyrical_and_the_definitions() -> None:
    task = task_of(4)
    holdings = np.array([0.4, 0.0, 0.0, 0.1])  # half in cash
    found = compare(task, holdings=holdings, keys=["inverse_volatility", "max_sharpe"])
    for row, weights in zip(found.table.itertuples(), found.weights, strict=True):
        returns = pd.Series(task.returns @ weights)
        promised = evaluate(weights, task.expected_returns, task.covariance, risk_free_rate=0.03)
        assert row.expected_return == promised.expected_return[0]
        assert row.volatility == promised.volatility[0]
        assert row.sharpe_ratio == promised.sharpe_ratio[0]
        assert row.cvar == pytest.approx(-empyrical.conditional_value_at_risk(returns, 0.05), rel=PARITY)
        assert row.max_drawdown == pytest.approx(empyrical.max_drawdown(returns), rel=PARITY)
        assert row.effective_positions == pytest.approx(1 / np.sum(weights**2), rel=PARITY)
        assert row.turnover == pytest.approx(np.abs(weights - holdings).sum() / 2, rel=EXACT)
        assert row.cash == pytest.approx(0, abs=PARITY)


def test_cash_earns_the_risk_free_rate() -> None:
    """Half in cash: half the excess return, half the volatility, the same Sharpe ratio and effective positions."""
    feasible = feasible_weights(Constraints(min_cash=0.5, max_cash=0.5), Universe(("A", "B", "C")))
    task = task_of(3)
    whole = compare(task, holdings=np.zeros(3), keys=["equal_weight"]).table.iloc[0]
    half = compare(replace(task, feasible=feasible), holdings=np.zeros(3), keys=["equal_weight"]).table.iloc[0]
    assert half["cash"] == pytest.approx(0.5, rel=PARITY)
    assert half["expected_return"] - 0.03 == pytest.approx((whole["expected_return"] - 0.03) / 2, rel=PARITY)
    assert half["volatility"] == pytest.approx(whole["volatility"] / 2, rel=PARITY)
    assert half["sharpe_ratio"] == pytest.approx(whole["sharpe_ratio"], rel=PARITY)
    assert half["effective_positions"] == pytest.approx(3, rel=PARITY)
    assert half["turnover"] == pytest.approx(0.25, rel=PARITY)
    assert half["note"] == "25.0% moved to obey the limits"
    rate = 0.03 / TRADING_DAYS
    assert half["cvar"] == pytest.approx((whole["cvar"] + rate) / 2 - rate, rel=PARITY)


def test_an_objective_that_fails_leaves_the_others_standing() -> None:
    task = replace(task_of(4), benchmark_returns=None)
    found = compare(task, holdings=np.full(4, 0.25))
    table = found.table.set_index("objective")
    assert table.loc["tracking", "note"].startswith("Not possible: Tracking needs the returns of a benchmark")
    assert table.loc["tracking", list(COLUMNS[2:-1])].isna().all()
    others = table.drop(index="tracking")
    assert others[list(COLUMNS[2:-1])].notna().all(axis=None)
    assert np.isnan(found.weights[list(table.index).index("tracking")]).all()


def test_limits_that_contradict_each_other_leave_only_notes() -> None:
    found = compare(replace(task_of(4), feasible=long_only(4, upper=0.2)), holdings=np.zeros(4))
    assert found.table["note"].str.startswith("Not possible: constraints").all()
    assert np.isnan(found.weights).all()


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="holdings: got 'shape"):
        compare(task_of(3), holdings=np.zeros(2))
    with pytest.raises(UnknownKeyError, match="Did you mean 'min_cvar'"):
        compare(task_of(3), holdings=np.zeros(3), keys=["min_cvars"])
