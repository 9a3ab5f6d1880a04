"""The one door to a backtest: the command line, the app's worker and the pipeline all come through here.

A request is resolved against the published run (tickers sorted, dates resolved, defaults filled in), answered from
the store where the same question was asked of the same data, and otherwise computed, stored and named by its content.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analytics.backtest import BacktestSpec, Costs, run_backtest
from analytics.backtest.strategies import STRATEGIES
from analytics.conventions import FEE_RATE, INITIAL_CAPITAL, SLIPPAGE_RATE
from analytics.errors import InputError, MissingDataError, UnknownKeyError
from analytics.market import FIELDS, Panel
from analytics.parameters import resolve
from analytics.registry import lookup
from analytics.returns import RiskFree, daily_risk_free
from analytics.validate import date_range
from pipeline import store
from pipeline import workspace as results
from pipeline.queries import Reader, connect
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.queries import results as result_queries
from pipeline.queries import runs as run_queries
from pipeline.sources import Report, no_report
from pipeline.version import code_version


@dataclass(frozen=True)
class BacktestRequest:
    """What the user asks for, checked as far as it can be without data. `tickers` None: all active stocks."""

    strategy: str
    tickers: tuple[str, ...] | None
    start: str | None
    end: str | None
    initial_capital: float
    fee_rate: float
    slippage_rate: float
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, *, strategy: str = "technical_vote", tickers: Iterable[str] | None = None, start: str | None = None,
        end: str | None = None, initial_capital: float | None = None, fee_rate: float | None = None,
        slippage_rate: float | None = None, parameters: Mapping[str, Any] | None = None,
    ) -> "BacktestRequest":  # fmt: skip
        """Return a checked request with the defaults filled in; raises InputError or UnknownKeyError."""
        chosen = tuple(sorted({str(ticker).upper() for ticker in tickers})) if tickers is not None else None
        date_range(start, end)
        if chosen == ():
            raise InputError("tickers", got=[], allowed="at least one ticker of the store", fix="Choose a ticker.")
        spec = BacktestSpec(
            strategy=lookup(STRATEGIES, strategy, "strategy").key,
            parameters=resolve(STRATEGIES[strategy].parameters, parameters or {}),
            initial_capital=INITIAL_CAPITAL if initial_capital is None else initial_capital,
            costs=Costs(FEE_RATE if fee_rate is None else fee_rate, SLIPPAGE_RATE if slippage_rate is None else slippage_rate),
            start=start, end=end,
        )  # fmt: skip
        return cls(
            strategy,
            chosen,
            start,
            end,
            spec.initial_capital,
            spec.costs.fee_rate,
            spec.costs.slippage_rate,
            spec.parameters,
        )

    def spec(self, *, start: str, end: str) -> BacktestSpec:
        """Return the request in the engine's terms, over resolved dates."""
        return BacktestSpec(
            strategy=self.strategy, parameters=self.parameters, initial_capital=self.initial_capital,
            costs=Costs(self.fee_rate, self.slippage_rate), start=start, end=end,
        )  # fmt: skip


@dataclass(frozen=True)
class _Question:
    """A request resolved against one published run."""

    request: BacktestRequest
    tickers: tuple[str, ...]
    start: str
    end: str
    data_run_id: str
    data_stamp: str  # of the file that was read: a price changed by another hand changes it

    def key(self) -> str:
        """The name of the question, with the data it is asked of."""
        return hashlib.sha256(results.canonical([self.columns(), self.data_stamp]).encode()).hexdigest()

    def columns(self) -> dict[str, str]:
        """The columns of backtesting_results that identify the question."""
        asked = self.request
        return {
            "strategy_name": asked.strategy, "start_date": self.start, "end_date": self.end,
            "data_run_id": self.data_run_id, "code_version": code_version(),
            "tickers": results.canonical(self.tickers),
            "params": results.canonical({
                **asked.parameters, "initial_capital": asked.initial_capital, "fee_rate": asked.fee_rate,
                "slippage_rate": asked.slippage_rate,
            }),
        }  # fmt: skip


def find(request: BacktestRequest, *, db: Path, workspace: Path) -> str | None:
    """Return the result_id where this question has been answered on this data, else None; raises as `run` does."""
    with connect(Path(db)) as reader:
        question = _resolve(reader, request, Path(db))
    with results.reading(Path(workspace)) as reader:
        return result_queries.find_result(reader, question.key())


