"""The account of runs, as the update itself keeps it: which are old, and which never came to their end."""

import pandas as pd

from pipeline.queries._connection import Reader


def runs_beyond(reader: Reader, kept: int) -> list[str]:
    """Return the run ids older than the newest `kept` runs."""
    rows = reader.rows("SELECT run_id FROM runs ORDER BY started_at DESC LIMIT -1 OFFSET ?", (kept,))
    return [row[0] for row in rows]


def unfinished(reader: Reader) -> dict[str, pd.DataFrame]:
    """Return {table: rows} of the runs that failed or were stopped: runs, step_runs and fetch_log."""
    condition = "run_id IN (SELECT run_id FROM runs WHERE status IN ('running', 'failed'))"
    return {
        "runs": reader.frame(f"SELECT * FROM runs WHERE {condition}"),
        "step_runs": reader.frame(f"SELECT * FROM step_runs WHERE {condition}"),
        "fetch_log": reader.frame(f"SELECT * FROM fetch_log WHERE {condition}"),
    }


def input_digests(reader: Reader, step: str) -> dict[str, str]:
    """Return {owner: what the step's input was when its stored result was computed}."""
    return dict(reader.rows("SELECT owner, digest FROM step_inputs WHERE step = ?", (step,)))
