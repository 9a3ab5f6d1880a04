"""One backtest from question to answer: decide, schedule, fill, value, measure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analytics.backtest import facts
from analytics.backtest.decisions import begin, decide_orders
from analytics.backtest.engine import Ledger, TradingPrices, total_return_prices
from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import PENDING, Orders
from analytics.backtest.result import BacktestResult
from analytics.backtest.round_trips import round_trips
from analytics.backtest.spec import BacktestSpec
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import Rules
from analytics.errors import InputError, MissingDataError, PlumblineError
from analytics.market import Bars, Panel
from analytics.metrics import METRICS, Performance, Trades, compute_metrics

Report = Callable[[float, str], None]
ALONE = ("total_return", "annual_return", "annual_volatility", "sharpe_ratio", "max_drawdown", "n_trades", "win_rate")


@dataclass(frozen=True, eq=False)
class _Window:
    """What is known up to the end of the test, whose sessions are the rows from `first` to before `last`."""

    inputs: StrategyInputs
    prices: TradingPrices
    first: int
    last: int

    @property
    def panel(self) -> Panel:
        return self.inputs.panel


@dataclass(frozen=True, eq=False)
class _Run:
    orders: Orders
    ledger: Ledger
    trades: pd.DataFrame


def run_backtest(inputs: StrategyInputs, spec: BacktestSpec, *, report: Report | None = None) -> BacktestResult:
    """Answer one backtest over the inputs; its dates before the start serve the strategy as history.

    report(fraction, message) is told how far it is. Raises InputError (a parameter, a price that is not above 0, what
    the engine does not know) and MissingDataError (no bar between start and end, no fits where they are needed).
    """
    tell = report or (lambda _fraction, _message: None)
    window = _window(inputs, spec)
    tell(0.05, f"deciding on {len(window.panel.tickers)} tickers")
    run = _run(window, spec)
    tell(0.6, f"{len(run.ledger.fills):,} orders filled; benchmark")
    benchmark = _run(window, benchmark_of(spec)).ledger
    tell(0.8, "metrics")
    sessions = slice(window.first, window.last)
    performance = _performance(window, run, benchmark)
    return BacktestResult(
        dates=performance.dates, equity=run.ledger.equity, benchmark=benchmark.equity, drawdown=run.ledger.drawdown,
        gross_exposure=run.ledger.gross_exposure, net_exposure=run.ledger.net_exposure, cash=run.ledger.cash,
        turnover=run.ledger.turnover, risk_free=window.inputs.risk_free[sessions],
        orders=_orders_frame(run.orders, window.panel), trades=_with_reasons(run, window, spec),
        metrics=compute_metrics(performance),
        audit=facts.describe(window.inputs, window.prices, run.orders, run.ledger, run.trades, spec, first=window.first, last=window.last),
    )  # fmt: skip


def each_alone(inputs: StrategyInputs, spec: BacktestSpec, *, report: Report | None = None) -> pd.DataFrame:
    """Return a row per ticker that has the whole capital to itself: ticker, ALONE, buy_and_hold_return.

    NaN when: the strategy cannot be run on that ticker alone, or a metric is undefined.
    """
    rows: list[dict[str, Any]] = []
    for column, ticker in enumerate(inputs.panel.tickers):
        if report is not None:
            report(column / len(inputs.panel.tickers), f"{ticker} on its own")
        try:
            window = _window(inputs.alone(column), spec)
            run, benchmark = _run(window, spec), _run(window, benchmark_of(spec)).ledger
        except PlumblineError:
            rows.append({"ticker": ticker})
            continue
        performance = _performance(window, run, benchmark)
        measured = {key: METRICS[key].func(performance) for key in ALONE}
        rows.append(
            {"ticker": ticker} | measured | {"buy_and_hold_return": benchmark.equity[-1] / spec.initial_capital - 1.0}
        )
    return pd.DataFrame(rows, columns=["ticker", *ALONE, "buy_and_hold_return"])


def warm_up() -> None:
    """Load the compiled code, or compile it where it is not on disk yet, and import what a backtest needs, by a tiny one."""
    dates, one = np.arange("2024-01-02", "2024-01-05", dtype="datetime64[D]"), np.full(3, 10.0)
    panel = Panel.of([Bars("A", dates, one, one, one, one, one, one)])
    inputs = StrategyInputs(panel, np.zeros(1, dtype=np.int64), np.zeros(3))
    run_backtest(inputs, BacktestSpec(strategy="buy_and_hold"))


def benchmark_of(spec: BacktestSpec) -> BacktestSpec:
    """Return what a spec is compared with: buying the same tickers equally and keeping them, at the same costs."""
    rules = Rules(cash_interest=spec.rules.cash_interest, max_position=1.0)
    return replace(spec, strategy="buy_and_hold", parameters={}, rules=rules)


def window_of(inputs: StrategyInputs, spec: BacktestSpec) -> tuple[int, int]:
    """Return the first row of the test and the row after its last; raises MissingDataError where it has no bar."""
    panel = inputs.panel
    first = int(np.searchsorted(panel.dates, np.datetime64(spec.start))) if spec.start else 0
    last = int(np.searchsorted(panel.dates, np.datetime64(spec.end), side="right")) if spec.end else len(panel.dates)
    if not panel.has_bar[first:last].any():
        raise MissingDataError(
            f"No prices of {', '.join(panel.tickers[:5])} from {spec.start or 'the beginning'} "
            f"to {spec.end or 'the end'}; "
            + (
                f"there are prices from {panel.dates[0]} to {panel.dates[-1]}."
                if len(panel.dates)
                else "there are none."
            )
        )
    return first, last


def _window(inputs: StrategyInputs, spec: BacktestSpec) -> _Window:
    if len(inputs.risk_free) != len(inputs.panel.dates):
        raise InputError(
            "risk_free", got=len(inputs.risk_free), allowed=f"one value per date, {len(inputs.panel.dates)}"
        )
    first, last = window_of(inputs, spec)
    known = inputs.cut_at(last) if last < len(inputs.panel.dates) else inputs
    return _Window(known, total_return_prices(known.panel), first, last)


def _run(window: _Window, spec: BacktestSpec) -> _Run:
    # imported here: the web app itself never runs a backtest
    if spec.engine == "vectorbt":
        from analytics.backtest import vectorbt_engine as engine
    else:
        from analytics.backtest import kernel as engine  # type: ignore[no-redef]

    orders = decide_orders(window.inputs, spec, first=window.first, last=window.last)
    risk_free = window.inputs.risk_free
    ledger = engine.simulate(window.prices, orders.due(), spec, risk_free, window.first, window.last)
    trades = round_trips(ledger, window.panel, window.prices, last=window.last, reasons=engine.REASONS)
    return _Run(orders, ledger, trades)


def _performance(window: _Window, run: _Run, benchmark: Ledger) -> Performance:
    ended = run.trades.sort_values(["exit_date", "trade_id"], kind="stable")
    held = pd.to_datetime(ended["exit_date"]) - pd.to_datetime(ended["entry_date"])
    names = ("pnl", "return_pct", "fees", "slippage", "spread", "impact", "borrow")
    trades = Trades(
        **{name: ended[name].to_numpy(dtype=float) for name in names},
        days=held.dt.days.to_numpy().astype(float),
        direction=np.where(ended["direction"] == "long", 1, -1),
    )
    sessions = slice(window.first, window.last)
    return Performance(
        dates=window.panel.dates[sessions], returns=run.ledger.returns, benchmark_returns=benchmark.returns,
        risk_free_returns=window.inputs.risk_free[sessions], gross_exposure=run.ledger.gross_exposure,
        net_exposure=run.ledger.net_exposure, turnover=run.ledger.turnover, trades=trades,
        equity=run.ledger.equity, interest=run.ledger.interest,
    )  # fmt: skip


def _with_reasons(run: _Run, window: _Window, spec: BacktestSpec) -> pd.DataFrame:
    """The trades with what the strategy says of the decision that opened each."""
    explain = STRATEGIES[spec.strategy].explain
    if explain is None or not len(run.trades):
        return run.trades
    begun = begin(window.inputs, window.panel.dates[window.first])
    due = run.orders.due()
    rows = np.searchsorted(window.panel.dates, run.trades["entry_date"].to_numpy().astype("datetime64[D]"))
    words = np.full(len(rows), "", dtype=object)
    for column, ticker in enumerate(window.panel.tickers):
        own = np.flatnonzero(run.trades["ticker"] == ticker)
        if len(own):  # what an order could not fill at once opens a position later
            orders = due.take(np.flatnonzero(due.column == column))
            newest = np.searchsorted(orders.row, rows[own], side="right") - 1
            words[own] = explain(begun, column, orders.decided[newest], **spec.parameters)
    return run.trades.assign(entry_reason=words)


def _orders_frame(orders: Orders, panel: Panel) -> pd.DataFrame:
    decided, filled = (
        np.datetime_as_string(panel.dates[rows], unit="D").astype(object) for rows in (orders.decided, orders.row)
    )
    return pd.DataFrame(
        {
            "decided": decided,
            "date": np.where(orders.row == PENDING, None, filled),
            "ticker": np.asarray(panel.tickers, dtype=object)[orders.column],
            "side": orders.side.astype(object),
            "target_weight": orders.target_weight,
        }
    )
