"""Accounts worked out by hand, to the cent: what the engine of record and the event simulation must both print."""

from dataclasses import replace

import numpy as np
import pytest
from ledger_tables import CENT, NAN, assert_fills, assert_paths, assert_trade, both, flat, market
from two_engines import NO_COSTS, NO_INTEREST, Question, ask, orders_for

from analytics.backtest.terms import Rules


@both
def test_a_purchase_held_over_a_split_and_a_dividend_and_sold(engine):
    # As it was traded: open and close in USD; 2 for 1 before day 2; a dividend of 1.00 goes ex on day 4.
    #   day   open  close   shares owned                                    worth at the close
    #    1     100    104   49                                              5,096
    #    2     ...     53   98 after the split                              5,194
    #    3     ...     50   98                                              4,900
    #    4     ...     50   98 × 1.00 buys 2 at the ex-price of 50 − 1      100 × 50 = 5,000
    #    5      52     51   100, sold at the open                           0
    raw_shares, raw_close = np.array([0, 49, 98, 98, 100, 0]), np.array([100, 104, 53, 50, 50, 51])
    # As it is stored: prices before day 2 halved, adj_close before day 4 × (1 − 1.00 / 50) = 0.98.
    panel = market(
        A=[
            (51, 52, 49, 50, 49.00), (50, 53, 50, 52, 50.96), (52, 54, 52, 53, 51.94), (53, 53, 49, 50, 49.00),
            (49, 51, 49, 50, 50.00), (52, 53, 51, 51, 51.00),
        ]
    )  # fmt: skip
    costs = replace(NO_COSTS, fee_rate=0.001, fixed_fee=1.0, half_spread=0.0002, slippage_rate=0.0008)
    orders = orders_for(panel, [(1, "A", 0.5), (5, "A", 0.0)])
    answer = ask(engine, Question(panel, orders, initial_capital=9_800.0, costs=costs))
    # Day 1, open 50 × 0.98 = 49: half of 9,800 is 100 adjusted shares. Price 49 × 1.001 = 49.049, fee 4.9049 + 1.
    # Day 5, open 52: price 52 × 0.999 = 51.948; fee 5.1948 + 1.
    assert_fills(answer, """
        day column quantity  price   quote     fee  spread  slippage  impact  borrow
         1    0      100     49.049  49.00  5.9049    0.98    3.92      0       0    | signal
         5    0     -100     51.948  52.00  6.1948    1.04    4.16      0       0    | signal
        """)  # fmt: skip
    # Cash: 9,800 − 4,904.90 − 5.9049 = 4,889.1951; + 5,194.80 − 6.1948 = 10,077.8003. Equity: + 100 × adj_close.
    assert_paths(answer, """
        day        cash       equity
         0     9,800.0000   9,800.0000
         1     4,889.1951   9,985.1951
         2     4,889.1951  10,083.1951
         3     4,889.1951   9,789.1951
         4     4,889.1951   9,889.1951
         5    10,077.8003  10,077.8003
        """)  # fmt: skip
    held = answer.paths["equity"] - answer.paths["cash"]
    np.testing.assert_allclose(held, raw_shares * raw_close, atol=CENT)
    assert len(answer.trades) == 1
    assert_trade(
        answer.trades[0], ticker="A", direction="long", entry_date="2024-01-02", entry_price=49.049,
        exit_date="2024-01-06", exit_price=51.948, quantity=100.0, fees=12.0997, slippage=10.10, spread=2.02,
        impact=0.0, borrow=0.0, pnl=277.8003, reason="signal",
    )  # fmt: skip
    assert answer.trades[0]["return_pct"] == pytest.approx(277.8003 / 4_904.90, abs=1e-6)


