"""What a run says of itself, in plain JSON values: what was assumed, and what could not be done as asked."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.backtest.engine import Ledger, TradingPrices
from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import PENDING, Orders
from analytics.backtest.round_trips import END_OF_TEST
from analytics.backtest.spec import BacktestSpec
from analytics.market import Panel

PRICE_BASIS = "total return: open, high, low and close × adj_close / close"


def describe(
    inputs: StrategyInputs, prices: TradingPrices, orders: Orders, ledger: Ledger, trades: pd.DataFrame, spec: BacktestSpec,
    *, first: int, last: int,
) -> dict[str, Any]:  # fmt: skip
    """Return the facts of one run; lists name tickers, dates are ISO text."""
    fills, panel = ledger.fills, inputs.panel
    on_bar = np.isfinite(prices.close[fills.row, fills.column])  # what is delisted is settled on a date without one
    no_open = on_bar & ~np.isfinite(prices.open[fills.row, fills.column])
    no_volume = on_bar & ~(prices.adv[fills.row, fills.column] > 0.0)
    due = orders.due()
    filled = set(zip(fills.row.tolist(), fills.column.tolist(), strict=True))
    return {
        "engine": _engine_name(spec),
        "price_basis": PRICE_BASIS,
        "cash_interest": "risk-free rate" if spec.rules.cash_interest else "none",
        "position_limit": spec.rules.position_limit(len(panel.tickers)),
        "sessions": last - first,
        "history_sessions": first,
        "orders": len(orders),
        "orders_pending": int((orders.row == PENDING).sum()),
        "orders_unfilled": sum(
            (r, c) not in filled for r, c in zip(due.row.tolist(), due.column.tolist(), strict=True)
        ),
        "fills": len(fills),
        "filled_at_close": _tickers(panel, fills.column[no_open]),
        "volume_unknown": _tickers(panel, fills.column[no_volume]),
        "open_at_end": sorted(trades.loc[trades["reason"] == END_OF_TEST, "ticker"]),
        "delisted": sorted(set(trades.loc[trades["reason"] == "delisted", "ticker"])),
        "halted_on": _day(panel, ledger.halted),
        "liquidated_on": _day(panel, ledger.ruined),
        "risk_free_carried_sessions": int(inputs.carried[first:last].sum()) if inputs.carried is not None else 0,
        "risk_free_unknown_sessions": int(np.isnan(inputs.risk_free[first:last]).sum()),
        "price_dates": {
            ticker: _span(panel.dates[panel.has_bar[:, column]]) for column, ticker in enumerate(panel.tickers)
        },
    }


def _engine_name(spec: BacktestSpec) -> str:
    if spec.engine == "vectorbt":
        from analytics.backtest.vectorbt_engine import engine_name
    else:
        from analytics.backtest.kernel import engine_name
    return engine_name()


def _tickers(panel: Panel, columns: np.ndarray) -> list[str]:
    return sorted({panel.tickers[column] for column in columns})


def _day(panel: Panel, row: int | None) -> str | None:
    return None if row is None else str(panel.dates[row])


def _span(dates: np.ndarray) -> list[str | None]:
    return [str(dates[0]), str(dates[-1])] if len(dates) else [None, None]
