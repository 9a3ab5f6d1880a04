"""Strategies: how they are declared, where they begin, what they remember, and that they never want more than there is."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import flat_market, random_bars, random_market
from strategy_markets import decide, explain, held, inputs_of, random_view

from analytics.backtest.orders import schedule_orders
from analytics.backtest.strategies import STRATEGIES, Strategy, changes_only, first_decision_rows
from analytics.backtest.strategies._positions import decisions, known_prices, opening_row, sides, traded
from analytics.market import Panel
from analytics.parameters import resolve

NAN = np.nan
KEYS = {
    "beta_aware", "buy_and_hold", "equal_weight", "filter", "frontier_timed", "fundamental", "mean_reversion",
    "momentum_12_1", "rating", "score", "sized", "technical_vote", "threshold",
}  # fmt: skip
SHORT_WINDOW = {key: {"window": 63} for key in ("threshold", "frontier_timed")}
VOTING = ("technical_vote", "filter", "sized", "threshold", "beta_aware", "frontier_timed")
EAGER_VOTES = {key: {"threshold": 1} for key in VOTING} | {"threshold": {"threshold": 1, "lower_threshold": 1}}


def test_every_strategy_is_declared_and_documented():
    page = (Path(__file__).parents[3] / "docs/METHODS.md").read_text()
    section = page.split("## Backtests")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", section, flags=re.MULTILINE))
    assert set(STRATEGIES) == KEYS
    assert set(rows) >= KEYS
    for key, strategy in STRATEGIES.items():
        assert isinstance(strategy, Strategy)
        assert strategy.label
        assert strategy.description.endswith(".")
        assert strategy.explain is not None
        assert resolve(strategy.parameters, {}).keys() == {parameter.name for parameter in strategy.parameters}
        for parameter in strategy.parameters:
            assert parameter.label.lower() in rows[key].lower() or parameter.name in rows[key], (key, parameter.name)


def test_those_that_read_the_fits_say_so():
    assert {key for key, item in STRATEGIES.items() if item.needs} == {
        "fundamental", "filter", "score", "sized", "threshold", "beta_aware",
    }  # fmt: skip


@pytest.mark.parametrize("key", sorted(KEYS))
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 200), start=st.integers(0, 379))
def test_decisions_are_orders_that_can_be_made_and_have_a_reason(key, seed, start):
    """Weights within −1 and 1, no more than the account in all, bars only, none before the first row, a reason each."""
    panel = random_market(n=380, seed=seed)
    inputs = inputs_of(panel, start=start, factors=random_view(panel, seed=seed))
    parameters = SHORT_WINDOW.get(key, {})
    said = decide(key, inputs, **parameters)
    orders = schedule_orders(panel, said, start=panel.dates[start], end=panel.dates[-1])
    assert np.isfinite(said[~panel.has_bar]).sum() == 0
    assert (np.abs(held(said)).sum(axis=1) <= 1 + 1e-9).all()
    for column, first in enumerate(inputs.first_rows):
        rows = np.flatnonzero(np.isfinite(said[:, column]))
        assert key == "buy_and_hold" or (rows >= first).all()
        reasons = explain(key, inputs, column, rows.tolist(), **parameters)
        assert len(reasons) == len(rows)
        assert all(reason and len(reason) <= 140 for reason in reasons), reasons
    assert len(orders) <= np.isfinite(said).sum()


@pytest.mark.parametrize("key", sorted(KEYS - {"sized", "momentum_12_1", "frontier_timed", "threshold"}))
def test_the_order_of_the_tickers_and_the_unit_of_the_prices_do_not_matter(key):
    panel = random_market(n=380, seed=8)
    view = random_view(panel, seed=8)
    first = decide(key, inputs_of(panel, start=260, factors=view))
    scaled = panel.__class__(
        panel.dates, panel.tickers, *(4.0 * getattr(panel, name) for name in ("open", "high", "low", "close", "adj_close")),
        panel.volume,
    )  # fmt: skip
    np.testing.assert_array_equal(decide(key, inputs_of(scaled, start=260, factors=view)), first)
    back = slice(None, None, -1)
    turned = panel.__class__(
        panel.dates, panel.tickers[back],
        *(getattr(panel, name)[:, back] for name in ("open", "high", "low", "close", "adj_close", "volume")),
    )  # fmt: skip
    turned_view = view.__class__(
        view.as_of, {name: values[:, back] for name, values in view.values.items()}, view.universe_median,
        view.factor_known, view.factor_returns,
    )  # fmt: skip
    np.testing.assert_array_equal(decide(key, inputs_of(turned, start=260, factors=turned_view))[:, back], first)
    assert np.isfinite(first).any()


def test_the_first_row_is_the_last_bar_before_the_start():
    panel = flat_market({"A": [1, 1, 1, 1, 1], "B": [1, NAN, NAN, 1, 1], "C": [NAN, NAN, NAN, NAN, 1]})
    assert first_decision_rows(panel, panel.dates[3]).tolist() == [2, 0, 4]
    assert first_decision_rows(panel, panel.dates[0]).tolist() == [0, 0, 4]
    assert first_decision_rows(panel, panel.dates[4] + 9).tolist() == [4, 4, 4]


def test_the_opening_is_the_last_session_before_the_start_or_the_first_there_is():
    panel = flat_market({"A": [1, 1, 1, 1, 1], "B": [1, 1, NAN, 1, 1], "C": [NAN, NAN, NAN, NAN, 1]})
    assert [opening_row(inputs_of(panel, start=start)) for start in range(5)] == [0, 0, 1, 2, 3]


def test_a_decision_is_said_once_and_memory_begins_flat():
    targets = np.array([[0.5], [0.5], [NAN], [0.5], [0.0], [0.0], [NAN], [0.5], [0.2]])
    said = changes_only(targets, np.array([0]))[:, 0]
    np.testing.assert_array_equal(said, [0.5, NAN, NAN, NAN, 0.0, NAN, NAN, 0.5, 0.2])
    later = changes_only(targets, np.array([4]))[:, 0]  # flat before row 4: nothing to close there
    np.testing.assert_array_equal(later, [NAN] * 7 + [0.5, 0.2])


def test_a_weight_is_said_on_the_first_bar_on_which_it_is_wanted_and_again_where_asked():
    inputs = inputs_of(flat_market({"A": [1, NAN, 1, 1, 1], "B": [1, 1, 1, 1, 1]}))
    wanted = np.array([[0.5, 0.5], [0.3, 0.5], [0.3, 0.5], [0.3, 0.0], [0.3, 0.0]])
    np.testing.assert_array_equal(
        decisions(inputs, wanted), [[0.5, 0.5], [NAN, NAN], [0.3, NAN], [NAN, 0.0], [NAN, NAN]]
    )
    again = decisions(inputs, wanted, again=np.array([False, True, False, False, True]))
    np.testing.assert_array_equal(again, [[0.5, 0.5], [NAN, 0.5], [0.3, NAN], [NAN, 0.0], [0.3, NAN]])


def test_what_would_exceed_the_account_beside_a_ticker_without_a_bar_is_scaled_down():
    inputs = inputs_of(flat_market({"A": [1, NAN, 1], "B": [1, 1, 1], "C": [1, 1, 1]}))
    wanted = np.array([[0.6, 0.0, 0.0], [0.0, 0.5, -0.5], [0.0, 0.5, -0.5]])
    np.testing.assert_allclose(
        decisions(inputs, wanted), [[0.6, NAN, NAN], [NAN, 0.2, -0.2], [0.0, NAN, NAN]], atol=1e-15
    )


def test_positions_are_held_from_entry_to_exit_and_turn_where_the_other_side_enters():
    inputs = inputs_of(flat_market({"A": [1.0] * 8}))
    at = lambda *rows: np.isin(np.arange(8), rows)[:, None]  # noqa: E731
    np.testing.assert_array_equal(sides(inputs, at(1, 5), at(3))[:, 0], [0, 1, 1, -1, -1, 1, 1, 1])
    left = sides(inputs, at(1), at(5), leave_long=at(3), leave_short=at(7))
    np.testing.assert_array_equal(left[:, 0], [0, 1, 1, 0, 0, -1, -1, 0])
    later = inputs_of(inputs.panel, start=3)
    np.testing.assert_array_equal(sides(later, at(1, 5), at(6))[:, 0], [0, 0, 0, 0, 0, 1, -1, -1])


def test_a_ticker_without_a_bar_keeps_its_price_until_it_counts_as_delisted():
    panel = flat_market({"A": [5, NAN, NAN, NAN, NAN, NAN, 7], "B": [1.0] * 7})
    np.testing.assert_array_equal(known_prices(inputs_of(panel))[:, 0], [5, 5, 5, 5, 5, NAN, 7])
    np.testing.assert_array_equal(traded(panel.has_bar)[:, 0], [1, 1, 1, 1, 1, 0, 1])


def test_a_ticker_that_ended_before_the_test_is_left_out():
    panel = flat_market({"A": [1.0] * 3 + [NAN] * 9, "B": [1.0] * 12})
    said = decide("equal_weight", inputs_of(panel, start=10))
    assert not np.isfinite(said[:, 0]).any()
    assert held(said)[-1].tolist() == [0.0, 1.0]
    wanted = decisions(inputs_of(panel, start=10), np.full((12, 2), 0.5))
    assert held(wanted)[-1].tolist() == [0.0, 0.5]


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_ticker_that_is_suspended_when_the_test_opens_is_traded_from_its_return_on(key):
    """A ticker without bars on rows 90 to 109 of a test that starts at row 100: no decision before its return."""
    panel = random_market(n=420, n_tickers=3, seed=11)
    bars = [panel.bars("T0"), panel.bars("T1"), random_bars("B", n=420, seed=5)]
    bars[2] = bars[2].rows((np.arange(420) < 90) | (np.arange(420) >= 110))
    panel = Panel.of(bars)
    column = panel.tickers.index("B")
    inputs = inputs_of(panel, start=100, factors=random_view(panel, seed=1))
    assert inputs.first_rows[column] == 89
    said = decide(key, inputs, **SHORT_WINDOW.get(key, {}), **EAGER_VOTES.get(key, {}))
    decided = np.flatnonzero(np.isfinite(said[:, column]))
    assert len(decided) > 0
    if key != "buy_and_hold":  # which decides on the last bar before the start, to be filled on the first one after it
        assert decided[0] >= 110
    orders = schedule_orders(panel, said, start=panel.dates[100], end=panel.dates[-1])
    assert orders.row[orders.column == column].max() >= 110
    assert np.abs(held(said)[110:, column]).max() > 0.0


def test_an_opinion_from_before_the_suspension_is_acted_on_at_the_return():
    """What the last bars before the test said stands until the ticker has bars again, and is said on the first of them."""
    panel = flat_market({"A": [1.0] * 20, "B": [1.0] * 3 + [NAN] * 9 + [1.0] * 8, "C": [1.0] * 3 + [NAN] * 17})
    inputs = inputs_of(panel, start=10)
    wanted = np.where(np.arange(20)[:, None] < 15, [0.2, 0.3, 0.4], 0.0)
    said = decisions(inputs, wanted)
    for column, expected in enumerate(({9: 0.2, 15: 0.0}, {12: 0.3, 15: 0.0}, {})):
        rows = np.flatnonzero(np.isfinite(said[:, column]))
        assert dict(zip(rows.tolist(), said[rows, column].tolist(), strict=True)) == expected
    again = decisions(inputs, wanted, again=np.isin(np.arange(20), [11, 13]))
    assert np.flatnonzero(np.isfinite(again[:, 1])).tolist() == [12, 13, 15]


def test_buy_and_hold_decides_once_per_ticker():
    panel = flat_market({"A": [1, 1, 1], "B": [NAN, 1, 1]})
    np.testing.assert_array_equal(decide("buy_and_hold", inputs_of(panel)), [[0.5, NAN], [NAN, 0.5], [NAN, NAN]])
