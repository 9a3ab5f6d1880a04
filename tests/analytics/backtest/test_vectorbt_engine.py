"""The compiled engine against the slow simulator, against hand-worked trades, and free of compilation when warm."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from markets import flat_market, random_market
from slow_simulator import slow_simulation
from tolerances import EXACT, PARITY

from analytics.backtest import Costs
from analytics.backtest.account import settle
from analytics.backtest.engine import total_return_prices
from analytics.backtest.orders import schedule_orders
from analytics.backtest.vectorbt_engine import simulate
from analytics.market import Panel

NAN = np.nan
FREE = Costs(0.0, 0.0)


def orders_of(panel: Panel, decisions, first: int = 0):
    return schedule_orders(panel, np.asarray(decisions), start=panel.dates[first], end=panel.dates[-1]).due()


def random_decisions(panel: Panel, *, seed: int, often: float) -> np.ndarray:
    """Now and then a ticker's target becomes nothing, a part or all of its share."""
    rng = np.random.default_rng(seed)
    share = rng.choice([0.0, 0.3, 0.7, 1.0], panel.close.shape) / len(panel.tickers)
    return np.where(panel.has_bar & (rng.random(panel.close.shape) < often), share, NAN)


@pytest.mark.parametrize("costs", [FREE, Costs(0.001, 0.0), Costs(0.0, 0.002), Costs(0.005, 0.003)])
@pytest.mark.parametrize(("seed", "often", "first"), [(1, 0.02, 0), (2, 0.2, 0), (3, 0.5, 57), (4, 0.05, 120)])
def test_equity_and_fills_equal_the_slow_simulator(costs, seed, often, first):
    panel = random_market(n=250, n_tickers=5, seed=seed)
    orders = orders_of(panel, random_decisions(panel, seed=seed, often=often), first)
    prices = total_return_prices(panel)
    fills = simulate(prices, orders, 10_000.0, costs)
    account = settle(fills, prices, 10_000.0, first=first, last=len(panel.dates))
    slow = slow_simulation(panel, orders, capital=10_000.0, costs=costs, first=first, last=len(panel.dates))
    np.testing.assert_allclose(account.equity, slow.equity, rtol=PARITY)
    got = np.column_stack([fills.row, fills.column, fills.quantity, fills.price, fills.fee])
    np.testing.assert_allclose(got, np.array(slow.fills), rtol=1e-7, atol=1e-7)  # tiny rebalances amplify rounding
    assert len(fills) > 5
    np.testing.assert_allclose(account.positions[-1], list(slow.held.values()), rtol=PARITY, atol=PARITY)


def test_one_round_trip_worked_out_by_hand():
    panel = flat_market({"A": [90, 102, 105, 108]}, opens={"A": [90, 100, 104, 110]})
    orders = orders_of(panel, [[1.0], [NAN], [0.0], [NAN]])
    prices = total_return_prices(panel)
    fills = simulate(prices, orders, 10_000.0, Costs(fee_rate=0.01, slippage_rate=0.02))
    # all cash at the open of 100: price 102, and 1 % of what is bought is the fee: 10,000 / (102 × 1.01) shares
    shares = 10_000 / 103.02
    np.testing.assert_allclose(fills.quantity, [shares, -shares], rtol=EXACT)
    np.testing.assert_allclose(fills.price, [102.0, 107.8], rtol=EXACT)
    np.testing.assert_allclose(fills.fee, [shares * 1.02, shares * 1.078], rtol=EXACT)
    account = settle(fills, prices, 10_000.0, first=0, last=4)
    np.testing.assert_allclose(account.equity, [10_000, shares * 102, shares * 105, shares * 106.722], rtol=EXACT)
    np.testing.assert_allclose(account.gross_exposure, [0, 1, 1, 0], atol=EXACT)
    np.testing.assert_allclose(account.traded, [0, shares * 102, 0, shares * 107.8], rtol=EXACT)


def test_sales_come_first_then_buys_from_the_smallest_and_the_last_is_cut():
    panel = flat_market({"A": [10, 10, 10, 10], "B": [10, 10, 10, 10], "C": [10, 10, 10, 10]})
    decisions = [[0.6, 0.2, NAN], [NAN, NAN, NAN], [0.0, 0.5, 0.4], [NAN, NAN, NAN]]
    fills = simulate(total_return_prices(panel), orders_of(panel, decisions), 1_000.0, Costs(0.0, 0.25))
    # day 1, price 12.5: B for 200 → 20 shares cost 250; A for 600 → 60 shares cost 750: the cash is gone
    # day 3, value 800: A sells 60 at 7.5 → 450; then B wants 400 − 200 → 20 shares, C wants 320 → 32 shares,
    # and of the 200 left after B's 250, C gets 200 / 12.5 = 16
    assert list(zip(fills.row.tolist(), fills.column.tolist(), strict=True)) == [
        (1, 1),
        (1, 0),
        (3, 0),
        (3, 1),
        (3, 2),
    ]
    np.testing.assert_allclose(fills.quantity, [20, 60, -60, 20, 16], rtol=EXACT)