@both
def test_a_short_sale_with_borrow_fee_and_interest_on_the_free_cash(engine):
    panel = market(A=[
        flat(100), (100, 103, 99, 102), (101, 101, 95, 96), (98, 99, 96, 97), (95, 96, 94, 96), flat(96),
    ])  # fmt: skip
    costs = replace(NO_COSTS, fee_rate=0.001, half_spread=0.002, slippage_rate=0.003, borrow_rate=0.0252)
    answer = ask(
        engine,
        Question(panel, orders_for(panel, [(1, "A", -0.5), (4, "A", 0.0)]), costs=costs, rules=Rules()),
        risk_free=[NAN, 0.0, 0.0002, 0.0002, 0.0001, 0.0],  # an unknown rate earns nothing
    )
    # Day 1: 50 sold at 100 × 0.995 = 99.50, fee 4.975. Day 4: 50 bought at 95 × 1.005 = 95.475, fee 4.77375.
    # Borrow: 2.52 % / 252 = 0.01 % of what is short at the close before: 5,100, 4,800 and 4,850.
    assert_fills(answer, """
        day column quantity  price    quote     fee   spread  slippage  impact  borrow
         1    0      -50     99.500  100.00  4.97500   10.00    15.00      0     0     | signal
         4    0       50     95.475   95.00  4.77375    9.50    14.25      0     1.475 | signal
        """)  # fmt: skip
    # Interest on cash less what is short: 9,870.025 × 0.02 %, 10,171.489 × 0.02 %, 10,123.0433 × 0.01 %.
    # Cash: 10,000 + 4,975 − 4.975; then + interest − borrow; last − 4,773.75 − 4.77375.
    assert_paths(answer, """
        day  interest  borrow        cash       equity
         0    0.0000   0.000   10,000.0000  10,000.0000
         1    0.0000   0.000   14,970.0250   9,870.0250
         2    1.9740   0.510   14,971.4890  10,171.4890
         3    2.0343   0.480   14,973.0433  10,123.0433
         4    1.0123   0.485   10,195.0469  10,195.0469
         5    0.0000   0.000   10,195.0469  10,195.0469
        """)  # fmt: skip
    exposure = np.array([0, 5_100 / 9_870.025, 4_800 / 10_171.489, 4_850 / 10_123.0433, 0, 0])
    np.testing.assert_allclose(answer.paths["gross_exposure"], exposure, atol=1e-6)
    np.testing.assert_allclose(answer.paths["net_exposure"], -exposure, atol=1e-6)
    assert_trade(
        answer.trades[0], direction="short", entry_price=99.50, exit_price=95.475, quantity=50.0, fees=9.74875,
        slippage=48.75, borrow=1.475, pnl=190.02625, reason="signal",  # 4,975 − 4,773.75 − 9.74875 − 1.475
    )  # fmt: skip
    gain = answer.paths["equity"][-1] - 10_000
    assert gain - answer.paths["interest"].sum() == pytest.approx(190.02625, abs=CENT)


@both
def test_a_drawdown_halts_the_account_for_good(engine):
    panel = market(
        A=[flat(100), flat(100), (98, 98, 75, 75), (74, 76, 74, 76), (77, 78, 77, 78), flat(80)],
        B=[flat(100), flat(100), flat(100), None, (90, 92, 90, 92), flat(92)],
    )
    orders = orders_for(panel, [(1, "A", 0.5), (1, "B", -0.3), (3, "A", 0.9), (5, "A", 0.5), (5, "B", 0.5)])
    rules = replace(NO_INTEREST, drawdown_halt=0.1)
    answer = ask(engine, Question(panel, orders, costs=replace(NO_COSTS, fee_rate=0.001), rules=rules))
    # Day 2: 7,992 + 50 × 75 − 30 × 100 = 8,742, which is 12.58 % below 10,000. B has no bar on day 3.
    assert_fills(answer, """
        day column quantity  price   quote  fee  spread  slippage  impact  borrow
         1    1      -30     100.00  100.00 3.00    0       0        0       0    | signal
         1    0       50     100.00  100.00 5.00    0       0        0       0    | signal
         3    0      -50      74.00   74.00 3.70    0       0        0       0    | drawdown halt
         4    1       30      90.00   90.00 2.70    0       0        0       0    | drawdown halt
        """)  # fmt: skip
    assert_paths(answer, """
        day     cash       equity
         0   10,000.00   10,000.00
         1    7,992.00    9,992.00
         2    7,992.00    8,742.00
         3   11,688.30    8,688.30
         4    8,985.60    8,985.60
         5    8,985.60    8,985.60
        """)  # fmt: skip


