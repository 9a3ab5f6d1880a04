"""Orders larger than a session's share of the volume, worked out by hand: what both accounts must do with the rest."""

from dataclasses import replace

import numpy as np
import pytest
from ledger_tables import NAN, assert_fills, assert_paths, assert_trade, both, flat, market
from two_engines import NO_COSTS, NO_INTEREST, Question, ask, orders_for

from analytics.backtest import Costs


@both
def test_the_participation_cap_spreads_an_order_over_three_bars_at_the_price_of_its_impact(engine):
    # Average daily volume 50 × 2,000 = 100,000 USD over the 20 bars before: the first day's is out of it by day 21,
    # and the day of unknown volume is left out. The cap of 4 % is 4,000 USD a day. adj_close is half the close.
    busy, unknown = (50, 50, 50, 50, 25, 1e9), (50, 50, 50, 50, 25, NAN)
    usual, cheap = (50, 50, 50, 50, 25, 2_000), (40, 50, 40, 50, 25, 2_000)
    a = [busy, *[usual] * 10, unknown, *[usual] * 9, usual, None, cheap, usual, usual]
    panel = market(A=a, B=[flat(1.0)] * len(a))
    costs = Costs(
        fee_rate=0.001, fixed_fee=0, half_spread=0.001, slippage_rate=0.001, impact_coefficient=0.05,
        impact_exponent=0.5, participation_cap=0.04, borrow_rate=0,
    )  # fmt: skip
    orders = orders_for(panel, [(21, "A", 0.5)])
    answer = ask(engine, Question(panel, orders, initial_capital=20_000.0, costs=costs, first=21))
    # Wanted: 10,000 / 25 = 400 shares. Day 21: 4,000 / 25 = 160. Day 22: no bar. Day 23: 4,000 / 20 = 200. Day 24: 40.
    # Impact 0.05 × √(4,000 / 100,000) = 1 %, of the last 0.05 × √(1,000 / 100,000) = 0.5 %; spread and slippage 0.2 %.
    assert_fills(answer, """
        day column quantity  price   quote   fee   spread  slippage  impact  borrow
        21    0      160     25.300  25.00  4.048    4.00    4.00     40.00    0    | signal
        23    0      200     20.240  20.00  4.048    4.00    4.00     40.00    0    | signal
        24    0       40     25.175  25.00  1.007    1.00    1.00      5.00    0    | signal
        """)  # fmt: skip
    assert_paths(answer, """
        day       cash        equity
        21    15,947.9520   19,947.9520
        22    15,947.9520   19,947.9520
        23    11,895.9040   20,895.9040
        24    10,887.8970   20,887.8970
        25    10,887.8970   20,887.8970
        """)  # fmt: skip
    assert_trade(
        answer.trades[0], quantity=400.0, entry_price=(4_048 + 4_048 + 1_007) / 400, exit_price=25.0, fees=9.103,
        slippage=103.0, spread=9.0, impact=85.0, pnl=10_000 - 9_103 - 9.103, reason="end of test",
    )  # fmt: skip


CAPPED = replace(NO_COSTS, participation_cap=0.1)  # of 10 × 1,000 USD a day: 100 shares at 10


@both
@pytest.mark.parametrize(
    ("due", "quantities"),
    [
        ([(1, "A", 0.25)], [100, 100, 50]),
        ([(1, "A", 0.25), (2, "A", 0.15)], [100, 50]),  # a newer order replaces the remainder
        ([(1, "A", 0.25), (3, "A", 0.0)], [100, 100, -100, -100]),  # and is capped itself
        ([(1, "A", 0.05), (2, "A", -0.2)], [50, -100, -100, -50]),  # through zero on the way
    ],
)
def test_what_the_cap_leaves_over_works_until_it_is_done_or_replaced(engine, due, quantities):
    panel = market(A=[flat(10, volume=1_000)] * 6)
    answer = ask(engine, Question(panel, orders_for(panel, due), costs=CAPPED))
    np.testing.assert_allclose(answer.fills[:, 2], quantities, rtol=1e-12)
    np.testing.assert_allclose(answer.fills[:, 0], np.arange(len(quantities)) + 1)


@both
def test_a_capped_purchase_that_runs_out_of_cash_is_over(engine):
    panel = market(A=[flat(10, volume=1_000)] * 6, B=[flat(20)] * 6)
    orders = orders_for(panel, [(1, "B", 0.5), (2, "A", 1.0), (4, "B", 0.0)])
    answer = ask(engine, Question(panel, orders, initial_capital=3_000.0, costs=CAPPED))
    # Day 1: B for 1,500. Day 2: of 300 A the cap lets 100 through, day 3: 50 are all that 500 buys. Day 4: cash again.
    np.testing.assert_allclose(answer.fills[:, [0, 1, 2]], [[1, 1, 75], [2, 0, 100], [3, 0, 50], [4, 1, -75]])


@both
def test_an_order_still_working_when_its_ticker_goes_is_dropped_held_or_not(engine):
    usual = flat(10, volume=1_000)
    panel = market(A=[usual, usual, usual, *[None] * 6, usual, usual], B=[flat(5)] * 11)
    answer = ask(engine, Question(panel, orders_for(panel, [(1, "A", 0.1), (2, "A", -0.1)]), costs=CAPPED))
    # From 100 to 100 short, 100 a bar: flat on day 2, the rest is never sold.
    np.testing.assert_allclose(answer.fills[:, [0, 2]], [[1, 100], [2, -100]])


@both
def test_a_halt_closes_as_much_as_cap_and_cash_let_it_at_each_bar(engine):
    rising = [flat(100), flat(100), (100, 120, 100, 120), *[flat(120)] * 3]
    panel = market(A=rising, B=[flat(10), flat(10), *[flat(10, volume=100)] * 4])
    costs, rules = replace(NO_COSTS, participation_cap=1.0), replace(NO_INTEREST, drawdown_halt=0.1)
    answer = ask(engine, Question(panel, orders_for(panel, [(1, "A", -1.0), (1, "B", 1.5)]), costs=costs, rules=rules))
    # Day 2: 20,000 − 15,000 + 15,000 − 12,000 = 8,000. Then B brings 100 × 10 a bar, the whole of its usual volume;
    # with the 5,000 at hand 6,000 / 120 = 50 of A are covered on day 3, and 1,000 / 120 on each day after.
    assert_fills(answer, """
        day column quantity  price   quote  fee  spread  slippage  impact  borrow
         1    0    -100.0    100.0   100.0   0     0        0       0       0    | signal
         1    1    1500.0     10.0    10.0   0     0        0       0       0    | signal
         3    1    -100.0     10.0    10.0   0     0        0       0       0    | drawdown halt
         3    0      50.0    120.0   120.0   0     0        0       0       0    | drawdown halt
         4    1    -100.0     10.0    10.0   0     0        0       0       0    | drawdown halt
         4    0     8.3333   120.0   120.0   0     0        0       0       0    | drawdown halt
         5    1    -100.0     10.0    10.0   0     0        0       0       0    | drawdown halt
         5    0     8.3333   120.0   120.0   0     0        0       0       0    | drawdown halt
        """)  # fmt: skip
