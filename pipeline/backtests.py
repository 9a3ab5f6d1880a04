"""The one door to a backtest: the command line, the app's worker and the pipeline all come through here.

A request is resolved against the published run (tickers sorted, dates resolved, defaults filled in), answered from
the store where the same question was asked of the same data, and otherwise computed, stored and named by its content.
The answer is stored first; its audit, its intervals and each ticker on its own follow and are stored with it.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analytics.backtest import BacktestResult, StrategyInputs, run_backtest
from analytics.backtest.checks import check
from analytics.backtest.strategies import STRATEGIES
from analytics.errors import MissingDataError, PlumblineError, UnknownKeyError
from analytics.market import FIELDS, Panel
from analytics.returns import CARRIED, daily_risk_free
from pipeline import kept_bars, ledger, schema, store
from pipeline import workspace as results
from pipeline.backtest_request import BacktestRequest
from pipeline.queries import Reader, connect
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.queries import results as result_queries
from pipeline.queries import runs as run_queries
from pipeline.queries import strategy_inputs as input_queries
from pipeline.read_only import file_state
from pipeline.sources import Report, no_report
from pipeline.version import code_version

__all__ = [
    "BacktestRequest",
    "Question",
    "answer_to",
    "ask",
    "describe",
    "find",
    "load",
    "read_inputs",
    "rehearse",
    "resolve",
    "run",
    "warm_up",
]

ANSWERED = 0.4  # of the progress, when the answer is there and its checks begin


def warm_up() -> None:
    """Compute what every question needs of this program itself, for the processes that are forked from this one."""
    code_version()
    for metadata in (schema.MARKET, schema.WORKSPACE):
        schema.outdated(metadata, {table.name: "" for table in metadata.tables.values()})


def rehearse(*, db: Path) -> None:
    """Answer a question about the store's first stock and throw the answer away, so that this process has touched all that the next one needs."""

    def enough(_result_id: str) -> None:
        raise _EnoughError

    with tempfile.TemporaryDirectory(prefix="plumbline-practice-") as name, suppress(PlumblineError, _EnoughError):
        with connect(Path(db)) as reader:
            first = instrument_queries.stock_tickers(reader)[:1]
        folder = Path(name)
        run(
            BacktestRequest.of(tickers=first),
            db=db,
            workspace=folder / "workspace.db",
            bars=folder / "bars",
            stored=enough,
        )


class _EnoughError(Exception):
    """The answer is there; its checks are not needed."""


@dataclass(frozen=True)
class Question:
    """A request resolved against one published run."""

    request: BacktestRequest
    tickers: tuple[str, ...]
    start: str
    end: str
    data_run_id: str
    data_stamp: str  # of the file that was read: a price changed by another hand changes it

    def key(self) -> str:
        """Return the name of the question, with the data it is asked of."""
        return hashlib.sha256(results.canonical([self.columns(), self.data_stamp]).encode()).hexdigest()

    def columns(self) -> dict[str, str]:
        """Return the columns of backtesting_results that identify the question."""
        return {
            "strategy_name": self.request.spec.strategy, "start_date": self.start, "end_date": self.end,
            "data_run_id": self.data_run_id, "code_version": code_version(),
            "tickers": results.canonical(self.tickers), "params": results.canonical(self.request.params()),
        }  # fmt: skip

    def description(self) -> dict[str, Any]:
        """Return the question as `backtesting_results` describes it, decoded."""
        return {
            "strategy_name": self.request.spec.strategy, "tickers": self.tickers, "params": self.request.params(),
            "start_date": self.start, "end_date": self.end,
        }  # fmt: skip


def ask(request: BacktestRequest, *, db: Path) -> Question:
    """Return a request as a question to the published data: the same for all who ask it; raises as `run` does."""
    with connect(Path(db)) as reader:
        return resolve(reader, request, Path(db))


def find(request: BacktestRequest, *, db: Path, workspace: Path) -> str | None:
    """Return the result_id where this question has been answered on this data and checked, else None.

    Raises as `run` does.
    """
    return answer_to(ask(request, db=db), workspace=workspace)


