"""What is forgotten: the account of old runs, fits that newer ones have replaced, and the standard backtests of old nights."""

import sqlite3
from pathlib import Path

from pipeline import store
from pipeline import workspace as results
from pipeline.queries import Reader, accounts
from pipeline.queries import standard as standard_queries


def retain(connection: sqlite3.Connection, reader: Reader, *, runs: int) -> int:
    """Keep the account (steps, fetch log, rejects, checksums) of the newest `runs` runs; return how many were forgotten."""
    old = accounts.runs_beyond(reader, runs)
    with store.transaction(connection):
        for run_id in old:
            for table in store.RUN_TABLES:
                store.delete(connection, table, run_id=run_id)
    return len(old)


def retain_standard(workspace: Path, *, nights: int) -> int:
    """Keep the standard backtests of the newest `nights` nights (UTC dates) that have any; return how many were deleted.

    An older one stays while it has a name or a note, or where a job of somebody else gave it too. Of the jobs stay the
    newest of each result that is kept, and those of these nights that gave none; one whose process ended without a word
    is marked as lost.
    """
    with results.reading(workspace) as reader:
        jobs = standard_queries.standard_jobs(reader)
    if jobs.empty:
        return 0
    for job_id in jobs.loc[jobs["state"].isin(results.ACTIVE), "job_id"]:
        results.job_state(workspace, job_id)
    dated = jobs.assign(night=jobs["created_at"].str[:10])
    gave = dated["result_id"].notna()
    kept = sorted(dated.loc[gave, "night"].unique())[-nights:]
    if not kept:
        return 0
    newest = dated[gave].drop_duplicates("result_id")  # jobs come newest first
    repeated = gave & ~dated.index.isin(newest.index)
    for job_id in dated.loc[repeated | (~gave & (dated["night"] < kept[0])), "job_id"]:
        results.delete_job(workspace, job_id)
    return sum(results.delete_standard(workspace, item) for item in newest.loc[newest["night"] < kept[0], "result_id"])
