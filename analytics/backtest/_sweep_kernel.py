"""Accounts of one ticker, all in or all out, run and measured in one pass: nothing is kept per session.

While no order is due, an account that is all cash or all shares is a fixed multiple of a path known beforehand: of one
dollar at interest, or of the close. What such a stretch adds to the sums behind the metrics is the difference of two
prefix sums, so that only the drawdown looks at each session. Sessions with an order, and short positions, whose cash
and debt move apart, are walked through one by one.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.compiled import compiled
from analytics.conventions import TRADING_DAYS, FloatArray

StateArray = npt.NDArray[np.int8]
IntArray = npt.NDArray[np.int64]

QUOTE, CLOSE, RISK_FREE, INTEREST = range(4)  # a bar
IN_CASH, IN_SHARES = 0, 1  # the paths
RETURN, SQUARED, EXCESS, EXCESS_SQUARED, SHORTFALL, RETURNS, EXCESSES = range(7)  # sums over sessions
TURNOVER, HELD, TRADES, WINS, GAINS, LOSSES = range(7, 13)  # more of them, and sums over trades
N_SUMMED, N_TALLIES = 7, 13
CASH, SHARES, EQUITY, PEAK, DRAWDOWN, TRIP, HALTED = range(7)  # an account; TRIP: pnl of the running round trip
N_ACCOUNT = 7
N_METRICS = 12

NO_ORDER = 2  # beside the states −1, 0 and 1
LEAST_TRADE = 1e-9  # of the account; a smaller trade is not made, a smaller position is none
ZERO = 1e-12  # a denominator smaller than this is what rounding leaves of a zero, as in the metric registry
CONSTANT = 1e-12  # of the mean square; a variance below it is what rounding leaves of a constant series


class Ticker(NamedTuple):
    """One ticker's own bars in the window, and what the stretches between orders need.

    bars (n, 4): by QUOTE (open, else close), CLOSE, RISK_FREE (NaN unknown) and INTEREST, what cash earns. paths
    (2, n + 1): by IN_CASH and IN_SHARES, from the session before the first. sums (2, n + 1, N_SUMMED): running sums
    along each path.
    """

    bars: FloatArray
    paths: FloatArray
    sums: FloatArray


class Terms(NamedTuple):
    """Capital in USD, fee and concession per value and fill, fixed fee in USD, borrow fee per session.

    least: 0 where states below it are cut to it, −1 where shorts are allowed.
    """

    capital: float
    fee_rate: float
    fixed_fee: float
    concession: float
    borrow: float
    least: int


@compiled(nogil=True)
def prepare(bars: FloatArray) -> Ticker:
    """Return the ticker with its paths and their running sums. Nothing is held before the first bar."""
    n = bars.shape[0]
    paths, sums = np.ones((2, n + 1)), np.zeros((2, n + 1, N_SUMMED))
    paths[IN_SHARES, 0] = bars[0, CLOSE]
    for t in range(n):
        paths[IN_CASH, t + 1] = paths[IN_CASH, t] * (1.0 + bars[t, INTEREST])
        paths[IN_SHARES, t + 1] = bars[t, CLOSE]
        for which in range(2):
            for j in range(N_SUMMED):
                sums[which, t + 1, j] = sums[which, t, j]
            _add(sums[which, t + 1], paths[which, t + 1] / paths[which, t] - 1.0, bars[t, RISK_FREE])
    return Ticker(bars, paths, sums)


@compiled(inline=True)
def _add(sums: FloatArray, earned: float, risk_free: float) -> None:
    """Add a session's return to the first N_SUMMED sums."""
    sums[RETURN] += earned
    sums[SQUARED] += earned * earned
    sums[RETURNS] += 1.0
    if np.isfinite(risk_free):
        excess = earned - risk_free
        sums[EXCESS] += excess
        sums[EXCESS_SQUARED] += excess * excess
        sums[SHORTFALL] += min(excess, 0.0) ** 2
        sums[EXCESSES] += 1.0


@compiled(inline=True)
def _end_trip(account: FloatArray, tally: FloatArray) -> None:
    """Count the round trip that ended."""
    pnl = account[TRIP]
    tally[TRADES] += 1.0
    if pnl > 0.0:
        tally[WINS] += 1.0
        tally[GAINS] += pnl
    else:
        tally[LOSSES] -= pnl
    account[TRIP] = 0.0