@both
def test_a_ticker_without_a_bar_for_five_rows_is_settled_at_its_last_close(engine):
    panel = market(
        A=[flat(100), flat(100), (60, 60, 40, 40), *[None] * 6],
        B=[flat(100), flat(100), (100, 125, 100, 125), *[None] * 6],
        C=[flat(10)] * 9,
    )
    costs = replace(NO_COSTS, fee_rate=0.001, slippage_rate=0.01, borrow_rate=0.252)
    answer = ask(engine, Question(panel, orders_for(panel, [(1, "A", 0.5), (1, "B", -0.1)]), costs=costs))
    # Day 1: B sells 10 at 99, fee 0.99; A buys 50 at 101, fee 5.05. Day 7 = 2 + 5: both are settled, free of costs.
    # Borrow 0.1 % a night: of 1,000 before day 2, of 1,250 before days 3 to 7.
    assert_fills(answer, """
        day column quantity  price   quote  fee  spread  slippage  impact  borrow
         1    1      -10      99.00  100.00 0.99    0      10.00     0       0    | signal
         1    0       50     101.00  100.00 5.05    0      50.00     0       0    | signal
         7    0      -50      40.00   40.00 0.00    0       0        0       0    | delisted
         7    1       10     125.00  125.00 0.00    0       0        0       7.25 | delisted
        """)  # fmt: skip
    assert_paths(answer, """
        day  borrow     cash      equity
         0    0.00   10,000.00  10,000.00
         1    0.00    5,933.96   9,933.96
         2    1.00    5,932.96   6,682.96
         3    1.25    5,931.71   6,681.71
         4    1.25    5,930.46   6,680.46
         5    1.25    5,929.21   6,679.21
         6    1.25    5,927.96   6,677.96
         7    1.25    6,676.71   6,676.71
         8    0.00    6,676.71   6,676.71
        """)  # fmt: skip
    assert_trade(answer.trades[0], ticker="A", exit_date="2024-01-08", pnl=2_000 - 5_050 - 5.05, reason="delisted")
    assert_trade(answer.trades[1], ticker="B", direction="short", pnl=990 - 1_250 - 0.99 - 7.25, reason="delisted")


@both
def test_a_sale_through_zero_is_one_fill_and_two_trades(engine):
    panel = market(A=[flat(100), flat(100), flat(110), flat(100)])
    # Day 1: 50 at 100. Day 2: the account is 4,996 + 5,500 = 10,496; to 30 short, 80 sold. Day 3: 30 bought at 100.
    orders = orders_for(panel, [(1, "A", 0.5), (2, "A", -3_300 / 10_496), (3, "A", 0.0)])
    answer = ask(engine, Question(panel, orders, costs=replace(NO_COSTS, fixed_fee=4.0)))
    np.testing.assert_allclose(answer.fills[:, 2], [50, -80, 30], rtol=1e-12)
    np.testing.assert_allclose(answer.paths["cash"], [10_000, 4_996, 13_792, 10_788], atol=CENT)
    long, short = answer.trades  # 5/8 of the fee of 4.00 close the long position
    assert_trade(long, direction="long", quantity=50.0, exit_date="2024-01-03", fees=6.5, pnl=493.5)
    assert_trade(short, direction="short", quantity=30.0, entry_date="2024-01-03", fees=5.5, pnl=294.5)


@both
def test_a_purchase_that_cash_cannot_cover_is_cut_and_pays_the_impact_of_its_own_size(engine):
    panel = market(A=[flat(100, volume=1_000)] * 3)
    costs = replace(NO_COSTS, impact_coefficient=0.1, impact_exponent=1.0)
    answer = ask(engine, Question(panel, orders_for(panel, [(1, "A", 1.0)]), costs=costs))
    # 100 shares would move the price by 0.1 × 10,000 / 100,000 = 1 %: 10,000 / 101 = 99.0099 can be paid. These move
    # it by 0.990099 %: 99.0099 × 100.990099 = 9,999.0197.
    assert_fills(answer, """
        day column quantity   price       quote   fee  spread  slippage  impact  borrow
         1    0     99.0099   100.990099  100.00    0     0       0      98.0296   0    | signal
        """)  # fmt: skip
    np.testing.assert_allclose(answer.paths["cash"], [10_000, 0.9803, 0.9803], atol=CENT)


