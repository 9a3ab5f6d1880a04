"""The compiled account: one pass over the sessions, every rule of docs/METHODS.md in its order.

Money, shares and prices are plain arrays; `kernel.py` gives them their names. What is called stands in this file, so
that the compiled code can be kept on disk.
"""

import math

import numpy as np

from analytics.compiled import compiled
from analytics.conventions import DELISTED_AFTER, MAX_CONCESSION

# one session of the market: the rows of its array
OPEN, HIGH, LOW, CLOSE, LAST_CLOSE, ADV = range(6)  # LAST_CLOSE is carried over gaps; ADV: average dollar volume
# the rows of `book`: what is known of each ticker's position
SHARES, ENTRY, BEST, OWED, WORKING, SEEN, WANTED, TRADE, VALUE, OPENED_LATE = range(10)
BOOK_ROWS = 10
# entries of `state`: the account
CASH, PEAK, HALTED, FILLS, ACCOUNT, INTEREST, BORROWED, HALTED_AT, RUINED_AT = range(9)  # the last two: row + 1, or 0
STATE_SIZE = 9
# entries of `terms`
TERMS = (
    "fee_rate", "fixed_fee", "half_spread", "slippage_rate", "impact_coefficient", "impact_exponent", "participation_cap",
    "borrow_rate", "stop_loss", "take_profit", "trailing_stop", "drawdown_halt",
)  # fmt: skip
FEE, FIXED, SPREAD, SLIPPAGE, IMPACT, EXPONENT, CAP, BORROW, LOSS, PROFIT, TRAIL, HALT = range(len(TERMS))
FILL_COLUMNS = (
    "row",
    "column",
    "quantity",
    "price",
    "quote",
    "fee",
    "spread",
    "slippage",
    "impact",
    "borrow",
    "reason",
)
SERIES_COLUMNS = ("cash", "equity", "gross_exposure", "net_exposure", "interest", "borrow")
REASONS = ("order", "stop loss", "trailing stop", "take profit", "drawdown halt", "delisted", "liquidated")
ORDER, STOP_LOSS, TRAILING_STOP, TAKE_PROFIT, DRAWDOWN_HALT, DELISTED, LIQUIDATED = range(len(REASONS))
uncounted = compiled(counted=False)  # each session passes these arrays on a dozen times
DUST = 1e-9  # of the account: a trade or a position no larger is what rounding left


@uncounted
def run_account(market, interest_rate, orders, terms, first, last, state, book, fills, series, queue):  # type: ignore[no-untyped-def]
    """Simulate the rows from `first` to before `last`, session by session, into `fills` and `series`.

    market: (n_rows, 6, n_tickers). orders: (n_orders, 3) of row, column, target weight, by row, then column. queue:
    room for n_tickers whole numbers. Fills beyond len(fills) are counted in state, not kept: the caller comes again with
    more room.
    """
    at = 0
    for t in range(first, last):
        now, before = market[t], market[max(t - 1, 0)]
        pass_night(t, now, before, interest_rate[t], state, book, terms)
        settle_delisted(t, before, state, book, fills, terms)
        at = gather(t, at, now, orders, state, book)
        if value_account(now, before, state, book):
            for k in range(at - 1, -1, -1):
                if orders[k, 0] != t:
                    break
                aim(int(orders[k, 1]), orders[k, 2], now, before, state, book)
            for k in range(queue_trades(book, queue)):
                trade_one(t, queue[k], now, before, state, book, fills, terms)
        if terms[LOSS] > 0.0 or terms[PROFIT] > 0.0 or terms[TRAIL] > 0.0:
            stop_out(t, now, state, book, fills, terms)
        close_session(t, now, state, book, fills, terms, series[t - first])


@uncounted
def pass_night(t, now, before, interest_rate, state, book, terms):  # type: ignore[no-untyped-def]
    """Pay interest on free cash and the fees of what is borrowed, both by the values at the close before."""
    shorts, borrowed = 0.0, 0.0
    for i in range(book.shape[1]):
        book[OPENED_LATE, i] = 0.0
        if math.isfinite(now[CLOSE, i]):
            book[SEEN, i] = t
        if book[SHARES, i] < 0.0:
            short = -book[SHARES, i] * before[LAST_CLOSE, i]
            shorts += short
            borrowed += short * terms[BORROW]
            book[OWED, i] += short * terms[BORROW]
    state[INTEREST] = max(state[CASH] - shorts, 0.0) * interest_rate
    state[BORROWED] = borrowed
    state[CASH] += state[INTEREST] - borrowed


@uncounted
def settle_delisted(t, before, state, book, fills, terms):  # type: ignore[no-untyped-def]
    """Close what has had no bar for DELISTED_AFTER sessions at its last close, and drop what still waits."""
    for i in range(book.shape[1]):
        if t - book[SEEN, i] >= DELISTED_AFTER:
            book[WORKING, i] = 0.0
            if book[SHARES, i] != 0.0:
                execute(t, i, -book[SHARES, i], before[LAST_CLOSE, i], np.nan, DELISTED, state, book, fills, terms)


