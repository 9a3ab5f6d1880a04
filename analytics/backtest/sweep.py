"""Many parameter sets of one rule: each set runs each ticker in an account of its own, all in or all out.

The accounts follow the rules of the engine for target weights of 1, 0 and −1 on one ticker. They keep no record of their
sessions, only the metrics in SWEPT_METRICS: a parameter set worth a second look is run again by the engine.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final

import numpy as np
import talib

from analytics.backtest._sweep_kernel import N_METRICS, StateArray, Terms, Ticker, compare, prepare, run_accounts
from analytics.backtest.engine import TradingPrices
from analytics.backtest.terms import LONG_ONLY, LONG_SHORT, Costs
from analytics.conventions import INITIAL_CAPITAL, MAX_CONCESSION, TRADING_DAYS, FloatArray
from analytics.errors import InputError, UnknownKeyError
from analytics.indicators._vote import ROUNDING

SWEPT_METRICS: Final = (
    "total_return", "annual_return", "annual_volatility", "sharpe_ratio", "sortino_ratio", "max_drawdown",
    "calmar_ratio", "n_trades", "win_rate", "profit_factor", "exposure_share", "annual_turnover",
)  # fmt: skip
TASK: Final = 512  # parameter sets per task of a thread
SHORTEST, LONGEST = 2, 100_000  # sessions that TA-Lib averages over


@dataclass(frozen=True)
class SweepResult:
    """metrics: {key of the metric registry: (n_sets, n_tickers)}; NaN where undefined, or without a bar."""

    metrics: Mapping[str, FloatArray]


def sweep(
    prices: TradingPrices,
    states: StateArray,
    *,
    costs: Costs,
    risk_free: FloatArray | None = None,
    direction: str = LONG_ONLY,
    cash_interest: bool = True,
    initial_capital: float = INITIAL_CAPITAL,
    first: int = 0,
    last: int | None = None,
    threads: int = 1,
) -> SweepResult:
    """Run every parameter set on every ticker over the rows from `first` up to, not including, `last`.

    states, int8 of shape (n_tickers, n_sets, n_dates): 1 all in, 0 out, −1 all in short (0 where long_only), decided at
    the close of each bar and filled on the ticker's next bar; what stands on dates without a bar is not read. A ticker's
    sessions are its own bars. risk_free: simple daily returns, shape (n_dates,), NaN unknown; None is unknown
    throughout. The answer does not depend on `threads`. Raises InputError on states or rates of another shape, on
    states beyond −1 to 1, and on costs that depend on the size of an order.
    """
    n_dates, n_tickers = prices.close.shape
    rates = np.full(n_dates, np.nan) if risk_free is None else np.asarray(risk_free, dtype=float)
    _check(prices, states, rates, costs, direction)
    states = np.require(states, np.int8, ["C", "W"])  # one layout: another would be compiled anew
    found = np.full((n_tickers, states.shape[1], N_METRICS), np.nan)
    run = partial(
        _run, prices=prices, states=states, rates=rates, cash_interest=cash_interest,
        terms=_terms(costs, direction, initial_capital), window=(first, n_dates if last is None else last),
        found=found,
    )  # fmt: skip
    tasks = product(range(n_tickers), range(0, states.shape[1], TASK))
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda task: run(*task), tasks))
    return SweepResult({key: found[:, :, k].T for k, key in enumerate(SWEPT_METRICS)})


def moving_average_crossings(close: FloatArray, pairs: Sequence[tuple[int, int]]) -> StateArray:
    """Return the sign of the fast less the slow simple moving average, int8 of shape (n_tickers, n_pairs, n_dates).

    close: shape (n_dates, n_tickers), NaN where a ticker has no bar; the averages run over its own bars. pairs: (fast,
    slow) in sessions. 0 where an average is unknown, or both are equal within rounding, and on dates without a bar.
    Raises InputError on a window that TA-Lib does not average over.
    """
    windows, positions = np.unique(np.asarray(pairs, dtype=np.int64).reshape(-1, 2), return_inverse=True)
    if len(windows) and not SHORTEST <= windows[0] <= windows[-1] <= LONGEST:
        raise InputError("pairs", got=windows.tolist(), allowed=f"windows from {SHORTEST} to {LONGEST:,} sessions")
    fast, slow = (np.ascontiguousarray(column) for column in positions.reshape(-1, 2).T)
    states = np.zeros((close.shape[1], len(pairs), len(close)), dtype=np.int8)
    for column, values in enumerate(close.T):
        bars = np.flatnonzero(np.isfinite(values))
        if not len(bars):
            continue
        own = np.ascontiguousarray(values[bars])
        averages = np.array([talib.SMA(own, int(window)) for window in windows])
        whole = len(bars) == len(close)
        signs = states[column] if whole else np.empty((len(pairs), len(bars)), dtype=np.int8)
        compare(averages, fast, slow, ROUNDING, signs)
        if not whole:
            states[column][:, bars] = signs
    return states


def states_of(decisions: Sequence[FloatArray]) -> StateArray:
    """Return the states that a strategy's decisions leave in force, int8 of shape (n_tickers, n_sets, n_dates).

    decisions: one array (n_dates, n_tickers) of target weights per parameter set, NaN where the last one stands. Only
    the sign of a weight is kept, and 0 stands before the first.
    """
    signs = np.sign(np.asarray(decisions, dtype=float))
    rows = np.where(np.isfinite(signs), np.arange(1, signs.shape[1] + 1)[:, None], 0)
    last = np.maximum.accumulate(rows, axis=1)
    padded = np.concatenate([np.zeros_like(signs[:, :1]), signs], axis=1)
    return np.ascontiguousarray(np.take_along_axis(padded, last, axis=1).transpose(2, 0, 1), dtype=np.int8)


def _check(prices: TradingPrices, states: StateArray, rates: FloatArray, costs: Costs, direction: str) -> None:
    """Raise InputError on what the kernel would read beyond its arrays, or not account for."""
    n_dates, n_tickers = prices.close.shape
    if np.ndim(states) != 3 or (states.shape[0], states.shape[2]) != (n_tickers, n_dates):
        raise InputError("states", got=np.shape(states), allowed=f"shape ({n_tickers}, n_sets, {n_dates})")
    if states.size and not -1 <= states.min() <= states.max() <= 1:
        raise InputError("states", got=[int(states.min()), int(states.max())], allowed="-1, 0 and 1")
    if rates.shape != (n_dates,):
        raise InputError("risk_free", got=rates.shape, allowed=f"one value per date, {n_dates}")
    if direction not in (LONG_ONLY, LONG_SHORT):
        raise UnknownKeyError("direction", direction, (LONG_ONLY, LONG_SHORT))
    for name in ("impact_coefficient", "participation_cap"):
        if getattr(costs, name):
            fix = f"Set {name} to 0: a sweep has the flat costs alone."
            raise InputError(name, got=getattr(costs, name), allowed="0 in a sweep", fix=fix)


def _terms(costs: Costs, direction: str, initial_capital: float) -> Terms:
    concession = min(costs.half_spread + costs.slippage_rate, MAX_CONCESSION)
    borrow, least = costs.borrow_rate / TRADING_DAYS, 0 if direction == LONG_ONLY else -1
    return Terms(float(initial_capital), costs.fee_rate, costs.fixed_fee, concession, borrow, least)


def _run(
    column: int, begin: int, *, prices: TradingPrices, states: StateArray, rates: FloatArray, cash_interest: bool,
    terms: Terms, window: tuple[int, int], found: FloatArray,
) -> None:  # fmt: skip
    """Write the metrics of one ticker's accounts for a task of parameter sets; without a bar they stay NaN."""
    bars = np.flatnonzero(np.isfinite(prices.close[:, column]))
    inside = bars[slice(*np.searchsorted(bars, window))]
    if not len(inside):
        return
    ticker = _ticker(prices, column, inside, rates, cash_interest=cash_interest)
    chosen = states[column, begin : begin + TASK]
    own = chosen if len(bars) == states.shape[2] else np.take(chosen, bars, axis=1)
    run_accounts(ticker, own, int(np.searchsorted(bars, inside[0])), terms, found[column, begin : begin + TASK])


def _ticker(prices: TradingPrices, column: int, bars: np.ndarray, rates: FloatArray, *, cash_interest: bool) -> Ticker:
    risk_free = rates[bars]
    interest = np.where(np.isfinite(risk_free) & cash_interest, risk_free, 0.0)
    return prepare(np.column_stack([prices.fill[bars, column], prices.close[bars, column], risk_free, interest]))