@both
def test_a_purchase_with_the_whole_account_pays_its_commission_from_it(engine):
    panel = market(A=[flat(100)] * 3)
    costs = replace(NO_COSTS, fee_rate=0.01, fixed_fee=5.0, slippage_rate=0.02)
    answer = ask(engine, Question(panel, orders_for(panel, [(1, "A", 1.0)]), costs=costs))
    # Price 102, 1.02 a share of commission: (10,000 − 5) / 103.02 = 97.0200 shares, fee 98.9604 + 5.
    assert_fills(answer, """
        day column quantity   price   quote     fee     spread  slippage  impact  borrow
         1    0     97.0200   102.00  100.00  103.9604    0     194.0400     0      0    | signal
        """)  # fmt: skip
    assert_paths(answer, """
        day      cash       equity
         0   10,000.00   10,000.00
         1        0.00    9,702.00
         2        0.00    9,702.00
        """)  # fmt: skip


@both
def test_equal_purchases_go_by_ticker_and_the_last_takes_what_is_left(engine):
    panel = market(A=[flat(11.3)] * 2, B=[flat(9.7)] * 2, C=[flat(10.1)] * 2)
    orders = orders_for(panel, [(1, ticker, 1 / 3) for ticker in "ABC"])
    answer = ask(engine, Question(panel, orders, costs=replace(NO_COSTS, slippage_rate=0.02)))
    # 3,333.33 each, which costs 3,400.00 at 2 % more: of 10,000 C gets 3,200 / 1.02 = 3,137.25.
    assert answer.fills[:, 1].tolist() == [0, 1, 2]
    np.testing.assert_allclose(answer.fills[:, 2] * answer.fills[:, 4], [3_333.33, 3_333.33, 3_137.25], atol=CENT)


@both
def test_an_account_that_a_stop_leaves_below_zero_trades_no_more(engine):
    panel = market(A=[flat(100), flat(100), (250, 260, 90, 100), flat(100)], B=[flat(10)] * 4)
    orders = orders_for(panel, [(1, "A", -1.0), (3, "B", 0.5)])
    rules = replace(NO_INTEREST, stop_loss=0.5)
    answer = ask(engine, Question(panel, orders, rules=rules))
    # 100 sold at 100; bought back at the open of 250, above the level of 150: 20,000 − 25,000.
    np.testing.assert_allclose(answer.paths["equity"], [10_000, 10_000, -5_000, -5_000], atol=CENT)
    assert answer.reasons == ["signal", "stop loss"]


@both
def test_an_account_below_zero_is_liquidated_at_the_close(engine):
    panel = market(A=[flat(100), flat(100), (210, 250, 210, 250), flat(100)], B=[flat(10)] * 4)
    orders = orders_for(panel, [(1, "A", -1.0), (2, "B", 0.5), (3, "B", 0.5)])
    answer = ask(engine, Question(panel, orders, costs=replace(NO_COSTS, fee_rate=0.001)))
    # 100 sold at 100, fee 10: 19,990. At the open of 210 they cost 21,000 to buy back, more than there is: nothing to
    # buy B with, and half of a debt is not sold short either. At the close of 250 they cost 25,000.
    np.testing.assert_allclose(answer.paths["equity"], [10_000, 9_990, -5_010, -5_010], atol=CENT)
    np.testing.assert_allclose(answer.paths["cash"], [10_000, 19_990, -5_010, -5_010], atol=CENT)
    assert answer.reasons == ["signal", "liquidated"]
    assert_trade(answer.trades[0], fees=10.0, pnl=-15_010.0, reason="liquidated")