@compiled(inline=True)
def _trade(account: FloatArray, tally: FloatArray, state: int, quote: float, terms: Terms) -> float:
    """Trade towards all long (1), flat (0) or all short (−1); return the value traded."""
    cash, held = account[CASH], account[SHARES]
    value = cash + held * quote
    size = cash / quote if state > 0 else state * value / quote - held  # all in: whatever the cash buys
    price = quote * (1.0 + terms.concession if size > 0.0 else 1.0 - terms.concession)
    if size > 0.0:
        size = max(min(size, (cash - terms.fixed_fee) / (price * (1.0 + terms.fee_rate))), 0.0)
    if abs(size * quote) <= LEAST_TRADE * abs(value):
        return 0.0
    paid = size * price + abs(size) * price * terms.fee_rate + terms.fixed_fee
    closing = min(-held / size, 1.0) if held * size < 0.0 else 0.0  # the share of the fill that closes a position
    after = held + size
    if abs(after * quote) <= LEAST_TRADE * abs(value):
        after, closing = 0.0, 1.0
    account[CASH] = 0.0 if state > 0 else cash - paid
    account[SHARES] = after
    account[TRIP] -= closing * paid
    if held != 0.0 and after * held <= 0.0:
        _end_trip(account, tally)
    account[TRIP] -= (1.0 - closing) * paid
    return abs(size) * price


@compiled(inline=True)
def _mark(account: FloatArray, tally: FloatArray, bars: FloatArray, t: int, traded: float) -> None:
    """Value the account at the close and add the session to the sums; a worthless one is closed for good."""
    shares, before = account[SHARES], account[EQUITY]
    equity = account[CASH] + shares * bars[t, CLOSE]
    account[EQUITY] = equity
    if before > 0.0:
        _add(tally, equity / before - 1.0, bars[t, RISK_FREE])
    account[PEAK] = max(account[PEAK], equity)
    account[DRAWDOWN] = min(account[DRAWDOWN], equity / account[PEAK] - 1.0)
    if equity > 0.0:
        tally[TURNOVER] += traded / equity
        if shares != 0.0:
            tally[HELD] += 1.0
        return
    if shares != 0.0:
        account[TRIP] += shares * bars[t, CLOSE]
        _end_trip(account, tally)
    account[CASH], account[SHARES], account[HALTED] = equity, 0.0, 1.0


@compiled(inline=True)
def _session(account: FloatArray, tally: FloatArray, bars: FloatArray, terms: Terms, t: int, order: int) -> None:
    """One session as the rules have it: interest and borrow fee overnight, the order that is due, the close."""
    short = max(-account[SHARES] * bars[t - 1, CLOSE], 0.0) if t > 0 else 0.0
    account[TRIP] -= terms.borrow * short
    account[CASH] += max(account[CASH] - short, 0.0) * bars[t, INTEREST] - terms.borrow * short
    traded = _trade(account, tally, order, bars[t, QUOTE], terms) if order != NO_ORDER else 0.0
    _mark(account, tally, bars, t, traded)


@compiled(inline=True)
def _follow(account: FloatArray, tally: FloatArray, paths: FloatArray, sums: FloatArray, begin: int, end: int) -> None:
    """Sessions from begin to before end of an account that is all cash or all shares."""
    which = IN_SHARES if account[SHARES] > 0.0 else IN_CASH
    for j in range(N_SUMMED):
        tally[j] += sums[which, end, j] - sums[which, begin, j]
    units = account[EQUITY] / paths[which, begin]
    peak, drawdown = account[PEAK] / units, account[DRAWDOWN]
    floor = peak * (1.0 + drawdown)
    moves = sums[which, end, SQUARED] > sums[which, begin, SQUARED]  # cash without interest does not
    for t in range(begin + 1, end + 1 if moves else begin + 1):
        value = paths[which, t]
        if value > peak:
            peak = value
            floor = peak * (1.0 + drawdown)
        elif value < floor:
            floor = value
            drawdown = value / peak - 1.0
    account[PEAK], account[DRAWDOWN], account[EQUITY] = peak * units, drawdown, units * paths[which, end]
    if which == IN_SHARES:
        tally[HELD] += end - begin
    else:
        account[CASH] = account[EQUITY]


