"""Factor returns and the fits of the factor models."""

import pandas as pd

from pipeline.queries._connection import Reader

FACTOR_NAMES = ("mkt_rf", "smb", "hml", "smb5", "rmw", "cma", "mom", "rf")


def factor_returns(reader: Reader, frequency: str) -> pd.DataFrame:
    """Return factor returns of frequency "D" or "M", indexed by date; fractions per period, NaN where unknown."""
    rows = reader.frame(
        f"SELECT date, {', '.join(FACTOR_NAMES)} FROM factor_returns WHERE frequency = ? ORDER BY date", (frequency,)
    )
    return rows.set_index(pd.DatetimeIndex(rows.pop("date"), name="date").as_unit("s")).astype(float)


def last_factor_date(reader: Reader) -> str | None:
    """Return the newest date with a risk-free rate of either frequency, None where there is none."""
    newest = [reader.one("SELECT max(date) FROM factor_returns WHERE frequency = ?", (name,)) for name in ("D", "M")]
    return max((row[0] for row in newest if row and row[0]), default=None)


def latest_fits(reader: Reader, ticker: str) -> pd.DataFrame:
    """Return the newest fit of every model, frequency and window of a ticker, a row each."""
    return reader.frame(
        "SELECT f.* FROM factor_model_fits AS f WHERE f.ticker = ? AND f.as_of = (SELECT max(as_of) "
        "FROM factor_model_fits AS g WHERE g.ticker = f.ticker AND g.model = f.model AND g.frequency = f.frequency "
        "AND g.window_months = f.window_months) ORDER BY f.model, f.frequency, f.window_months",
        (ticker,),
    )


def loadings(reader: Reader, ticker: str) -> pd.DataFrame:
    """Return every stored factor loading of a ticker, a row each."""
    return reader.frame(
        "SELECT model, frequency, window_months, as_of, factor, beta, std_err, t_stat, p_value, std_err_ols "
        "FROM factor_loadings WHERE ticker = ? ORDER BY model, frequency, window_months, as_of, factor",
        (ticker,),
    )
