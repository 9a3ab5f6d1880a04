"""One price file in Yahoo's columns, or near them; what cannot be read exactly is refused with a reason."""

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import SourceError
from pipeline.sources._source import PRICE_COLUMNS, REJECT_COLUMNS

FIELDS = PRICE_COLUMNS[2:]
COLUMNS = {
    "date": "date", "open": "open", "high": "high", "low": "low", "close": "close", "close/last": "close",
    "adj close": "adj_close", "adj_close": "adj_close", "volume": "volume",
    "symbol": "ticker", "ticker": "ticker",
}  # fmt: skip
NUMBERED = re.compile(r"\d+\. ")  # Alpha Vantage's "1. open"
ISO_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ].*")
US_DATE = re.compile(r"(\d\d?)/(\d\d?)/(\d{4})")
Reject = tuple[str | None, str, str]  # date, reason, payload
EXCERPT = 60  # characters of a file shown in a message


@dataclass(frozen=True)
class PriceFile:
    """What one file held: prices with PRICE_COLUMNS, unreadable lines with REJECT_COLUMNS, and a remark."""

    prices: pd.DataFrame
    rejects: pd.DataFrame
    remark: str = ""


def read_bytes(path: Path) -> bytes:
    """Return the content of a plain or gzip-compressed file; raises SourceError where it cannot be read."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:  # gzip.BadGzipFile is an OSError
        raise SourceError(f"cannot be opened: {error}") from error


def read_prices(content: bytes, ticker: str) -> PriceFile:
    """Read the daily bars of `ticker`: split-adjusted USD, dividend-adjusted in adj_close; volume in shares.

    Understands Yahoo's columns in any order, Date and Close alone, yfinance's three-line header, dollar
    signs, thousands separators, MM/DD/YYYY and newest first. A file without Adj Close gets the close, and a
    remark. Lines that are not a bar become rejects. Raises SourceError where no line can be trusted: no Date
    and Close, a column twice, another ticker, unadjusted prices. NaN when: a cell is empty or null.
    """
    names, skipped = _header(content, ticker)
    table, rejects = _table(content, names, skipped)
    if table.empty:
        raise SourceError("holds a header and no rows")
    if "ticker" in table:
        _check_owner(set(table["ticker"].dropna()), ticker)
    dates, dated = _iso_dates(table["date"])
    numbers = {field: _numbers(table[field]) for field in FIELDS if field in table}
    readable = np.logical_and.reduce([dated, *(known for _, known in numbers.values())])
    prices = pd.DataFrame({"ticker": ticker, "date": dates} | {field: numbers[field][0] for field in numbers})
    remark = ""
    if "adj_close" not in prices:
        prices["adj_close"] = prices["close"]
        remark = "no Adj Close column: the close stands for it, so returns leave out dividends"
    prices = prices.reindex(columns=list(PRICE_COLUMNS))[readable].reset_index(drop=True)
    if not prices["date"].is_monotonic_increasing:
        prices = prices.sort_values("date", kind="stable", ignore_index=True)
    reasons = np.where(dated, "a number cannot be read", "the line is not a bar: no date").tolist()
    rejects += [
        (dates[row], reasons[row], cells)
        for row, cells in zip(np.flatnonzero(~readable), _cells(table[~readable]), strict=True)
    ]
    return PriceFile(prices, _reject_frame(rejects, ticker), remark)


def _header(content: bytes, ticker: str) -> tuple[list[str], int]:
    """Return our name of each column ("" where it is not used) and the number of header lines."""
    lines = content[:4096].decode("utf-8-sig", "replace").splitlines()
    first = [name.strip() for name in next(csv.reader(lines[:1]), [])]
    names, skipped = [COLUMNS.get(name.lower(), "") for name in first], 1
    if len(lines) > 2 and lines[1].startswith("Ticker,") and lines[2].startswith("Date"):
        names, skipped = ["date", *names[1:]], 3  # yfinance: Price/…, Ticker/…, Date/…
        _check_owner({owner for owner in lines[1].split(",")[1:] if owner}, ticker)
    if any(NUMBERED.match(name) for name in first):
        raise SourceError("Alpha Vantage's unadjusted prices: closes as traded jump at splits; use adjusted ones")
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        raise SourceError(f"column {', '.join(twice)} appears twice: two series are mixed in one file")
    if not {"date", "close"} <= set(names):
        begins = content[:EXCERPT].decode("utf-8", "replace").strip()
        raise SourceError(f"no Date and Close columns; the file begins {begins!a}")
    return names, skipped


def _table(content: bytes, names: list[str], skipped: int) -> tuple[pd.DataFrame, list[Reject]]:
    """Return the used columns, text where they are not numbers, and the lines with too many cells."""
    try:
        return _parse(content, names, skipped), []
    except (ValueError, pd.errors.ParserError):
        pass  # some lines are not like the others: sort them out one by one
    lines = content.decode("utf-8", "replace").splitlines()[skipped:]
    try:
        fits = [len(next(csv.reader([line], strict=True), [])) <= len(names) for line in lines]
        good = "\n".join(line for line, fit in zip(lines, fits, strict=True) if fit)
        table = _parse(good.encode(), names, 0)
    except (csv.Error, ValueError, pd.errors.ParserError) as error:
        raise SourceError(f"cannot be read as a table: {error}") from error
    bad = [line for line, fit in zip(lines, fits, strict=True) if not fit]
    return table, [(None, "the line is not a bar: too many cells", json.dumps(line)) for line in bad]


def _parse(content: bytes, names: list[str], skipped: int) -> pd.DataFrame:
    # Every column is read, because with usecols pandas takes a line of too many cells without a word.
    table = pd.read_csv(
        io.BytesIO(content),
        header=None,
        names=[name or f"unused {number}" for number, name in enumerate(names)],
        skiprows=skipped,
        index_col=False,
        dtype={"date": str, "ticker": str},
        low_memory=False,
        encoding_errors="replace",
    )
    return table[[name for name in names if name]]


def _iso_dates(dates: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return ISO texts and where there is one; a date that does not exist is left to the quality gate."""
    text = dates.fillna("").to_numpy(dtype=object)
    try:
        # The length first: numpy warns of a time zone instead of refusing it.
        if set(map(len, text)) == {10} and (text.astype("datetime64[D]").astype(str) == text).all():
            return text, np.ones(len(text), dtype=bool)
    except ValueError:
        pass  # some are not ISO days: look at each
    found = [_iso_date(item.strip()) for item in text]
    return np.array(found, dtype=object), np.array([item is not None for item in found], dtype=bool)


