"""The interface of an engine: it takes trading prices and orders, and returns what was filled."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analytics.backtest.orders import Orders
from analytics.backtest.spec import Costs
from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.market import Panel


@dataclass(frozen=True)
class TradingPrices:
    """Prices in the total-return basis, USD × adj_close / close, each of shape (n_dates, n_tickers).

    open: NaN where unknown. close: NaN where there is no bar. last_close: the close carried over dates
    without a bar, NaN before the first one.
    """

    open: FloatArray
    close: FloatArray
    last_close: FloatArray

    @cached_property
    def fill(self) -> FloatArray:
        """The price of a fill before slippage: the open, the close where there is no open."""
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
    for name in ("open", "close", "adj_close"):
        values = getattr(panel, name)
        if (values <= 0.0).any():
            raise InputError(name, got=float(np.nanmin(values)), allowed="prices above 0", fix="Mend or drop the bar.")
    factor = panel.adj_close / panel.close
    close = np.where(panel.has_bar, panel.adj_close, np.nan)
    return TradingPrices(open=panel.open * factor, close=close, last_close=pd.DataFrame(close).ffill().to_numpy())


@dataclass(frozen=True)
class Fills:
    """What was traded, in the order of execution, each array of shape (n_fills,).

    quantity: adjusted shares, negative for a sale. price: USD, slippage included. fee: USD.
    """

    row: np.ndarray
    column: np.ndarray
    quantity: FloatArray
    price: FloatArray
    fee: FloatArray

    def __len__(self) -> int:
        """Return the number of fills."""
        return len(self.row)


# (prices, orders that are due, initial_capital, costs) -> fills
Engine = Callable[[TradingPrices, Orders, float, Costs], Fills]
