"""The gate of the fills: each within the prices of its day, each order due after the bar that decided it."""

from dataclasses import replace

import numpy as np
import pytest
from markets import flat_market

from analytics.backtest import BacktestSpec, Costs, kernel
from analytics.backtest.engine import Ledger, total_return_prices
from analytics.backtest.orders import PENDING, Orders
from analytics.backtest.plausibility import fills_within_bars
from analytics.backtest.terms import FREE
from analytics.market import Panel


def ledger_of(panel: Panel, orders: Orders) -> Ledger:
    n, spec = len(panel.dates), BacktestSpec(costs=Costs(**FREE))
    return kernel.simulate(total_return_prices(panel), orders.due(), spec, np.zeros(n), 0, n)


def one_order(*, decided: int = 0, row: int = 1, column: int = 0, weight: float = 0.5) -> Orders:
    return Orders(*(np.array([value]) for value in (decided, row, column)), np.array([weight]), np.array([weight]))


def test_a_fill_within_the_prices_of_its_day_is_believed_and_one_outside_is_not():
    """The day's range is 8 to 12, and half of it in the total-return basis."""
    panel = flat_market({"A": [10.0, 12.0, 11.0]}, opens={"A": [10.0, 8.0, 11.0]})
    panel = replace(panel, adj_close=panel.close / 2)
    fills = ledger_of(panel, one_order()).fills
    assert fills.quote.tolist() == [4.0]
    for quote, verdict in (
        (4.0, "green"), (6.0, "green"), (5.0, "green"), (4.0 * (1 - 1e-12), "green"), (6.0 * (1 + 1e-12), "green"),
        (3.999, "red"), (6.001, "red"), (10.0, "red"),
    ):  # fmt: skip
        gate = fills_within_bars(panel, replace(fills, quote=np.array([quote])), one_order())
        assert (gate.key, gate.verdict) == ("fills", verdict), gate
    assert gate.detail == "1 fill of 1 outside the prices of the day, 0 orders due before the next bar."


@pytest.mark.parametrize("unknown", [("high",), ("low",), ("open", "high", "low")])
def test_a_fill_on_a_bar_with_unknown_prices_is_judged_by_those_that_are_known(unknown):
    panel = flat_market({"A": [10.0, 12.0, 11.0]}, opens={"A": [10.0, 9.0, 11.0]})
    panel = replace(
        panel, **{name: np.where(np.arange(3)[:, None] == 1, np.nan, getattr(panel, name)) for name in unknown}
    )
    fills = ledger_of(panel, one_order()).fills
    assert len(fills) == 1
    assert fills_within_bars(panel, fills, one_order()).verdict == "green"
    for outside in (8.0, 12.1):
        assert fills_within_bars(panel, replace(fills, quote=np.array([outside])), one_order()).verdict == "red"


@pytest.mark.parametrize(("row", "verdict"), [(2, "green"), (PENDING, "green"), (1, "red"), (0, "red")])
def test_an_order_that_is_due_on_the_bar_that_decided_it_or_before_is_red(row, verdict):
    panel = flat_market({"A": [10.0] * 4})
    fills = ledger_of(panel, one_order(decided=1, row=2)).fills
    gate = fills_within_bars(panel, fills, one_order(decided=1, row=row))
    assert gate.verdict == verdict
    assert f"{int(verdict == 'red')} order" in gate.detail


def test_what_is_settled_without_a_bar_is_no_fill_and_nothing_traded_is_amber():
    panel = flat_market({"A": [10.0, 10.0] + [np.nan] * 8, "B": [1.0] * 10})
    fills = ledger_of(panel, one_order()).fills
    assert fills.row.tolist() == [1, 6]  # bought, and settled as delisted
    gate = fills_within_bars(panel, fills, one_order())
    assert gate.verdict == "green"
    assert gate.detail.startswith("0 fills of 1 ")
    assert fills_within_bars(panel, fills.take(np.array([1])), one_order()).verdict == "amber"
