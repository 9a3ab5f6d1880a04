"""The account that the fills leave behind: cash, positions and value at each close."""

from dataclasses import dataclass

import numpy as np

from analytics.backtest.engine import Fills, TradingPrices
from analytics.conventions import FloatArray

FLAT = 1e-9  # a position smaller than this share of the largest one held is what rounding left of zero


@dataclass(frozen=True)
class Account:
    """Value at the close of each session of the window, each array of shape (n_sessions,).

    equity in USD; gross_exposure and net_exposure as shares of it; traded, the value of the session's fills
    in USD. positions, shape (n_sessions, n_tickers), in adjusted shares.
    """

    initial_capital: float
    equity: FloatArray
    gross_exposure: FloatArray
    net_exposure: FloatArray
    traded: FloatArray
    positions: FloatArray

    @property
    def returns(self) -> FloatArray:
        """Simple returns per session, the first one from the initial capital."""
        return self.equity / np.concatenate([[self.initial_capital], self.equity[:-1]]) - 1.0

    @property
    def drawdown(self) -> FloatArray:
        """The fall from the highest value so far, 0 or less; the initial capital counts."""
        return self.equity / np.maximum(np.maximum.accumulate(self.equity), self.initial_capital) - 1.0


def settle(fills: Fills, prices: TradingPrices, initial_capital: float, *, first: int, last: int) -> Account:
    """Return the account over the rows from `first` up to, not including, `last`. Cash earns nothing."""
    window = slice(first, last)
    traded_quantity = np.zeros(prices.close.shape)
    np.add.at(traded_quantity, (fills.row, fills.column), fills.quantity)
    flow, traded = np.zeros(len(prices.close)), np.zeros(len(prices.close))
    np.add.at(flow, fills.row, -fills.quantity * fills.price - fills.fee)
    np.add.at(traded, fills.row, np.abs(fills.quantity * fills.price))
    positions = _without_dust(np.cumsum(traded_quantity[window], axis=0))
    value = np.where(positions != 0.0, positions * prices.last_close[window], 0.0)
    equity = initial_capital + np.cumsum(flow[window]) + value.sum(axis=1)
    return Account(
        initial_capital=initial_capital,
        equity=equity,
        gross_exposure=np.abs(value).sum(axis=1) / equity,
        net_exposure=value.sum(axis=1) / equity,
        traded=traded[window],
        positions=positions,
    )


def _without_dust(positions: FloatArray) -> FloatArray:
    largest = np.maximum.accumulate(np.abs(positions), axis=0)
    return np.where(np.abs(positions) <= FLAT * largest, 0.0, positions)
