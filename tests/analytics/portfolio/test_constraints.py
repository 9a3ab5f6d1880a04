"""The editor's words become the limits and arrays they stand for."""

from dataclasses import replace

import numpy as np
import pytest
from conflicts import STOCKS
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import InputError, UnknownKeyError
from analytics.portfolio.constraints import Constraints, Universe, feasible_weights
from analytics.portfolio.infeasibility import explain, is_feasible
from analytics.portfolio.limits import FeasibleSet, Limit, feasible_set, long_only

ROUNDING = 1e-12  # sums of a few products of fractions


def obeys(feasible: FeasibleSet, weights: np.ndarray) -> bool:
    """Judged by the arrays, as a solver is given them."""
    sums = feasible.rows @ weights
    held = np.abs(weights) > 0
    return bool(
        (weights >= feasible.lower - ROUNDING).all() and (weights <= feasible.upper + ROUNDING).all()
        and (sums >= feasible.row_lower - ROUNDING).all() and (sums <= feasible.row_upper + ROUNDING).all()
        and np.abs(weights - feasible.holdings).sum() / 2 <= feasible.turnover + ROUNDING
        and held.sum() <= feasible.max_positions and (weights[held] >= feasible.min_position - ROUNDING).all()
    )  # fmt: skip


def meant(constraints: Constraints, universe: Universe, weights: np.ndarray) -> bool:
    """Judged by the words, one by one."""
    share = dict(zip(universe.tickers, weights.tolist(), strict=True))
    cash = 1 - sum(share.values())
    ok = min(share.values()) >= -ROUNDING and constraints.min_cash - ROUNDING <= cash
    most = constraints.min_cash if constraints.max_cash is None else constraints.max_cash
    ok &= cash <= most + ROUNDING
    for ticker, weight in share.items():
        low, high = constraints.ticker_bounds.get(ticker, (constraints.min_weight, constraints.max_weight))
        if ticker in constraints.exclude:
            low, high = constraints.ticker_bounds.get(ticker, (0, 0))[0], 0
        ok &= low - ROUNDING <= weight <= high + ROUNDING
        ok &= weight == 0 or weight >= constraints.min_position - ROUNDING
    for sector, (low, high) in constraints.sector_bounds.items():
        ok &= low - ROUNDING <= sum(w for t, w in share.items() if universe.sectors.get(t) == sector) <= high + ROUNDING
    if constraints.max_positions is not None:
        ok &= sum(weight != 0 for weight in share.values()) <= constraints.max_positions
    if constraints.max_turnover is not None:
        traded = sum(abs(weight - universe.holdings.get(ticker, 0)) for ticker, weight in share.items()) / 2
        ok &= traded <= constraints.max_turnover + ROUNDING
    if constraints.min_dividend_yield is not None:
        paid = sum(weight * universe.dividend_yields.get(ticker, 0) for ticker, weight in share.items())
        ok &= paid >= constraints.min_dividend_yield * sum(share.values()) - ROUNDING
    return bool(ok)


WORDS = {
    "nothing said": Constraints(),
    "bounds of every ticker": Constraints(min_weight=0.02, max_weight=0.2),
    "bounds of one ticker": Constraints(max_weight=0.3, ticker_bounds={"KO": (0.05, 0.5), "NEE": (0.0, 0.01)}),
    "sectors": Constraints(sector_bounds={"Technology": (0.1, 0.4), "Staples": (0.0, 0.25)}),
    "cash": Constraints(min_cash=0.05, max_cash=0.3),
    "least cash alone": Constraints(min_cash=0.2),
    "positions": Constraints(max_positions=4, min_position=0.1),
    "turnover": Constraints(max_turnover=0.5),
    "dividends": Constraints(min_dividend_yield=0.02, max_cash=0.5),
    "exclusions": Constraints(exclude=("XOM", "CVX"), min_weight=0.0, max_weight=0.5),
    "excluded though it has bounds": Constraints(exclude=("KO",), ticker_bounds={"KO": (0.0, 0.2)}),
}


