"""What the factor fits said of tickers, as it was known: the fundamental side of a strategy's inputs."""

import json
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.inputs import FactorView
from analytics.conventions import FACTOR_WINDOW, PUBLICATION_LAG_DAYS, DateArray, FloatArray
from analytics.factor_models import FACTOR_MODELS, fundamental_outlook
from pipeline.queries import factors as factor_queries
from pipeline.queries._connection import Reader

MODEL: Final = "ff3"  # of the models whose month ends are kept, the one with the tilts that strategies read
MARKET: Final = "mkt_rf"
_LAST: Final = "9999-12-31"
_EPOCH: Final = 2_440_587.5  # Julian day of 1970-01-01


def factor_view(
    reader: Reader, tickers: Sequence[str], *, end: str | None = None, publication_lag_days: int = PUBLICATION_LAG_DAYS
) -> FactorView | None:
    """Return the month-end fits of the three-factor model over 60 months up to `end`, None where there are none.

    Columns are in the order of `tickers`. The median is that of all stocks with a fit known from the same date on,
    those that have left since included; the outlook is that of stocks alone, as on the Fundamentals tab. A month of
    factor returns counts as known when the fits that end with it do: at the first month end publication_lag_days or
    more after it.
    """
    end = end or _LAST
    stocks = {row[0] for row in reader.rows("SELECT ticker FROM instruments WHERE kind = 'stock'")}
    everyone = [*tickers, *sorted(stocks - set(tickers))]  # a place below len(tickers) is a column
    fits = _rows(reader, "factor_model_fits", "alpha, expected_return", everyone, end)
    own = fits[fits["place"] < len(tickers)]
    if own.empty:
        return None
    as_of = np.unique(own["day"].to_numpy()).astype("datetime64[D]")
    shape = (len(as_of), len(tickers))
    median = _medians(fits[np.isin(everyone, list(stocks))[fits["place"]]], as_of)
    values = {name: _table(own, name, as_of, shape) for name in ("alpha", "expected_return")}
    values |= _loadings(reader, tickers, end, as_of, shape)
    outlook = _outlook(values["alpha"], values["expected_return"], median[:, None])
    values["outlook"] = np.where(np.isin(tickers, list(stocks)), outlook, np.nan)
    months = factor_queries.factor_returns(reader, "M")
    known = _known_from(months.index, publication_lag_days)
    heard = known <= np.datetime64(end)
    returns = {name: months[name].to_numpy()[heard] for name in factor_queries.FACTOR_NAMES if name != "rf"}
    return FactorView(as_of, values, median, known[heard], returns)


def _rows(reader: Reader, table: str, columns: str, tickers: Sequence[str], end: str) -> pd.DataFrame:
    """Rows of one model and window: the place of the ticker, the day of as_of counted from 1970, and the columns."""
    return reader.frame(
        f"SELECT chosen.key AS place, CAST(julianday(as_of) - {_EPOCH} AS INTEGER) AS day, {columns} "
        f"FROM json_each(?) AS chosen CROSS JOIN {table} AS f ON f.ticker = chosen.value AND model = ? "
        "AND frequency = 'M' AND window_months = ? AND as_of <= ?", (json.dumps(list(tickers)), MODEL, FACTOR_WINDOW, end),
    )  # fmt: skip


def _loadings(
    reader: Reader, tickers: Sequence[str], end: str, as_of: DateArray, shape: tuple[int, int]
) -> dict[str, FloatArray]:
    """Each loading by the name of its factor, that on the market as `beta`."""
    factors = FACTOR_MODELS[MODEL].factors
    number = " ".join(f"WHEN '{factor}' THEN {position}" for position, factor in enumerate(factors))
    rows = _rows(reader, "factor_loadings", f"beta, CASE factor {number} END AS factor", tickers, end)
    return {
        "beta" if factor == MARKET else factor: _table(rows[rows["factor"] == position], "beta", as_of, shape)
        for position, factor in enumerate(factors)
    }


def _table(rows: pd.DataFrame, column: str, as_of: DateArray, shape: tuple[int, int]) -> FloatArray:
    """A column of rows as (n_as_of, n_tickers), NaN where there is none."""
    values = np.full(shape, np.nan)
    values[np.searchsorted(as_of.astype(np.int64), rows["day"]), rows["place"]] = rows[column]
    return values


def _medians(of_stocks: pd.DataFrame, as_of: DateArray) -> FloatArray:
    found = of_stocks["expected_return"].groupby(of_stocks["day"]).median()
    return np.asarray(found.reindex(as_of.astype(np.int64)), dtype=float)


def _outlook(alpha: FloatArray, expected_return: FloatArray, median: FloatArray) -> FloatArray:
    judged = np.vectorize(fundamental_outlook, otypes=[object])(alpha, expected_return, median)
    return np.array([np.nan if value is None else value for value in judged.flat], dtype=float).reshape(judged.shape)


def _known_from(months: pd.DatetimeIndex, lag_days: int) -> DateArray:
    """The first month ends that are `lag_days` or more after the given ones, by the rule of the fits' as_of."""
    published = months.to_numpy().astype("datetime64[D]") + lag_days
    return np.asarray((published.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1)
