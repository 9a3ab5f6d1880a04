"""What several parts of the tab read: the chosen fit, a ticker's returns beside the factors, and fits in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analytics.errors import MissingDataError
from analytics.factor_models import FACTOR_MODELS
from analytics.returns import monthly_returns, session_returns
from dashapp.data import known_instrument, published, settings
from dashapp.inputs import choice, view
from dashapp.pages.fundamentals.layout import FREQUENCIES, MODELS, WINDOWS
from pipeline.queries import Reader
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries

MOST_KEPT = 6
_KEPT: dict[tuple[str, str, str], pd.DataFrame] = {}


@dataclass(frozen=True)
class Chosen:
    """The fit that the controls name."""

    model: str
    window: int  # months, 0 for the full history
    frequency: str  # M or D

    @property
    def label(self) -> str:
        return f"{MODELS[self.model]}, {window_label(self.window)}, {FREQUENCIES[self.frequency].lower()}"

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of fits or loadings with this window and frequency, of every model."""
        return frame[(frame["window_months"] == self.window) & (frame["frequency"] == self.frequency)]


def chosen(model: Any, window: Any, frequency: Any) -> Chosen:
    """Return the fit that the controls name; raises UnknownKeyError."""
    return Chosen(
        choice("model", model, MODELS),
        int(choice("window", window, WINDOWS)),
        choice("returns", frequency, FREQUENCIES),
    )


def fitted_instrument(reader: Reader, seen: Any) -> dict[str, Any]:
    """Return the chosen instrument; raises MissingDataError where it cannot have a fit, UnknownKeyError where unknown."""
    instrument = known_instrument(reader, view(seen)[0])
    if instrument["kind"] == "index":
        raise MissingDataError(f"{instrument['ticker']} is an index: its returns leave out dividends, so no model is fitted to it. "
                               "Choose a stock or a fund at the top.")  # fmt: skip
    return instrument


def returns_and_factors(reader: Reader, ticker: str, frequency: str) -> tuple[pd.Series, pd.DataFrame]:
    """Return a ticker's total returns and the factor returns of one frequency, up to the last date of the factors."""
    factors = factor_history(reader, frequency)
    if factors.empty:
        raise MissingDataError(f"This source has no {FREQUENCIES[frequency].lower()} factor returns. Choose other returns at the top, or a source that has "
                               "Kenneth French's files: docs/DATA.md.")  # fmt: skip
    if frequency == "D":
        return session_returns(price_queries.adjusted_closes(reader, [ticker])[ticker], sessions=factors.index), factors
    months = _of_run(reader, "months", lambda: monthly_returns(price_queries.month_end_closes(reader, _fitted(reader))))
    return months[ticker][months.index <= factors.index[-1]], factors


def _fitted(reader: Reader) -> list[str]:
    """Every stock and fund: a month ends with the last session of any of them, as for the stored fits."""
    listed = instrument_queries.instruments(reader)
    return sorted(listed.loc[listed["kind"] != "index", "ticker"])


def factor_history(reader: Reader, frequency: str) -> pd.DataFrame:
    """Return every stored factor return of a frequency."""
    return _of_run(reader, frequency, lambda: factor_queries.factor_returns(reader, frequency))


def _of_run(reader: Reader, what: str, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """What is the same for all tickers of a published run, read once."""
    key = (str(settings().db), published(reader)[0]["run_id"], what)
    found = _KEPT.get(key)
    if found is None:
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        found = _KEPT[key] = read()
    return found


def as_stored(factors: pd.DataFrame, fits: pd.DataFrame, frequency: str) -> pd.DataFrame:
    """Return factors up to the last date of a ticker's stored fits: a fit made of them is the stored one."""
    ends = fits.loc[fits["frequency"] == frequency, "sample_end"]
    return factors[factors.index <= ends.max()] if len(ends) else factors


def window_label(months: int) -> str:
    """Return a window as it is read: 60 months, full history."""
    return f"{months} months" if months else "full history"


def fit_label(fit: Any) -> str:
    """Return model and window of a stored row."""
    label = FACTOR_MODELS[fit.model].label if fit.model in FACTOR_MODELS else fit.model
    return f"{label}, {window_label(fit.window_months)}"