@pytest.mark.parametrize("name", WORDS)
def test_arrays_allow_exactly_what_the_words_allow(name: str) -> None:
    constraints, rng = WORDS[name], np.random.default_rng(0)
    feasible = feasible_weights(constraints, STOCKS)
    held = np.array([STOCKS.holdings.get(ticker, 0.0) for ticker in STOCKS.tickers])
    verdicts = []
    for _ in range(3000):
        weights = rng.dirichlet(np.full(12, rng.choice([0.1, 1.0, 50.0])))
        weights[rng.random(12) < rng.choice([0.0, 0.3, 0.7])] = 0
        weights = weights / max(weights.sum(), ROUNDING) * (1 - rng.choice([0.0, 0.0, 0.2, 0.25, 0.6]))
        weights = rng.choice([0.0, 0.7]) * (held - weights) + weights
        verdicts.append(meant(constraints, STOCKS, weights))
        assert obeys(feasible, weights) == verdicts[-1]
    if name not in ("bounds of every ticker",):  # twelve minima at once are rarely drawn
        assert 0 < sum(verdicts) < len(verdicts)


def test_golden_arrays_of_a_small_set() -> None:
    universe = Universe(("A", "B", "C"), {"A": "X", "B": "X", "C": "Y"}, {"A": 0.04}, {"A": 0.5})
    feasible = feasible_weights(
        Constraints(
            max_weight=0.6, ticker_bounds={"C": (0.1, 0.2)}, sector_bounds={"X": (0.3, 0.9)},
            min_cash=0.1, max_cash=0.2, max_turnover=0.25, min_dividend_yield=0.01, max_positions=2, min_position=0.05,
        ),
        universe,
    )  # fmt: skip
    assert feasible.lower.tolist() == [0, 0, 0.1]
    assert feasible.upper.tolist() == [0.6, 0.6, 0.2]
    assert feasible.rows.tolist() == [[1, 1, 1], [1, 1, 0], [0.03, -0.01, -0.01]]
    assert feasible.row_lower.tolist() == [0.8, 0.3, 0]
    assert feasible.row_upper.tolist() == [0.9, 0.9, np.inf]
    assert (feasible.holdings.tolist(), feasible.turnover) == ([0.5, 0, 0], 0.25)
    assert (feasible.max_positions, feasible.min_position, feasible.is_split) == (2, 0.05, True)
    assert [limit.label for limit in feasible.limits] == [
        "no short sales", "no borrowing", "cash at most 20 %", "cash at least 10 %", "every other ticker at most 60 %",
        "C at least 10 %", "C at most 20 %", "X at least 30 %", "X at most 90 %", "dividend yield at least 1 %",
        "turnover at most 25 %", "at most 2 positions", "every position at least 5 %",
    ]  # fmt: skip


def test_one_limit_can_be_left_out_or_moved() -> None:
    feasible = feasible_weights(Constraints(max_weight=0.1, max_positions=5), STOCKS)
    assert not feasible.without("positions").is_split
    assert feasible.without("each:max").upper.tolist() == [1.0] * 12
    assert feasible.with_value("each:max", 0.25).upper.tolist() == [0.25] * 12
    assert feasible.upper.tolist() == [0.1] * 12  # the set itself stays


def test_long_only_is_fully_invested_within_its_bounds() -> None:
    one, each = long_only(3, upper=0.5), long_only(3, upper=np.array([0.2, 0.5, 0.9]))
    assert (one.lower.tolist(), one.upper.tolist()) == ([0] * 3, [0.5] * 3)
    assert each.upper.tolist() == [0.2, 0.5, 0.9]
    assert (one.rows.tolist(), one.row_lower.tolist(), one.row_upper.tolist()) == ([[1, 1, 1]], [1], [1])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    low=st.floats(0, 1), high=st.floats(0, 1), cash=st.floats(0, 1), bound=st.floats(0, 1),
    name=st.sampled_from(["each", "sector", "ticker", "cash"]),
)  # fmt: skip
def test_a_tighter_word_never_allows_more(low: float, high: float, cash: float, bound: float, name: str) -> None:
    low, high = min(low, high), max(low, high)
    looser = {
        "each": Constraints(min_weight=low, max_weight=high),
        "sector": Constraints(sector_bounds={"Health": (low, high)}),
        "ticker": Constraints(ticker_bounds={"KO": (low, high)}),
        "cash": Constraints(min_cash=low, max_cash=high),
    }[name]
    middle = low + (high - low) * bound
    tighter = {
        "each": replace(looser, max_weight=middle),
        "sector": replace(looser, sector_bounds={"Health": (low, middle)}),
        "ticker": replace(looser, ticker_bounds={"KO": (middle, high)}),
        "cash": replace(looser, min_cash=middle),
    }[name]
    rng = np.random.default_rng(int(1e6 * cash))
    for weights in rng.dirichlet(np.ones(12), size=20) * (1 - cash):
        assert not (
            obeys(feasible_weights(tighter, STOCKS), weights) and not obeys(feasible_weights(looser, STOCKS), weights)
        )


