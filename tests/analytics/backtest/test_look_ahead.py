"""No order for a date depends on anything from that date on, and a strategy that peeks is caught."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from markets import random_market
from strategy_markets import random_view

from analytics.backtest import BacktestSpec, run_backtest
from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import PENDING, Orders, schedule_orders
from analytics.backtest.strategies import STRATEGIES, changes_only, first_decision_rows
from analytics.parameters import resolve

Scheduler = Callable[[StrategyInputs], Orders]
START_ROW = 270  # a year and more of history: momentum needs it
VOTES = STRATEGIES["technical_vote"].parameters[1].choices
# settings with which every strategy has much to decide in little time
EAGER = {"threshold": 1, "votes": VOTES}
PARAMETERS = {
    "technical_vote": [EAGER],
    "filter": [EAGER],
    "sized": [EAGER | {"size_by": "expected_return"}, EAGER | {"size_by": "sharpe_ratio"}],
    "threshold": [
        EAGER | {"threshold": 4, "lower_threshold": 2}, EAGER | {"threshold": 4, "lower_threshold": 2, "favour": "frontier_weight", "window": 63},
    ],
    "beta_aware": [EAGER | {"months": 2}],
    "frontier_timed": [EAGER | {"window": 63}],
    "equal_weight": [{"rebalance": every} for every in ("weekly", "monthly")],
    "mean_reversion": [{}, {"signal": "both", "rsi_window": 5, "width": 1.5}],
    "momentum_12_1": [{}, {"short_losers": True}],
}  # fmt: skip
CASES = [(key, chosen) for key in sorted(STRATEGIES) for chosen in PARAMETERS.get(key, [{}])]
PANEL = random_market(n=440, seed=6)
INPUTS = StrategyInputs(PANEL, np.zeros(4, dtype=int), np.full(440, 0.0001), random_view(PANEL, seed=6))
CUTS = np.random.default_rng(0).choice(np.arange(START_ROW + 5, 439), 26, replace=False)


def scheduler(decide: Callable[..., np.ndarray], **parameters) -> Scheduler:
    """A strategy as the engine sees it: the orders it leads to on its inputs."""

    def orders(inputs: StrategyInputs) -> Orders:
        start, end = PANEL.dates[START_ROW], PANEL.dates[-1]
        begun = replace(inputs, first_rows=first_decision_rows(inputs.panel, start))
        return schedule_orders(inputs.panel, decide(begun, **parameters), start=start, end=end)

    return orders


def rows_of(orders: Orders, kept: np.ndarray, *, dated: bool) -> list[tuple]:
    columns = [orders.column, orders.side, orders.target_weight, orders.decided] + ([orders.row] if dated else [])
    return [tuple(values) for values in zip(*(column[kept] for column in columns), strict=True)]


def leaks(orders_on: Scheduler, inputs: StrategyInputs = INPUTS) -> dict[str, int]:
    """{kind of change: number of cuts t at which changing what is known from t on changed an order for a date up to t}."""
    before = orders_on(inputs)
    found = {"multiplied": 0, "unknown": 0, "cut": 0}
    for cut in CUTS:
        after = orders_on(inputs.changed_from(cut, 10.0))
        due_before = (before.row != PENDING) & (before.row <= cut)
        due_after = (after.row != PENDING) & (after.row <= cut)
        found["multiplied"] += rows_of(before, due_before, dated=True) != rows_of(after, due_after, dated=True)
        for name, future in (("unknown", inputs.changed_from(cut, np.nan)), ("cut", inputs.cut_at(cut))):
            # without bars from t on, the orders for t are those still pending: compare all that was decided before
            after = orders_on(future)
            decided = rows_of(before, before.decided < cut, dated=False)
            found[name] += decided != rows_of(after, after.decided < cut, dated=False)
    return found


@pytest.mark.parametrize(("key", "chosen"), CASES, ids=[f"{key} {number}" for number, (key, _) in enumerate(CASES)])
def test_no_strategy_sees_the_future(key, chosen):
    strategy = STRATEGIES[key]
    orders_on = scheduler(strategy.decide, **resolve(strategy.parameters, chosen))
    orders = orders_on(INPUTS)
    assert len(orders) >= len(PANEL.tickers)
    if strategy.parameters or strategy.needs:  # all but buy and hold decide again, so that a cut can find something
        assert len(np.unique(orders.decided)) >= 5
    assert leaks(orders_on) == {"multiplied": 0, "unknown": 0, "cut": 0}


def test_the_vote_gives_orders_enough_to_be_judged_by():
    orders = scheduler(STRATEGIES["technical_vote"].decide, **EAGER)(INPUTS)
    assert len(orders) > 40
    assert len(set(orders.side)) == 2


def on_rises(inputs: StrategyInputs, *, bars_ahead: int) -> np.ndarray:
    """Hold a ticker after a rise of its price over one bar, as it will be `bars_ahead` bars from now."""
    panel = inputs.panel
    decisions = np.full(panel.close.shape, np.nan)
    for column in range(len(panel.tickers)):
        bars = np.flatnonzero(panel.has_bar[:, column])
        change = np.diff(panel.close[bars, column], prepend=np.nan)
        seen = np.concatenate([change[bars_ahead:], np.full(bars_ahead, np.nan)])
        decisions[bars, column] = np.select([seen > 0, seen < 0], [1.0 / len(panel.tickers), 0.0], np.nan)
    return changes_only(decisions, inputs.first_rows)


def above_average_of_all_time(inputs: StrategyInputs) -> np.ndarray:
    panel = inputs.panel
    mean = np.nansum(panel.close, axis=0) / np.maximum(panel.has_bar.sum(axis=0), 1)
    above = np.where(panel.close > mean, 1.0 / len(panel.tickers), 0.0)
    return changes_only(np.where(panel.has_bar, above, np.nan), inputs.first_rows)


def outlook_before_it_was_known(inputs: StrategyInputs) -> np.ndarray:
    """The fits by the month that they describe instead of the date on which they were known."""
    early = replace(inputs, factors=replace(inputs.factors, as_of=inputs.factors.as_of - 45))
    return STRATEGIES["fundamental"].decide(early)


def test_a_strategy_that_reads_tomorrows_close_is_caught_and_its_honest_twin_is_not():
    assert leaks(scheduler(on_rises, bars_ahead=0)) == {"multiplied": 0, "unknown": 0, "cut": 0}
    caught = leaks(scheduler(on_rises, bars_ahead=1))
    assert all(count > 10 for count in caught.values()), caught


def test_an_average_over_the_whole_sample_is_caught():
    caught = leaks(scheduler(above_average_of_all_time))
    assert caught["multiplied"] == len(CUTS)
    assert caught["cut"] > 10


def test_fundamentals_before_they_were_known_are_caught():
    caught = leaks(scheduler(outlook_before_it_was_known))
    assert caught["unknown"] > 10
    assert caught["cut"] > 10


def test_filling_on_the_bar_that_decided_is_caught():
    def same_bar(inputs: StrategyInputs) -> Orders:
        honest = scheduler(on_rises, bars_ahead=0)(inputs)
        return replace(honest, row=honest.decided)

    assert leaks(same_bar)["multiplied"] > 10


def test_the_orders_of_a_whole_backtest_do_not_see_the_future():
    spec = BacktestSpec(strategy="filter", parameters=EAGER, start=str(PANEL.dates[START_ROW]))

    def orders_up_to(inputs: StrategyInputs, row: int) -> list[list]:
        orders = run_backtest(inputs, spec).orders
        due = orders[orders["date"].notna() & (orders["date"].fillna("") <= str(PANEL.dates[row]))]
        return due.values.tolist()

    for cut in np.sort(CUTS)[5::5]:
        expected = orders_up_to(INPUTS, cut)
        assert len(expected) > 0
        assert orders_up_to(INPUTS.changed_from(cut, 10.0), cut) == expected


def test_the_position_held_during_a_bar_does_not_depend_on_its_close():
    """Held means ordered before: the equity at t may change with t's prices, the target weights in force may not."""
    inputs = replace(INPUTS, panel=random_market(n=440, seed=1))
    orders_on = scheduler(STRATEGIES["technical_vote"].decide, **EAGER)
    for cut in CUTS[:25]:
        in_force = [weights_in_force(orders_on(market), cut) for market in (inputs, inputs.changed_from(cut, 10.0))]
        assert in_force[0] == in_force[1]
        assert in_force[0]


def weights_in_force(orders: Orders, row: int) -> dict[int, float]:
    """{column: target weight} of the last order due up to `row`."""
    due = orders.due()
    return {int(c): float(w) for r, c, w in zip(due.row, due.column, due.target_weight, strict=True) if r <= row}
