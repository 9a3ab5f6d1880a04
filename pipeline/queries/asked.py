"""What each browser asked, read from workspace.db."""

import json
from typing import Any

from pipeline.queries._connection import Reader

COLUMNS = (
    "question_id", "asked_at", "request", "withdrawn", "job_id", "result_id", "stored_id", "total_return", "sharpe_ratio",
    "verdict", "job_state", "progress", "message", "deadline_at",
)  # fmt: skip


def requests(reader: Reader, owner: str, *, kind: str, most: int) -> list[dict[str, Any]]:
    """Return a browser's requests with their job and their result, the newest first, as {column: value} of COLUMNS.

    request is decoded. stored_id is the result's where it is stored. What belongs to a job or a result is None without.
    """
    rows = reader.rows(
        "SELECT q.question_id, q.asked_at, q.request, q.withdrawn, q.job_id, coalesce(q.result_id, j.result_id), r.result_id, "
        "r.total_return, r.sharpe_ratio, json_extract(r.audit, '$.verdict'), j.state, j.progress, j.message, j.deadline_at "
        "FROM requests q LEFT JOIN jobs j ON j.job_id = q.job_id "
        "LEFT JOIN backtesting_results r ON r.result_id = coalesce(q.result_id, j.result_id) "
        "WHERE q.owner = ? AND q.kind = ? ORDER BY q.asked_at DESC, q.question_id LIMIT ?",
        (owner, kind, most),
    )
    return [
        {**(found := dict(zip(COLUMNS, row, strict=True))), "request": json.loads(found["request"])} for row in rows
    ]


def waiting(reader: Reader, job_id: str) -> int:
    """Return how many browsers wait for a job."""
    row = reader.one("SELECT count(*) FROM requests WHERE job_id = ? AND withdrawn = 0", (job_id,))
    return int(row[0]) if row else 0


def has_withdrawn(reader: Reader, owner: str, job_id: str) -> bool:
    """Whether a browser has taken its request for a job back."""
    return reader.one(
        "SELECT 1 FROM requests WHERE job_id = ? AND owner = ? AND withdrawn = 1", (job_id, owner)
    ) is not None  # fmt: skip
