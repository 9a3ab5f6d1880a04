"""What each browser asked, and what became of it: the list of its runs, and who waits for which job.

Browsers that ask the same question wait for one job. Each withdraws only its own request; the job is cancelled when
nobody waits for it any more.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline import schema, store, workspace
from pipeline.queries import Reader
from pipeline.queries import asked as queries
from pipeline.queries import results as result_queries

DELETED, CANCELLED = "deleted", "cancelled"  # beside the states of a job
STOPPED = "Cancelled."


def note(
    path: Path, owner: str, *, question_id: str, kind: str, request: Mapping[str, Any], job_id: str | None = None,
    result_id: str | None = None,
) -> None:  # fmt: skip
    """Note that a browser asks a question, which a job works on or a stored result answers; its newest time counts."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection:
        store.upsert(connection, schema.requests, {
            "owner": [owner], "question_id": [question_id], "kind": [kind], "asked_at": [store.utc_now()],
            "request": [workspace.canonical(request)], "withdrawn": [0], "job_id": [job_id], "result_id": [result_id],
        })  # fmt: skip


def withdraw(path: Path, owner: str, job_id: str) -> bool:
    """Take a browser's request for a job back; True where the job is cancelled with it, because nobody else waits."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        reader = Reader(connection)
        job = result_queries.job(reader, job_id)
        if job is None or job["state"] not in workspace.ACTIVE:
            return False
        noted = store.update(connection, schema.requests, {"owner": owner, "job_id": job_id}, withdrawn=1)
        if not noted and job["owner"] != owner:
            return False
        if queries.waiting(reader, job_id):
            return False
    return workspace.update_job(path, job_id, state=CANCELLED, message=STOPPED)


def job_state(path: Path, owner: str, job_id: str) -> dict[str, Any] | None:
    """Return a job as a browser sees it, as `workspace.job_state` does: cancelled where this browser withdrew."""
    job = workspace.job_state(path, job_id)
    with workspace.reading(path) as reader:
        withdrawn = job is not None and queries.has_withdrawn(reader, owner, job_id)
    return job | {"state": CANCELLED, "message": STOPPED} if job and withdrawn else job


def mine(path: Path, owner: str, *, kind: str, most: int) -> list[dict[str, Any]]:
    """Return what a browser asked, the newest first, at most `most`.

    Of each: question_id, asked_at (UTC), request (decoded), job_id, result_id, stored_id (the result's where it is
    stored), total_return, sharpe_ratio, verdict of the audit, state (that of the job, `cancelled` where this browser
    withdrew, `deleted` where the answer is gone), progress (0 to 1), message, deadline_at, ahead (jobs waiting before
    it). None is what is not there.
    """
    with workspace.reading(path) as reader:
        rows = queries.requests(reader, owner, kind=kind, most=most)
    return [_with_state(path, row) for row in rows]


def _with_state(path: Path, row: dict[str, Any]) -> dict[str, Any]:
    if row["withdrawn"]:
        return row | {"state": CANCELLED, "message": STOPPED, "ahead": 0}
    active = row["job_state"] in workspace.ACTIVE
    job = workspace.job_state(path, row["job_id"]) if active else None  # it may have been lost
    if job is not None:
        return row | {name: job[name] for name in ("state", "progress", "message", "deadline_at", "ahead")}
    gone = row["stored_id"] is None and row["job_state"] in (None, "done")
    return row | {"state": DELETED if gone else row["job_state"] or "done", "ahead": 0}