def answer_to(question: Question, *, workspace: Path) -> str | None:
    """Return the result_id of the stored and checked answer to a question, None where there is none."""
    with results.reading(Path(workspace)) as reader:
        result_id = result_queries.find_result(reader, question.key())
        return result_id if result_id and result_queries.is_checked(reader, result_id) else None


def run(
    request: BacktestRequest, *, db: Path, workspace: Path, report: Report = no_report,
    stored: Callable[[str], None] = lambda _result_id: None, trial: str | None = None, bars: Path | None = None,
) -> str:  # fmt: skip
    """Answer a request and return the result_id of the stored answer.

    stored(result_id) is told as soon as the answer can be shown; its checks follow. trial: the id in the ledger of a run
    that is repeated on newer data, all of which count as one try; None: this answer is a try of its own. bars: a folder
    in which bars are kept for the next run. Raises InputError or UnknownKeyError (the request), MissingDataError (no prices there), StoreError (no store).
    """
    db, workspace = Path(db), Path(workspace)
    asked = ask(request, db=db)
    known = answer_to(asked, workspace=workspace)
    if known is not None:
        return known
    report(0.02, "reading prices")
    with connect(db, seconds=60.0) as reader:
        question = resolve(reader, request, db)
        unchanged = question.data_stamp == asked.data_stamp  # since before the snapshot: the stamp is its own
        inputs = read_inputs(reader, question, kept=bars if unchanged else None)
        members = instrument_queries.memberships(reader)
    result_id = _result_id(question, inputs, members)
    with results.reading(workspace) as reader:
        checked = result_queries.is_checked(reader, result_id)  # the same prices were read before
    if not checked:
        spec = question.request.over(start=question.start, end=question.end)
        result = run_backtest(inputs, spec, report=_part(report, 0.05, ANSWERED))
        _store(question, result, result_id, workspace, trial)
    results.remember_answer(
        workspace, question_id=question.key(), result_id=result_id, data_run_id=question.data_run_id
    )
    if not checked:
        stored(result_id)
        checks = check(inputs, spec, result, members=members, report=_part(report, ANSWERED, 0.98))
        audit = results.canonical({**result.audit, **checks.audit})
        results.save_checks(workspace, result_id, audit=audit, tickers=checks.tickers)
    return result_id


def _part(report: Report, begin: float, end: float) -> Report:
    """The report of a piece of work that is a part of the whole."""
    return lambda done, message: report(begin + (end - begin) * done, message)


def load(result_id: str, *, workspace: Path) -> dict[str, Any]:
    """Return one stored result as a backtesting_results object; raises MissingDataError where it is not stored."""
    with results.reading(Path(workspace)) as reader:
        found = result_queries.result(reader, result_id)
    if found is None:
        raise MissingDataError(f"There is no stored result {result_id}.")
    return found


def _store(question: Question, result: BacktestResult, result_id: str, workspace: Path, trial: str | None) -> None:
    metrics = result.metrics
    row = question.columns() | {
        "result_id": result_id, "test_date": store.utc_now(),
        **{name: metrics[name] for name in ("total_return", "sharpe_ratio", "max_drawdown")},
        "metrics": results.canonical(metrics), "audit": results.canonical(result.audit),
    }  # fmt: skip
    results.save_result(workspace, row, equity=result.equity_frame(), trades=result.trades)
    ledger.count_result(
        workspace, result_id, strategy=question.request.spec.strategy, tickers=question.tickers, metrics=metrics,
        sessions=len(result.dates), trial=trial,
    )  # fmt: skip


