"""Every planted leak is caught, and its honest twin passes: of prices, volume, rates, factor fits and same-bar fills."""

from dataclasses import replace

import numpy as np
import pytest
from leaks import LEAKS, by_feature, orders_by
from markets import random_market

from analytics.backtest.inputs import FactorView, StrategyInputs
from analytics.backtest.look_ahead import HORIZON, Leaks, cut_rows, find_leaks, same_decisions, same_orders_due
from analytics.backtest.orders import Orders
from analytics.backtest.strategies import first_decision_rows

FIRST, N, CUTS = 60, 300, 25
PANEL = random_market(n=N, n_tickers=3, seed=6)
NOTHING = Leaks((), (), (), ())


def factor_view() -> FactorView:
    rng = np.random.default_rng(3)
    as_of = PANEL.dates[5::21]
    alpha, month = rng.normal(0.0, 0.05, (len(as_of), 3)), rng.normal(0.0, 0.04, len(as_of))
    return FactorView(as_of, {"alpha": alpha}, rng.normal(0.0, 0.04, len(as_of)), as_of, {"mkt_rf": month})


INPUTS = StrategyInputs(
    PANEL, first_decision_rows(PANEL, PANEL.dates[FIRST]),
    np.random.default_rng(4).uniform(0.0, 0.0002, N), factor_view(),
)  # fmt: skip


def leaks_of(decide, *, late: int = 0) -> Leaks:
    """late: bars by which orders are filled too early."""
    windowed = orders_by(decide)

    def orders_of(inputs: StrategyInputs) -> Orders:
        orders = windowed(inputs, FIRST, min(N, len(inputs.panel.dates)))
        return replace(orders, row=orders.decided) if late else orders

    before = orders_of(INPUTS)
    assert len(before) >= 10  # orders enough to be judged by
    rows = cut_rows(before, first=FIRST + 1, last=N, cuts=CUTS)
    assert len(rows) == CUTS
    return find_leaks(orders_of, INPUTS, rows, before=before)


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_caught(name):
    found = leaks_of(by_feature(LEAKS[name][0]))
    assert found.multiplied or found.unknown
    assert found.multiplied or found.cut


@pytest.mark.parametrize("name", LEAKS)
def test_its_honest_twin_passes(name):
    assert leaks_of(by_feature(LEAKS[name][1])) == NOTHING


@pytest.mark.parametrize("name", ["bfill", "interpolate", "shift(-1)", "centred window", "weekly label"])
def test_a_leak_from_the_days_ahead_shows_where_they_are_unknown(name):
    assert len(leaks_of(by_feature(LEAKS[name][0])).unknown) > 2


def test_a_rule_that_only_asks_whether_there_is_a_tomorrow_is_caught_by_making_it_unknown():
    """It reads no price of the future: ten times as high, all is as it was."""
    found = leaks_of(by_feature(lambda c, _: (c - c.shift(1)).where(c.shift(-1).notna(), -1.0)))
    assert found.multiplied == ()
    assert len(found.unknown) > 5


def test_twelve_leaks_are_planted():
    assert len(LEAKS) == 12


def ahead(values: np.ndarray, by: int) -> np.ndarray:
    return np.concatenate([values[by:], np.full((by, *values.shape[1:]), np.nan)])


@pytest.mark.parametrize("by", [0, 1])
def test_a_risk_free_rate_of_tomorrow_is_caught(by):
    def decide(inputs: StrategyInputs) -> np.ndarray:
        has_bar = inputs.panel.has_bar
        return np.where(has_bar, (ahead(inputs.risk_free, by) > 0.0001)[:, None] / 3, np.nan)

    assert bool(leaks_of(decide).multiplied) == bool(by)
    assert bool(leaks_of(decide).cut) == bool(by)


@pytest.mark.parametrize("by", [0, 1])
def test_a_volume_of_tomorrow_is_caught(by):
    def decide(inputs: StrategyInputs) -> np.ndarray:
        return np.where(inputs.panel.has_bar, (ahead(inputs.panel.volume, by) > 5e5) / 3, np.nan)

    assert bool(leaks_of(decide).multiplied) == bool(by)


@pytest.mark.parametrize("days_early", [0, 10])
def test_a_fit_that_is_read_before_its_as_of_is_caught(days_early):
    def decide(inputs: StrategyInputs) -> np.ndarray:
        view = replace(inputs, factors=replace(inputs.factors, as_of=inputs.factors.as_of - days_early))
        return np.where(inputs.panel.has_bar, (view.known("alpha") > 0.02) / 3, np.nan)

    found = leaks_of(decide)
    assert (found == NOTHING) == (days_early == 0)
    assert bool(found.cut) == bool(days_early)


