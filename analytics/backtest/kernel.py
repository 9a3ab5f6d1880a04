"""The engine of record: a compiled account that knows every cost and every rule."""

from functools import cache
from importlib.metadata import version

import numpy as np

from analytics.backtest import _account
from analytics.backtest.engine import Fills, Ledger, TradingPrices, traded_value
from analytics.backtest.orders import Orders
from analytics.backtest.spec import BacktestSpec
from analytics.conventions import TRADING_DAYS, FloatArray

REASONS = _account.REASONS


@cache
def engine_name() -> str:
    """Return name and version of the engine, for the audit."""
    return f"Plumbline kernel, numba {version('numba')}"


def simulate(
    prices: TradingPrices, orders: Orders, spec: BacktestSpec, risk_free: FloatArray, first: int, last: int
) -> Ledger:
    """Run the account over the rows from `first` to before `last`, by the rules of docs/METHODS.md.

    orders: those that are due, by row, then column. risk_free: simple daily returns per row; unknown ones earn nothing.
    """
    market = np.stack(
        [prices.open, prices.high, prices.low, prices.close, prices.last_close, prices.adv], axis=1
    )  # a session's numbers stand together: the account reads them so
    due = np.column_stack([orders.row, orders.column, orders.target_weight]).astype(float)
    terms = _terms(spec)
    interest = np.nan_to_num(risk_free) if spec.rules.cash_interest else np.zeros(len(prices.close))
    queue = np.zeros(prices.close.shape[1], dtype=np.int64)
    room = 2 * len(due) + prices.close.shape[1] + 64
    while True:
        state, book = np.zeros(_account.STATE_SIZE), np.zeros((_account.BOOK_ROWS, prices.close.shape[1]))
        state[[_account.CASH, _account.PEAK]] = spec.initial_capital
        fills, series = (
            np.zeros((room, len(_account.FILL_COLUMNS))),
            np.zeros((last - first, len(_account.SERIES_COLUMNS))),
        )
        _account.run_account(market, interest, due, terms, first, last, state, book, fills, series, queue)
        if state[_account.FILLS] <= room:
            break
        room = int(state[_account.FILLS])
    made = _named(fills[: int(state[_account.FILLS])])
    halted, ruined = (int(state[at]) - 1 for at in (_account.HALTED_AT, _account.RUINED_AT))
    columns = dict(zip(_account.SERIES_COLUMNS, series.T, strict=True))
    return Ledger(
        initial_capital=spec.initial_capital, fills=made, traded=traded_value(made, first=first, last=last),
        open_borrow=book[_account.OWED], halted=None if halted < 0 else halted, ruined=None if ruined < 0 else ruined, **columns,
    )  # fmt: skip


def _terms(spec: BacktestSpec) -> FloatArray:
    """Costs and rules in the order that the compiled code reads; the borrow fee by session."""
    values = {name: getattr(spec.costs, name, None) for name in _account.TERMS}
    values |= {name: getattr(spec.rules, name) for name in _account.TERMS if values[name] is None}
    values["borrow_rate"] = spec.costs.borrow_rate / TRADING_DAYS
    return np.array([values[name] for name in _account.TERMS], dtype=float)


def _named(table: FloatArray) -> Fills:
    columns = dict(zip(_account.FILL_COLUMNS, table.T, strict=True))
    whole = {name: columns[name].astype(np.int64) for name in ("row", "column", "reason")}
    return Fills(**{name: np.ascontiguousarray(values) for name, values in (columns | whole).items()})
