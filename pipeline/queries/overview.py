"""The universe at a glance: one row per instrument with its newest price, returns, signal and factor results."""

import pandas as pd

from pipeline.queries._connection import Reader

# The adjusted close on or before a date: an index seek per instrument and horizon.
_CLOSE_BEFORE = (
    "(SELECT p.adj_close FROM prices AS p WHERE p.ticker = i.ticker AND p.date <= {date} ORDER BY p.date DESC LIMIT 1)"
)
# The same day of an earlier month or year, or that month's last day: SQLite would turn 31 March less a month into 3 March.
_EARLIER = "min(date(i.last_date, '-1 {unit}'), date(i.last_date, 'start of month', '-1 {unit}', '+1 month', '-1 day'))"
# The newest fit of one model and window.
_FIT = (
    "LEFT JOIN factor_model_fits AS {name} ON {name}.ticker = i.ticker AND {name}.model = '{model}' "
    "AND {name}.frequency = 'M' AND {name}.window_months = {window} AND {name}.as_of = (SELECT max(as_of) "
    "FROM factor_model_fits WHERE ticker = i.ticker AND model = '{model}' AND frequency = 'M' "
    "AND window_months = {window})"
)


def overview(reader: Reader) -> pd.DataFrame:
    """Return a row per active instrument: price, total returns over a day, a month and a year, signal and fits.

    return_1d, return_1m, return_1y: total returns to last_date from the last close on or before one session, one
    calendar month and one calendar year earlier; NULL where history is shorter. beta, alpha, expected_return and their errors: CAPM,
    trailing 60 months to sample_end.
    """
    month, year = (_CLOSE_BEFORE.format(date=_EARLIER.format(unit=unit)) for unit in ("month", "year"))
    previous = _CLOSE_BEFORE.format(date="date(i.last_date, '-1 day')")
    return reader.frame(
        "SELECT i.ticker, i.name, i.kind, i.sector, i.last_date, p.close, "
        f"p.adj_close / {previous} - 1 AS return_1d, p.adj_close / {month} - 1 AS return_1m, "
        f"p.adj_close / {year} - 1 AS return_1y, s.overall_signal, s.buy_votes, s.sell_votes, s.rating_score, "
        "s.rating_label, b.beta, b.std_err AS beta_se, w.alpha_t, w.alpha, w.expected_return, "
        "w.expected_return_se, w.sample_end FROM instruments AS i "
        "LEFT JOIN prices AS p ON p.ticker = i.ticker AND p.date = i.last_date "
        "LEFT JOIN technical_signals AS s ON s.ticker = i.ticker AND s.date = i.last_date "
        f"{_FIT.format(name='w', model='capm', window=60)} "
        "LEFT JOIN factor_loadings AS b ON b.ticker = w.ticker AND b.model = w.model AND b.frequency = w.frequency "
        "AND b.window_months = w.window_months AND b.as_of = w.as_of AND b.factor = 'mkt_rf' "
        "WHERE i.active = 1 ORDER BY i.kind = 'index', i.kind = 'etf', i.ticker"
    )