@pytest.mark.parametrize("days_early", [0, 10])
def test_a_factor_month_that_is_read_before_it_is_known_is_caught(days_early):
    def decide(inputs: StrategyInputs) -> np.ndarray:
        known, returns = inputs.factors.factor_known - days_early, inputs.factors.factor_returns["mkt_rf"]
        return held_where(np.abs(newest_of(returns, known, inputs)) > LARGE, inputs)

    assert_caught_by_every_change(leaks_of(decide), early=bool(days_early))


@pytest.mark.parametrize("days_early", [0, 10])
def test_a_median_of_the_universe_that_is_read_before_its_as_of_is_caught(days_early):
    def decide(inputs: StrategyInputs) -> np.ndarray:
        known, median = inputs.factors.as_of - days_early, inputs.factors.universe_median
        return held_where(np.abs(newest_of(median, known, inputs)) > LARGE, inputs)

    assert_caught_by_every_change(leaks_of(decide), early=bool(days_early))


LARGE = 0.04  # in size; ten times what is read early is often above it where the number itself is not


def newest_of(values: np.ndarray, known: np.ndarray, inputs: StrategyInputs) -> np.ndarray:
    """The newest of dated values at each date, 0 before the first."""
    newest = np.searchsorted(known, inputs.panel.dates, side="right") - 1
    return np.append(values, 0.0)[newest]


def held_where(wanted: np.ndarray, inputs: StrategyInputs) -> np.ndarray:
    return np.where(inputs.panel.has_bar, wanted[:, None] / 3, np.nan)


def assert_caught_by_every_change(found: Leaks, *, early: bool) -> None:
    """A number that was read too early shows by another value, by being unknown and by being left out; else by none."""
    if not early:
        assert found == NOTHING
        return
    assert found.multiplied
    assert found.unknown
    assert found.cut


def test_fills_on_the_bar_that_decides_are_caught_and_those_on_the_next_are_not():
    honest = by_feature(LEAKS["shift(-1)"][1])
    found = leaks_of(honest, late=1)
    assert len(found.same_bar) > 10
    assert replace(found, same_bar=()) == NOTHING  # the decisions themselves are honest
    assert leaks_of(honest) == NOTHING


def test_a_leak_from_beyond_the_horizon_is_caught():
    found = leaks_of(by_feature(lambda c, _: c.shift(-HORIZON - 30) - c))
    assert len(found.multiplied) > 5
    assert len(found.cut) > 5


def test_a_rule_that_draws_anew_in_each_run_does_not_pass():
    rng = np.random.default_rng(0)
    found = leaks_of(
        lambda inputs: np.where(inputs.panel.has_bar, rng.integers(0, 2, inputs.panel.close.shape) / 3, np.nan)
    )
    assert len(found.cut) == CUTS


def test_cuts_are_seeded_spread_and_half_of_them_follow_decisions():
    orders = orders_by(by_feature(LEAKS["z-score"][1]))(INPUTS, FIRST, N)
    rows = cut_rows(orders, first=FIRST, last=N, cuts=CUTS)
    assert rows == cut_rows(orders, first=FIRST, last=N, cuts=CUTS)
    edges = np.linspace(FIRST, N, CUTS + 1).astype(int)
    assert all(start <= row < end for row, start, end in zip(rows, edges, edges[1:], strict=False))
    followed = set(orders.decided + 1)
    parts = [k for k in range(1, CUTS, 2) if followed & set(range(edges[k], edges[k + 1]))]
    assert parts
    assert all(rows[k] in followed for k in parts)
    assert cut_rows(orders, first=FIRST, last=FIRST + 3, cuts=CUTS) == [FIRST, FIRST + 1, FIRST + 2]


def test_runs_agree_to_rounding_and_no_further():
    one = Orders(*(np.array([v]) for v in (3, 4, 0)), np.array([0.5]), np.array([0.5]))
    for change, same in ((1e-14, True), (1e-9, False)):
        other = replace(one, target_weight=one.target_weight + change)
        assert same_decisions(one, other, 10) is same
        assert same_orders_due(one, other, 10) is same
    assert same_decisions(one, replace(one, target_weight=np.array([1.0])), 3)  # decided later: not compared
    assert same_decisions(one, replace(one, row=np.array([-1])), 10)
    assert not same_orders_due(one, replace(one, row=np.array([-1])), 4)
    assert not same_decisions(one, replace(one, column=np.array([1])), 10)
