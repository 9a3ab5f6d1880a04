"""The trade list: one row per round trip of a ticker from flat to flat, or from one side to the other."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analytics.backtest.engine import Fills, Ledger, TradingPrices
from analytics.conventions import FloatArray
from analytics.market import Panel

COLUMNS = (
    "trade_id", "ticker", "direction", "entry_date", "entry_price", "exit_date", "exit_price", "quantity",
    "fees", "slippage", "spread", "impact", "borrow", "pnl", "return_pct", "entry_reason", "reason",
)  # fmt: skip
SIGNAL, END_OF_TEST = "signal", "end of test"


def round_trips(
    ledger: Ledger, panel: Panel, prices: TradingPrices, *, last: int, reasons: Sequence[str]
) -> pd.DataFrame:
    """Return one row per round trip, numbered by entry date, then ticker; dates as ISO text, money in USD.

    entry_price and exit_price are the quantity-weighted averages of the prices paid; slippage is the whole concession,
    of which spread and impact are parts; pnl is net of fees and borrow fees too, and return_pct is pnl / (quantity ×
    entry_price). A position open before row `last` is valued at its last close, with the reason "end of test". reasons:
    the engine's words for an exit, the first of them for an order. entry_reason is empty.
    """
    trips = _trips(ledger.fills)
    column, is_open = trips["column"].astype(int), trips["left"] != 0.0
    exit_row = np.where(is_open, last - 1, trips["exit_row"]).astype(int)
    valued = np.where(is_open, np.abs(trips["left"]) * prices.last_close[exit_row, column], 0.0)
    exit_value, entry_value = trips["exit_value"] + valued, trips["entry_value"]
    borrow = trips["borrow"] + np.where(is_open, ledger.open_borrow[column], 0.0)
    pnl = trips["direction"] * (exit_value - entry_value) - trips["fees"] - borrow
    words = np.array([SIGNAL, *reasons[1:]], dtype=object)[trips["reason"].astype(int)]
    table = pd.DataFrame({
        "ticker": np.asarray(panel.tickers, dtype=object)[column],
        "direction": np.where(trips["direction"] > 0.0, "long", "short").astype(object),
        "entry_date": _iso(panel, trips["entry_row"].astype(int)), "entry_price": entry_value / trips["quantity"],
        "exit_date": _iso(panel, exit_row), "exit_price": exit_value / trips["quantity"], "quantity": trips["quantity"],
        "fees": trips["fees"], "slippage": trips["spread"] + trips["slippage"] + trips["impact"],
        "spread": trips["spread"], "impact": trips["impact"], "borrow": borrow, "pnl": pnl,
        "return_pct": pnl / entry_value, "entry_reason": "", "reason": np.where(is_open, END_OF_TEST, words),
    })  # fmt: skip
    table = table.sort_values(["entry_date", "ticker", "exit_date"], kind="stable", ignore_index=True)
    table.insert(0, "trade_id", np.arange(1, len(table) + 1))
    return table[list(COLUMNS)]


def _iso(panel: Panel, rows: np.ndarray) -> np.ndarray:
    return np.datetime_as_string(panel.dates[rows], unit="D").astype(object)


def _trips(fills: Fills) -> dict[str, FloatArray]:
    from analytics.backtest import _trips as compiled  # imported here: it loads the compiler

    by_ticker = fills.take(np.argsort(fills.column, kind="stable"))
    given = np.column_stack([getattr(by_ticker, name) for name in compiled.FILL_COLUMNS]).astype(float)
    found = np.zeros((2 * len(given) + 1, len(compiled.TRIP_COLUMNS)))
    return dict(zip(compiled.TRIP_COLUMNS, found[: compiled.walk(given, found)].T, strict=True))
