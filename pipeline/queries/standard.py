"""The standard backtests as the jobs table tells of them: which results are theirs, from which night, and who else wants them."""

import pandas as pd

from pipeline.queries._connection import Reader

KIND, OWNER = "standard", "pipeline"  # of their jobs


def standard_jobs(reader: Reader) -> pd.DataFrame:
    """Return the jobs of the standard backtests, newest first: job_id, state, created_at (UTC), result_id (None without one)."""
    return reader.frame(
        "SELECT job_id, state, created_at, result_id FROM jobs WHERE kind = ? AND owner = ? ORDER BY created_at DESC, job_id",
        (KIND, OWNER),
    )


def is_standard(reader: Reader, result_id: str) -> bool:
    """Whether a result was computed as one of the standard backtests."""
    return reader.one(
        "SELECT 1 FROM jobs WHERE kind = ? AND owner = ? AND result_id = ? LIMIT 1", (KIND, OWNER, result_id)
    ) is not None  # fmt: skip


def is_wanted(reader: Reader, result_id: str) -> bool:
    """Whether a result has a name or a note, or was asked for by somebody."""
    return reader.one(
        "SELECT 1 FROM result_notes WHERE result_id = ? UNION ALL SELECT 1 FROM requests WHERE result_id = ? "
        "UNION ALL SELECT 1 FROM jobs WHERE result_id = ? AND owner <> ? LIMIT 1",
        (result_id, result_id, result_id, OWNER),
    ) is not None  # fmt: skip
