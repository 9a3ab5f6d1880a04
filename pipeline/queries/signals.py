"""Stored technical signals."""

from collections.abc import Collection

import pandas as pd

from analytics.errors import UnknownKeyError
from pipeline.queries._connection import Reader
from pipeline.schema import technical_signals

SIGNAL_COLUMNS = tuple(column.name for column in technical_signals.columns if column.name != "ticker")


def signal_history(
    reader: Reader,
    ticker: str,
    *,
    columns: Collection[str] = SIGNAL_COLUMNS,
    start: str | None = None,
    end: str | None = None,
) -> pd.DataFrame:
    """Return one ticker's stored signals, oldest first, in the table's column order; raises UnknownKeyError.

    The columns are date, every indicator, every vote, the counts, the signal and the rating; ask for what is needed.
    """
    for name in columns:
        if name not in SIGNAL_COLUMNS:
            raise UnknownKeyError("column", name, SIGNAL_COLUMNS)
    chosen = [name for name in SIGNAL_COLUMNS if name in columns]
    return reader.frame(
        f"SELECT {', '.join(chosen)} FROM technical_signals WHERE ticker = ? AND date BETWEEN ? AND ? ORDER BY date",
        (ticker, start or "0000", end or "9999"),
    )


def latest_signal(reader: Reader, ticker: str) -> dict[str, object] | None:
    """Return the newest stored row of a ticker as {column: value}, None where there is none."""
    row = reader.one(
        f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM technical_signals WHERE ticker = ? ORDER BY date DESC LIMIT 1",
        (ticker,),
    )
    return dict(zip(SIGNAL_COLUMNS, row, strict=True)) if row else None
