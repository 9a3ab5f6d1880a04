"""Objectives within limits: the optimum against cvxpy, every limit kept, and the nearest portfolio by hand."""

from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_tasks import cvar, editor_limits, random_task, sortino
from tolerances import PARITY, SOLVER

from analytics.conventions import TRADING_DAYS
from analytics.errors import NoPortfolioError
from analytics.portfolio.constraints import Constraints, Universe, feasible_weights
from analytics.portfolio.limits import FeasibleSet, long_only
from analytics.portfolio.objectives import OBJECTIVES, choose

OBEYED = 1e-9  # what the weights promise
EXACT_METHODS = [key for key, objective in OBJECTIVES.items() if objective.respects_limits]


def in_limits(weights: Any, feasible: FeasibleSet, scale: Any = 1.0) -> list[Any]:
    """The limits as cvxpy has them; for weights × scale where a ratio is to be found."""
    found = [weights >= scale * feasible.lower, weights <= scale * feasible.upper]
    for row, low, high in zip(feasible.rows, feasible.row_lower, feasible.row_upper, strict=True):
        found += [row @ weights >= scale * low] * bool(np.isfinite(low))
        found += [row @ weights <= scale * high] * bool(np.isfinite(high))
    if np.isfinite(feasible.turnover):
        found.append(cp.norm1(weights - scale * feasible.holdings) / 2 <= scale * feasible.turnover)
    return found


def tightly(problem: cp.Problem) -> float:
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    return float(problem.value)


# ---- against cvxpy within limits of every kind


@pytest.mark.parametrize("seed", range(6))
def test_optima_within_limits_equal_an_interior_point_solver(seed: int) -> None:
    n = 12
    task = random_task(seed, n, editor_limits(seed, n))
    excess = task.returns - task.risk_free_rate / TRADING_DAYS
    w, scale, level = cp.Variable(n), cp.Variable(nonneg=True), cp.Variable()
    losses = -excess @ w
    least = cp.Problem(
        cp.Minimize(1e3 * (level + cp.sum(cp.pos(losses - level)) / (0.05 * len(excess)))), in_limits(w, task.feasible)
    )
    ours = choose(OBJECTIVES["min_cvar"], task).weights
    assert cvar(ours, task) == pytest.approx(tightly(least) / 1e3, rel=SOLVER)

    gain = task.expected_returns - task.risk_free_rate
    scaled = [*in_limits(w, task.feasible, scale), gain @ w == 1]
    downside = cp.Problem(cp.Minimize(TRADING_DAYS / len(excess) * cp.sum_squares(cp.neg(excess @ w))), scaled)
    ours = choose(OBJECTIVES["max_sortino"], task).weights
    assert sortino(ours, task) == pytest.approx(1 / np.sqrt(tightly(downside)), rel=SOLVER)

    root = np.linalg.cholesky(task.covariance).T
    scaled = [*in_limits(w, task.feasible, scale), task.volatility @ w == 1]
    spread = cp.Problem(cp.Minimize(cp.sum_squares(root @ w)), scaled)
    ours = choose(OBJECTIVES["max_diversification"], task).weights
    ratio = ours @ task.volatility / np.sqrt(ours @ task.covariance @ ours)
    assert ratio == pytest.approx(1 / np.sqrt(tightly(spread)), rel=SOLVER)

    strayed = task.returns - task.returns.mean(axis=0)
    target = task.benchmark_returns - task.benchmark_returns.mean()
    stray = cp.Problem(cp.Minimize(1e4 * cp.sum_squares(strayed @ w - target)), in_limits(w, task.feasible))
    ours = choose(OBJECTIVES["tracking"], task).weights
    assert 1e4 * np.sum((strayed @ ours - target) ** 2) == pytest.approx(tightly(stray), rel=SOLVER)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 20))
def test_every_choice_obeys_the_limits(seed: int, n_assets: int) -> None:
    feasible = editor_limits(seed, n_assets)
    task = random_task(seed, n_assets, feasible)
    for key, objective in OBJECTIVES.items():
        choice = choose(objective, task)
        weights, sums = choice.weights, feasible.rows @ choice.weights
        assert (weights >= feasible.lower - OBEYED).all(), key
        assert (weights <= feasible.upper + OBEYED).all(), key
        assert (sums >= feasible.row_lower - OBEYED).all(), key
        assert (sums <= feasible.row_upper + OBEYED).all(), key
        assert np.abs(weights - feasible.holdings).sum() / 2 <= feasible.turnover + OBEYED, key
        if objective.respects_limits:
            assert choice.moved == 0, key
        np.testing.assert_array_equal(weights, choose(objective, task).weights, err_msg=key)


@pytest.mark.parametrize("key", [*EXACT_METHODS, "hrp"])
def test_limits_that_contradict_each_other_are_named(key: str) -> None:
    with pytest.raises(NoPortfolioError):
        choose(OBJECTIVES[key], random_task(2, 4, long_only(4, upper=0.2)))


# ---- methods that know no limits


def test_cash_scales_all_weights_alike() -> None:
    tickers = tuple("ABCDE")
    feasible = feasible_weights(Constraints(min_cash=0.1, max_cash=0.1), Universe(tickers))
    for key in ("equal_weight", "inverse_volatility", "risk_parity", "hrp", "herc"):
        task = random_task(7, 5)
        free, held = choose(OBJECTIVES[key], task), choose(OBJECTIVES[key], replace(task, feasible=feasible))
        assert free.moved == 0, key
        np.testing.assert_allclose(held.weights, 0.9 * free.weights, atol=PARITY, err_msg=key)
        assert held.moved == pytest.approx(0.05, abs=PARITY)


def test_a_sector_cap_scales_the_sector_down_and_the_rest_up() -> None:
    tickers = tuple("ABCDE")
    sectors = dict(zip(tickers, ("tech", "tech", "tech", "oil", "oil"), strict=True))
    feasible = feasible_weights(Constraints(sector_bounds={"tech": (0.0, 0.3)}), Universe(tickers, sectors))
    task = random_task(8, 5)
    free = choose(OBJECTIVES["inverse_volatility"], task).weights
    held = choose(OBJECTIVES["inverse_volatility"], replace(task, feasible=feasible)).weights
    expected = np.concatenate([0.3 * free[:3] / free[:3].sum(), 0.7 * free[3:] / free[3:].sum()])
    np.testing.assert_allclose(held, expected, atol=PARITY)


# ---- counts of positions


@pytest.mark.parametrize("key", OBJECTIVES)
@pytest.mark.parametrize(("most", "least"), [(5, 0.0), (30, 0.08), (4, 0.15)])
def test_counts_of_positions_are_kept(key: str, most: int, least: float) -> None:
    tickers = tuple(f"T{number}" for number in range(30))
    counted = Constraints(max_weight=0.4, max_positions=most, min_position=least)
    task = random_task(6, 30, feasible_weights(counted, Universe(tickers)))
    choice = choose(OBJECTIVES[key], task)
    held = choice.weights[choice.weights > OBEYED]
    assert 0 < len(held) <= most
    assert held.min() >= least - OBEYED
    assert choice.weights.sum() == pytest.approx(1, abs=OBEYED)
    assert choice.weights.max() <= 0.4 + OBEYED


def test_equal_weight_of_a_few_positions_is_equal_among_them() -> None:
    counted = feasible_weights(Constraints(max_positions=4), Universe(tuple("ABCDEFGH")))
    weights = choose(OBJECTIVES["equal_weight"], random_task(6, 8, counted)).weights
    np.testing.assert_allclose(np.sort(weights), [0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25], atol=OBEYED)
