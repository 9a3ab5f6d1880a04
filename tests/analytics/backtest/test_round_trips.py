"""The trade list: averages, open positions, and that it adds up to the account's gain."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from markets import flat_market, random_market
from tolerances import EXACT, PARITY

from analytics.backtest import BacktestSpec, Costs, Rules
from analytics.backtest import kernel as engine
from analytics.backtest.account import settle
from analytics.backtest.engine import Fills, Ledger, total_return_prices
from analytics.backtest.orders import schedule_orders
from analytics.backtest.round_trips import COLUMNS, round_trips
from analytics.backtest.terms import FREE
from analytics.market import Panel

NAN = np.nan
NO_COSTS = Costs(**FREE)


def trades_of(
    panel: Panel, decisions, costs: Costs = NO_COSTS, capital: float = 10_000.0, **rules
) -> tuple[pd.DataFrame, Ledger]:
    """The trade list and the account."""
    orders = schedule_orders(panel, np.asarray(decisions), start=panel.dates[0], end=panel.dates[-1])
    prices, n = total_return_prices(panel), len(panel.dates)
    spec = BacktestSpec(initial_capital=capital, costs=costs, rules=Rules(cash_interest=False, **rules))
    ledger = engine.simulate(prices, orders.due(), spec, np.zeros(n), 0, n)
    return round_trips(ledger, panel, prices, last=n, reasons=engine.REASONS), ledger


def test_a_round_trip_and_an_open_position_by_hand():
    panel = flat_market({"A": [10, 10, 20, 20, 20], "B": [10, 10, 10, 10, 12]})
    decisions = [[0.5, NAN], [0.0, NAN], [NAN, 0.5], [NAN, NAN], [NAN, NAN]]
    costs = replace(NO_COSTS, fee_rate=0.1, half_spread=0.05, slippage_rate=0.2)
    trades, ledger = trades_of(panel, decisions, costs, capital=1_000.0)
    # A: 50 shares at 12.5, fee 62.5; sold at 15, fee 75. Cash 1,000 − 687.5 + 675 = 987.5.
    # B: half of 987.5 is 49.375 shares at 12.5, fee 61.71875; worth 12 at the end.
    assert tuple(trades.columns) == COLUMNS
    first, second = trades.to_dict("records")
    assert first == {
        "trade_id": 1, "ticker": "A", "direction": "long", "entry_date": "2024-01-02", "entry_price": 12.5,
        "exit_date": "2024-01-03", "exit_price": 15.0, "quantity": 50.0, "fees": pytest.approx(137.5, rel=EXACT),
        "slippage": pytest.approx(375.0, rel=EXACT), "spread": pytest.approx(75.0, rel=EXACT), "impact": 0.0, "borrow": 0.0,
        "pnl": pytest.approx(-12.5, rel=EXACT), "return_pct": pytest.approx(-0.02, rel=EXACT), "entry_reason": "",
        "reason": "signal",
    }  # fmt: skip
    assert second == {
        "trade_id": 2, "ticker": "B", "direction": "long", "entry_date": "2024-01-04", "entry_price": 12.5,
        "exit_date": "2024-01-05", "exit_price": 12.0, "quantity": pytest.approx(49.375, rel=EXACT),
        "fees": pytest.approx(61.71875, rel=EXACT), "slippage": pytest.approx(123.4375, rel=EXACT),
        "spread": pytest.approx(24.6875, rel=EXACT), "impact": 0.0, "borrow": 0.0,
        "pnl": pytest.approx(-86.40625, rel=EXACT), "return_pct": pytest.approx(-0.14, rel=EXACT), "entry_reason": "",
        "reason": "end of test",
    }  # fmt: skip
    assert ledger.equity[-1] == pytest.approx(1_000 - 12.5 - 86.40625, rel=EXACT)


def test_several_buys_and_sales_are_one_trade_at_average_prices():
    panel = flat_market({"A": [10, 10, 20, 10, 10, 10]})
    trades, _ = trades_of(panel, [[0.2], [0.5], [0.1], [0.0], [0.2], [NAN]], capital=1_000.0)
    # day 1: 20 at 10. day 2, value 1,200: to 30 shares, 10 at 20. day 3, value 900: to 9, sells 21 at 10. day 4: sells 9 at 10.
    assert len(trades) == 2
    whole = trades.iloc[0]
    assert (whole["entry_date"], whole["exit_date"], whole["reason"]) == (
        "2024-01-02",
        "2024-01-05",
        "signal",
    )
    assert whole["quantity"] == pytest.approx(30, rel=EXACT)
    assert whole["entry_price"] == pytest.approx(400 / 30, rel=EXACT)
    assert whole["exit_price"] == pytest.approx(10.0, rel=EXACT)
    assert whole["pnl"] == pytest.approx(-100.0, rel=EXACT)
    assert trades.iloc[1]["entry_date"] == trades.iloc[1]["exit_date"] == "2024-01-06"
    assert trades.iloc[1]["reason"] == "end of test"


def test_a_part_still_held_is_priced_with_the_part_already_sold():
    panel = flat_market({"A": [10, 10, 20, 40]})
    trades, _ = trades_of(panel, [[1.0], [0.5], [NAN], [NAN]], capital=1_000.0)
    only = trades.iloc[0]  # 100 at 10; half sold at 20, half worth 40
    assert (only["quantity"], only["exit_price"], only["reason"]) == (100.0, 30.0, "end of test")
    assert only["return_pct"] == pytest.approx(2.0, rel=EXACT)


def test_a_short_position_earns_what_the_price_loses_less_its_borrow_fee():
    panel = flat_market({"A": [10, 10, 8, 8]})
    costs = replace(NO_COSTS, borrow_rate=0.252)  # a thousandth per session
    trades, ledger = trades_of(panel, [[-0.5], [NAN], [0.0], [NAN]], costs, capital=1_000.0)
    # 50 sold at 10; two nights at 0.001 of 500 and of 400; bought back at 8
    only = trades.iloc[0]
    assert (only["direction"], only["quantity"], only["entry_price"], only["exit_price"]) == ("short", 50.0, 10.0, 8.0)
    assert only["borrow"] == pytest.approx(0.9, rel=EXACT)
    assert only["pnl"] == pytest.approx(99.1, rel=EXACT)
    assert only["return_pct"] == pytest.approx(99.1 / 500, rel=EXACT)
    assert ledger.equity[-1] == pytest.approx(1_099.1, rel=EXACT)


def test_the_borrow_fee_of_a_short_that_is_still_open_counts():
    panel = flat_market({"A": [10, 10, 10, 10]})
    trades, ledger = trades_of(
        panel, [[-0.5], [NAN], [NAN], [NAN]], replace(NO_COSTS, borrow_rate=0.252), capital=1_000.0
    )
    assert trades["reason"].tolist() == ["end of test"]
    assert trades["borrow"][0] == pytest.approx(1.0, rel=EXACT)
    assert trades["pnl"][0] == pytest.approx(ledger.equity[-1] - 1_000.0, rel=PARITY)


def test_a_fill_through_zero_ends_one_trade_and_begins_another():
    panel = flat_market({"A": [10, 10, 10, 10, 10]})
    decisions = [[0.6], [NAN], [-0.3], [NAN], [NAN]]
    trades, _ = trades_of(panel, decisions, replace(NO_COSTS, fixed_fee=9.0), capital=1_000.0)
    # 60 bought, 9 USD; worth 991 when 0.3 × 991 / 10 = 29.73 are to be short: one sale of 89.73, its 9 USD shared
    assert trades["direction"].tolist() == ["long", "short"]
    assert trades["exit_date"][0] == trades["entry_date"][1] == "2024-01-04"
    np.testing.assert_allclose(trades["quantity"], [60, 29.73], rtol=EXACT)
    np.testing.assert_allclose(trades["fees"], [9 + 9 * 60 / 89.73, 9 * 29.73 / 89.73], rtol=EXACT)
    assert trades["reason"].tolist() == ["signal", "end of test"]


@pytest.mark.parametrize("seed", range(6))
def test_the_trades_add_up_to_the_gain_of_the_account(seed):
    panel = random_market(n=250, n_tickers=5, seed=seed)
    rng = np.random.default_rng(seed)
    share = rng.choice([0.0, 0.1, 0.2, -0.2], panel.close.shape)
    decisions = np.where(panel.has_bar & (rng.random(panel.close.shape) < 0.1), share, NAN)
    costs = Costs(0.002, fixed_fee=1.0, slippage_rate=0.003, impact_coefficient=0.05, borrow_rate=0.1)
    trades, ledger = trades_of(panel, decisions, costs, stop_loss=0.1)
    assert len(trades) > 10
    assert trades["pnl"].sum() == pytest.approx(ledger.equity[-1] - 10_000.0, rel=PARITY, abs=PARITY * 10_000)
    for name in ("fees", "borrow"):
        paid = ledger.fills.fee.sum() if name == "fees" else ledger.borrow.sum()
        assert trades[name].sum() == pytest.approx(paid, rel=PARITY), name
    assert trades["trade_id"].tolist() == list(range(1, len(trades) + 1))
    assert trades[["entry_date", "ticker"]].apply(tuple, axis=1).is_monotonic_increasing
    assert (trades["entry_date"] <= trades["exit_date"]).all()
    assert (trades[["quantity", "fees", "slippage", "spread", "impact"]] > 0).all(axis=None)
    assert ((trades["borrow"] > 0) <= (trades["direction"] == "short")).all()
    assert (trades["spread"] + trades["impact"] < trades["slippage"]).all()
    for _, own in trades.sort_values("entry_date").groupby("ticker"):  # one position per ticker at a time
        assert (own["entry_date"].to_numpy()[1:] >= own["exit_date"].to_numpy()[:-1]).all()


def test_what_rounding_leaves_of_a_position_is_flat():
    panel = flat_market({"A": [10, 10, 10, 10]})
    prices, rows, column = total_return_prices(panel), np.array([0, 1, 2]), np.zeros(3, dtype=int)
    ten, nothing = np.full(3, 10.0), np.zeros(3)
    quantity = np.array([0.1, 0.2, -0.3])
    fills = Fills(rows, column, quantity, ten, ten, nothing, nothing, nothing, nothing, nothing, column)
    assert fills.quantity.cumsum()[-1] > 0  # 0.1 + 0.2 − 0.3 is not 0 in floating point
    ledger = settle(fills, prices, 100.0, first=0, last=4)
    assert ledger.gross_exposure[2:].tolist() == [0.0, 0.0]
    assert round_trips(ledger, panel, prices, last=4, reasons=engine.REASONS)["reason"].tolist() == ["signal"]


def test_no_fills_give_an_empty_table_with_the_same_columns():
    panel = flat_market({"A": [10, 10]})
    trades, _ = trades_of(panel, np.full((2, 1), NAN))
    assert (len(trades), tuple(trades.columns)) == (0, COLUMNS)
