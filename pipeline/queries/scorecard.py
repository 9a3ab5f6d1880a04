"""What the signals were worth. As of the newest update: no strategy reads this."""

from typing import Any

import pandas as pd

from pipeline.queries._connection import Reader
from pipeline.schema import signal_scorecard

COLUMNS = tuple(column.name for column in signal_scorecard.columns)


def scorecard(reader: Reader, scope: str) -> pd.DataFrame:
    """Return the record of every signal and bucket of a scope, a ticker or "stocks" for all, by signal and horizon."""
    return reader.frame(
        "SELECT * FROM signal_scorecard WHERE scope = ? ORDER BY signal, bucket, horizon_days", (scope,)
    )


def records(reader: Reader, scope: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the same by (signal, bucket), each a list of {column: value} by horizon: what a page looks up."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in reader.rows(
        f"SELECT {', '.join(COLUMNS)} FROM signal_scorecard WHERE scope = ? ORDER BY signal, bucket, horizon_days",
        (scope,),
    ):
        item = dict(zip(COLUMNS, row, strict=True))
        found.setdefault((item["signal"], item["bucket"]), []).append(item)
    return found
