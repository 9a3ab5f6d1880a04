"""Which run is shown, what it did, and what it could not use."""

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analytics.registry import lookup
from pipeline.attempts import last_failure
from pipeline.errors import StoreError
from pipeline.publish import build_path
from pipeline.queries._connection import Reader, connect
from pipeline.sources import SOURCES, Source

_RUN_COLUMNS = (
    "run_id", "source", "published_at", "code_version", "started_at", "finished_at", "status", "parameters", "message",
)  # fmt: skip


def published_run(reader: Reader) -> dict[str, Any] | None:
    """Return the run that the store shows, `parameters` decoded; None where nothing was ever published."""
    row = reader.one(
        "SELECT published.run_id, published.source, published.published_at, published.code_version, "
        "runs.started_at, runs.finished_at, runs.status, runs.parameters, runs.message "
        "FROM published LEFT JOIN runs ON runs.run_id = published.run_id LIMIT 1"
    )
    if row is None:
        return None
    run = dict(zip(_RUN_COLUMNS, row, strict=True))
    return run | {"parameters": json.loads(run["parameters"] or "{}")}


def source_of(run: dict[str, Any]) -> Source:
    """Return what the source of a run says of itself: label, description, badge and price basis; raises UnknownKeyError."""
    return lookup(SOURCES, run["source"], "source")


def last_run(reader: Reader) -> dict[str, Any] | None:
    """Return the run that started last, published or not; in build.db this is the one that failed."""
    row = reader.one("SELECT run_id, status, started_at, message FROM runs ORDER BY started_at DESC LIMIT 1")
    return dict(zip(("run_id", "status", "started_at", "message"), row, strict=True)) if row else None


def run_steps(reader: Reader, run_id: str) -> pd.DataFrame:
    """Return a run's steps in the order they ran: step, status, seconds, rows_written, rows_rejected, message."""
    return reader.frame(
        "SELECT step, status, started_at, seconds, rows_written, rows_rejected, message FROM step_runs "
        "WHERE run_id = ? ORDER BY started_at",
        (run_id,),
    )


def fetch_log(reader: Reader, run_id: str) -> pd.DataFrame:
    """Return what was asked of the source in a run: ticker, status, rows, message."""
    return reader.frame(
        "SELECT ticker, status, rows, message FROM fetch_log WHERE run_id = ? ORDER BY ticker", (run_id,)
    )


def rejects(reader: Reader, run_id: str, *, limit: int = 5_000) -> pd.DataFrame:
    """Return the rows a run refused, with the reason and the row as it came."""
    return reader.frame(
        "SELECT ticker, date, reason, payload FROM rejects WHERE run_id = ? ORDER BY number LIMIT ?", (run_id, limit)
    )


def table_rows(reader: Reader, run_id: str) -> pd.DataFrame:
    """Return a run's row count and checksum per table."""
    return reader.frame(
        "SELECT table_name, rows, checksum FROM table_checksums WHERE run_id = ? ORDER BY table_name", (run_id,)
    )


def damage(reader: Reader) -> str:
    """Return the first fault that SQLite finds in the pages of the whole database, "" where it finds none."""
    row = reader.one("PRAGMA quick_check(1)")
    return "" if row is None or row[0] == "ok" else str(row[0])


def history(reader: Reader, *, limit: int = 20) -> pd.DataFrame:
    """Return the newest runs, newest first: run_id, started_at, finished_at, status, steps, rows, seconds, message.

    message is that of the run, else of its first step that did not complete.
    """
    return reader.frame(
        "SELECT r.run_id, r.started_at, r.finished_at, r.status, count(s.step) AS steps, sum(s.rows_written) AS rows, "
        "sum(s.seconds) AS seconds, coalesce(nullif(r.message, ''), (SELECT p.message FROM step_runs AS p "
        "WHERE p.run_id = r.run_id AND p.status <> 'complete' ORDER BY p.started_at LIMIT 1), '') AS message "
        "FROM (SELECT * FROM runs ORDER BY started_at DESC LIMIT ?) AS r "
        "LEFT JOIN step_runs AS s ON s.run_id = r.run_id GROUP BY r.run_id ORDER BY r.started_at DESC",
        (limit,),
    )


NO_UPDATE: dict[str, Any] = {"state": "none", "step": "", "started_at": None, "message": "", "holder": ""}


def update_state(db: Path, *, published: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what became of the newest update that has not led to the `published` run.

    state is none, running, failed or stopped (killed: it neither ended nor runs); step is where it is or ended;
    holder is what the update that runs wrote into its lock.
    """
    try:
        with connect(build_path(db)) as reader:
            run = last_run(reader)
            steps = run_steps(reader, run["run_id"]) if run else pd.DataFrame()
    except StoreError:  # no update was ever begun beside this store, or one is being prepared
        run = None
    early = last_failure(db)
    if early and all(early["started_at"] > later for later in (
        (run or {}).get("started_at", ""), (published or {}).get("published_at", "")
    )) and _lock_holder(db) is None:  # fmt: skip
        return NO_UPDATE | {"state": "failed", "step": "start"} | early
    if run is None:
        holder = _lock_holder(db)
        return NO_UPDATE if holder is None else NO_UPDATE | {"state": "running", "step": "start", "holder": holder}
    if published and (run["run_id"] == published["run_id"] or run["started_at"] < published["published_at"]):
        return NO_UPDATE
    step = "start" if steps.empty else str(steps["step"].iloc[-1])
    if not steps.empty and run["status"] in ("complete", "partial"):
        step = "publish"
    found = NO_UPDATE | {"step": step, "started_at": run["started_at"], "message": run["message"] or ""}
    if run["status"] == "failed":
        return found | {"state": "failed"}
    holder = _lock_holder(db)
    return found | ({"state": "stopped"} if holder is None else {"state": "running", "holder": holder})


def _lock_holder(db: Path) -> str | None:
    """What the running update wrote into its lock, None where none runs.

    Asking takes the lock for an instant, so it is asked only where build.db does not answer already: an update
    that begins in that instant would be refused.
    """
    try:
        with open(db.with_name(db.name + ".lock"), encoding="utf-8", errors="replace") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return handle.read(200).strip() or "another process"
            return None
    except OSError:
        return None
