"""The ledger that fills alone leave behind, for an engine that returns nothing else."""

import numpy as np

from analytics.backtest.engine import Fills, Ledger, TradingPrices, traded_value
from analytics.conventions import FloatArray

FLAT = 1e-9  # a position smaller than this share of the largest one held is what rounding left of zero


def settle(fills: Fills, prices: TradingPrices, initial_capital: float, *, first: int, last: int) -> Ledger:
    """Return the account over the rows from `first` up to, not including, `last`; cash earns nothing, shorts are free."""
    window = slice(first, last)
    bought, flow = np.zeros(prices.close.shape), np.zeros(len(prices.close))
    np.add.at(bought, (fills.row, fills.column), fills.quantity)
    np.add.at(flow, fills.row, -fills.quantity * fills.price - fills.fee)
    positions = _without_dust(np.cumsum(bought[window], axis=0))
    value = np.where(positions != 0.0, positions * prices.last_close[window], 0.0)
    cash = initial_capital + np.cumsum(flow[window])
    equity, nothing = cash + value.sum(axis=1), np.zeros(last - first)
    return Ledger(
        initial_capital=initial_capital, fills=fills, cash=cash, equity=equity,
        gross_exposure=np.abs(value).sum(axis=1) / equity, net_exposure=value.sum(axis=1) / equity,
        interest=nothing, borrow=nothing, traded=traded_value(fills, first=first, last=last),
        open_borrow=np.zeros(prices.close.shape[1]),
    )  # fmt: skip


def _without_dust(positions: FloatArray) -> FloatArray:
    largest = np.maximum.accumulate(np.abs(positions), axis=0)
    return np.where(np.abs(positions) <= FLAT * largest, 0.0, positions)
