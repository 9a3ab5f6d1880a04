"""The trade list: averages, open positions, and that it adds up to the account's gain."""

import numpy as np
import pandas as pd
import pytest
from markets import flat_market, random_market
from tolerances import EXACT, PARITY

from analytics.backtest import Costs
from analytics.backtest.account import settle
from analytics.backtest.engine import Fills, total_return_prices
from analytics.backtest.orders import schedule_orders
from analytics.backtest.round_trips import COLUMNS, round_trips
from analytics.backtest.vectorbt_engine import simulate
from analytics.market import Panel

NAN = np.nan


def trades_of(panel: Panel, decisions, costs: Costs, capital: float = 10_000.0) -> tuple[pd.DataFrame, np.ndarray]:
    """The trade list and the equity curve."""
    orders = schedule_orders(panel, np.asarray(decisions), start=panel.dates[0], end=panel.dates[-1])
    prices = total_return_prices(panel)
    fills = simulate(prices, orders.due(), capital, costs)
    account = settle(fills, prices, capital, first=0, last=len(panel.dates))
    return round_trips(fills, panel, prices, last=len(panel.dates)), account.equity


def test_a_round_trip_and_an_open_position_by_hand():
    panel = flat_market({"A": [10, 10, 20, 20, 20], "B": [10, 10, 10, 10, 12]})
    decisions = [[0.5, NAN], [0.0, NAN], [NAN, 0.5], [NAN, NAN], [NAN, NAN]]
    trades, equity = trades_of(panel, decisions, Costs(fee_rate=0.1, slippage_rate=0.25), capital=1_000.0)
    # A: 50 shares at 12.5, fee 62.5; sold at 15, fee 75. Cash 1,000 − 687.5 + 675 = 987.5.
    # B: half of 987.5 is 49.375 shares at 12.5, fee 61.71875; worth 12 at the end.
    assert tuple(trades.columns) == COLUMNS
    first, second = trades.to_dict("records")
    assert first == {
        "trade_id": 1, "ticker": "A", "direction": "long", "entry_date": "2024-01-02", "entry_price": 12.5,
        "exit_date": "2024-01-03", "exit_price": 15.0, "quantity": 50.0, "fees": pytest.approx(137.5, rel=EXACT),
        "slippage": pytest.approx(375.0, rel=EXACT), "borrow": 0.0, "pnl": pytest.approx(-12.5, rel=EXACT),
        "return_pct": pytest.approx(-0.02, rel=EXACT), "reason": "signal",
    }  # fmt: skip
    assert second == {
        "trade_id": 2, "ticker": "B", "direction": "long", "entry_date": "2024-01-04", "entry_price": 12.5,
        "exit_date": "2024-01-05", "exit_price": 12.0, "quantity": pytest.approx(49.375, rel=EXACT),
        "fees": pytest.approx(61.71875, rel=EXACT), "slippage": pytest.approx(123.4375, rel=EXACT), "borrow": 0.0,
        "pnl": pytest.approx(-86.40625, rel=EXACT), "return_pct": pytest.approx(-0.14, rel=EXACT),
        "reason": "end of test",
    }  # fmt: skip
    assert equity[-1] == pytest.approx(1_000 - 12.5 - 86.40625, rel=EXACT)


def test_several_buys_and_sales_are_one_trade_at_average_prices():
    panel = flat_market({"A": [10, 10, 20, 10, 10, 10]})
    trades, _ = trades_of(panel, [[0.2], [0.5], [0.1], [0.0], [0.2], [NAN]], Costs(0.0, 0.0), capital=1_000.0)
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
    trades, _ = trades_of(panel, [[1.0], [0.5], [NAN], [NAN]], Costs(0.0, 0.0), capital=1_000.0)
    only = trades.iloc[0]  # 100 at 10; half sold at 20, half worth 40
    assert (only["quantity"], only["exit_price"], only["reason"]) == (100.0, 30.0, "end of test")
    assert only["return_pct"] == pytest.approx(2.0, rel=EXACT)


@pytest.mark.parametrize("seed", range(6))
def test_the_trades_add_up_to_the_gain_of_the_account(seed):
    panel = random_market(n=250, n_tickers=5, seed=seed)
    rng = np.random.default_rng(seed)
    share = rng.choice([0.0, 0.1, 0.2], panel.close.shape)
    decisions = np.where(panel.has_bar & (rng.random(panel.close.shape) < 0.1), share, NAN)
    trades, equity = trades_of(panel, decisions, Costs(0.002, 0.003))
    assert len(trades) > 10
    assert trades["pnl"].sum() == pytest.approx(equity[-1] - 10_000.0, rel=PARITY, abs=PARITY * 10_000)
    assert trades["trade_id"].tolist() == list(range(1, len(trades) + 1))
    assert trades[["entry_date", "ticker"]].apply(tuple, axis=1).is_monotonic_increasing
    assert (trades["entry_date"] <= trades["exit_date"]).all()
    assert (trades[["quantity", "fees", "slippage"]] > 0).all(axis=None)
    closed = trades.sort_values("entry_date").groupby("ticker")
    for _, own in closed:  # one position per ticker at a time
        assert (own["entry_date"].to_numpy()[1:] >= own["exit_date"].to_numpy()[:-1]).all()


def test_what_rounding_leaves_of_a_position_is_flat():
    panel = flat_market({"A": [10, 10, 10, 10]})
    prices, rows, column = total_return_prices(panel), np.array([0, 1, 2]), np.zeros(3, dtype=int)
    fills = Fills(rows, column, np.array([0.1, 0.2, -0.3]), np.full(3, 10.0), np.zeros(3))
    assert fills.quantity.cumsum()[-1] > 0  # 0.1 + 0.2 − 0.3 is not 0 in floating point
    account = settle(fills, prices, 100.0, first=0, last=4)
    assert account.gross_exposure[2:].tolist() == [0.0, 0.0]
    assert round_trips(fills, panel, prices, last=4)["reason"].tolist() == ["signal"]


def test_no_fills_give_an_empty_table_with_the_same_columns():
    panel = flat_market({"A": [10, 10]})
    trades, _ = trades_of(panel, np.full((2, 1), NAN), Costs())
    assert (len(trades), tuple(trades.columns)) == (0, COLUMNS)
