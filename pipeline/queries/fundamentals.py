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