def test_equal_buys_go_by_ticker_and_one_without_cash_is_not_filled():
    panel = flat_market({"A": [10, 10, 10], "B": [10, 10, 10]})
    decisions = [[0.5, 0.5], [NAN, NAN], [NAN, NAN]]
    cut = simulate(total_return_prices(panel), orders_of(panel, decisions), 1_000.0, Costs(0.0, 0.5))
    np.testing.assert_allclose(cut.quantity, [50, 50 / 3], rtol=EXACT)  # 750 of 1,000 spent, 250 / 15 left for B
    assert cut.column.tolist() == [0, 1]
    broke = simulate(total_return_prices(panel), orders_of(panel, decisions), 1_000.0, Costs(0.0, 0.999999999999))
    assert broke.column.tolist() == [0]


def test_an_order_fills_at_the_close_where_there_is_no_open_and_in_the_total_return_basis():
    panel = flat_market({"A": [50, 50, 50]}, opens={"A": [NAN, NAN, NAN]})
    halved = Panel(
        panel.dates, panel.tickers, panel.open, panel.high, panel.low, panel.close, panel.close * [[0.5], [0.5], [1.0]],
        panel.volume,
    )  # fmt: skip
    fills = simulate(total_return_prices(halved), orders_of(halved, [[1.0], [NAN], [NAN]]), 1_000.0, FREE)
    assert (fills.price[0], fills.quantity[0]) == (25.0, 40.0)


def test_a_held_ticker_without_a_bar_is_valued_at_its_last_close():
    panel = flat_market({"A": [10, 10, 20, NAN, 20, 20], "B": [10, 10, 10, 10, 10, 10]})
    decisions = [[0.5, NAN], [NAN, NAN], [NAN, 0.5], [NAN, NAN], [NAN, NAN], [NAN, NAN]]
    prices = total_return_prices(panel)
    fills = simulate(prices, orders_of(panel, decisions), 1_000.0, FREE)
    np.testing.assert_allclose(fills.quantity, [50, 50], rtol=EXACT)  # half of 1,500 is 750, but only 500 is cash
    account = settle(fills, prices, 1_000.0, first=0, last=6)
    np.testing.assert_allclose(account.equity, [1_000, 1_000, 1_500, 1_500, 1_500, 1_500], rtol=EXACT)


def test_without_orders_nothing_is_traded():
    panel = flat_market({"A": [10, 11, 12]})
    fills = simulate(total_return_prices(panel), orders_of(panel, np.full((3, 1), NAN)), 1_000.0, FREE)
    account = settle(fills, total_return_prices(panel), 1_000.0, first=0, last=3)
    assert len(fills) == 0
    assert account.equity.tolist() == [1_000.0] * 3


NOTHING_LEFT_TO_COMPILE = """
from analytics.backtest.vectorbt_engine import warm_up
warm_up()

import numba
from numba.core.event import install_recorder
from analytics.backtest import BacktestSpec, run_backtest
from analytics.backtest.strategies import STRATEGIES
from markets import constant_risk_free, random_market

panel = random_market()
votes = STRATEGIES["technical_vote"].parameters[1].choices
with install_recorder("numba:compile") as recorder:
    result = run_backtest(
        panel, BacktestSpec(parameters={"threshold": 1, "votes": votes}), risk_free=constant_risk_free(panel)
    )
print("trades", len(result.trades) > 0, "compiled", len(recorder.buffer))
with install_recorder("numba:compile") as recorder:
    numba.njit(lambda x: x + 1)(1)
print("a compilation is noticed", len(recorder.buffer) > 0)
"""


def test_a_first_run_after_the_warm_up_compiles_nothing():
    root = Path(__file__).parents[3]
    paths = [str(root), str(Path(__file__).parent)]
    code = f"import sys; sys.path[:0] = {paths!r}\n{NOTHING_LEFT_TO_COMPILE}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "trades True compiled 0\na compilation is noticed True\n", done.stderr[-2_000:]
