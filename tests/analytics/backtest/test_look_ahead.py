"""No order for a date depends on anything from that date on, and a strategy that peeks is caught."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from markets import changed_from, cut_at, no_risk_free, random_market

from analytics.backtest import BacktestSpec, run_backtest
from analytics.backtest.orders import PENDING, Orders, schedule_orders
from analytics.backtest.strategies import STRATEGIES, changes_only, first_decision_rows
from analytics.market import Panel
from analytics.parameters import resolve

Scheduler = Callable[[Panel], Orders]
START_ROW = 60
VOTES = STRATEGIES["technical_vote"].parameters[1].choices
PARAMETERS = {"technical_vote": {"threshold": 1, "votes": VOTES}}
PANEL = random_market(n=300, seed=6)
CUTS = np.random.default_rng(0).choice(np.arange(START_ROW + 5, 299), 30, replace=False)


def scheduler(decide: Callable[..., np.ndarray], **parameters) -> Scheduler:
    """A strategy as the engine sees it: the orders it leads to on a panel."""

    def orders(panel: Panel) -> Orders:
        start, end = PANEL.dates[START_ROW], PANEL.dates[-1]
        decisions = decide(panel, first_decision_rows(panel, start), **parameters)
        return schedule_orders(panel, decisions, start=start, end=end)

    return orders


def rows_of(orders: Orders, kept: np.ndarray, *, dated: bool) -> list[tuple]:
    columns = [orders.column, orders.side, orders.target_weight, orders.decided] + ([orders.row] if dated else [])
    return [tuple(values) for values in zip(*(column[kept] for column in columns), strict=True)]


def leaks(orders_on: Scheduler, panel: Panel = PANEL) -> dict[str, int]:
    """{kind of change: number of cuts t at which changing what happens from t on changed an order for a date up to t}."""
    before = orders_on(panel)
    found = {"multiplied": 0, "unknown": 0, "cut": 0}
    for cut in CUTS:
        after = orders_on(changed_from(panel, cut, 10.0))
        due_before = (before.row != PENDING) & (before.row <= cut)
        due_after = (after.row != PENDING) & (after.row <= cut)
        found["multiplied"] += rows_of(before, due_before, dated=True) != rows_of(after, due_after, dated=True)
        for name, future in (("unknown", changed_from(panel, cut, np.nan)), ("cut", cut_at(panel, cut))):
            # without bars from t on, the orders for t are those still pending: compare all that was decided before
            after = orders_on(future)
            decided = rows_of(before, before.decided < cut, dated=False)
            found[name] += decided != rows_of(after, after.decided < cut, dated=False)
    return found


@pytest.mark.parametrize("key", sorted(STRATEGIES))
def test_no_strategy_sees_the_future(key):
    strategy = STRATEGIES[key]
    parameters = resolve(strategy.parameters, PARAMETERS.get(key, {}))
    orders_on = scheduler(strategy.decide, **parameters)
    assert len(orders_on(PANEL)) >= len(PANEL.tickers)
    assert leaks(orders_on) == {"multiplied": 0, "unknown": 0, "cut": 0}


def test_the_vote_gives_orders_enough_to_be_judged_by():
    orders = scheduler(STRATEGIES["technical_vote"].decide, **PARAMETERS["technical_vote"])(PANEL)
    assert len(orders) > 40
    assert len(set(orders.side)) == 2


def on_rises(panel: Panel, first_rows: np.ndarray, *, bars_ahead: int) -> np.ndarray:
    """Hold a ticker after a rise of its price over one bar, as it will be `bars_ahead` bars from now."""
    decisions = np.full(panel.close.shape, np.nan)
    for column in range(len(panel.tickers)):
        bars = np.flatnonzero(panel.has_bar[:, column])
        change = np.diff(panel.close[bars, column], prepend=np.nan)
        seen = np.concatenate([change[bars_ahead:], np.full(bars_ahead, np.nan)])
        decisions[bars, column] = np.select([seen > 0, seen < 0], [1.0 / len(panel.tickers), 0.0], np.nan)
    return changes_only(decisions, first_rows)


def above_average_of_all_time(panel: Panel, first_rows: np.ndarray) -> np.ndarray:
    mean = np.nansum(panel.close, axis=0) / np.maximum(panel.has_bar.sum(axis=0), 1)
    above = np.where(panel.close > mean, 1.0 / len(panel.tickers), 0.0)
    return changes_only(np.where(panel.has_bar, above, np.nan), first_rows)


def test_a_strategy_that_reads_tomorrows_close_is_caught_and_its_honest_twin_is_not():
    assert leaks(scheduler(on_rises, bars_ahead=0)) == {"multiplied": 0, "unknown": 0, "cut": 0}
    caught = leaks(scheduler(on_rises, bars_ahead=1))
    assert all(count > 10 for count in caught.values()), caught


def test_an_average_over_the_whole_sample_is_caught():
    caught = leaks(scheduler(above_average_of_all_time))
    assert caught["multiplied"] == len(CUTS)
    assert caught["cut"] > 10


def test_filling_on_the_bar_that_decided_is_caught():
    def same_bar(panel: Panel) -> Orders:
        honest = scheduler(on_rises, bars_ahead=0)(panel)
        return replace(honest, row=honest.decided)

    assert leaks(same_bar)["multiplied"] > 10


def test_the_orders_of_a_whole_backtest_do_not_see_the_future():
    spec = BacktestSpec(parameters=PARAMETERS["technical_vote"], start=str(PANEL.dates[START_ROW]))

    def orders_up_to(panel: Panel, row: int) -> list[list]:
        orders = run_backtest(panel, spec, risk_free=no_risk_free(panel)).orders
        due = orders[orders["date"].notna() & (orders["date"].fillna("") <= str(PANEL.dates[row]))]
        return due.values.tolist()

    for cut in CUTS[:25]:
        expected = orders_up_to(PANEL, cut)
        assert len(expected) > 0
        assert orders_up_to(changed_from(PANEL, cut, 10.0), cut) == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_the_position_held_during_a_bar_does_not_depend_on_its_close(seed):
    """Held means ordered before: the equity at t may change with t's prices, the target weights in force may not."""
    panel = random_market(n=300, seed=seed)
    orders_on = scheduler(STRATEGIES["technical_vote"].decide, **PARAMETERS["technical_vote"])
    for cut in CUTS[:25]:
        in_force = [weights_in_force(orders_on(market), cut) for market in (panel, changed_from(panel, cut, 10.0))]
        assert in_force[0] == in_force[1]


def weights_in_force(orders: Orders, row: int) -> dict[int, float]:
    """{column: target weight} of the last order due up to `row`."""
    due = orders.due()
    return {int(c): float(w) for r, c, w in zip(due.row, due.column, due.target_weight, strict=True) if r <= row}