@uncounted
def gather(t, at, now, orders, state, book):  # type: ignore[no-untyped-def]
    """Note what is to be traded: what is left of earlier orders and what is due; after a halt, what is held."""
    halted = state[HALTED] > 0.0
    for i in range(book.shape[1]):
        book[TRADE, i] = -book[SHARES, i] if halted else book[WORKING, i]
        book[WANTED, i] = 1.0 if book[TRADE, i] != 0.0 and math.isfinite(now[CLOSE, i]) else 0.0
        if book[WANTED, i] > 0.0:
            book[VALUE, i] = book[TRADE, i] * (now[OPEN, i] if math.isfinite(now[OPEN, i]) else now[CLOSE, i])
    while at < len(orders) and orders[at, 0] == t:
        if not halted:
            book[WANTED, int(orders[at, 1])] = 1.0
        at += 1
    return at


@uncounted
def quote_of(i, now, before, book):  # type: ignore[no-untyped-def]
    """The price of a ticker before the session's trades: its open; its close where it trades then; its last close."""
    if math.isfinite(now[OPEN, i]):
        return now[OPEN, i]
    if book[WANTED, i] > 0.0 and math.isfinite(now[CLOSE, i]):
        return now[CLOSE, i]
    return before[LAST_CLOSE, i]


@uncounted
def value_account(now, before, state, book):  # type: ignore[no-untyped-def]
    """Value the account before its trades; False where nothing is to be traded."""
    account, any_wanted = state[CASH], False
    for i in range(book.shape[1]):
        any_wanted = any_wanted or book[WANTED, i] > 0.0
        if book[SHARES, i] != 0.0:
            account += book[SHARES, i] * quote_of(i, now, before, book)
    state[ACCOUNT] = account
    return any_wanted


@uncounted
def aim(i, weight, now, before, state, book):  # type: ignore[no-untyped-def]
    """Turn an order that is due into shares; an account that is worth nothing buys nothing."""
    if state[HALTED] > 0.0:
        return
    book[WORKING, i] = 0.0
    worth = max(state[ACCOUNT], 0.0)
    quote = quote_of(i, now, before, book)
    book[TRADE, i] = weight * worth / quote - book[SHARES, i]
    book[VALUE, i] = weight * worth - book[SHARES, i] * quote  # equal weights tie here, so that tickers go by column


@uncounted
def queue_trades(book, queue):  # type: ignore[no-untyped-def]
    """Put what is to be traded in sequence, sales first and the largest of them first, then purchases from the smallest."""
    queued = 0
    for i in range(book.shape[1]):
        if book[WANTED, i] > 0.0:
            k = queued
            while k > 0 and book[VALUE, queue[k - 1]] > book[VALUE, i]:
                queue[k] = queue[k - 1]
                k -= 1
            queue[k] = i
            queued += 1
    return queued


@uncounted
def trade_one(t, i, now, before, state, book, fills, terms):  # type: ignore[no-untyped-def]
    """Trade what is wanted of one ticker as far as the market's volume and the cash allow; the market's rest waits."""
    quote, wanted, held = quote_of(i, now, before, book), book[TRADE, i], book[SHARES, i]
    book[WORKING, i] = 0.0
    dust, adv, size, rest = DUST * abs(state[ACCOUNT]), now[ADV, i], wanted, 0.0
    if abs(size) * quote <= dust:
        return
    if terms[CAP] > 0.0 and adv > 0.0 and abs(size) * quote > terms[CAP] * adv:
        size = math.copysign(terms[CAP] * adv / quote, wanted)
        rest = wanted - size
    if size > 0.0:
        concession = terms[SPREAD] + terms[SLIPPAGE] + impact_of(size * quote, adv, terms)
        covered = (state[CASH] - terms[FIXED]) / (quote * (1.0 + concession) * (1.0 + terms[FEE]))
        if covered < size:
            size, rest = max(covered, 0.0), 0.0
    if abs(size) * quote <= dust:
        return
    if abs(held + size) * quote <= dust:
        size = -held
    price = execute(t, i, size, quote, adv, DRAWDOWN_HALT if state[HALTED] > 0.0 else ORDER, state, book, fills, terms)
    book[WORKING, i] = rest
    if held * book[SHARES, i] <= 0.0:  # from flat or through zero: another position
        book[ENTRY, i], book[BEST, i] = price, price
        book[OPENED_LATE, i] = 0.0 if math.isfinite(now[OPEN, i]) else 1.0


@uncounted
def impact_of(value, adv, terms):  # type: ignore[no-untyped-def]
    """The share of the price by which an order of `value` USD moves it, within what the concession may be."""
    if not (adv > 0.0 and terms[IMPACT] > 0.0):
        return 0.0
    return min(terms[IMPACT] * (value / adv) ** terms[EXPONENT], MAX_CONCESSION - terms[SPREAD] - terms[SLIPPAGE])


