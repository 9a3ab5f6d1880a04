"""Run one update: lock, build beside the published store, step by step, then publish all or nothing."""

import gc
import json
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analytics.errors import InputError, PlumblineError
from analytics.registry import lookup
from analytics.validate import iso_date
from pipeline import schema, store
from pipeline.attempts import forget_failure, note_failure
from pipeline.build import Build, check_build, prepare
from pipeline.errors import StoreError
from pipeline.maintenance import market, vacuum_unlocked
from pipeline.publish import build_path, mark_mirror, publish
from pipeline.queries import fundamentals as fundamental_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.retention import retain
from pipeline.sources import SOURCES, FetchRequest, Report
from pipeline.steps import Context, Outcome, Step, ordered_steps
from pipeline.version import code_version

log = logging.getLogger(__name__)

COLLECT_AFTER = (200_000, 20, 50)  # new containers, younger collections, middle ones

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
    store.check_replaceable(db, schema.MARKET)
    with store.exclusive(db), _few_collections():
        build = _prepare(db, full=request.full)
        try:
            request = _resolve(request, build.previous, settings)
            if not _goes_on(request, build.previous):
                build.start_empty(db)
            summary = _run(_context(build, request, settings), request, db, progress, build.base_run)
        finally:
            build.connection.close()
        mark_mirror(db)
        try:
            vacuum_unlocked(market(db), only_if_it_pays=True)
        except (StoreError, sqlite3.Error) as error:  # the run is published all the same
            log.warning("the space of deleted rows was not given back: %s", error)
        return summary


def _prepare(db: Path, *, full: bool) -> Build:
    """Open the build; an update that fails here has no database to note it in."""
    begun = store.utc_now()
    try:
        check_build(db)
        build = prepare(db, full=full)
    except (PlumblineError, sqlite3.Error, OSError) as error:
        note_failure(db, begun, str(error))
        raise
    forget_failure(db)
    return build


@contextmanager
def _few_collections() -> Iterator[None]:
    """Let the garbage collector look rarely: rows arrive as tuples by the million, none of them in a cycle."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _goes_on(request: UpdateRequest, previous: dict[str, Any] | None) -> bool:
    """Whether the store may be added to: it came from the same place, and is not wanted anew.

    What an incremental source delivered in the past it may not deliver again (a company that is gone), so a full
    update fetches and computes all of it anew, but forgets nothing.
    """
    if previous is None:
        return False
    path = str(request.path) if request.path else None
    same = previous["source"] == request.source and previous["parameters"].get("path") == path
    return bool(same and (SOURCES[str(request.source)].incremental or not request.full))


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


def _context(build: Build, request: UpdateRequest, settings: Any) -> Context:
    source, previous = SOURCES[str(request.source)], build.previous
    context = Context(
        connection=build.connection,
        build=build_path(Path(settings.db)),
        run_id=f"{store.utc_now()[:19].replace(':', '').replace('-', '')}-{uuid.uuid4().hex[:6]}",
        source=source,
        request=FetchRequest(request.path, request.tickers, request.start, settings=settings, resume=build.stopped),
        settings=settings,
        report=lambda *_: None,
        recompute_all=request.full or build.altered or previous is None or previous["code_version"] != code_version(),
    )
    if source.incremental and request.start is None and not request.full:
        followed = price_queries.last_dates(context.reader, instrument_queries.active_tickers(context.reader))
        asked_at = fundamental_queries.newest(context.reader)
        context.request = replace(context.request, last_dates=followed, fundamentals_as_of=asked_at)
    return context


def _run(context: Context, request: UpdateRequest, db: Path, progress: Progress, base_run: str | None) -> Summary:
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
        retain(connection, context.reader, runs=context.settings.keep_runs)
        log.info("publishing", extra={"fields": {"run_id": run_id, "source": context.source.key, "base_run": base_run}})
        publish(
            connection, db=db, run_id=run_id, source=context.source.key, code_version=code_version(), base_run=base_run
        )
    except BaseException as error:  # Ctrl-C too: the run is recorded as failed and the old store stays
        with suppress(sqlite3.Error):  # a full disk takes no more notes
            _finish(context, "failed", str(error) or type(error).__name__)
        if isinstance(error, sqlite3.Error):
            raise StoreError(
                f"The database could not be written: {error}. Is the disk full? What was published before is still shown."
            ) from error
        raise
    return summary


def _step_report(progress: Progress, label: str, number: int, count: int) -> Report:
    """Turn a step's own fraction into that of the whole run."""
    return lambda fraction, message: progress(label, (number + fraction) / count, message)


def _run_step(context: Context, step: Step) -> StepResult:
    time.sleep(0.001)  # steps are told in the order of the milliseconds in which they began
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
        with suppress(sqlite3.Error):
            store.update(
                context.connection, schema.step_runs, key, status="failed", seconds=seconds, message=str(error)
            )
        if not isinstance(error, PlumblineError):
            log.exception("step %s failed", step.key)
        raise
    seconds = time.perf_counter() - begin
    log.info("step finished", extra={"fields": {
        "run_id": context.run_id, "step": step.key, "rows": outcome.rows, "rejected": outcome.rejected,
        "seconds": round(seconds, 3),
    }})  # fmt: skip
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
