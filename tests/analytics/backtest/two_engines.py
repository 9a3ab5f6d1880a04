"""The event simulation, the engine of record and vectorbt behind one door, so that a test can ask each the same."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from event_simulator import simulate_events
from event_trades import event_trades

from analytics.backtest import BacktestSpec, Costs
from analytics.backtest.engine import total_return_prices
from analytics.backtest.orders import Orders
from analytics.backtest.round_trips import round_trips
from analytics.backtest.terms import FREE, Rules
from analytics.market import Panel

ENGINES = ("simulation", "engine")
FILL_COLUMNS = ("row", "column", "quantity", "price", "quote", "fee", "spread", "slippage", "impact", "borrow")
PATHS = ("cash", "equity", "gross_exposure", "net_exposure", "interest", "borrow")
NO_COSTS = Costs(**FREE)
NO_INTEREST = Rules(cash_interest=False)


@dataclass(frozen=True)
class Question:
    panel: Panel
    orders: Orders
    initial_capital: float = 10_000.0
    costs: Costs = NO_COSTS
    rules: Rules = NO_INTEREST
    risk_free: Any = None  # per row of the panel
    first: int = 0
    last: int = 0  # 0: to the end

    def __post_init__(self) -> None:
        n = len(self.panel.dates)
        object.__setattr__(self, "last", self.last or n)
        object.__setattr__(self, "risk_free", np.zeros(n) if self.risk_free is None else np.asarray(self.risk_free))


@dataclass(frozen=True)
class Answer:
    """fills, (n_fills, columns); reasons (n_fills,); paths {name: one number per session}; trades, one dict each."""

    fills: np.ndarray
    reasons: list[str]
    paths: dict[str, np.ndarray]
    trades: list[dict[str, Any]]


def orders_for(panel: Panel, due: list[tuple[int, str, float]]) -> Orders:
    """Orders that are due: (row, ticker, target weight) each."""
    due = sorted((row, panel.tickers.index(ticker), weight) for row, ticker, weight in due)
    row, column = (np.array([item[i] for item in due], dtype=np.int64) for i in (0, 1))
    weight = np.array([item[2] for item in due], dtype=float)
    return Orders(row - 1, row, column, weight, weight)


def ask(engine: str, question: Question, **changes: Any) -> Answer:
    question = replace(question, **changes)
    if engine == "simulation":
        return _ask_simulation(question)
    from analytics.backtest import kernel, vectorbt_engine  # imported here: they load compilers

    return _ask_module({"engine": kernel, "vectorbt": vectorbt_engine}[engine], question)


def _ask_simulation(question: Question) -> Answer:
    names = ("initial_capital", "costs", "rules", "risk_free", "first", "last")
    terms = {name: getattr(question, name) for name in names}
    done = simulate_events(question.panel, question.orders, **terms)
    fills = [(*fill[:2], fill.shares, fill.price, *fill[4:10]) for fill in done.fills]
    paths = {name: np.array(getattr(done, "cash_path" if name == "cash" else name)) for name in PATHS}
    return Answer(
        np.array(fills, dtype=float).reshape(-1, len(FILL_COLUMNS)),
        [fill.reason for fill in done.fills],
        paths,
        event_trades(done, last=question.last),
    )


def _ask_module(engine: Any, question: Question) -> Answer:
    prices = total_return_prices(question.panel)
    spec = BacktestSpec(initial_capital=question.initial_capital, costs=question.costs, rules=question.rules)
    window = {"first": question.first, "last": question.last}
    ledger = engine.simulate(prices, question.orders, spec, risk_free=question.risk_free, **window)
    trades = round_trips(ledger, question.panel, prices, last=question.last, reasons=engine.REASONS)
    return Answer(
        np.column_stack([getattr(ledger.fills, name) for name in FILL_COLUMNS]).astype(float),
        ["signal" if code == 0 else engine.REASONS[code] for code in ledger.fills.reason],
        {name: getattr(ledger, name) for name in PATHS},
        trades.to_dict("records"),
    )