@uncounted
def execute(t, i, size, quote, adv, reason, state, book, fills, terms):  # type: ignore[no-untyped-def]
    """Trade `size` shares, charge and record it; returns the price paid. A settlement costs nothing."""
    charged = 0.0 if reason in (DELISTED, LIQUIDATED) else 1.0
    value = abs(size) * quote
    impact = charged * impact_of(value, adv, terms)
    price = quote * (1.0 + math.copysign(charged * (terms[SPREAD] + terms[SLIPPAGE]) + impact, size))
    fee = charged * (abs(size) * price * terms[FEE] + terms[FIXED])
    count = int(state[FILLS])
    if count < len(fills):
        fill = fills[count]
        fill[0], fill[1], fill[2], fill[3], fill[4], fill[5] = t, i, size, price, quote, fee
        fill[6], fill[7], fill[8] = value * charged * terms[SPREAD], value * charged * terms[SLIPPAGE], value * impact
        fill[9], fill[10] = book[OWED, i], reason
    state[FILLS] = count + 1
    state[CASH] -= size * price + fee
    book[SHARES, i] += size
    book[OWED, i] = 0.0
    book[WORKING, i] = 0.0
    return price


@uncounted
def stop_out(t, now, state, book, fills, terms):  # type: ignore[no-untyped-def]
    """Close the positions whose stop is hit on this bar; one opened at this close has not lived through the bar."""
    for i in range(book.shape[1]):
        if book[SHARES, i] == 0.0 or book[OPENED_LATE, i] > 0.0 or not math.isfinite(now[CLOSE, i]):
            continue
        close = now[CLOSE, i]
        open_ = now[OPEN, i] if math.isfinite(now[OPEN, i]) else close
        high = now[HIGH, i] if math.isfinite(now[HIGH, i]) else max(open_, close)
        low = now[LOW, i] if math.isfinite(now[LOW, i]) else min(open_, close)
        side = 1.0 if book[SHARES, i] > 0.0 else -1.0
        quote, reason = stop_of(side, book[ENTRY, i], book[BEST, i], open_, high, low, terms)
        book[BEST, i] = max(book[BEST, i], high) if side > 0.0 else min(book[BEST, i], low)
        if math.isfinite(quote):
            execute(t, i, -book[SHARES, i], quote, now[ADV, i], reason, state, book, fills, terms)


@uncounted
def stop_of(side, entry, best, open_, high, low, terms):  # type: ignore[no-untyped-def]
    """The price and the reason of a stop that is hit, NaN where none is; side: 1 long, −1 short, whose prices are negated."""
    level, reason = -np.inf, STOP_LOSS
    if terms[LOSS] > 0.0:
        level = side * entry * (1.0 - side * terms[LOSS])
    if terms[TRAIL] > 0.0 and side * best * (1.0 - side * terms[TRAIL]) > level:
        level, reason = side * best * (1.0 - side * terms[TRAIL]), TRAILING_STOP
    if side * open_ <= level:
        return open_, reason
    if (low if side > 0.0 else -high) <= level:
        return side * level, reason
    if terms[PROFIT] > 0.0:
        goal = side * entry * (1.0 + side * terms[PROFIT])
        if side * open_ >= goal:
            return open_, TAKE_PROFIT
        if (high if side > 0.0 else -low) >= goal:
            return side * goal, TAKE_PROFIT
    return np.nan, ORDER


@uncounted
def close_session(t, now, state, book, fills, terms, series):  # type: ignore[no-untyped-def]
    """Value the account at the close, end it where nothing is left, and halt it where it has fallen too far."""
    gross, net = 0.0, 0.0
    for i in range(book.shape[1]):
        if book[SHARES, i] != 0.0:
            gross += abs(book[SHARES, i]) * now[LAST_CLOSE, i]
            net += book[SHARES, i] * now[LAST_CLOSE, i]
    equity = state[CASH] + net
    if equity <= 0.0:
        for i in range(book.shape[1]):
            if book[SHARES, i] != 0.0:
                execute(t, i, -book[SHARES, i], now[LAST_CLOSE, i], np.nan, LIQUIDATED, state, book, fills, terms)
        gross, net, equity = 0.0, 0.0, state[CASH]
        state[HALTED] = 1.0
        state[RUINED_AT] = state[RUINED_AT] if state[RUINED_AT] > 0.0 else t + 1.0
    series[0], series[1], series[4], series[5] = state[CASH], equity, state[INTEREST], state[BORROWED]
    if gross > 0.0:
        series[2], series[3] = gross / equity, net / equity
    state[PEAK] = max(state[PEAK], equity)
    if terms[HALT] > 0.0 and state[HALTED] == 0.0 and equity / state[PEAK] - 1.0 <= -terms[HALT]:
        state[HALTED], state[HALTED_AT] = 1.0, t + 1.0
