"""What several parts of the tab read: the chosen fit, a ticker's returns beside the factors, and fits in words."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analytics.errors import MissingDataError
from analytics.factor_models import FACTOR_MODELS
from analytics.returns import monthly_returns, simple_returns
from dashapp.data import known_instrument
from dashapp.inputs import choice, view
from dashapp.pages.fundamentals.layout import FREQUENCIES, MODELS, WINDOWS
from pipeline.queries import Reader
from pipeline.queries import factors as factor_queries
from pipeline.queries import prices as price_queries


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
    if frequency == "M":
        factors = factor_queries.factor_returns(reader, "M")
        returns = monthly_returns(price_queries.month_end_closes(reader, [ticker]))[ticker]
    else:
        closes = price_queries.adjusted_closes(reader, [ticker])
        factors = factor_queries.factor_returns(reader, "D", start=str(closes.index[0].date()) if len(closes) else "")
        returns = pd.Series(simple_returns(closes[ticker]), closes.index, name=ticker)
    if factors.empty:
        raise MissingDataError(f"This source has no {FREQUENCIES[frequency].lower()} factor returns. Choose other returns at the top, or a source that has "
                               "Kenneth French's files: docs/DATA.md.")  # fmt: skip
    return returns[returns.index <= factors.index[-1]], factors


def in_complete_months(factors: pd.DataFrame, reader: Reader) -> pd.DataFrame:
    """Return daily factors up to the last month of the monthly ones: what the stored daily fits were made from."""
    months = factor_queries.factor_returns(reader, "M", start=str(factors.index[0].date()))
    return factors[factors.index <= months.index[-1]] if len(months) else factors


def window_label(months: int) -> str:
    """Return a window as it is read: 60 months, full history."""
    return f"{months} months" if months else "full history"


def fit_label(fit: Any) -> str:
    """Return model and window of a stored row."""
    label = FACTOR_MODELS[fit.model].label if fit.model in FACTOR_MODELS else fit.model
    return f"{label}, {window_label(fit.window_months)}"
