"""A decision becomes an order on the ticker's next bar, never on the same one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import flat_market, random_market

from analytics.backtest.orders import PENDING, schedule_orders

NAN = np.nan


def test_the_order_falls_on_the_next_bar_of_the_ticker():
    panel = flat_market({"A": [1, 1, 1, 1], "B": [1, NAN, NAN, 1]})
    decisions = np.array([[0.5, 0.5], [0.0, NAN], [NAN, NAN], [0.5, 0.0]])
    orders = schedule_orders(panel, decisions, start=panel.dates[0], end=panel.dates[-1])
    assert orders.decided.tolist() == [0, 0, 1, 3, 3]
    assert orders.row.tolist() == [1, 3, 2, PENDING, PENDING]
    assert orders.column.tolist() == [0, 1, 0, 0, 1]
    assert orders.side.tolist() == ["buy", "buy", "sell", "buy", "sell"]
    assert orders.due().row.tolist() == [1, 2, 3]


def test_only_orders_due_in_the_window_are_kept():
    panel = flat_market({"A": [1.0] * 8})
    decisions = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])[:, None]
    orders = schedule_orders(panel, decisions, start=panel.dates[3], end=panel.dates[5])
    assert orders.decided.tolist() == [2, 3, 4, 5]
    assert orders.row.tolist() == [3, 4, 5, PENDING]


def test_sides_follow_the_target_in_force():
    panel = flat_market({"A": [1.0] * 7})
    decisions = np.array([0.0, 0.5, 0.5, 0.8, 0.2, 0.0, 0.0])[:, None]
    orders = schedule_orders(panel, decisions, start=panel.dates[0], end=panel.dates[-1])
    assert orders.side.tolist() == ["buy", "rebalance", "buy", "sell", "sell"]  # flat: nothing to close
    assert orders.target_weight.tolist() == [0.5, 0.5, 0.8, 0.2, 0.0]


def test_sides_of_short_targets_follow_the_change():
    panel = flat_market({"A": [1.0] * 6})
    decisions = np.array([-0.5, -0.2, 0.3, -0.3, -0.3, 0.0])[:, None]
    orders = schedule_orders(panel, decisions, start=panel.dates[0], end=panel.dates[-1])
    assert orders.side.tolist() == ["sell", "buy", "buy", "sell", "rebalance", "buy"]
    assert orders.target_weight.tolist() == [-0.5, -0.2, 0.3, -0.3, -0.3, 0.0]


def test_weights_may_change_hands_within_a_day_and_sum_to_1_with_rounding():
    panel = flat_market({"A": [1.0] * 3, "B": [1.0] * 3, "C": [1.0] * 3})
    decisions = np.array([[1 / 3, -1 / 3, 1 / 3 + 1e-12], [NAN] * 3, [0.0, 1.0, 0.0]])
    orders = schedule_orders(panel, decisions, start=panel.dates[0], end=panel.dates[-1])
    assert len(orders) == 6


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ([[0.5], [0.5]], r"decisions have shape \(2, 1\), not \(2, 2\)"),
        ([[0.6, 0.6], [NAN, NAN]], "together reach 1.2, above 1"),
        ([[0.6, NAN], [NAN, 0.6]], "together reach 1.2, above 1"),
        ([[0.6, -0.6], [NAN, NAN]], "together reach 1.2, above 1"),
        ([[-1.1, NAN], [NAN, NAN]], "outside −1 to 1"),
        ([[1.1, NAN], [NAN, NAN]], "outside −1 to 1"),
    ],
)
def test_decisions_no_strategy_may_make(decisions, message):
    panel = flat_market({"A": [1.0, 1.0], "B": [1.0, 1.0]})
    with pytest.raises(ValueError, match=message):
        schedule_orders(panel, np.array(decisions), start=panel.dates[0], end=panel.dates[-1])


def test_the_weight_of_a_ticker_that_counts_as_delisted_is_free_for_others():
    panel = flat_market({"A": [1.0, 1.0, 1.0] + [NAN] * 8, "B": [1.0] * 11})
    decisions = np.full((11, 2), NAN)
    decisions[0, 0] = decisions[7, 1] = 1.0  # the account has settled A at the close of row 7
    assert len(schedule_orders(panel, decisions, start=panel.dates[0], end=panel.dates[-1])) == 2
    early = np.full((11, 2), NAN)
    early[0, 0] = early[6, 1] = 1.0
    with pytest.raises(ValueError, match="together reach 2, above 1"):
        schedule_orders(panel, early, start=panel.dates[0], end=panel.dates[-1])


def test_a_decision_without_a_bar_is_refused():
    panel = flat_market({"A": [1.0, 1.0], "B": [1.0, NAN]})
    with pytest.raises(ValueError, match="column 1 decides on dates without a bar"):
        schedule_orders(panel, np.array([[NAN, NAN], [NAN, 0.5]]), start=panel.dates[0], end=panel.dates[-1])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000))
def test_an_order_never_falls_on_the_bar_that_decided_it(seed):
    panel = random_market(n=60, seed=seed)
    rng = np.random.default_rng(seed)
    decisions = np.where(panel.has_bar & (rng.random(panel.close.shape) < 0.2), 0.25, NAN)
    orders = schedule_orders(panel, decisions, start=panel.dates[0], end=panel.dates[-1])
    due = orders.due()
    assert (due.row > due.decided).all()
    for decided, row, column in zip(due.decided, due.row, due.column, strict=True):
        between = panel.has_bar[decided + 1 : row, column]
        assert panel.has_bar[row, column]
        assert not between.any()
    assert len(orders) == np.isfinite(decisions).sum()
