"""The interface of an engine: it takes trading prices and orders, and returns the ledger of an account."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import pandas as pd

from analytics.backtest.orders import Orders
from analytics.backtest.spec import BacktestSpec
from analytics.conventions import VOLUME_SESSIONS, FloatArray
from analytics.errors import InputError
from analytics.market import Panel


@dataclass(frozen=True, eq=False)
class TradingPrices:
    """Prices in the total-return basis, USD × adj_close / close, each of shape (n_dates, n_tickers).

    open, high, low: NaN where unknown. close: NaN where there is no bar. last_close: the close carried over dates
    without a bar, NaN before the first one. adv: USD, the average dollar volume of the ticker's last 20 bars before,
    NaN where none of them has a volume.
    """

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    last_close: FloatArray
    adv: FloatArray

    @cached_property
    def fill(self) -> FloatArray:
        """The price of a fill before costs: the open, the close where there is no open."""
        return np.where(np.isfinite(self.open), self.open, self.close)

    def mark(self, rows: np.ndarray, ordered: np.ndarray) -> FloatArray:
        """Return the prices that value the account before a date's trades, shape (len(rows), n_tickers).

        The open where there is one; the close where `ordered` to be filled at it; else the last close before.
        """
        previous = np.where(rows[:, None] > 0, self.last_close[rows - 1], np.nan)
        without_open = np.where(ordered & np.isfinite(self.close[rows]), self.close[rows], previous)
        return np.where(np.isfinite(self.open[rows]), self.open[rows], without_open)


def total_return_prices(panel: Panel) -> TradingPrices:
    """Return the panel's prices in the total-return basis; raises InputError on a price not above 0."""
    for name in ("open", "high", "low", "close", "adj_close"):
        values = getattr(panel, name)
        if (values <= 0.0).any():
            raise InputError(name, got=float(np.nanmin(values)), allowed="prices above 0", fix="Mend or drop the bar.")
    factor = panel.adj_close / panel.close
    close = np.where(panel.has_bar, panel.adj_close, np.nan)
    return TradingPrices(
        open=panel.open * factor, high=panel.high * factor, low=panel.low * factor, close=close,
        last_close=pd.DataFrame(close).ffill().to_numpy(), adv=average_dollar_volume(panel),
    )  # fmt: skip


def average_dollar_volume(panel: Panel) -> FloatArray:
    """Return the mean of close × volume over each ticker's last 20 bars before a bar, USD, shape (n_dates, n_tickers).

    NaN when: there is no bar, or none of those before it has a volume.
    """
    average = np.full(panel.close.shape, np.nan)
    for column in range(len(panel.tickers)):
        bars = np.flatnonzero(panel.has_bar[:, column])
        traded = panel.close[bars, column] * panel.volume[bars, column]
        padded = np.concatenate([np.full(VOLUME_SESSIONS, np.nan), traded])
        before = np.lib.stride_tricks.sliding_window_view(padded, VOLUME_SESSIONS)[: len(bars)]
        known = np.isfinite(before)
        with np.errstate(invalid="ignore"):
            average[bars, column] = np.where(known, before, 0.0).sum(axis=1) / known.sum(axis=1)
    return average


@dataclass(frozen=True, eq=False)
class Fills:
    """What was traded, in the order of execution, each array of shape (n_fills,).

    quantity: adjusted shares, negative for a sale. quote: USD, before costs; price: USD, concession included. fee,
    spread, slippage, impact: USD. borrow: USD that the ticker's short has cost since its fill before. reason: an
    index into `reasons`.
    """

    row: np.ndarray
    column: np.ndarray
    quantity: FloatArray
    price: FloatArray
    quote: FloatArray
    fee: FloatArray
    spread: FloatArray
    slippage: FloatArray
    impact: FloatArray
    borrow: FloatArray
    reason: np.ndarray

    def __len__(self) -> int:
        """Return the number of fills."""
        return len(self.row)

    def take(self, which: np.ndarray) -> "Fills":
        """Return the fills at the given positions."""
        return Fills(*(getattr(self, item.name)[which] for item in fields(self)))


@dataclass(frozen=True, eq=False)
class Ledger:
    """The account at the close of each session of the window, each array of shape (n_sessions,), and its fills.

    cash, equity, interest earned and borrow fees paid in USD; gross_exposure and net_exposure as shares of equity;
    traded: the value of the session's fills in USD. open_borrow (n_tickers,): USD paid for positions that are still
    open, since their last fill. halted, ruined: the row at whose close trading ended for good, None where it did not.
    """

    initial_capital: float
    fills: Fills
    cash: FloatArray
    equity: FloatArray
    gross_exposure: FloatArray
    net_exposure: FloatArray
    interest: FloatArray
    borrow: FloatArray
    traded: FloatArray
    open_borrow: FloatArray
    halted: int | None = None
    ruined: int | None = None

    @property
    def returns(self) -> FloatArray:
        """Simple returns per session, the first one from the initial capital; NaN once nothing is left."""
        return returns_of(self.equity, self.initial_capital)

    @property
    def turnover(self) -> FloatArray:
        """The value of the session's fills as a share of equity, NaN once nothing is left."""
        return per_equity(self.traded, self.equity)

    @property
    def drawdown(self) -> FloatArray:
        """The fall from the highest value so far, 0 or less; the initial capital counts."""
        return self.equity / np.maximum(np.maximum.accumulate(self.equity), self.initial_capital) - 1.0


def traded_value(fills: Fills, *, first: int, last: int) -> FloatArray:
    """Return the value of each session's fills at the prices paid, USD, shape (last − first,)."""
    value = np.abs(fills.quantity * fills.price)
    return np.bincount(fills.row - first, weights=value, minlength=last - first).astype(float)


def per_equity(value: FloatArray, equity: FloatArray) -> FloatArray:
    """Return value / equity. NaN when: the account is worth nothing."""
    return np.divide(value, equity, out=np.full(len(equity), np.nan), where=equity > 0.0)


def returns_of(equity: FloatArray, initial_capital: float) -> FloatArray:
    """Return the simple returns per session, the first one from the initial capital. NaN when: nothing was left before."""
    before = np.concatenate([[initial_capital], equity[:-1]])
    return per_equity(equity - before, before)


# (prices, orders that are due, spec, risk-free returns per row, first row, row after the last) -> ledger
Engine = Callable[[TradingPrices, Orders, BacktestSpec, FloatArray, int, int], Ledger]
