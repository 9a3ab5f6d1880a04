"""The analyst's own database: results of backtests and the state of jobs. Small IMMEDIATE transactions only."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, store
from pipeline.queries import Reader, connect
from pipeline.queries import results as queries

ACTIVE = ("queued", "running")
LOST_AFTER_SECONDS = 15.0  # a job whose worker has not been heard of for this long is lost


def prepare(path: Path) -> None:
    """Create the workspace at `path` where there is none; raises StoreError where the file cannot be used."""
    store.open_writer(path, schema.WORKSPACE).close()


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Read the workspace, creating it first where there is none."""
    if store.schema_version(path) != schema.VERSIONS[schema.WORKSPACE]:
        prepare(path)  # missing, or of an earlier version
    with connect(path, workspace=True) as reader:
        yield reader


def canonical(value: Any) -> str:
    """Return `value` as JSON that is the same text for the same content: keys sorted, NaN as null."""
    return json.dumps(_plain(value), sort_keys=True, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def save_result(path: Path, row: Mapping[str, Any], *, equity: pd.DataFrame, trades: pd.DataFrame) -> None:
    """Store one backtest whole; a result that is already there is left alone."""
    result_id = row["result_id"]
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        if queries.result(Reader(connection), result_id):
            return
        store.insert(connection, schema.backtesting_results, {name: [value] for name, value in row.items()})
        store.insert(connection, schema.backtesting_equity, equity.assign(result_id=result_id))
        store.insert(connection, schema.backtesting_trades, trades.assign(result_id=result_id))


def remember_answer(path: Path, *, question_id: str, result_id: str, data_run_id: str) -> None:
    """Note that a stored result answers a question, so that it is found again without reading prices."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection:
        store.upsert(connection, schema.backtesting_questions, {
            "question_id": [question_id], "result_id": [result_id], "data_run_id": [data_run_id],
        })  # fmt: skip


# ---- jobs ---------------------------------------------------------------------------------------------------


def create_job(path: Path, *, job_id: str, kind: str, owner: str, seconds: float) -> None:
    """Note a job that waits for a worker; its deadline is set anew when it leaves the line and starts."""
    now = datetime.now(UTC)
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection:
        store.insert(connection, schema.jobs, {
            "job_id": [job_id], "kind": [kind], "state": ["queued"], "progress": [0.0], "owner": [owner],
            "message": [""], "created_at": [store.utc_text(now)],
            "heartbeat_at": [store.utc_text(now)], "deadline_at": [_deadline(seconds)],
        })  # fmt: skip


def start_job(path: Path, job_id: str, *, seconds: float) -> bool:
    """Note that a job has left the line; its time runs from now. False where it has ended already."""
    return update_job(path, job_id, state="running", deadline_at=_deadline(seconds))


def update_job(path: Path, job_id: str, **values: Any) -> bool:
    """Change a job that has not ended and note that its worker is alive; False where it has ended already."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        job = queries.job(Reader(connection), job_id)
        if job is None or job["state"] not in ACTIVE:
            return False
        values.setdefault("heartbeat_at", store.utc_now())
        return bool(store.update(connection, schema.jobs, {"job_id": job_id}, **values))


def job_state(path: Path, job_id: str) -> dict[str, Any] | None:
    """Return a job with `ahead`, the jobs waiting before it; one whose worker went silent is marked as lost."""
    with reading(path) as reader:
        job = queries.job(reader, job_id)
        ahead = queries.jobs_ahead(reader, job_id) if job and job["state"] == "queued" else 0
    if job is None:
        return None
    silent = datetime.now(UTC) - datetime.fromisoformat(job["heartbeat_at"])
    if job["state"] in ACTIVE and silent.total_seconds() > LOST_AFTER_SECONDS:
        message = "The worker ended without an answer (stopped, out of memory, or the app was restarted)."
        update_job(path, job_id, state="lost", message=message)
        job |= {"state": "lost", "message": message}
    return job | {"ahead": ahead}


def _deadline(seconds: float) -> str:
    return store.utc_text(datetime.now(UTC) + timedelta(seconds=seconds))
