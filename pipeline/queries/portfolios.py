"""Portfolios that the analyst saved by name, read from workspace.db."""

import pandas as pd

from analytics.errors import LISTED, MissingDataError
from pipeline.queries._connection import Reader


def portfolios(reader: Reader) -> pd.DataFrame:
    """Return the saved portfolios, newest first: name, updated_at, universe, source, as_of, positions (a count)."""
    return reader.frame(
        "SELECT name, updated_at, universe, source, as_of, "
        "(SELECT count(*) FROM portfolio_weights WHERE portfolio_weights.name = portfolios.name) AS positions "
        "FROM portfolios ORDER BY updated_at DESC, name"
    )


def portfolio_weights(reader: Reader, name: str) -> dict[str, float]:
    """Return {ticker: fraction} of a saved portfolio, the largest first; what they lack to 1 is cash.

    Raises MissingDataError, with the names there are, where it is unknown.
    """
    names = [row[0] for row in reader.rows("SELECT name FROM portfolios ORDER BY name")]
    if name not in names:  # looked for here, as SQLite cannot be asked for every text: a lone surrogate, say
        listed = ", ".join(map(repr, names[:LISTED])) + (f" … ({len(names)} in all)" if len(names) > LISTED else "")
        raise MissingDataError(f"There is no portfolio {name!r}. Saved are: {listed or '(none)'}.")
    rows = reader.rows(
        "SELECT ticker, weight FROM portfolio_weights WHERE name = ? ORDER BY weight DESC, ticker", (name,)
    )
    return dict(rows)