def resolve(reader: Reader, request: BacktestRequest, db: Path) -> Question:
    """Return a request resolved against the published run; raises as `run` does."""
    published = run_queries.published_run(reader)
    if published is None:
        raise MissingDataError("Nothing has been published yet. Run: make update")
    asked = request.spec
    tickers = request.tickers or tuple(instrument_queries.stock_tickers(reader))
    known = price_queries.session_bounds(reader, tickers, start=asked.start, end=asked.end)
    for ticker in tickers:
        if ticker not in known:
            raise UnknownKeyError("ticker", ticker, instrument_queries.instruments(reader)["ticker"])
    spans = [span for span in known.values() if span is not None]
    if not spans:
        raise MissingDataError(
            f"No prices of {', '.join(tickers[:5])} from {asked.start or 'the beginning'} to {asked.end or 'the end'}."
        )
    start, end = min(first for first, _ in spans), max(last for _, last in spans)
    return Question(request, tickers, start, end, published["run_id"], _stamp(db))


def read_inputs(reader: Reader, question: Question, *, kept: Path | None = None) -> StrategyInputs:
    """Return everything known of the tickers up to the end of the test; kept: where bars are kept, see `kept_bars`."""
    if kept is None:
        bars = price_queries.all_bars(reader, question.tickers, end=question.end)
    else:
        edition = f"{question.data_run_id} {question.data_stamp}"
        bars = kept_bars.bars(reader, question.tickers, end=question.end, folder=kept, edition=edition)
    panel = Panel.of(bars)
    daily, monthly = (factor_queries.factor_returns(reader, frequency, names=("rf",))["rf"] for frequency in ("D", "M"))
    needs = STRATEGIES[question.request.spec.strategy].needs
    risk_free = daily_risk_free(panel.dates, daily=daily, monthly=monthly)
    return StrategyInputs(
        panel=panel, first_rows=np.zeros(len(panel.tickers), dtype=np.int64),
        risk_free=risk_free.values, carried=risk_free.origin == CARRIED,
        factors=input_queries.factor_view(reader, panel.tickers, end=question.end) if "factors" in needs else None,
    )  # fmt: skip


def _stamp(db: Path) -> str:
    """Size and time of the database's files: whatever writes to them changes one of these."""
    found = [file_state(path) for path in (db, db.with_name(db.name + "-wal"))]
    return ",".join(f"{item.st_size}:{item.st_mtime_ns}" for item in found if item is not None and item.st_size)


def _result_id(question: Question, inputs: StrategyInputs, members: Mapping[str, Any]) -> str:
    """The sha256 of code version, canonical request and everything actually read; not of the run or the clock."""
    columns = {name: value for name, value in question.columns().items() if name != "data_run_id"}
    digest = hashlib.sha256(results.canonical([columns, members]).encode())
    arrays = [getattr(inputs.panel, name) for name in FIELDS] + [inputs.risk_free]
    days = [inputs.panel.dates]
    if inputs.factors is not None:
        view = inputs.factors
        days += [view.as_of, view.factor_known]
        arrays += [view.universe_median, *(values for _, values in sorted(view.values.items()))]
        arrays += [values for _, values in sorted(view.factor_returns.items())]
    for dates in days:
        digest.update(dates.astype("datetime64[D]").astype(np.int64).tobytes())
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype=float).tobytes())
    return digest.hexdigest()


def describe(result: Mapping[str, Any]) -> str:
    """Return a stored result as a few lines for a terminal."""
    from analytics.metrics import METRICS

    lines = [
        f"{result['strategy_name']} on {', '.join(result['tickers'])}",
        f"{result['start_date']} to {result['end_date']}, run {result['data_run_id']}, result {result['result_id'][:12]}",
    ]
    audit = result["audit"]
    if "verdict" in audit:
        lines.append(
            f"Audit: {audit['verdict']}. "
            + " ".join(gate["detail"] for gate in audit["gates"] if gate["verdict"] != "green")
        )
    lines += [
        f"  {metric.label:36} {_value_text(result['metrics'][key], metric.unit)}"
        for key, metric in METRICS.items() if key in result["metrics"]
    ]  # fmt: skip
    return "\n".join(lines)


def _value_text(value: float | None, unit: str) -> str:
    if value is None:
        return "unknown"
    return str(np.datetime64(int(value), "D")) if unit == "date" else f"{value:.6g}"
