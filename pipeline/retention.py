"""What is forgotten: the account of old runs, and fits that newer ones have replaced."""

import sqlite3

from pipeline import store
from pipeline.queries import Reader, accounts


def retain(connection: sqlite3.Connection, reader: Reader, *, runs: int) -> int:
    """Keep the account (steps, fetch log, rejects, checksums) of the newest `runs` runs; return how many were forgotten."""
    old = accounts.runs_beyond(reader, runs)
    with store.transaction(connection):
        for run_id in old:
            for table in store.RUN_TABLES:
                store.delete(connection, table, run_id=run_id)
    return len(old)
