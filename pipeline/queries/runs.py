"""Which run is shown, what it did, and what it could not use."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

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
    """Return what the source of a run says of itself: label, description, badge and price basis."""
    return SOURCES[run["source"]]


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


def failed_update(db: Path, *, published_at: str) -> dict[str, Any] | None:
    """Return the update that failed after `published_at`, with the `step` it failed in; None where there is none."""
    try:
        with connect(build_path(db)) as reader:
            run = last_run(reader)
            if run is None or run["status"] != "failed" or run["started_at"] < published_at:
                return None
            steps = run_steps(reader, run["run_id"])
    except StoreError:
        return None  # no update was ever begun beside this store, or one is being prepared
    failed = steps.loc[steps["status"] == "failed", "step"]
    return run | {"step": failed.iloc[-1] if len(failed) else "start"}