def run(request: BacktestRequest, *, db: Path, workspace: Path, report: Report = no_report) -> str:
    """Answer a request and return the result_id of the stored answer.

    Raises InputError or UnknownKeyError (the request), MissingDataError (no prices there), StoreError (no store).
    """
    db, workspace = Path(db), Path(workspace)
    stored = find(request, db=db, workspace=workspace)
    if stored is not None:
        return stored
    report(0.02, "reading prices")
    with connect(db, seconds=60.0) as reader:
        question = _resolve(reader, request, db)
        panel = Panel.of(price_queries.all_bars(reader, question.tickers, end=question.end))
        risk_free = _risk_free(reader, panel)
    result_id = _result_id(question, panel, risk_free)
    with results.reading(workspace) as reader:
        known = result_queries.result(reader, result_id) is not None  # the same prices were read before
    if not known:
        _compute_and_store(question, panel, risk_free, result_id, workspace, report)
    results.remember_answer(
        workspace, question_id=question.key(), result_id=result_id, data_run_id=question.data_run_id
    )
    return result_id


def load(result_id: str, *, workspace: Path) -> dict[str, Any]:
    """Return one stored result as a backtesting_results object; raises MissingDataError where it is not stored."""
    with results.reading(Path(workspace)) as reader:
        found = result_queries.result(reader, result_id)
    if found is None:
        raise MissingDataError(f"There is no stored result {result_id}.")
    return found


def _compute_and_store(
    question: _Question, panel: Panel, risk_free: RiskFree, result_id: str, workspace: Path, report: Report
) -> None:
    spec = question.request.spec(start=question.start, end=question.end)
    result = run_backtest(panel, spec, risk_free=risk_free, report=report)
    metrics = result.metrics
    row = question.columns() | {
        "result_id": result_id, "test_date": store.utc_now(),
        **{name: metrics[name] for name in ("total_return", "sharpe_ratio", "max_drawdown")},
        "metrics": results.canonical(metrics), "audit": results.canonical(result.audit),
    }  # fmt: skip
    report(0.95, "storing")
    results.save_result(workspace, row, equity=result.equity_frame(), trades=result.trades)


def _resolve(reader: Reader, request: BacktestRequest, db: Path) -> _Question:
    published = run_queries.published_run(reader)
    if published is None:
        raise MissingDataError("Nothing has been published yet. Run: make update")
    tickers = request.tickers or tuple(instrument_queries.stock_tickers(reader))
    known = price_queries.session_bounds(reader, tickers, start=request.start, end=request.end)
    for ticker in tickers:
        if ticker not in known:
            raise UnknownKeyError("ticker", ticker, instrument_queries.instruments(reader)["ticker"])
    spans = [span for span in known.values() if span is not None]
    if not spans:
        raise MissingDataError(
            f"No prices of {', '.join(tickers[:5])} from {request.start or 'the beginning'} to {request.end or 'the end'}."
        )
    start, end = min(first for first, _ in spans), max(last for _, last in spans)
    return _Question(request, tickers, start, end, published["run_id"], _stamp(db))


def _stamp(db: Path) -> str:
    """Size and time of the database's files: whatever writes to them changes one of these."""
    files = [path for path in (db, db.with_name(db.name + "-wal")) if path.exists()]
    return ",".join(f"{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in files if path.stat().st_size)


def _risk_free(reader: Reader, panel: Panel) -> RiskFree:
    daily, monthly = (factor_queries.factor_returns(reader, frequency)["rf"] for frequency in ("D", "M"))
    return daily_risk_free(panel.dates, daily=daily, monthly=monthly)


def _result_id(question: _Question, panel: Panel, risk_free: RiskFree) -> str:
    """The sha256 of code version, canonical request and the arrays actually read; not of the run or the clock."""
    columns = {name: value for name, value in question.columns().items() if name != "data_run_id"}
    digest = hashlib.sha256(results.canonical(columns).encode())
    digest.update(panel.dates.astype("datetime64[D]").astype(np.int64).tobytes())
    for name in FIELDS:
        digest.update(np.ascontiguousarray(getattr(panel, name)).tobytes())
    digest.update(np.ascontiguousarray(risk_free.values).tobytes())
    return digest.hexdigest()


def describe(result: Mapping[str, Any]) -> str:
    """Return a stored result as a few lines for a terminal."""
    from analytics.metrics import METRICS

    lines = [
        f"{result['strategy_name']} on {', '.join(result['tickers'])}",
        f"{result['start_date']} to {result['end_date']}, run {result['data_run_id']}, result {result['result_id'][:12]}",
    ]
    lines += [
        f"  {METRICS[key].label:32} {value if value is not None else 'unknown'}"
        for key, value in result["metrics"].items()
    ]
    return "\n".join(lines)