@pytest.mark.parametrize(
    ("constraints", "word"),
    [
        (Constraints(max_weight=1.2), "max_weight"),
        (Constraints(min_weight=-0.1), "min_weight"),
        (Constraints(sector_bounds={"Health": (0.5, 1.4)}), "bounds of Health"),
        (Constraints(ticker_bounds={"KO": (0.5, 1.4)}), "bounds of KO"),
        (Constraints(min_cash=1.1), "min_cash"),
        (Constraints(min_position=1.5), "min_position"),
        (Constraints(max_turnover=-0.1), "max_turnover"),
        (Constraints(min_dividend_yield=3.0), "min_dividend_yield"),
        (Constraints(max_positions=0), "max_positions"),
    ],
)  # fmt: skip
def test_bounds_that_mean_nothing_are_refused(constraints: Constraints, word: str) -> None:
    with pytest.raises(InputError, match=word):
        feasible_weights(constraints, STOCKS)


@pytest.mark.parametrize(
    "constraints",
    [
        Constraints(exclude=("APPL",)),
        Constraints(ticker_bounds={"APPL": (0.0, 0.1)}),
        Constraints(sector_bounds={"Helth": (0.0, 0.1)}),
    ],
)
def test_names_that_the_universe_does_not_have_are_refused(constraints: Constraints) -> None:
    with pytest.raises(UnknownKeyError, match="Did you mean"):
        feasible_weights(constraints, STOCKS)


def test_limits_must_be_of_one_size_and_one_key_each() -> None:
    one = Limit("a", "a", "sum", "max", 1.0, np.ones(3))
    with pytest.raises(InputError, match="one limit a key"):
        feasible_set([one, one])
    with pytest.raises(InputError, match="same assets"):
        feasible_set([one, replace(one, key="b", coefficients=np.ones(2))])
    with pytest.raises(InputError, match="same assets"):
        feasible_set([])
    with pytest.raises(InputError, match="upper"):
        long_only(3, upper=np.array([0.5, 0.5]))


@pytest.mark.parametrize("constraints", [
    Constraints(min_weight=0.3, max_weight=0.2), Constraints(sector_bounds={"Health": (0.5, 0.4)}),
    Constraints(min_cash=0.2, max_cash=0.1), Constraints(exclude=("AAPL",), ticker_bounds={"AAPL": (0.4, 0.6)}),
])  # fmt: skip
def test_a_minimum_above_its_maximum_is_a_conflict_that_is_explained(constraints: Constraints) -> None:
    feasible = feasible_weights(constraints, STOCKS)
    found = explain(feasible)
    assert found is not None
    assert is_feasible(found.nearest)


def test_how_far_weights_are_beyond_each_kind_of_limit() -> None:
    weights, one = np.array([0.5, 0.3, 0.0, 0.1]), np.ones(4)
    for kind, side, value, coefficients, expected in (
        ("each", "max", 0.4, one, 0.1), ("each", "min", 0.1, np.array([1.0, 1.0, 0.0, 1.0]), 0.0),
        ("sum", "min", 1.0, one, 0.1), ("sum", "max", 0.5, np.array([0.0, 1.0, 1.0, 1.0]), -0.1),
        ("turnover", "max", 0.2, np.array([0.25, 0.25, 0.25, 0.25]), 0.15), ("positions", "max", 2.0, one, 1.0),
        ("min_position", "min", 0.15, one, 0.05),
    ):  # fmt: skip
        limit = Limit("key", "label", kind, side, value, coefficients)
        assert limit.excess(weights) == pytest.approx(expected, abs=ROUNDING), kind