def _iso_date(text: str) -> str | None:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return text
    if match := ISO_TIME.fullmatch(text):
        return match[1]
    if match := US_DATE.fullmatch(text):
        if int(match[1]) > 12:  # the other days of this file would be read as months without a word
            raise SourceError(f"date {text} is day/month/year; allowed are YYYY-MM-DD and MM/DD/YYYY")
        return f"{match[3]}-{match[1]:0>2}-{match[2]:0>2}"
    return None


def _numbers(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return floats, NaN where empty, and where a cell was empty or a number."""
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
        return cells.to_numpy(dtype=float), np.ones(len(cells), dtype=bool)
    text = cells.astype(object).where(cells.notna(), "").astype(str).str.strip().str.replace(r"^\$|,", "", regex=True)
    values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float)
    return values, (np.isfinite(values) | (text == "").to_numpy())


def _check_owner(owners: set[str], ticker: str) -> None:
    if owners - {ticker}:
        raise SourceError(f"holds {', '.join(sorted(owners))}, but its name says {ticker}")


def _cells(rows: pd.DataFrame) -> list[str]:
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [json.dumps({str(name): str(cell) for name, cell in row.items() if cell is not None}) for row in records]


def _reject_frame(rejects: list[Reject], ticker: str) -> pd.DataFrame:
    return pd.DataFrame([(ticker, *reject) for reject in rejects], columns=list(REJECT_COLUMNS))
