"""What is in the store: tickers, their names, sectors and dates."""

from typing import Any

import pandas as pd

from pipeline.queries._connection import Reader


def instruments(reader: Reader) -> pd.DataFrame:
    """Return every instrument, a row each, ordered by kind (stocks first) and ticker."""
    return reader.frame(
        "SELECT ticker, name, kind, sector, industry, currency, exchange, first_date, last_date, active "
        "FROM instruments ORDER BY kind = 'index', kind = 'etf', ticker"
    )


def instrument(reader: Reader, ticker: str) -> dict[str, Any] | None:
    """Return one instrument as {column: value}, None where the ticker is unknown."""
    columns = ("ticker", "name", "kind", "sector", "industry", "currency", "exchange", "first_date", "last_date")
    row = reader.one(f"SELECT {', '.join(columns)} FROM instruments WHERE ticker = ?", (ticker,))
    return dict(zip(columns, row, strict=True)) if row else None


def newest_date(reader: Reader) -> str | None:
    """Return the latest session of any active instrument, None where there is none."""
    row = reader.one("SELECT max(last_date) FROM instruments WHERE active = 1")
    return row[0] if row else None


def stock_tickers(reader: Reader) -> list[str]:
    """Return the universe `stocks`: the tickers of all active stocks, sorted."""
    return tickers_of_kind(reader, "stock")


def tickers_of_kind(reader: Reader, kind: str) -> list[str]:
    """Return the active instruments of one kind (stock, etf, index), sorted."""
    return [row[0] for row in reader.rows(
        "SELECT ticker FROM instruments WHERE kind = ? AND active = 1 ORDER BY ticker", (kind,)
    )]  # fmt: skip


def universe_names(reader: Reader) -> list[str]:
    """Return the names of the universes whose members are stored, sorted."""
    return [row[0] for row in reader.rows("SELECT DISTINCT universe FROM universe_members ORDER BY universe")]


def active_tickers(reader: Reader) -> list[str]:
    """Return every instrument that its source still has, sorted."""
    return [row[0] for row in reader.rows("SELECT ticker FROM instruments WHERE active = 1 ORDER BY ticker")]


def universe_members(reader: Reader, universe: str, date: str) -> list[str]:
    """Return the tickers that were in `universe` on `date`, sorted."""
    return [row[0] for row in reader.rows(
        "SELECT DISTINCT ticker FROM universe_members WHERE universe = ? AND start_date <= ? "
        "AND (end_date IS NULL OR end_date > ?) ORDER BY ticker", (universe, date, date)
    )]  # fmt: skip


def memberships(reader: Reader) -> dict[str, list[tuple[str, str, str | None]]]:
    """Return {universe: (ticker, first day, day after the last or None) of every membership} of the stored universes."""
    found: dict[str, list[tuple[str, str, str | None]]] = {}
    for universe, *spell in reader.rows(
        "SELECT universe, ticker, start_date, end_date FROM universe_members ORDER BY universe, ticker, start_date"
    ):
        found.setdefault(universe, []).append((spell[0], spell[1], spell[2]))
    return found
