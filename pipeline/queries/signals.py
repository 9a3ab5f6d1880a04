"""Stored technical signals."""

from collections.abc import Collection

import pandas as pd

from analytics.errors import UnknownKeyError
from analytics.signals import TIMEFRAMES
from pipeline.queries._connection import Reader
from pipeline.schema import technical_ratings, technical_signals

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
    return next(iter(newest_signals(reader, ticker, count=1)), None)


def newest_signals(reader: Reader, ticker: str, *, count: int) -> list[dict[str, object]]:
    """Return the `count` newest stored rows of a ticker as {column: value}, the newest first."""
    rows = reader.rows(
        f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM technical_signals WHERE ticker = ? ORDER BY date DESC LIMIT ?",
        (ticker, count),
    )
    return [dict(zip(SIGNAL_COLUMNS, row, strict=True)) for row in rows]


def last_date_before(reader: Reader, ticker: str, day: str) -> str | None:
    """Return the date of the last stored signal of a ticker before a day, None where there is none."""
    row = reader.one("SELECT max(date) FROM technical_signals WHERE ticker = ? AND date < ?", (ticker, day))
    return row[0] if row else None


def timeframe_ratings(reader: Reader, ticker: str) -> dict[str, dict[str, object]]:
    """Return {timeframe W or M: the newest completed bar's rating as {column: value}} of a ticker."""
    columns = [column.name for column in technical_ratings.columns if column.name != "ticker"]
    found: dict[str, dict[str, object]] = {}
    for timeframe in TIMEFRAMES:
        row = reader.one(
            f"SELECT {', '.join(columns)} FROM technical_ratings WHERE ticker = ? AND timeframe = ? "
            "ORDER BY date DESC LIMIT 1", (ticker, timeframe),
        )  # fmt: skip
        found |= {timeframe: dict(zip(columns, row, strict=True))} if row else {}
    return found


def patterns(reader: Reader, ticker: str, *, start: str | None = None) -> pd.DataFrame:
    """Return the candlestick patterns of a ticker from a date on: date, pattern, direction, oldest first."""
    return reader.frame(
        "SELECT date, pattern, direction FROM candlestick_patterns WHERE ticker = ? AND date >= ? ORDER BY date, pattern",
        (ticker, start or "0000"),
    )
