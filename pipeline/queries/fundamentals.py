"""What companies report of themselves, as the vendor had it on a date."""

import pandas as pd

from pipeline.queries._connection import Reader


def newest(reader: Reader) -> dict[str, str]:
    """Return the newest as-of date, ISO, of every ticker that has fundamentals."""
    return dict(reader.rows(
        "SELECT ticker, (SELECT max(as_of) FROM company_fundamentals AS f WHERE f.ticker = i.ticker) AS newest "
        "FROM instruments AS i WHERE newest IS NOT NULL ORDER BY ticker"
    ))  # fmt: skip


def company_fundamentals(reader: Reader, ticker: str) -> pd.DataFrame:
    """Return metric, value, as_of and fetched_at of a ticker, a row per metric that is known, the newest of each.

    Ratios and growth are fractions, market_cap is in USD. What the vendor does not say has no row.
    """
    return reader.frame(
        "SELECT metric, value, max(as_of) AS as_of, fetched_at FROM company_fundamentals "
        "WHERE ticker = ? GROUP BY metric ORDER BY metric", (ticker,)
    )  # fmt: skip


def history(reader: Reader, ticker: str) -> pd.DataFrame:
    """Return metric, as_of and value of a ticker: every reading that is stored, oldest first within each metric."""
    return reader.frame(
        "SELECT metric, as_of, value FROM company_fundamentals WHERE ticker = ? ORDER BY metric, as_of", (ticker,)
    )


def known_values(reader: Reader, metric: str, date: str) -> dict[str, float]:
    """Return {ticker: value} of one metric, the newest reading of each ticker up to a date."""
    return dict(reader.rows(
        "SELECT ticker, (SELECT value FROM company_fundamentals WHERE ticker = i.ticker AND metric = ? AND as_of <= ? "
        "ORDER BY as_of DESC LIMIT 1) AS value FROM instruments AS i WHERE value IS NOT NULL ORDER BY ticker",
        (metric, date),
    ))  # fmt: skip


def of_universe(reader: Reader) -> pd.DataFrame:
    """Return ticker, sector, metric and value of every active stock: the newest reading of each metric."""
    return reader.frame(
        "SELECT i.ticker, i.sector, c.metric, c.value, max(c.as_of) AS as_of FROM instruments AS i "
        "CROSS JOIN company_fundamentals AS c ON c.ticker = i.ticker WHERE i.kind = 'stock' AND i.active = 1 "
        "GROUP BY i.ticker, c.metric ORDER BY i.ticker, c.metric"
    )
