"""Prices, rates and corporate actions."""

import json
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


def adjusted_closes(reader: Reader, tickers: Iterable[str], *, start: str | None = None) -> pd.DataFrame:
    """Return adj_close from `start` on, dates × tickers, on the union calendar; NaN where a ticker has no bar."""
    sql = "SELECT date, adj_close FROM prices WHERE ticker = ? AND date >= ? ORDER BY date"
    return _by_date({ticker: reader.rows(sql, (ticker, start or _FIRST)) for ticker in tickers})


def month_end_closes(reader: Reader, tickers: Iterable[str]) -> pd.DataFrame:
    """Return adj_close on the last session of each calendar month on the union calendar, dates × tickers.

    NaN where a ticker has no bar on that session. The last row is the last session of all.
    """
    tickers = list(tickers)
    months = json.dumps([str(month) for month in _months(reader, tickers)])
    ends = {
        day for ticker in tickers
        for (day,) in reader.rows(
            "SELECT (SELECT max(date) FROM prices WHERE ticker = ? AND date >= month.value AND date < month.value || '~') "
            "FROM json_each(?) AS month", (ticker, months)
        )
        if day
    }  # fmt: skip
    last = json.dumps(sorted({day[:7]: day for day in sorted(ends)}.values()))
    sql = (
        "SELECT date, adj_close FROM prices WHERE ticker = ? AND date IN (SELECT value FROM json_each(?)) ORDER BY date"
    )
    return _by_date({ticker: reader.rows(sql, (ticker, last)) for ticker in tickers})


def _months(reader: Reader, tickers: Iterable[str]) -> np.ndarray:
    """Every calendar month between the first and the last bar of any of the tickers."""
    spans = [span for span in session_bounds(reader, tickers).values() if span]
    if not spans:
        return np.array([], dtype="datetime64[M]")
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    return np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)


def _by_date(rows: dict[str, list[tuple[Any, ...]]]) -> pd.DataFrame:
    """Return a column per ticker of (date, value) rows, on the union of their dates."""
    columns = {}
    for ticker, found in rows.items():
        dates, values = zip(*found, strict=True) if found else ((), ())
        columns[ticker] = pd.Series(np.array(values, dtype=float), index=np.array(dates, dtype="datetime64[s]"))
    return pd.DataFrame(columns).sort_index()


def last_dates(reader: Reader, tickers: Iterable[str] | None = None) -> dict[str, str]:
    """Return the newest stored date of every instrument that has prices, or of some."""
    found = dict(reader.rows(
        "SELECT ticker, (SELECT max(date) FROM prices WHERE prices.ticker = instruments.ticker) AS last "
        "FROM instruments WHERE last IS NOT NULL"
    ))  # fmt: skip
    return found if tickers is None else {ticker: found[ticker] for ticker in tickers if ticker in found}


def session_counts(reader: Reader, ticker: str) -> dict[str, int]:
    """Return {field: sessions on which a ticker has it}, of open, high, low, close and volume."""
    fields = ("open", "high", "low", "close", "volume")
    row = reader.one(f"SELECT {', '.join(f'count({name})' for name in fields)} FROM prices WHERE ticker = ?", (ticker,))
    return dict(zip(fields, row or (0,) * len(fields), strict=True))


def dividends(reader: Reader, ticker: str, *, start: str | None = None) -> list[tuple[str, float]]:
    """Return (ex-date, USD per share) of a ticker's dividends from `start` on, oldest first."""
    return reader.rows(
        "SELECT date, value FROM corporate_actions WHERE ticker = ? AND date >= ? AND kind = 'dividend' ORDER BY date",
        (ticker, start or _FIRST),
    )  # fmt: skip


def closes_on(reader: Reader, tickers: Iterable[str], date: str) -> dict[str, float]:
    """Return {ticker: split-adjusted close, USD} of the tickers that have a bar on a date."""
    sql = "SELECT close FROM prices WHERE ticker = ? AND date = ?"
    found = {ticker: reader.one(sql, (ticker, date)) for ticker in tickers}
    return {ticker: float(row[0]) for ticker, row in found.items() if row}


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
