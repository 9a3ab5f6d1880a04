"""Run one update: lock, build beside the published store, step by step, then publish all or nothing."""

import json
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics.errors import InputError, PlumblineError
from analytics.registry import lookup
from analytics.validate import iso_date
from pipeline import schema, store
from pipeline.errors import StoreError
from pipeline.publish import build_path, publish
from pipeline.queries import connect
from pipeline.queries import prices as price_queries
from pipeline.queries import runs as run_queries
from pipeline.sources import SOURCES, FetchRequest, Report
from pipeline.steps import Context, Outcome, Step, ordered_steps
from pipeline.version import code_version

log = logging.getLogger(__name__)

Progress = Callable[[str, float, str], None]  # (step label, fraction of the whole run, what is being done)


@dataclass(frozen=True)
class UpdateRequest:
    """What to update; None leaves the choice to the store, and to the settings where there is no store."""

    source: str | None = None
    path: Path | None = None
    tickers: tuple[str, ...] | None = None
    start: str | None = None
    full: bool = False


@dataclass(frozen=True)
class StepResult:
    """One line of the summary."""

    label: str
    outcome: Outcome
    seconds: float


@dataclass(frozen=True)
class Summary:
    """What an update did."""

    run_id: str
    source: str
    steps: tuple[StepResult, ...]

    @property
    def partial(self) -> bool:
        """Whether the run was published although something did not come."""
        return any(step.outcome.partial for step in self.steps)


def update(request: UpdateRequest, *, settings: Any, progress: Progress = lambda *_: None) -> Summary:
    """Bring the store at `settings.db` up to date and return what was done.

    Raises InputError (a bad request), LockedError (another update runs), SourceError, CheckError or StoreError;
    whatever fails, the published store stays as it was.
    """
    db = Path(settings.db)
    if db.resolve() == Path(settings.workspace).resolve():
        raise InputError("db", got=str(db), allowed="another file than the workspace")
    for path in (db, build_path(db)):
        store.check_replaceable(path, schema.MARKET)
    with store.exclusive(db):
        previous = _previous_run(db)
        request = _resolve(request, previous, settings)
        fresh = request.full or previous is None or not _same_origin(request, previous)
        build = build_path(db)
        store.remove(build)
        if not fresh:
            store.backup(db, build)
        with closing(store.open_writer(build, schema.MARKET)) as connection:
            context = _context(connection, request, settings, recompute_all=fresh or _other_code(previous))
            return _run(context, request, db, progress)


def _previous_run(db: Path) -> dict[str, Any] | None:
    if store.schema_version(db) != schema.fingerprint(schema.MARKET):
        return None  # missing or of another version: it is rebuilt from empty
    try:
        with connect(db) as reader:
            return run_queries.published_run(reader)
    except StoreError:
        log.warning("%s is damaged: it is rebuilt from empty", db.name)
        return None


def _same_origin(request: UpdateRequest, previous: dict[str, Any]) -> bool:
    """Whether the store came from the same place, so that it may be added to."""
    path = str(request.path) if request.path else None
    return bool(previous["source"] == request.source and previous["parameters"].get("path") == path)


def _other_code(previous: dict[str, Any] | None) -> bool:
    return previous is None or previous["code_version"] != code_version()


def _resolve(request: UpdateRequest, previous: dict[str, Any] | None, settings: Any) -> UpdateRequest:
    """Fill in source and folder from the published run, so that `make update` goes on with them.

    Limits (--tickers, --start) hold for the one run that names them.
    """
    source = request.source or (previous["source"] if previous else settings.source)
    lookup(SOURCES, source, "source")
    path = request.path
    if path is None and previous and previous["source"] == source and previous["parameters"].get("path"):
        path = Path(previous["parameters"]["path"])
    iso_date("start", request.start)
    if request.tickers == ():
        raise InputError(
            "tickers", got="nothing", allowed="one or more tickers, as A,B", fix="Leave the option out for all."
        )
    return UpdateRequest(source, path.resolve() if path else None, request.tickers, request.start, request.full)


def _context(connection: sqlite3.Connection, request: UpdateRequest, settings: Any, *, recompute_all: bool) -> Context:
    source = SOURCES[str(request.source)]
    context = Context(
        connection=connection,
        run_id=f"{store.utc_now()[:19].replace(':', '').replace('-', '')}-{uuid.uuid4().hex[:6]}",
        source=source,
        request=FetchRequest(request.path, request.tickers, request.start, settings=settings),
        settings=settings,
        report=lambda *_: None,
        recompute_all=recompute_all,
    )
    if source.incremental and request.start is None:
        known = price_queries.last_dates(context.reader)
        context.request = FetchRequest(request.path, request.tickers, request.start, known, settings)
    return context


def _run(context: Context, request: UpdateRequest, db: Path, progress: Progress) -> Summary:
    connection, run_id = context.connection, context.run_id
    store.insert(connection, schema.runs, {
        "run_id": [run_id], "source": [context.source.key], "status": ["running"], "code_version": [code_version()],
        "started_at": [store.utc_now()], "parameters": [_parameters(request)],
    })  # fmt: skip
    results: list[StepResult] = []
    steps = ordered_steps()
    try:
        for number, step in enumerate(steps):
            context.report = _step_report(progress, step.label, number, len(steps))
            results.append(_run_step(context, step))
        summary = Summary(run_id, context.source.key, tuple(results))
        _finish(context, "partial" if summary.partial else "complete", "")
        publish(connection, db=db, run_id=run_id, source=context.source.key, code_version=code_version())
    except BaseException as error:  # Ctrl-C too: the run is recorded as failed and the old store stays
        _finish(context, "failed", str(error) or type(error).__name__)
        raise
    return summary


def _step_report(progress: Progress, label: str, number: int, count: int) -> Report:
    """Turn a step's own fraction into that of the whole run."""
    return lambda fraction, message: progress(label, (number + fraction) / count, message)


def _run_step(context: Context, step: Step) -> StepResult:
    key = {"run_id": context.run_id, "step": step.key}
    store.insert(context.connection, schema.step_runs, {
        **{name: [value] for name, value in key.items()}, "status": ["running"], "started_at": [store.utc_now()],
    })  # fmt: skip
    begin = time.perf_counter()
    context.report(0.0, "")
    try:
        outcome = step.run(context)
    except BaseException as error:
        seconds = time.perf_counter() - begin
        store.update(context.connection, schema.step_runs, key, status="failed", seconds=seconds, message=str(error))
        if not isinstance(error, PlumblineError):
            log.exception("step %s failed", step.key)
        raise
    seconds = time.perf_counter() - begin
    store.update(
        context.connection, schema.step_runs, key, status="partial" if outcome.partial else "complete",
        seconds=seconds, rows_written=outcome.rows, rows_rejected=outcome.rejected, message=outcome.message,
    )  # fmt: skip
    return StepResult(step.label, outcome, seconds)


def _finish(context: Context, status: str, message: str) -> None:
    store.update(
        context.connection, schema.runs, {"run_id": context.run_id},
        status=status, message=message, finished_at=store.utc_now(),
    )  # fmt: skip


def _parameters(request: UpdateRequest) -> str:
    return json.dumps({
        "path": str(request.path) if request.path else None, "tickers": request.tickers, "start": request.start,
        "full": request.full,
    }, sort_keys=True)  # fmt: skip
