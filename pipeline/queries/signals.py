"""Stored technical signals."""

import pandas as pd

from pipeline.queries._connection import Reader
from pipeline.schema import technical_signals

SIGNAL_COLUMNS = tuple(column.name for column in technical_signals.columns if column.name != "ticker")


def signal_history(reader: Reader, ticker: str, *, start: str | None = None, end: str | None = None) -> pd.DataFrame:
    """Return one ticker's stored signals, oldest first: date, every indicator, vote, count, signal and rating."""
    return reader.frame(
        f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM technical_signals "
        "WHERE ticker = ? AND date BETWEEN ? AND ? ORDER BY date",
        (ticker, start or "0000", end or "9999"),
    )


def latest_signal(reader: Reader, ticker: str) -> dict[str, object] | None:
    """Return the newest stored row of a ticker as {column: value}, None where there is none."""
    row = reader.one(
        f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM technical_signals WHERE ticker = ? ORDER BY date DESC LIMIT 1",
        (ticker,),
    )
    return dict(zip(SIGNAL_COLUMNS, row, strict=True)) if row else None
