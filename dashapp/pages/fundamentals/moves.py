"""What moved the stock over a period: the factors by the chosen betas, and the idiosyncratic rest."""

from typing import Any

import numpy as np
import pandas as pd
from dash import Input, Output, callback, html

from analytics.errors import InputError, MissingDataError
from analytics.factor_models import TickerFit, fit_ticker, model_parts, return_contributions
from dashapp.components import graph, guarded
from dashapp.data import market
from dashapp.figures.factors import contributions_figure
from dashapp.ids import SHELL
from dashapp.inputs import choice
from dashapp.inputs import date as checked_date
from dashapp.pages.fundamentals._reading import Chosen, as_stored, chosen, fitted_instrument, returns_and_factors
from dashapp.pages.fundamentals.layout import FACTOR_LABELS, ID, PERIODS
from pipeline.queries import Reader
from pipeline.queries import factors as factor_queries

TOTAL = "Total return"


@callback(
    Output(ID.moves, "children"), Output(ID.dates, "hidden"),
    Input(SHELL.view, "data"), Input(ID.model, "value"), Input(ID.window, "value"), Input(ID.frequency, "value"),
    Input(ID.period, "value"), Input(ID.start, "value"), Input(ID.end, "value"), Input(SHELL.theme_name, "data"), Input(SHELL.run, "data"),
)  # fmt: skip
def show(
    seen: Any, model: Any, window: Any, frequency: Any, period: Any, start: Any, end: Any, theme: Any, _run: Any
) -> Any:
    """Show what each factor did to the ticker in the chosen period."""
    return _moves(seen, (model, window, frequency), period, (start, end), theme), period != "own"


@guarded
def _moves(seen: Any, fit: tuple[Any, Any, Any], period: Any, dates: tuple[Any, Any], theme: Any) -> Any:
    of, span = chosen(*fit), choice("period", period, PERIODS)
    first, last = (checked_date(name, value) for name, value in zip(("from", "to"), dates, strict=True))
    with market() as reader:
        ticker = fitted_instrument(reader, seen)["ticker"]
        frequency, returns, factors = _finest(reader, ticker)
        sample = as_stored(factors, factor_queries.latest_fits(reader, ticker), frequency)
    found = fit_ticker(returns, sample, of.model, window=of.window, frequency=frequency)
    names = list(found.model.factors)
    known = factors[[*names, "rf"]].join(returns.rename("own"), how="inner").dropna()
    inside = known.loc[_bounds(known.index, span, frequency, first, last)]
    if inside.empty:
        raise MissingDataError(f"No date of this period has both a return of {ticker} and the factors of {found.model.label}, which are known "
                               f"from {known.index[0].date()} to {known.index[-1].date()}.")  # fmt: skip
    values = inside["own"].to_numpy(float)
    parts = model_parts(values, inside[names].to_numpy(float), inside["rf"].to_numpy(float), found.betas)
    moved = return_contributions(values, parts)
    rows = pd.DataFrame({
        "label": ["Risk-free rate", *(FACTOR_LABELS[name] for name in names), "Idiosyncratic", TOTAL], "value": [*moved, np.prod(1 + values) - 1],
    })  # fmt: skip
    return [html.P(_words(inside.index, frequency, of, found), className="small text-body-secondary mb-1"),
            graph(contributions_figure(rows, theme=theme, digits=2, total=TOTAL), tools=False)]  # fmt: skip


def _finest(reader: Reader, ticker: str) -> tuple[str, pd.Series, pd.DataFrame]:
    """Days where the source has daily factors, else months."""
    try:
        return "D", *returns_and_factors(reader, ticker, "D")
    except MissingDataError:
        return "M", *returns_and_factors(reader, ticker, "M")


def _bounds(dates: pd.DatetimeIndex, span: str, frequency: str, first: str | None, last: str | None) -> slice:
    """The dates of a period that ends with the last known one, or of the analyst's own."""
    if span == "own":
        if not (first or last):
            raise MissingDataError("Choose the first date of the period, the last one, or both.")
        if first and last and first > last:
            raise InputError("from", got=first, allowed=f"a date not after {last}")
        return slice(first, last)
    if span == "1d":
        if frequency == "M":
            raise MissingDataError("This source has no daily factor returns: choose a month or more.")
        return slice(dates[-1], None)
    months = {"1m": 1, "3m": 3, "1y": 12}[span]
    before = dates[-1] - (pd.offsets.MonthEnd(months) if frequency == "M" else pd.DateOffset(months=months))
    return slice(before + pd.Timedelta(days=1), None)


def _words(dates: pd.DatetimeIndex, frequency: str, of: Chosen, found: TickerFit) -> str:
    unit = {"D": "day", "M": "month"}[frequency] + ("s" if len(dates) > 1 else "")
    total = f"{dates[0].date()} to {dates[-1].date()}" if len(dates) > 1 else str(dates[0].date())
    words = f"{total}, {len(dates)} {unit}, by the betas of {found.model.label} over {found.dates[0].date()} to {found.dates[-1].date()}."
    if of.frequency != frequency:
        words += f" Betas of the {'daily' if frequency == 'D' else 'monthly'} fit."
    if dates[0] < found.dates[0] or dates[-1] > found.dates[-1]:
        words += " A part of this period lies outside the sample of these betas."
    return words + " The parts sum to the total."