@compiled
def _run(account: FloatArray, tally: FloatArray, ticker: Ticker, terms: Terms, states: StateArray, first: int) -> None:
    """One account over the window, which opens with bar `first` of those that states (n_bars,) were decided on."""
    bars, paths, sums = ticker  # taken out once: each look into a tuple would count references
    n, begin, in_force = bars.shape[0], 0, 0
    while begin < n:
        end = begin if first + begin > 0 else 1  # nothing was decided before a ticker's first bar
        while end < n and max(states[first + end - 1], terms.least) == in_force:
            end += 1
        if account[SHARES] > 0.0 or (account[SHARES] == 0.0 and account[CASH] > 0.0):
            _follow(account, tally, paths, sums, begin, end)
        else:
            for t in range(begin, end):
                _session(account, tally, bars, terms, t, NO_ORDER)
        if end < n:
            in_force = max(states[first + end - 1], terms.least)
            _session(account, tally, bars, terms, end, in_force if account[HALTED] == 0.0 else NO_ORDER)
        begin = end + 1


@compiled
def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if abs(denominator) > ZERO else np.nan


@compiled
def _deviation(total: float, squared: float, n: float) -> float:
    """The sample standard deviation from the sums of n values and of their squares."""
    if n < 2.0:
        return np.nan
    variance = (squared - total * total / n) / (n - 1.0)
    return np.sqrt(variance) if variance > max(CONSTANT * squared / n, ZERO * ZERO) else 0.0


@compiled
def _measure(account: FloatArray, tally: FloatArray, capital: float, sessions: int, found: FloatArray) -> None:
    """Write the metrics, in the order of SWEPT_METRICS, by the definitions of the metric registry."""
    n, known = tally[RETURNS], tally[EXCESSES]
    final = account[EQUITY] / capital
    annual = final ** (TRADING_DAYS / n) - 1.0 if n > 1.0 and final >= 0.0 else np.nan
    year = np.sqrt(float(TRADING_DAYS))
    excess = tally[EXCESS] / known
    found[0] = final - 1.0
    found[1] = annual
    found[2] = _deviation(tally[RETURN], tally[SQUARED], n) * year
    found[3] = _ratio(excess, _deviation(tally[EXCESS], tally[EXCESS_SQUARED], known)) * year
    found[4] = _ratio(TRADING_DAYS * excess, np.sqrt(TRADING_DAYS * tally[SHORTFALL] / known))
    found[5] = account[DRAWDOWN]
    found[6] = _ratio(annual, -account[DRAWDOWN])
    found[7] = tally[TRADES]
    found[8] = tally[WINS] / tally[TRADES]
    found[9] = _ratio(tally[GAINS], tally[LOSSES])
    found[10] = tally[HELD] / sessions
    solvent = n - 1.0 if final <= 0.0 else n  # there is no turnover of an account that is worth nothing
    found[11] = TRADING_DAYS * tally[TURNOVER] / solvent / 2.0


@compiled(nogil=True)
def run_accounts(ticker: Ticker, states: StateArray, first: int, terms: Terms, found: FloatArray) -> None:
    """Run an account per row of states (n_sets, n_bars), decided at each close; metrics to found (n_sets, N_METRICS)."""
    account, tally = np.empty(N_ACCOUNT), np.empty(N_TALLIES)
    for k in range(states.shape[0]):
        account[:] = 0.0
        tally[:] = 0.0
        account[CASH] = account[EQUITY] = account[PEAK] = terms.capital
        _run(account, tally, ticker, terms, states[k], first)
        if account[SHARES] != 0.0:  # still open: valued at the last close
            account[TRIP] += account[SHARES] * ticker.bars[-1, CLOSE]
            _end_trip(account, tally)
        _measure(account, tally, terms.capital, ticker.bars.shape[0], found[k])


@compiled(nogil=True)
def compare(averages: FloatArray, fast: IntArray, slow: IntArray, rounding: float, states: StateArray) -> None:
    """Write the sign of averages[fast] − averages[slow] to states (n_pairs, n); 0 where unknown or within rounding."""
    for k in range(fast.size):
        first, second = averages[fast[k]], averages[slow[k]]
        for t in range(first.size):
            gap, least = first[t] - second[t], rounding * abs(second[t])
            states[k, t] = np.int8(gap > least) - np.int8(gap < -least)
