"""Conflicts are explained: the named limits really conflict, irreducibly, and the relaxations really mend them.

Judged by another solver: Clarabel on the limits one by one (not on the arrays that the code solves), over every
choice of held assets where positions are counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations

import clarabel
import numpy as np
import pytest
from conflicts import CASES, COUNTED, LINEAR, STOCKS, THREADS, Case
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analytics.conventions import FloatArray
from analytics.portfolio.constraints import Constraints, feasible_weights
from analytics.portfolio.infeasibility import Conflict, Relaxation, explain, is_feasible
from analytics.portfolio.limits import (
    SPLIT,
    FeasibleSet,
    Limit,
    feasible_set,
    fully_invested,
    long_only,
    no_short_sales,
)
from analytics.portfolio.quadratic import minimise_quadratic

BROKEN = 2e-7  # an interior point stops at about 1e-9; the conflicts here are by 1e-3 and more, roundings by 1e-6
KEPT = 1e-9  # what every bound is promised
STEP = 1e-3  # a movement less far than this leaves a violation that an interior point can see
ROUNDED = 2e-6  # new values are rounded outwards to 1e-6

Rows = tuple[FloatArray, FloatArray]


def _rows(limit: Limit, n: int) -> Rows:
    """A (rows, 2n), b: the limit as A [w, |w − holdings|] ≤ b, where one may be written so."""
    sign, zero, one = (1.0 if limit.side == "max" else -1.0), np.zeros((n, n)), np.eye(n)
    if limit.kind == "each":
        members = limit.coefficients != 0
        return np.hstack([sign * one, zero])[members], np.full(members.sum(), sign * limit.value)
    if limit.kind == "sum":
        return np.concatenate([sign * limit.coefficients, np.zeros(n)])[None], np.array([sign * limit.value])
    if limit.kind == "turnover":
        half = np.concatenate([np.zeros(n), np.full(n, 0.5)])[None]
        parts = np.vstack([np.hstack([one, -one]), np.hstack([-one, -one])])
        return np.vstack([half, parts]), np.concatenate([[limit.value], limit.coefficients, -limit.coefficients])
    return np.zeros((0, 2 * n)), np.zeros(0)


def _solve(cost: FloatArray, below: FloatArray, most: FloatArray) -> FloatArray:
    """The x of least cost · x with below @ x ≤ most, by Clarabel."""
    options = clarabel.DefaultSettings()
    options.verbose = False
    options.tol_gap_abs = options.tol_gap_rel = options.tol_feas = 1e-10
    flat, cones = sparse.csc_matrix((len(cost), len(cost))), [clarabel.NonnegativeConeT(len(most))]
    solver = clarabel.DefaultSolver(flat, cost, sparse.csc_matrix(below), most, cones, options)
    return np.array(solver.solve().x)


def _worst(limits: Sequence[Limit], supports: Iterable[tuple[int, ...]] | None) -> float:
    """The least largest violation that weights can have, over the supports (None: counts play no part)."""
    n = len(limits[0].coefficients)
    least = max((limit.value for limit in limits if limit.kind == "min_position"), default=0.0)
    found = [_rows(limit, n) for limit in limits]
    below, most = np.vstack([rows for rows, _ in found]), np.concatenate([side for _, side in found])
    worst = np.inf
    for support in supports or [None]:
        rows, sides = [below], [most]
        if support is not None:
            out, held = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
            out[list(support)], held[list(support)] = False, True
            picks = np.hstack([np.eye(n), np.zeros((n, n))])
            rows += [picks[out], -picks[out], -picks[held]] if least else [picks[out], -picks[out]]
            sides += [np.zeros(out.sum()), np.zeros(out.sum())] + ([np.full(held.sum(), -least)] if least else [])
        a, b = np.vstack(rows), np.concatenate(sides)
        a = np.vstack([np.hstack([a, -np.ones((len(a), 1))]), -np.eye(2 * n + 1)[-1:]])
        cost = np.eye(2 * n + 1)[-1]
        worst = min(worst, float(_solve(cost, a, np.append(b, 0.0))[-1]))
        if worst < BROKEN:
            break
    return worst


def _supports(limits: Sequence[Limit]) -> Iterator[tuple[int, ...]] | None:
    if not any(limit.kind in SPLIT for limit in limits):
        return None
    n = len(limits[0].coefficients)
    most = int(min([n, *(limit.value for limit in limits if limit.kind == "positions")]))
    return (chosen for size in range(most, -1, -1) for chosen in combinations(range(n), size))


def conflicts(limits: Sequence[Limit]) -> bool:
    return bool(limits) and _worst(limits, _supports(limits)) > BROKEN


def _explained(feasible: FeasibleSet) -> Conflict:
    found = explain(feasible)
    assert found is not None
    return found


def _tighter(moved: Relaxation) -> float:
    """A value a step less far: it must not be enough."""
    step = 1.0 if moved.limit.kind == "positions" else STEP
    return float(moved.after - np.sign(moved.after - moved.before) * step)


@cache
def _of(name: str) -> tuple[FeasibleSet, Conflict]:
    feasible = next(case for case in CASES if case.name == name).feasible()
    return feasible, _explained(feasible)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_named_limits_conflict_and_any_of_them_less_does_not(case: Case) -> None:
    _, found = _of(case.name)
    named = found.conflicting
    assert conflicts(named)
    for left_out in (*named[:6], *named[-6:]):  # of three dozen industries that are alike, twelve are enough
        assert not conflicts([limit for limit in named if limit is not left_out]), left_out.label


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_relaxations_let_a_portfolio_exist_and_none_of_them_is_spare(case: Case) -> None:
    _, found = _of(case.name)
    assert found.relaxations
    assert not conflicts(found.nearest.limits)
    assert is_feasible(found.nearest)
    assert explain(found.nearest) is None
    for moved in found.relaxations[:3]:
        assert conflicts(found.nearest.with_value(moved.limit.key, _tighter(moved)).limits)


@pytest.mark.parametrize("case", [*THREADS[:4], *LINEAR, *COUNTED], ids=lambda case: case.name)
def test_each_alternative_mends_everything_alone_and_by_no_more_than_it_must(case: Case) -> None:
    feasible, found = _of(case.name)
    offered = {moved.limit.key: moved for moved in found.alternatives}
    for limit in found.conflicting:
        if limit.key in offered:
            moved = offered[limit.key]
            assert not conflicts(feasible.with_value(limit.key, moved.after).limits)
            assert conflicts(feasible.with_value(limit.key, _tighter(moved)).limits)
        elif limit.relaxable:
            assert conflicts(feasible.without(limit.key).limits)


@pytest.mark.parametrize("case", [*THREADS[:4], *THREADS[5:], *LINEAR], ids=lambda case: case.name)
def test_the_total_movement_is_the_least_that_another_solver_finds(case: Case) -> None:
    feasible, found = _of(case.name)
    limits, n = feasible.limits, feasible.n_assets
    prices = np.array([1 / np.abs(limit.coefficients).max() if limit.kind == "sum" else 1.0 for limit in limits])
    rows, sides = zip(*(_rows(limit, n) for limit in limits), strict=True)
    gives = np.zeros((sum(map(len, sides)), len(limits)))
    start = 0
    for number, (limit, side) in enumerate(zip(limits, sides, strict=True)):
        gives[start : start + (1 if limit.kind == "turnover" else len(side)), number] = -1
        start += len(side)
    fixed = np.diag([0.0 if limit.relaxable else 1.0 for limit in limits])
    blank = np.zeros((len(limits), 2 * n))
    below = np.vstack(
        [np.hstack([np.vstack(rows), gives]), np.hstack([blank, -np.eye(len(limits))]), np.hstack([blank, fixed])]
    )
    cost = np.concatenate([np.zeros(2 * n), prices])
    answer = _solve(cost, below, np.concatenate([*sides, np.zeros(2 * len(limits))]))
    price = {limit.key: value for limit, value in zip(limits, prices, strict=True)}
    moved = sum(price[one.limit.key] * abs(one.after - one.before) for one in found.relaxations)
    rounding = ROUNDED * sum(prices)
    assert moved == pytest.approx(cost @ answer, abs=rounding)


@pytest.mark.parametrize("case", [*THREADS, *LINEAR], ids=lambda case: case.name)
def test_the_nearest_set_has_a_portfolio_that_obeys_it(case: Case) -> None:
    feasible, found = _of(case.name)
    n = feasible.n_assets
    sample = np.random.default_rng(n).normal(size=(2 * n + 5, n))
    weights = minimise_quadratic(sample.T @ sample, np.zeros(n), found.nearest)
    parts = np.concatenate([weights, np.abs(weights - found.nearest.holdings)])
    for limit in found.nearest.limits:
        below, most = _rows(limit, n)
        assert (below @ parts <= most + KEPT).all(), limit.label


@pytest.mark.parametrize("case", COUNTED, ids=lambda case: case.name)
def test_of_the_limits_that_mend_a_count_alone_the_cheapest_is_moved(case: Case) -> None:
    _, found = _of(case.name)

    def price(moved: Relaxation) -> float:
        one = 1 / moved.before if moved.limit.kind == "positions" else 1.0
        return one * abs(moved.after - moved.before)

    assert sum(map(price, found.relaxations)) == pytest.approx(min(map(price, found.alternatives)), abs=ROUNDED)


def test_there_are_thirty_sets_and_no_two_are_alike() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 30


def test_limits_that_agree_are_no_conflict() -> None:
    assert explain(long_only(5, upper=0.2)) is None  # exactly one portfolio
    assert is_feasible(long_only(5, upper=0.2))
    roomy = Constraints(max_weight=0.4, min_position=0.05, max_positions=5, min_dividend_yield=0.02, max_turnover=0.9)
    assert explain(feasible_weights(roomy, STOCKS)) is None


def test_limits_that_may_not_be_moved_come_last_and_are_never_relaxed() -> None:
    for case in CASES:
        _, found = _of(case.name)
        movable = [limit.relaxable for limit in found.conflicting]
        assert movable == sorted(movable, reverse=True)
        assert all(moved.limit.relaxable for moved in (*found.relaxations, *found.alternatives))


def test_a_conflict_that_nothing_may_mend_says_so() -> None:
    one = np.ones(3)
    stuck = feasible_set([
        Limit("a", "sum at least 2", "sum", "min", 2.0, one, relaxable=False),
        Limit("b", "each at most 0.5", "each", "max", 0.5, one, relaxable=False),
        Limit("c", "third at most 0.1", "each", "max", 0.1, np.array([0.0, 0.0, 1.0])),
    ])  # fmt: skip
    found = _explained(stuck)
    assert [limit.key for limit in found.conflicting] == ["a", "b"]
    assert (found.relaxations, found.alternatives) == ((), ())
    assert found.sentence() == (
        "No portfolio obeys all of: sum at least 2; each at most 0.5. No limit that may be moved would mend it."
    )


def test_the_sentence_an_analyst_reads() -> None:
    found = _explained(feasible_weights(Constraints(max_weight=0.25, exclude=STOCKS.tickers[:9], max_cash=0.1), STOCKS))
    assert found.sentence() == (
        "No portfolio obeys all of: cash at most 10 %; every other ticker at most 25 %; AAPL excluded; CVX excluded; "
        "JNJ excluded; KO excluded; and 5 more. Nearest: every other ticker at most 30 % instead of 25 %. Or alone: "
        "cash at most 25 % instead of 10 %; or AAPL at most 15 % instead of AAPL excluded; or CVX at most 15 % instead "
        "of CVX excluded; or JNJ at most 15 % instead of JNJ excluded; or KO at most 15 % instead of KO excluded; or "
        "MSFT at most 15 % instead of MSFT excluded; or one of 4 more."
    )


SENTENCES = {
    "a ticker above its sector": "Utilities at most 12 % instead of 10 %",
    "turnover too small for the cash": "turnover at most 20 % instead of 10 %",
    "a sector emptied by exclusions": "CVX at most 10 % instead of CVX excluded",
    "cash against ticker minima": "cash at least 20 % instead of 30 %",
    "skfolio 117": "expected return at least -42 % instead of 0 %",
    "positions × cap below 1": "at most 4 positions instead of 3",
    "dividend yield above every one": "dividend yield at least 5.5 % instead of 7 %",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_new_values_are_said_in_the_words_of_the_limit(name: str) -> None:
    _, found = _of(name)
    assert SENTENCES[name] in found.sentence()


def test_labels_that_are_not_the_editors_own_are_kept_or_follow() -> None:
    one = np.ones(3)
    for label, expected in {
        "each at most 0.2": "each at most 0.333334 instead of 0.2",
        "no more than the S&P 500": "no more than the S&P 500, by 0.333334 instead of no more than the S&P 500",
        "a fifth each": "a fifth each, by 0.333334 instead of a fifth each",
    }.items():
        tight = feasible_set([fully_invested(3), *no_short_sales(3), Limit("cap", label, "each", "max", 0.2, one)])
        assert [moved.sentence() for moved in _explained(tight).relaxations] == [expected]
    below = Limit("return", "expected return at least -10 %", "sum", "min", -0.1, np.array([-0.2, -0.3, -0.4]))
    found = _explained(feasible_set([fully_invested(3), *no_short_sales(3), below]))
    assert "expected return at least -20 % instead of -10 %" in found.sentence()


def test_labels_of_the_nearest_set_carry_the_new_values() -> None:
    found = _explained(feasible_weights(Constraints(max_weight=0.05), STOCKS))
    labels = {limit.key: limit.label for limit in found.nearest.limits}
    assert labels["each:max"] == "every ticker at most 8.3334 %"
    assert found.nearest.upper == pytest.approx(np.full(12, 0.083334))


fractions = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.35, 0.5])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    cap=st.sampled_from([0.05, 0.1, 0.2, 1.0]), floor=st.sampled_from([0.0, 0.02, 0.1]),
    sectors=st.lists(fractions, min_size=5, max_size=5),
    cash=fractions, turnover=st.none() | fractions, paid=st.none() | st.sampled_from([0.02, 0.04, 0.06]),
    excluded=st.sets(st.sampled_from(STOCKS.tickers), max_size=12), at_most=st.booleans(),
)  # fmt: skip
def test_any_constraints_get_a_portfolio_or_an_explanation(
    cap: float, floor: float, sectors: list[float], cash: float, turnover: float | None, paid: float | None,
    excluded: set[str], at_most: bool,
) -> None:  # fmt: skip
    names = ("Technology", "Health", "Energy", "Staples", "Utilities")
    bounds = {name: ((0.0, share) if at_most else (share, 1.0)) for name, share in zip(names, sectors, strict=True)}
    feasible = feasible_weights(
        Constraints(
            min_weight=min(floor, cap), max_weight=cap, sector_bounds=bounds, min_cash=cash, max_cash=0.6,
            max_turnover=turnover, min_dividend_yield=paid, exclude=tuple(sorted(excluded)),
        ),
        STOCKS,
    )  # fmt: skip
    found = explain(feasible)
    assert (found is None) == (not conflicts(feasible.limits)) == is_feasible(feasible)
    if found is not None:
        assert conflicts(found.conflicting)
        assert not conflicts(found.nearest.limits)
        assert found.sentence() == _explained(feasible).sentence()  # the same answer twice
