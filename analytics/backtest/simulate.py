"""One backtest from question to answer: decide, schedule, fill, value, measure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analytics.backtest.account import Account, settle
from analytics.backtest.engine import Fills, TradingPrices, total_return_prices
from analytics.backtest.orders import PENDING, Orders, schedule_orders
from analytics.backtest.result import BacktestResult
from analytics.backtest.round_trips import END_OF_TEST, round_trips
from analytics.backtest.spec import BacktestSpec
from analytics.backtest.strategies import STRATEGIES, first_decision_rows
from analytics.conventions import FloatArray
from analytics.errors import InputError, MissingDataError
from analytics.market import FIELDS, Panel
from analytics.metrics import Performance, Trades, compute_metrics
from analytics.returns import CARRIED, RiskFree

Report = Callable[[float, str], None]
PRICE_BASIS = "total return: open and close × adj_close / close"


@dataclass(frozen=True)
class _Window:
    """The panel up to the end of the test, whose sessions are the rows from `first` to before `last`."""

    panel: Panel
    prices: TradingPrices
    first: int
    last: int


@dataclass(frozen=True)
class _Run:
    orders: Orders
    fills: Fills
    account: Account


def run_backtest(
    panel: Panel, spec: BacktestSpec, *, risk_free: RiskFree, report: Report | None = None
) -> BacktestResult:
    """Answer one backtest over the panel; its dates before the start serve the indicators as history.

    risk_free is aligned with the panel's dates. report(fraction, message) is told how far it is. Raises
    InputError (a parameter, a price that is not above 0, a risk-free rate of another length) and
    MissingDataError (no bar between start and end).
    """
    tell = report or (lambda _fraction, _message: None)
    window = _window(panel, spec)
    if len(risk_free.values) != len(panel.dates):
        raise InputError("risk_free", got=len(risk_free.values), allowed=f"one value per date, {len(panel.dates)}")
    tell(0.05, f"deciding on {len(panel.tickers)} tickers")
    run = _run(window, spec)
    tell(0.6, f"{len(run.fills)} orders filled; benchmark")
    benchmark = _run(window, replace(spec, strategy="buy_and_hold", parameters={})).account
    tell(0.8, "metrics")
    trades = round_trips(run.fills, window.panel, window.prices, last=window.last)
    sessions = slice(window.first, window.last)
    performance = _performance(window, run.account, benchmark, risk_free.values[sessions], trades)
    return BacktestResult(
        dates=performance.dates,
        equity=run.account.equity,
        benchmark=benchmark.equity,
        drawdown=run.account.drawdown,
        gross_exposure=run.account.gross_exposure,
        net_exposure=run.account.net_exposure,
        orders=_orders_frame(run.orders, window.panel),
        trades=trades,
        metrics=compute_metrics(performance),
        audit=_audit(window, run, trades, risk_free),
    )


def _window(panel: Panel, spec: BacktestSpec) -> _Window:
    first = int(np.searchsorted(panel.dates, np.datetime64(spec.start))) if spec.start else 0
    last = int(np.searchsorted(panel.dates, np.datetime64(spec.end), side="right")) if spec.end else len(panel.dates)
    if not panel.has_bar[first:last].any():
        raise MissingDataError(
            f"No prices of {', '.join(panel.tickers[:5])} from {spec.start or 'the beginning'} "
            f"to {spec.end or 'the end'}; there are prices from {panel.dates[0]} to {panel.dates[-1]}."
        )
    known = replace(panel, dates=panel.dates[:last], **{field: getattr(panel, field)[:last] for field in FIELDS})
    return _Window(known, total_return_prices(known), first, last)


def _run(window: _Window, spec: BacktestSpec) -> _Run:
    from analytics.backtest import vectorbt_engine  # imported here: the web app itself never runs a backtest

    panel = window.panel
    start, end = panel.dates[window.first], panel.dates[window.last - 1]
    decisions = STRATEGIES[spec.strategy].decide(panel, first_decision_rows(panel, start), **spec.parameters)
    orders = schedule_orders(panel, decisions, start=start, end=end)
    fills = vectorbt_engine.simulate(window.prices, orders.due(), spec.initial_capital, spec.costs)
    account = settle(fills, window.prices, spec.initial_capital, first=window.first, last=window.last)
    return _Run(orders, fills, account)


def _performance(
    window: _Window, account: Account, benchmark: Account, risk_free_returns: FloatArray, trades: pd.DataFrame
) -> Performance:
    held = pd.to_datetime(trades["exit_date"]) - pd.to_datetime(trades["entry_date"])
    columns = {name: trades[name].to_numpy(dtype=float) for name in ("pnl", "return_pct", "fees", "slippage")}
    return Performance(
        dates=window.panel.dates[window.first : window.last],
        returns=account.returns,
        benchmark_returns=benchmark.returns,
        risk_free_returns=risk_free_returns,
        gross_exposure=account.gross_exposure,
        turnover=account.traded / account.equity,
        trades=Trades(**columns, days=held.dt.days.to_numpy().astype(float)),
    )


def _orders_frame(orders: Orders, panel: Panel) -> pd.DataFrame:
    dates = np.datetime_as_string(panel.dates, unit="D").astype(object)
    return pd.DataFrame(
        {
            "decided": dates[orders.decided],
            "date": np.where(orders.row == PENDING, None, dates[orders.row]),
            "ticker": np.asarray(panel.tickers, dtype=object)[orders.column],
            "side": orders.side.astype(object),
            "target_weight": orders.target_weight,
        }
    )


def _audit(window: _Window, run: _Run, trades: pd.DataFrame, risk_free: RiskFree) -> dict[str, Any]:
    from analytics.backtest.vectorbt_engine import engine_name

    panel, sessions = window.panel, slice(window.first, window.last)
    no_open = ~np.isfinite(window.prices.open[run.fills.row, run.fills.column])
    return {
        "engine": engine_name(),
        "price_basis": PRICE_BASIS,
        "cash_interest": "none",
        "sessions": window.last - window.first,
        "history_sessions": window.first,
        "orders": len(run.orders),
        "orders_pending": int((run.orders.row == PENDING).sum()),
        "orders_unfilled": len(run.orders.due()) - len(run.fills),
        "filled_at_close": sorted({panel.tickers[column] for column in run.fills.column[no_open]}),
        "open_at_end": sorted(trades.loc[trades["reason"] == END_OF_TEST, "ticker"]),
        "price_dates": {ticker: _span(panel.bars(ticker).dates) for ticker in panel.tickers},
        "risk_free_carried_sessions": int((risk_free.origin[sessions] == CARRIED).sum()),
        "risk_free_unknown_sessions": int(np.isnan(risk_free.values[sessions]).sum()),
    }


def _span(dates: np.ndarray) -> list[str | None]:
    return [str(dates[0]), str(dates[-1])] if len(dates) else [None, None]
