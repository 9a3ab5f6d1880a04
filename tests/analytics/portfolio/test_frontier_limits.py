"""The frontier under limits of every kind: against cvxpy, PyPortfolioOpt and finite differences, and what always holds."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY

from analytics.conventions import FRONTIER_POINTS, FRONTIER_SESSIONS, TRADING_DAYS, FloatArray
from analytics.errors import InputError, NoPortfolioError
from analytics.portfolio._interior_point import solve_points
from analytics.portfolio._parametric import KKT, Found, Problem, violation
from analytics.portfolio.constraints import Constraints, Universe, feasible_weights
from analytics.portfolio.covariance import ledoit_wolf
from analytics.portfolio.frontier import Frontier, efficient_frontier
from analytics.portfolio.infeasibility import explain
from analytics.portfolio.limits import FeasibleSet, long_only, loosened
from analytics.portfolio.quadratic import minimise_quadratic
from analytics.portfolio.shadow_prices import limit_costs

VARIANCE = 1e-8  # relative; Clarabel told to stop at 1e-12 of the objective leaves about 1e-9
MARGIN = 2e-3  # a finite difference of 1e-6 in a limit, against the slope itself
RATE = 0.02
TIGHT = {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-13, "tol_feas": 1e-13}


def market(n_assets: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((FRONTIER_SESSIONS, 5)) @ (1 + 0.5 * rng.standard_normal((5, n_assets)))
    return 0.0004 + 0.005 * common + 0.01 * rng.standard_normal((FRONTIER_SESSIONS, n_assets))


def estimates(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    return TRADING_DAYS * returns.mean(axis=0), ledoit_wolf(returns)


def real_returns(folder: Path) -> FloatArray:
    closes = {}
    for path in sorted([*(folder / "prices").glob("*.csv.gz"), *(folder / "etf").glob("*.csv.gz")]):
        frame = pd.read_csv(path, index_col="Date")
        closes[path.name] = frame["Adj Close"]
    return pd.DataFrame(closes).sort_index().dropna().pct_change().iloc[-FRONTIER_SESSIONS:].to_numpy()


def cvxpy_variances(frontier: Frontier, targets: FloatArray) -> FloatArray:
    """Least variances at given expected returns, with the limits written down once more."""
    mu, sigma, rate, allowed = frontier.problem
    weights, target = cp.Variable(len(mu)), cp.Parameter()
    rules = [weights >= allowed.lower, weights <= allowed.upper, weights @ (mu - rate) == target - rate]
    for row, low, high in zip(allowed.rows, allowed.row_lower, allowed.row_upper, strict=True):
        rules += [row @ weights >= low] if np.isfinite(low) else []
        rules += [row @ weights <= high] if np.isfinite(high) else []
    if np.isfinite(allowed.turnover):
        rules.append(cp.norm1(weights - allowed.holdings) / 2 <= allowed.turnover)
    root = np.linalg.cholesky(sigma).T
    problem = cp.Problem(cp.Minimize(cp.sum_squares(root @ weights)), rules)
    found = []
    for value in targets:
        target.value = value
        problem.solve(solver=cp.CLARABEL, **TIGHT)
        found.append(weights.value @ sigma @ weights.value)
    return np.array(found)


def obeys(weights: FloatArray, allowed: FeasibleSet) -> float:
    """The largest violation of any limit by rows of weights."""
    reached = weights @ allowed.rows.T
    moved = np.abs(weights - allowed.holdings).sum(axis=1) / 2 - allowed.turnover
    parts = (
        allowed.lower - weights,
        weights - allowed.upper,
        allowed.row_lower - reached,
        reached - allowed.row_upper,
        moved,
    )
    return float(max(part.max() for part in parts))


# ---- exactness


@pytest.mark.parametrize(("n_assets", "seed"), [(20, 1), (52, 2), (100, 3)])
def test_simulated_markets_with_a_cap_equal_cvxpy(n_assets: int, seed: int) -> None:
    mu, sigma = estimates(market(n_assets, seed))
    frontier = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=long_only(n_assets, upper=0.1))
    assert frontier.exact
    # The ends leave an interior-point solver no interior; they are the corners of the line.
    theirs = cvxpy_variances(frontier, frontier.expected_return[:-1])
    np.testing.assert_allclose(frontier.volatility[:-1] ** 2, theirs, rtol=VARIANCE)


@pytest.mark.shared_data
@pytest.mark.parametrize("n_assets", [20, 52])
def test_real_stocks_and_funds_with_a_cap_equal_cvxpy(n_assets: int, shared_data: Path) -> None:
    returns = real_returns(shared_data)
    assert returns.shape == (FRONTIER_SESSIONS, 52)
    mu, sigma = estimates(returns[:, -n_assets:])
    frontier = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=long_only(n_assets, upper=0.1))
    assert frontier.exact
    theirs = cvxpy_variances(frontier, frontier.expected_return[:-1])
    np.testing.assert_allclose(frontier.volatility[:-1] ** 2, theirs, rtol=VARIANCE)


@pytest.mark.parametrize(("n_assets", "seed"), [(8, 1), (30, 1), (8, 4), (30, 7)])
def test_corners_equal_pyportfolioopt(n_assets: int, seed: int) -> None:
    """Markets in which it keeps every corner, or drops one by rounding; in others it drops more (ours obey the first-order conditions)."""
    from pypfopt.cla import CLA

    mu, sigma = estimates(market(n_assets, seed))
    theirs = CLA(mu, sigma, weight_bounds=(0, 1))
    theirs.max_sharpe()
    corners = np.array([corner.ravel() for corner in theirs.w])[::-1]
    kept = np.concatenate([[True], np.diff(corners @ mu) > PARITY])  # it lists some twice
    ours = efficient_frontier(mu, sigma, risk_free_rate=0.0)
    apart = np.abs(ours.corners[:, None, :] - corners[kept][None, :, :]).max(axis=2)
    assert (apart.min(axis=0) < PARITY).all()  # each of theirs is one of ours
    assert 0 <= len(ours.corners) - kept.sum() <= 1
    tangency = np.array(list(theirs.clean_weights(rounding=12).values()))
    if len(ours.corners) == kept.sum():
        np.testing.assert_allclose(ours.max_sharpe, tangency, atol=1e-7)
    ratio, their_ratio = (weights @ mu / np.sqrt(weights @ sigma @ weights) for weights in (ours.max_sharpe, tangency))
    assert ratio >= their_ratio * (1 - PARITY)  # without the corner beside it theirs is beside the best


def a_set(seed: int, n_assets: int) -> FeasibleSet:
    """Constraints of every kind at random; some contradict each other."""
    rng = np.random.default_rng(seed)
    tickers = tuple(f"T{number}" for number in range(n_assets))
    sectors = {ticker: "ABCDE"[number % 5] for number, ticker in enumerate(tickers)}
    universe = Universe(
        tickers, sectors, dict(zip(tickers, rng.uniform(0, 0.05, n_assets), strict=True)),
        dict(zip(tickers, rng.dirichlet(np.ones(n_assets)), strict=True)),
    )  # fmt: skip
    pick = rng.choice
    return feasible_weights(Constraints(
        max_weight=float(pick([1, 0.5, 0.25, 0.15])), min_weight=float(pick([0, 0, 0.01])),
        sector_bounds={sector: (float(pick([0, 0.05, 0.1])), float(pick([0.25, 0.4, 1])))
                       for sector in sorted(set(sectors.values())) if rng.random() < 0.7},
        max_cash=float(pick([0, 0, 0.1])), min_dividend_yield=pick([None, 0.02]),
        max_turnover=pick([None, 0.1, 0.3, 0.6]), exclude=(tickers[0],) if rng.random() < 0.3 else (),
    ), universe)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from([5, 11, 24]), st.sampled_from([2, 12]))
def test_limits_of_every_kind_equal_cvxpy(seed: int, n_assets: int, decimals: int) -> None:
    mu, sigma = estimates(market(n_assets, seed))
    allowed = a_set(seed, n_assets)
    try:
        frontier = efficient_frontier(np.round(mu, decimals), sigma, risk_free_rate=RATE, feasible=allowed)
    except NoPortfolioError:
        assume(False)
    assert frontier.exact
    assert obeys(frontier.weights, allowed) <= PARITY
    middle = frontier.expected_return[[10, 25, 40]]
    np.testing.assert_allclose(frontier.volatility[[10, 25, 40]] ** 2, cvxpy_variances(frontier, middle), rtol=VARIANCE)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 25))
def test_what_cannot_be_held_is_refused_and_only_that(seed: int, n_assets: int) -> None:
    from scipy.optimize import linprog

    mu, sigma = estimates(market(n_assets, seed))
    allowed = a_set(seed, n_assets)
    rows = np.vstack([np.hstack([allowed.rows, 0 * allowed.rows]), np.hstack([-allowed.rows, 0 * allowed.rows])])
    one, ends = np.eye(n_assets), np.concatenate([allowed.row_upper, -allowed.row_lower])
    if np.isfinite(allowed.turnover):
        total = np.concatenate([np.zeros(n_assets), np.ones(n_assets)])
        rows = np.vstack([rows, np.hstack([one, -one]), np.hstack([-one, -one]), total])
        ends = np.concatenate([ends, allowed.holdings, -allowed.holdings, [2 * allowed.turnover]])
    told = np.isfinite(ends)
    box = [*zip(allowed.lower, allowed.upper, strict=True), *[(0, 2)] * n_assets]
    possible = bool((allowed.lower <= allowed.upper).all()) and linprog(
        np.zeros(2 * n_assets), A_ub=rows[told], b_ub=ends[told], bounds=box).status == 0  # fmt: skip
    try:
        weights = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=allowed).weights
    except NoPortfolioError:
        assert not possible
    else:
        assert obeys(weights, allowed) <= 1.1 * PARITY  # the tolerance itself is 1e-9


def test_the_fallback_finds_the_same_portfolios() -> None:
    mu, sigma = estimates(market(12, 5))
    scale, gains = np.diag(sigma).mean(), (mu - mu.mean()) / np.ptp(mu)
    one = np.ones(1)
    problem = Problem(sigma / scale, 0 * mu, gains, 0 * mu, np.full(12, 0.2), np.ones((1, 12)), one, one)
    found = solve_points(problem, needed=True)
    assert found is not None
    assert violation(problem, found) < 1e-6  # its duals are less sharp than its weights
    exact = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=long_only(12, upper=0.2))
    np.testing.assert_allclose(found.x[:-1], [exact.at_return(w @ mu) for w in found.x[:-1]], atol=1e-6)


def test_the_check_sees_what_is_not_optimal() -> None:
    """Minimum variance of two assets of variance 1 and 2 is (2/3, 1/3), with a multiplier of −2/3 for the budget."""
    one = np.ones(1)
    problem = Problem(np.diag([1.0, 2.0]), np.zeros(2), np.zeros(2), np.zeros(2), np.ones(2), np.ones((1, 2)), one, one)

    def fault(weights: list[float], multiplier: float) -> float:
        return violation(problem, Found(np.zeros(1), np.array([weights]), np.array([[multiplier]]), exact=True))

    assert fault([2 / 3, 1 / 3], -2 / 3) <= EXACT
    assert fault([2 / 3 + 1e-7, 1 / 3 - 1e-7], -2 / 3) > KKT  # not the least variance
    assert fault([2 / 3, 1 / 3 + 1e-7], -2 / 3) > KKT  # not fully invested
    assert fault([2 / 3, 1 / 3], -2 / 3 + 1e-7) > KKT
    free = replace(problem, row_lower=np.zeros(1))  # with room below, the multiplier has the wrong sign
    assert fault([2 / 3, 1 / 3], -2 / 3) <= EXACT
    assert violation(free, Found(np.zeros(1), np.array([[2 / 3, 1 / 3]]), np.array([[-2 / 3]]), exact=True)) > KKT


@pytest.mark.parametrize("n_assets", [3, 7, 9, 30, 52])
@pytest.mark.parametrize("digits", [7, 8, 9, 10])
def test_caps_that_miss_the_whole_by_rounding_still_have_a_portfolio(n_assets: int, digits: int) -> None:
    mu, sigma = estimates(market(n_assets, 12))
    cap = float(np.floor(10**digits / n_assets) / 10**digits)
    allowed = long_only(n_assets, upper=cap)
    conflict = explain(allowed)
    try:
        frontier = efficient_frontier(
            mu, sigma, risk_free_rate=RATE, feasible=conflict.nearest if conflict else allowed
        )
    except NoPortfolioError:  # between what a linear program and what the line can tell apart
        frontier = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=loosened(allowed))
    assert frontier.exact
    np.testing.assert_allclose(frontier.weights.sum(axis=1), 1, atol=PARITY)
    assert obeys(frontier.weights, allowed) <= 2e-6


# ---- any point between, single optima, prices of limits


def test_any_return_or_volatility_between_the_ends() -> None:
    mu, sigma = estimates(market(15, 6))
    frontier = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=long_only(15, upper=0.2))
    low, high = frontier.expected_return[[0, -1]]
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        weights = frontier.at_return(low + share * (high - low))
        assert weights @ mu == pytest.approx(low + share * (high - low), abs=EXACT)
        volatility = float(np.sqrt(weights @ sigma @ weights))
        np.testing.assert_allclose(frontier.at_volatility(volatility), weights, atol=1e-7)
    with pytest.raises(InputError, match="an expected return from"):
        frontier.at_return(high + 0.01)
    with pytest.raises(InputError, match="a volatility from"):
        frontier.at_volatility(0.0)


@pytest.mark.parametrize("turnover", [None, 0.2])
def test_a_single_optimum_equals_cvxpy(turnover: float | None) -> None:
    tickers = tuple("ABCDEFGHIJ")
    held = dict.fromkeys(tickers, 0.1)
    allowed = feasible_weights(Constraints(max_weight=0.3, max_turnover=turnover), Universe(tickers, holdings=held))
    _, sigma = estimates(market(10, 7))
    linear = np.linspace(0, 0.05, 10)
    weights = cp.Variable(10)
    rules = [weights >= 0, weights <= 0.3, cp.sum(weights) == 1]
    rules += [cp.norm1(weights - 0.1) / 2 <= turnover] if turnover else []
    cp.Problem(cp.Minimize(cp.quad_form(weights, cp.psd_wrap(sigma)) / 2 - linear @ weights), rules).solve(
        solver=cp.CLARABEL, **TIGHT
    )
    np.testing.assert_allclose(minimise_quadratic(sigma, linear, allowed), weights.value, atol=1e-6)


@pytest.mark.parametrize("constraints", [
    Constraints(max_weight=0.15, max_turnover=0.4, ticker_bounds={"T3": (0.05, 0.3), "T7": (0, 0.04)}),
    Constraints(max_weight=0.15, sector_bounds={"A": (0.1, 0.3), "B": (0.2, 0.4)}, min_dividend_yield=0.016),
    Constraints(max_weight=0.15, min_cash=0.05, max_cash=0.2),
], ids=["turnover", "sectors", "cash"])  # fmt: skip
def test_prices_of_limits_are_what_moving_them_brings(constraints: Constraints) -> None:
    mu, sigma = estimates(market(20, 3))
    tickers = tuple(f"T{number}" for number in range(20))
    universe = Universe(
        tickers, {ticker: "ABCD"[number % 4] for number, ticker in enumerate(tickers)},
        {ticker: 0.005 * (number % 7) for number, ticker in enumerate(tickers)}, dict.fromkeys(tickers, 0.05),
    )  # fmt: skip
    allowed = feasible_weights(constraints, universe)
    frontier = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=allowed)
    priced = 0
    for point in (5, 25, 45):
        for cost in limit_costs(frontier, frontier.weights[point]):
            step = 1e-6 if cost.limit.side == "max" else -1e-6
            wider = allowed.with_value(cost.limit.key, cost.limit.value + step)
            freer = efficient_frontier(mu, sigma, risk_free_rate=RATE, feasible=wider)
            weights = freer.at_volatility(frontier.volatility[point])
            gain = weights @ mu + (1 - weights.sum()) * RATE - frontier.expected_return[point]
            assert cost.price == pytest.approx(gain / 1e-6, rel=MARGIN, abs=MARGIN), cost.limit.label
            assert cost.gain >= -EXACT
            priced += 1
    assert priced >= 5


# ---- degenerate problems


def test_duplicates_share_and_a_singular_covariance_is_handled() -> None:
    mu, sigma = estimates(market(6, 8))
    twice = np.append(np.arange(6), [2, 2])
    frontier = efficient_frontier(mu[twice], sigma[np.ix_(twice, twice)], risk_free_rate=RATE)
    once = efficient_frontier(mu, sigma, risk_free_rate=RATE)
    np.testing.assert_allclose(frontier.volatility, once.volatility, rtol=1e-7)
    np.testing.assert_allclose(frontier.weights[:, [2, 6, 7]].sum(axis=1), once.weights[:, 2], atol=1e-6)
    few = market(30, 9)[:20]  # fewer sessions than assets
    flat = efficient_frontier(TRADING_DAYS * few.mean(axis=0), np.cov(few.T) * TRADING_DAYS, risk_free_rate=RATE)
    np.testing.assert_allclose(flat.weights.sum(axis=1), 1, atol=PARITY)
    assert flat.weights.min() >= 0


def test_a_market_that_only_falls_has_a_frontier() -> None:
    mu, sigma = estimates(market(10, 10))
    frontier = efficient_frontier(-np.abs(mu) - 0.1, sigma, risk_free_rate=RATE, feasible=long_only(10, upper=0.3))
    assert (frontier.expected_return < 0).all()
    assert (np.diff(frontier.expected_return) > 0).all()
    assert frontier.exact


def test_no_covariance_is_refused() -> None:
    with pytest.raises(InputError, match="smallest eigenvalue"):
        efficient_frontier(np.array([0.1, 0.2]), np.array([[0.04, 0.08], [0.08, 0.04]]), risk_free_rate=RATE)
    with pytest.raises(InputError, match="limits on 3 assets"):
        efficient_frontier(np.array([0.1, 0.2]), np.eye(2), risk_free_rate=RATE, feasible=long_only(3))


# ---- the same bytes


SCRIPT = """
import hashlib, numpy as np
from analytics.portfolio.frontier import efficient_frontier
from analytics.portfolio.limits import long_only
draw = np.random.default_rng(1).standard_normal((200, 40))
found = efficient_frontier(draw.mean(axis=0), np.cov(draw.T), risk_free_rate=0.0, feasible=long_only(40, upper=0.1))
print(hashlib.sha256(found.weights.tobytes() + found.volatility.tobytes()).hexdigest())
"""


def test_two_processes_give_the_same_bytes() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64


def test_points_are_as_many_as_asked_for() -> None:
    mu, sigma = estimates(market(5, 11))
    assert len(efficient_frontier(mu, sigma, risk_free_rate=RATE).weights) == FRONTIER_POINTS
    assert len(efficient_frontier(mu, sigma, risk_free_rate=RATE, points=3).weights) == 3


UNKEPT = """
from numba.core import caching
caching.CacheImpl._locator_classes = []
from analytics.compiled import compiled
print(compiled(lambda x: 1 / x)(0.0))
"""


def test_without_a_place_to_keep_compiled_code_it_is_compiled_anew() -> None:
    found = subprocess.run([sys.executable, "-c", UNKEPT], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "inf"
