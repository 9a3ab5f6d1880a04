"""Stops worked out by hand, bar by bar: what the engine of record and the event simulation must both do."""

from dataclasses import replace

import numpy as np
import pytest
from ledger_tables import CENT, NAN, assert_fills, both, flat, market
from two_engines import NO_COSTS, NO_INTEREST, Question, ask, orders_for

# 50 shares at the open of 100 on day 1, 1 % against the trader: a long position enters at 101, a short one at 99.
# The bars are those of day 1, 2 and 3; `cash` is 10,000 − 5,050 + 50 × 0.99 × quote for the long ones and
# 10,000 + 4,950 − 50 × 1.01 × quote for the short ones.
QUIET, LOSS, GAIN = (100, 101, 99, 100), {"stop_loss": 0.1}, {"take_profit": 0.1}
TRAIL = {"trailing_stop": 0.1}
STOPS = [
    # what happens                      side rules            bars                                                      day quote   cash       reason
    ("stop inside the range",           1, LOSS,          [QUIET, (95, 96, 90, 94), QUIET],                              2,  90.90,  9_449.55, "stop loss"),
    ("stop on a gap",                   1, LOSS,          [QUIET, (85, 96, 84, 94), QUIET],                              2,  85.00,  9_157.50, "stop loss"),
    ("stop on the day of entry",        1, LOSS,          [(100, 101, 90, 95), QUIET, QUIET],                            1,  90.90,  9_449.55, "stop loss"),
    ("profit inside the range",         1, GAIN,          [QUIET, (105, 112, 104, 110), QUIET],                          2, 111.10, 10_449.45, "take profit"),
    ("profit on a gap",                 1, GAIN,          [QUIET, (115, 116, 104, 110), QUIET],                          2, 115.00, 10_642.50, "take profit"),
    ("both in one bar: the loss",       1, LOSS | GAIN,   [QUIET, (100, 115, 85, 100), QUIET],                           2,  90.90,  9_449.55, "stop loss"),
    ("trails the highs so far",         1, TRAIL,         [(100, 120, 95, 118), (115, 125, 109, 120), (118, 119, 112, 113)], 3, 112.50, 10_518.75, "trailing stop"),
    ("trailing from the entry",         1, TRAIL,         [(100, 101, 90, 95), QUIET, QUIET],                            1,  90.90,  9_449.55, "trailing stop"),
    ("trailing on a gap",               1, TRAIL,         [(100, 120, 95, 118), (104, 106, 103, 105), QUIET],            2, 104.00, 10_098.00, "trailing stop"),
    ("the nearer: still the stop",      1, {"stop_loss": 0.05} | TRAIL, [(100, 110, 95, 100), QUIET, QUIET],             1,  95.95,  9_699.525, "stop loss"),
    ("the nearer: the trailing one",    1, {"stop_loss": 0.05} | TRAIL, [(100, 110, 99, 108), (105, 106, 98, 99), QUIET], 2, 99.00,  9_850.50, "trailing stop"),
    ("high and low unknown",            1, LOSS,          [QUIET, (95, NAN, NAN, 90), QUIET],                            2,  90.90,  9_449.55, "stop loss"),
    ("open unknown: the close",         1, LOSS,          [QUIET, (NAN, 96, 84, 88), QUIET],                             2,  88.00,  9_306.00, "stop loss"),
    ("a short stop inside the range",  -1, LOSS,          [QUIET, (105, 110, 104, 106), QUIET],                          2, 108.90,  9_450.55, "stop loss"),
    ("a short stop on a gap",          -1, LOSS,          [QUIET, (112, 113, 104, 106), QUIET],                          2, 112.00,  9_294.00, "stop loss"),
    ("a short profit inside",          -1, GAIN,          [QUIET, (95, 96, 88, 92), QUIET],                              2,  89.10, 10_450.45, "take profit"),
    ("a short profit on a gap",        -1, GAIN,          [QUIET, (85, 96, 84, 92), QUIET],                              2,  85.00, 10_657.50, "take profit"),
    ("a short trails the lows so far", -1, TRAIL,         [(100, 105, 80, 82), (85, 90, 84, 89), QUIET],                 2,  88.00, 10_506.00, "trailing stop"),
    ("short, both: the loss",          -1, LOSS | GAIN,   [QUIET, (100, 115, 85, 100), QUIET],                           2, 108.90,  9_450.55, "stop loss"),
]  # fmt: skip


@both
@pytest.mark.parametrize(
    ("side", "rules", "bars", "day", "quote", "cash", "reason"), [case[1:] for case in STOPS], ids=[c[0] for c in STOPS]
)
def test_a_stop(engine, side, rules, bars, day, quote, cash, reason):
    panel = market(A=[QUIET, *bars])
    costs = replace(NO_COSTS, half_spread=0.004, slippage_rate=0.006)
    orders = orders_for(panel, [(1, "A", 0.5 * side)])
    answer = ask(engine, Question(panel, orders, costs=costs, rules=replace(NO_INTEREST, **rules)))
    assert answer.reasons == ["signal", reason]
    np.testing.assert_allclose(answer.fills[:, 0], [1, day])
    np.testing.assert_allclose(answer.fills[:, 2], [50 * side, -50 * side], atol=1e-9)
    np.testing.assert_allclose(answer.fills[:, 3], [100 * (1 + 0.01 * side), quote * (1 - 0.01 * side)], atol=CENT)
    np.testing.assert_allclose(answer.fills[:, 4], [100, quote], atol=CENT)
    np.testing.assert_allclose(answer.paths["cash"][day:], cash, atol=CENT)
    assert [trade["reason"] for trade in answer.trades] == [reason]


@both
def test_a_position_opened_at_the_close_is_not_stopped_by_the_day_before_it(engine):
    panel = market(A=[QUIET, (NAN, 150, 50, 100), (100, 101, 96, 100), (99, 99, 90, 91)])
    rules = replace(NO_INTEREST, stop_loss=0.05, trailing_stop=0.2, take_profit=0.4)
    answer = ask(engine, Question(panel, orders_for(panel, [(1, "A", 0.5)]), rules=rules))
    assert_fills(answer, """
        day column quantity  price   quote  fee  spread  slippage  impact  borrow
         1    0       50     100.00  100.00   0     0       0        0       0    | signal
         3    0      -50      95.00   95.00   0     0       0        0       0    | stop loss
        """)  # fmt: skip


@both
def test_a_stop_fills_whole_and_drops_what_the_cap_left_over(engine):
    quiet = flat(10, volume=1_000)
    panel = market(A=[quiet, quiet, (10, 10, 8, 8, 8, 1_000), quiet, quiet])
    rules, costs = replace(NO_INTEREST, stop_loss=0.1), replace(NO_COSTS, participation_cap=0.1)
    answer = ask(engine, Question(panel, orders_for(panel, [(1, "A", 0.5)]), costs=costs, rules=rules))
    np.testing.assert_allclose(answer.fills[:, 2], [100, 100, -200], rtol=1e-12)
    assert answer.reasons == ["signal", "signal", "stop loss"]
