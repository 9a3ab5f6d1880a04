"""Objectives: against skfolio, by hand, and what their definitions demand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_tasks import cvar, random_task
from scipy.optimize import linprog
from tolerances import EXACT, PARITY, SOLVER

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError, MissingDataError
from analytics.portfolio import evaluate
from analytics.portfolio.exposure import risk_contributions
from analytics.portfolio.limits import long_only
from analytics.portfolio.objectives import OBJECTIVES, Task, choose

BUDGETS = 1e-10  # risk contributions against their budgets
INTERIOR = 1e-5  # weights from an interior-point solver: the objective is flat near its optimum


# ---- against skfolio on real stocks


@pytest.fixture(scope="module")
def real_task(stock_returns: FloatArray) -> Task:
    """Sample estimates, as skfolio has by default."""
    benchmark = stock_returns @ np.linspace(1, 3, 20) / 40 + 0.002 * np.sin(np.arange(len(stock_returns)))
    covariance = TRADING_DAYS * np.cov(stock_returns, rowvar=False)
    return Task(stock_returns, TRADING_DAYS * stock_returns.mean(axis=0), covariance, 0.0, long_only(20), benchmark)


def peers() -> dict[str, Any]:
    from skfolio import RiskMeasure
    from skfolio import optimization as sk

    tight = {"solver_params": {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}}
    return {
        "equal_weight": sk.EqualWeighted(),
        "inverse_volatility": sk.InverseVolatility(),
        "hrp": sk.HierarchicalRiskParity(),
        "herc": sk.HierarchicalEqualRiskContribution(),
        "risk_parity": sk.RiskBudgeting(**tight),
        "max_diversification": sk.MaximumDiversification(**tight),
        "min_variance": sk.MeanRisk(**tight),
        "max_sharpe": sk.MeanRisk(objective_function=sk.ObjectiveFunction.MAXIMIZE_RATIO, **tight),
        "min_cvar": sk.MeanRisk(risk_measure=RiskMeasure.CVAR, cvar_beta=0.95, **tight),
        "max_sortino": sk.MeanRisk(
            risk_measure=RiskMeasure.SEMI_DEVIATION, min_acceptable_return=0.0,
            objective_function=sk.ObjectiveFunction.MAXIMIZE_RATIO, **tight,
        ),
        "tracking": sk.BenchmarkTracker(**tight),
    }  # fmt: skip


def test_every_objective_equals_skfolio(real_task: Task) -> None:
    assert set(peers()) == set(OBJECTIVES)
    for key, peer in peers().items():
        ours = choose(OBJECTIVES[key], real_task).weights
        theirs = peer.fit(real_task.returns, real_task.benchmark_returns if key == "tracking" else None).weights_
        closed_form = key in ("equal_weight", "inverse_volatility", "hrp", "herc")
        np.testing.assert_allclose(ours, theirs, atol=PARITY if closed_form else INTERIOR, rtol=0, err_msg=key)


def test_risk_budgets_equal_skfolio(real_task: Task) -> None:
    from skfolio.optimization import RiskBudgeting

    budgets = np.linspace(1, 5, 20)
    peer = RiskBudgeting(risk_budget=budgets, solver_params={"tol_gap_rel": 1e-10, "tol_gap_abs": 1e-10})
    ours = choose(OBJECTIVES["risk_parity"], replace(real_task, risk_budgets=budgets)).weights
    np.testing.assert_allclose(ours, peer.fit(real_task.returns).weights_, atol=INTERIOR)
    np.testing.assert_allclose(
        risk_contributions(ours, real_task.covariance), budgets / budgets.sum(), atol=BUDGETS, rtol=0
    )


@pytest.mark.parametrize("n_assets", [2, 3, 9, 70, 101])
def test_hierarchies_equal_skfolio(n_assets: int) -> None:
    from skfolio.optimization import HierarchicalEqualRiskContribution, HierarchicalRiskParity

    task = random_task(n_assets, n_assets)
    task = replace(task, covariance=TRADING_DAYS * np.cov(task.returns, rowvar=False))
    for key, peer in (("hrp", HierarchicalRiskParity()), ("herc", HierarchicalEqualRiskContribution())):
        theirs = peer.fit(task.returns).weights_
        np.testing.assert_allclose(choose(OBJECTIVES[key], task).weights, theirs, atol=PARITY, rtol=0, err_msg=key)


def test_least_cvar_with_few_sessions_in_mind_is_that_of_all(real_task: Task) -> None:
    """The whole linear programme at once, in its textbook form."""
    returns, n = real_task.returns, 20
    count = len(returns)
    found = linprog(
        np.concatenate([np.zeros(n), [1.0], np.full(count, 1 / (0.05 * count))]),
        A_ub=np.hstack([-1e3 * returns, -np.ones((count, 1)), -np.eye(count)]), b_ub=np.zeros(count),
        A_eq=np.concatenate([np.ones(n), np.zeros(1 + count)])[None], b_eq=[1],
        bounds=[(0, 1)] * n + [(None, None)] + [(0, None)] * count,
    )  # fmt: skip
    ours = choose(OBJECTIVES["min_cvar"], real_task).weights
    assert cvar(ours, real_task) == pytest.approx(found.fun / 1e3, rel=PARITY)
    np.testing.assert_allclose(ours, found.x[:n], atol=SOLVER)


# ---- what the definitions demand


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_risk_contributions_are_the_budgets(seed: int, n_assets: int) -> None:
    task, rng = random_task(seed, n_assets), np.random.default_rng(seed)
    equal = choose(OBJECTIVES["risk_parity"], task).weights
    np.testing.assert_allclose(risk_contributions(equal, task.covariance), 1 / n_assets, atol=BUDGETS, rtol=0)
    budgets = rng.uniform(0.01, 1, n_assets)
    weights = choose(OBJECTIVES["risk_parity"], replace(task, risk_budgets=budgets)).weights
    contributions = risk_contributions(weights, task.covariance)
    np.testing.assert_allclose(contributions, budgets / budgets.sum(), atol=BUDGETS, rtol=0)


def test_risk_parity_of_near_duplicates_and_opposites() -> None:
    volatility = np.array([0.01, 0.4, 0.4, 2.0])
    correlation = np.array([[1, 0.3, 0.3, -0.9], [0.3, 1, 0.999, -0.2], [0.3, 0.999, 1, -0.2], [-0.9, -0.2, -0.2, 1]])
    task = random_task(1, 4)
    task = replace(task, covariance=np.outer(volatility, volatility) * correlation)
    weights = choose(OBJECTIVES["risk_parity"], task).weights
    np.testing.assert_allclose(risk_contributions(weights, task.covariance), 0.25, atol=BUDGETS, rtol=0)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(2, 15), st.sampled_from(["risk_parity", "hrp", "herc", "max_diversification"])
)
def test_the_unit_of_risk_does_not_matter(seed: int, n_assets: int, key: str) -> None:
    task = random_task(seed, n_assets)
    scaled = replace(task, covariance=9 * task.covariance)
    before, after = choose(OBJECTIVES[key], task).weights, choose(OBJECTIVES[key], scaled).weights
    np.testing.assert_allclose(after, before, atol=PARITY)


@pytest.mark.parametrize("key", ["hrp", "herc"])
def test_two_assets_of_a_hierarchy_are_at_inverse_variance(key: str) -> None:
    task = replace(random_task(3, 2), covariance=np.array([[0.04, 0.01], [0.01, 0.09]]))
    np.testing.assert_allclose(choose(OBJECTIVES[key], task).weights, np.array([9, 4]) / 13, rtol=EXACT)


def test_uncorrelated_assets_by_hand() -> None:
    task = replace(random_task(3, 2), covariance=np.diag([0.04, 0.09]))
    for key in ("inverse_volatility", "risk_parity", "max_diversification"):
        np.testing.assert_allclose(choose(OBJECTIVES[key], task).weights, [0.6, 0.4], rtol=PARITY, err_msg=key)


def test_tracking_a_mixture_of_the_assets_finds_it() -> None:
    task = random_task(5, 8)
    mixture = np.linspace(1, 8, 8) / 36
    found = choose(OBJECTIVES["tracking"], replace(task, benchmark_returns=task.returns @ mixture)).weights
    np.testing.assert_allclose(found, mixture, atol=PARITY)


# ---- degenerate and bad input


@pytest.mark.parametrize("key", OBJECTIVES)
def test_one_asset_is_all_there_is(key: str) -> None:
    np.testing.assert_allclose(choose(OBJECTIVES[key], random_task(2, 1)).weights, [1.0], rtol=PARITY)


@pytest.mark.parametrize("key", OBJECTIVES)
def test_duplicates_and_fewer_sessions_than_assets(key: str) -> None:
    task = random_task(4, 30, sessions=25)
    returns = np.column_stack([task.returns, task.returns[:, :5]])
    covariance = TRADING_DAYS * np.cov(returns, rowvar=False)
    task = Task(returns, TRADING_DAYS * returns.mean(axis=0), covariance, -1.0, long_only(35), task.benchmark_returns)
    weights = choose(OBJECTIVES[key], task).weights
    assert weights.sum() == pytest.approx(1, abs=PARITY)
    assert weights.min() >= -PARITY


def test_what_cannot_be_solved_says_why() -> None:
    task = random_task(2, 4)
    with pytest.raises(MissingDataError, match="benchmark"):
        choose(OBJECTIVES["tracking"], replace(task, benchmark_returns=None))
    with pytest.raises(InputError, match="beats the risk-free rate"):
        choose(OBJECTIVES["max_sortino"], replace(task, risk_free_rate=5.0))
    still = task.covariance * np.outer([1, 1, 1, 0], [1, 1, 1, 0])
    with pytest.raises(InputError, match=r"no variance of assets \[3\].*Leave them out"):
        choose(OBJECTIVES["risk_parity"], replace(task, covariance=still))


@pytest.mark.parametrize(("changes", "message"), [
    ({"returns": np.full((9, 4), np.nan)}, "36 missing values"),
    ({"expected_returns": np.zeros(3)}, "covariance"),
    ({"feasible": long_only(5)}, "limits on 5"),
    ({"benchmark_returns": np.zeros(3)}, "benchmark_returns: got 'shape"),
    ({"risk_budgets": np.array([1.0, 1, 0, 1])}, "budgets above 0"),
    ({"risk_free_rate": np.nan}, "risk_free_rate"),
])  # fmt: skip
def test_bad_tasks_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(random_task(2, 4), **changes)


def test_max_sharpe_and_min_variance_are_those_of_the_frontier() -> None:
    task = random_task(9, 10)
    best = choose(OBJECTIVES["max_sharpe"], task).weights
    least = choose(OBJECTIVES["min_variance"], task).weights
    rng = np.random.default_rng(0)
    others = evaluate(
        rng.dirichlet(np.ones(10), 500), task.expected_returns, task.covariance, risk_free_rate=task.risk_free_rate
    )
    ours = evaluate([best, least], task.expected_returns, task.covariance, risk_free_rate=task.risk_free_rate)
    assert ours.sharpe_ratio[0] > others.sharpe_ratio.max()
    assert ours.volatility[1] < others.volatility.min()
