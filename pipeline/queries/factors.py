"""Factor returns, the fits of the factor models and their joint tests."""

from collections.abc import Sequence

import pandas as pd

from pipeline.queries._connection import Reader

FACTOR_NAMES = ("mkt_rf", "smb", "hml", "smb5", "rmw", "cma", "mom", "rf")
_NEWEST = (
    "(SELECT max(as_of) FROM factor_model_fits AS g WHERE g.ticker = f.ticker AND g.model = f.model "
    "AND g.frequency = f.frequency AND g.window_months = f.window_months)"
)
_OF_FIT = (
    "l.ticker = f.ticker AND l.model = f.model AND l.frequency = f.frequency AND l.window_months = f.window_months "
    "AND l.as_of = f.as_of"
)


def factor_returns(
    reader: Reader, frequency: str, *, start: str = "", names: Sequence[str] = FACTOR_NAMES
) -> pd.DataFrame:
    """Return factor returns of frequency "D" or "M" from a date on, indexed by date; fractions per period, NaN where unknown."""
    rows = reader.frame(
        f"SELECT date, {', '.join(names)} FROM factor_returns WHERE frequency = ? AND date >= ? ORDER BY date",
        (frequency, start),
    )
    return rows.set_index(pd.DatetimeIndex(rows.pop("date"), name="date").as_unit("s")).astype(float)


def last_factor_date(reader: Reader) -> str | None:
    """Return the newest date with a risk-free rate of either frequency, None where there is none."""
    newest = [reader.one("SELECT max(date) FROM factor_returns WHERE frequency = ?", (name,)) for name in ("D", "M")]
    return max((row[0] for row in newest if row and row[0]), default=None)


def latest_fits(reader: Reader, ticker: str) -> pd.DataFrame:
    """Return the newest fit of every model, frequency and window of a ticker, a row each."""
    return reader.frame(
        f"SELECT f.* FROM factor_model_fits AS f WHERE f.ticker = ? AND f.as_of = {_NEWEST} "
        "ORDER BY f.model, f.frequency, f.window_months", (ticker,),
    )  # fmt: skip


def loadings(reader: Reader, ticker: str) -> pd.DataFrame:
    """Return the loadings of the newest fits of a ticker, a row per fit and factor."""
    return reader.frame(
        f"SELECT l.* FROM factor_model_fits AS f JOIN factor_loadings AS l ON {_OF_FIT} "
        f"WHERE f.ticker = ? AND f.as_of = {_NEWEST} ORDER BY l.model, l.frequency, l.window_months, l.factor", (ticker,),
    )  # fmt: skip


def fit_history(reader: Reader, ticker: str, model: str, window_months: int) -> pd.DataFrame:
    """Return every stored month-end fit of one model and window of a ticker, oldest first."""
    return reader.frame(
        "SELECT * FROM factor_model_fits WHERE ticker = ? AND model = ? AND frequency = 'M' AND window_months = ? "
        "ORDER BY as_of", (ticker, model, window_months),
    )  # fmt: skip


def known_estimates(reader: Reader, ticker: str, model: str, window_months: int) -> pd.DataFrame:
    """Return as_of, alpha and expected_return of every month-end fit of one model and window, oldest first."""
    return reader.frame(
        "SELECT as_of, alpha, expected_return FROM factor_model_fits WHERE ticker = ? AND model = ? AND frequency = 'M' "
        "AND window_months = ? ORDER BY as_of", (ticker, model, window_months),
    )  # fmt: skip


def loading_history(reader: Reader, ticker: str, model: str, window_months: int) -> pd.DataFrame:
    """Return the loadings of every stored month-end fit of one model and window of a ticker, oldest first."""
    return reader.frame(
        "SELECT * FROM factor_loadings WHERE ticker = ? AND model = ? AND frequency = 'M' AND window_months = ? "
        "ORDER BY as_of, factor", (ticker, model, window_months),
    )  # fmt: skip


def known_fit(reader: Reader, ticker: str, model: str, window_months: int, date: str) -> pd.DataFrame:
    """Return the month-end fit that was known on a date, a row or none."""
    return reader.frame(
        "SELECT * FROM factor_model_fits WHERE ticker = ? AND model = ? AND frequency = 'M' AND window_months = ? "
        "AND as_of <= ? ORDER BY as_of DESC LIMIT 1", (ticker, model, window_months, date),
    )  # fmt: skip


def universe_fits(reader: Reader, model: str, frequency: str, window_months: int) -> pd.DataFrame:
    """Return the newest fit of every active stock and fund, with its name and sector and the loading on the market."""
    return reader.frame(
        "SELECT i.name, i.kind, i.sector, f.*, l.beta, l.std_err AS beta_se FROM instruments AS i CROSS JOIN factor_model_fits AS f "
        f"ON f.ticker = i.ticker AND f.model = ? AND f.frequency = ? AND f.window_months = ? AND f.as_of = {_NEWEST} "
        f"LEFT JOIN factor_loadings AS l ON {_OF_FIT} AND l.factor = 'mkt_rf' WHERE i.active = 1 ORDER BY i.ticker",
        (model, frequency, window_months),
    )  # fmt: skip


def known_expected_returns(reader: Reader, model: str, date: str) -> dict[str, float]:
    """Return {ticker: annual expected return} by the newest full-history monthly fit that was known on a date."""
    return dict(reader.rows(
        "SELECT ticker, (SELECT expected_return FROM factor_model_fits WHERE ticker = i.ticker AND model = ? "
        "AND frequency = 'M' AND window_months = 0 AND as_of <= ? ORDER BY as_of DESC LIMIT 1) AS expected "
        "FROM instruments AS i WHERE expected IS NOT NULL", (model, date),
    ))  # fmt: skip


def universe_loadings(reader: Reader, model: str, frequency: str, window_months: int) -> pd.DataFrame:
    """Return ticker, factor and beta of the newest fits of every active stock and fund."""
    return reader.frame(
        "SELECT f.ticker, l.factor, l.beta, l.std_err FROM instruments AS i CROSS JOIN factor_model_fits AS f "
        f"ON f.ticker = i.ticker AND f.model = ? AND f.frequency = ? AND f.window_months = ? AND f.as_of = {_NEWEST} "
        f"CROSS JOIN factor_loadings AS l ON {_OF_FIT} WHERE i.active = 1 ORDER BY f.ticker, l.factor",
        (model, frequency, window_months),
    )  # fmt: skip


def joint_tests(reader: Reader) -> pd.DataFrame:
    """Return the newest joint test of every universe, model, frequency and window."""
    return reader.frame(
        "SELECT t.* FROM factor_joint_tests AS t WHERE t.as_of = (SELECT max(as_of) FROM factor_joint_tests AS u "
        "WHERE u.universe = t.universe AND u.model = t.model AND u.frequency = t.frequency "
        "AND u.window_months = t.window_months) ORDER BY t.universe, t.model, t.frequency, t.window_months"
    )
