"""The trade list: one row per round trip of a ticker from flat to flat."""

import numpy as np
import pandas as pd

from analytics.backtest.account import FLAT
from analytics.backtest.engine import Fills, TradingPrices
from analytics.market import Panel

COLUMNS = (
    "trade_id", "ticker", "direction", "entry_date", "entry_price", "exit_date", "exit_price", "quantity",
    "fees", "slippage", "borrow", "pnl", "return_pct", "reason",
)  # fmt: skip
SIGNAL, END_OF_TEST = "signal", "end of test"


def round_trips(fills: Fills, panel: Panel, prices: TradingPrices, *, last: int) -> pd.DataFrame:
    """Return one row per round trip, numbered by entry date, then ticker; dates as ISO text, money in USD.

    entry_price and exit_price are the quantity-weighted averages of the prices paid, slippage included; pnl
    is net and return_pct is pnl / (quantity × entry_price). A position open before row `last` is valued at
    its last close, with the reason "end of test".
    """
    trades = []
    for column in np.unique(fills.column):
        own = np.flatnonzero(fills.column == column)
        held = np.cumsum(fills.quantity[own])
        flat = held <= FLAT * np.maximum.accumulate(held)
        for trip in np.split(own, np.flatnonzero(flat) + 1):
            if len(trip):
                trades += [_trade(fills, trip, panel, prices, last)]
    trades.sort(key=lambda trade: (trade["entry_date"], trade["ticker"]))
    numbered = [{"trade_id": number, **trade} for number, trade in enumerate(trades, start=1)]
    return pd.DataFrame(numbered, columns=pd.Index(COLUMNS))


def _trade(fills: Fills, trip: np.ndarray, panel: Panel, prices: TradingPrices, last: int) -> dict[str, object]:
    row, column, quantity, price = (
        fills.row[trip],
        fills.column[trip[0]],
        fills.quantity[trip],
        fills.price[trip],
    )
    bought, sold = np.maximum(quantity, 0.0), np.maximum(-quantity, 0.0)
    total, left = bought.sum(), bought.sum() - sold.sum()
    is_open = left > FLAT * total
    entry_value, exit_value, exit_row = (bought * price).sum(), (sold * price).sum(), row[-1]
    if is_open:
        exit_row = last - 1
        exit_value += left * prices.last_close[exit_row, column]
    fees = fills.fee[trip].sum()
    slippage = (quantity * (price - prices.fill[row, column])).sum()
    pnl = exit_value - entry_value - fees
    return {
        "ticker": panel.tickers[column], "direction": "long",
        "entry_date": str(panel.dates[row[0]]), "entry_price": float(entry_value / total),
        "exit_date": str(panel.dates[exit_row]), "exit_price": float(exit_value / total),
        "quantity": float(total), "fees": float(fees), "slippage": float(slippage), "borrow": 0.0,
        "pnl": float(pnl), "return_pct": float(pnl / entry_value),
        "reason": END_OF_TEST if is_open else SIGNAL,
    }  # fmt: skip
