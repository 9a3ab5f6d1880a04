"""Prices, rates and corporate actions."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from analytics.market import FIELDS, Bars
from pipeline.queries._connection import Reader

_FIRST, _LAST = "0000", "9999"  # below and above every ISO date


def bars(reader: Reader, ticker: str, *, start: str | None = None, end: str | None = None) -> Bars:
    """Return one ticker's bars from `start` to `end` inclusive, oldest first; empty where there are none."""
    rows = reader.rows(
        f"SELECT date, {', '.join(FIELDS)} FROM prices WHERE ticker = ? AND date BETWEEN ? AND ? ORDER BY date",
        (ticker, start or _FIRST, end or _LAST),
    )
    return to_bars(ticker, rows)


def to_bars(ticker: str, rows: list[tuple[Any, ...]]) -> Bars:
    """Return rows of (date, open, high, low, close, adj_close, volume) as bars; None becomes NaN."""
    columns = list(zip(*rows, strict=True)) or [()] * (1 + len(FIELDS))
    dates = np.array(columns[0], dtype="datetime64[D]")
    return Bars(ticker, dates, *(np.array(column, dtype=float) for column in columns[1:]))


def all_bars(reader: Reader, tickers: Iterable[str], *, end: str | None = None) -> dict[str, Bars]:
    """Return {ticker: bars up to `end`} for the tickers that have any."""
    found = {ticker: bars(reader, ticker, end=end) for ticker in tickers}
    return {ticker: item for ticker, item in found.items() if len(item)}


def adjusted_closes(reader: Reader, tickers: Iterable[str]) -> pd.DataFrame:
    """Return adj_close, dates × tickers, on the union calendar; NaN where a ticker has no bar."""
    columns = {}
    for ticker in tickers:
        rows = reader.rows("SELECT date, adj_close FROM prices WHERE ticker = ? ORDER BY date", (ticker,))
        dates, values = zip(*rows, strict=True) if rows else ((), ())
        columns[ticker] = pd.Series(np.array(values, dtype=float), index=np.array(dates, dtype="datetime64[s]"))
    return pd.DataFrame(columns).sort_index()


def last_dates(reader: Reader) -> dict[str, str]:
    """Return the newest stored date of every instrument that has prices."""
    return dict(reader.rows(
        "SELECT ticker, (SELECT max(date) FROM prices WHERE prices.ticker = instruments.ticker) AS last "
        "FROM instruments WHERE last IS NOT NULL"
    ))  # fmt: skip


def coverage(reader: Reader) -> pd.DataFrame:
    """Return per ticker: name, kind, rows, first and last date, and how many bars have highs and lows and volume."""
    return reader.frame(
        "SELECT i.ticker, i.name, i.kind, i.first_date, i.last_date, i.active, count(p.date) AS rows, "
        "count(p.high) AS rows_with_range, count(p.volume) AS rows_with_volume "
        "FROM instruments AS i LEFT JOIN prices AS p ON p.ticker = i.ticker GROUP BY i.ticker ORDER BY i.ticker"
    )


def date_ranges(reader: Reader) -> pd.DataFrame:
    """Return ticker, first_date and last_date of every instrument that has prices."""
    return reader.frame(
        "SELECT ticker, (SELECT min(date) FROM prices WHERE prices.ticker = instruments.ticker) AS first_date, "
        "(SELECT max(date) FROM prices WHERE prices.ticker = instruments.ticker) AS last_date "
        "FROM instruments WHERE EXISTS (SELECT 1 FROM prices WHERE prices.ticker = instruments.ticker)"
    )


def session_bounds(
    reader: Reader, tickers: Iterable[str], *, start: str | None = None, end: str | None = None
) -> dict[str, tuple[str, str] | None]:
    """Return {ticker: (first, last) session within the dates}; None without any, and no key for an unknown ticker."""
    found: dict[str, tuple[str, str] | None] = {}
    for ticker in tickers:
        row = reader.one(
            "SELECT ticker, (SELECT min(date) FROM prices WHERE ticker = i.ticker AND date >= ?), "
            "(SELECT max(date) FROM prices WHERE ticker = i.ticker AND date <= ?) FROM instruments AS i WHERE ticker = ?",
            (start or _FIRST, end or _LAST, ticker),
        )
        if row:
            inside = row[1] is not None and row[2] is not None and row[1] <= row[2]
            found[ticker] = (row[1], row[2]) if inside else None
    return found
