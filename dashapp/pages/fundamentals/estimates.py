"""The head of the tab: what is known until when, the outlook, and the chosen fit in key figures."""

from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import Input, Output, callback, html

from analytics.conventions import CONFIDENCE, PERIODS_PER_YEAR
from analytics.errors import MissingDataError
from analytics.factor_models import (
    OUTLOOK_LABELS,
    composite_score,
    fundamental_outlook,
)
from dashapp.components import guarded, stat, stats
from dashapp.data import market
from dashapp.format import number, percent
from dashapp.ids import SHELL
from dashapp.pages.fundamentals._reading import (
    Chosen,
    chosen,
    factor_history,
    fitted_instrument,
    window_label,
)
from dashapp.pages.fundamentals.layout import ID, MODELS, PREMIUM_LABELS
from pipeline.queries import factors as factor_queries
from pipeline.queries import signals as signal_queries

SIGNIFICANT = 1 - CONFIDENCE


@callback(
    Output(ID.content, "children"), Output(ID.body, "hidden"),
    Input(SHELL.view, "data"), Input(ID.model, "value"), Input(ID.window, "value"), Input(ID.frequency, "value"), Input(SHELL.run, "data"),
)  # fmt: skip
def show(seen: Any, model: Any, window: Any, frequency: Any, _run: Any) -> tuple[Any, bool]:
    """Show the head; without a fit of this ticker the rest of the tab is hidden."""
    head = _head(seen, model, window, frequency)
    return head, not isinstance(head, list)


@guarded
def _head(seen: Any, model: Any, window: Any, frequency: Any) -> Any:
    fit = chosen(model, window, frequency)
    with market() as reader:
        instrument = fitted_instrument(reader, seen)
        ticker = instrument["ticker"]
        fits = factor_queries.latest_fits(reader, ticker)
        if fits.empty:
            raise MissingDataError(f"{ticker} has no factor fit: it needs at least 24 complete months that overlap the "
                                   "factor returns of this source.")  # fmt: skip
        factors = factor_history(reader, fit.frequency)
        universe = factor_queries.universe_fits(reader, fit.model, fit.frequency, fit.window)
        rating = signal_queries.latest_signal(reader, ticker)
    name = f"{instrument['name']} ({ticker})"
    return [
        html.P([html.Strong(name), f" · {instrument['sector'] or 'sector unknown'} · ", html.A("link to this fit", href=_link(ticker, fit))], className="mb-1"),
        html.P(_freshness(factors, instrument["last_date"]), className="small text-body-secondary"),
        stats(_cards(fit, fits, universe, rating)) if fit.model in set(fit.of(fits)["model"]) else _no_fit(fit, fits),
    ]  # fmt: skip


def _link(ticker: str, fit: Chosen) -> str:
    """Return the address that opens this ticker with this fit."""
    chosen_fit = {"model": fit.model, "window": fit.window, "returns": fit.frequency}
    return "/fundamentals?" + urlencode({"ticker": ticker} | chosen_fit, safe="^")


def _freshness(factors: pd.DataFrame, last_price: str) -> str:
    """Until when the factors are known, and what that does to the numbers."""
    names = [name for name in PREMIUM_LABELS if factors[name].notna().any()]
    ends = {name: factors[name].last_valid_index() for name in names}
    newest = max(ends.values())
    late = [f"{PREMIUM_LABELS[name].lower()} to {end:%Y-%m}" for name, end in ends.items() if end < newest]
    months = (pd.Period(last_price, "M") - pd.Period(newest, "M")).n
    behind = (
        f" The last {months} months of prices are in no fit, and a required return uses the risk-free rate of {newest:%Y-%m}."
        if months > 0
        else ""
    )
    if late:
        behind += f" The models with {', '.join(item.split(' to ')[0] for item in late)} end there."
    return (f"Factors are known to {newest:%Y-%m}{' (' + ', '.join(late) + ')' if late else ''}; prices to {last_price}.{behind} "
            "Each fit counts as known from its as-of date, the first month end 45 days or more after its sample.")  # fmt: skip


def _no_fit(fit: Chosen, fits: pd.DataFrame) -> dbc.Alert:
    windows = sorted(
        set(fits.loc[(fits["model"] == fit.model) & (fits["frequency"] == fit.frequency), "window_months"])
    )
    there = (
        f"There is one over: {', '.join(map(window_label, windows))}."
        if windows
        else "The table of alphas lists the fits that there are."
    )
    return dbc.Alert(
        f"There is no fit of {fit.label}: too few observations, or this source lacks a factor. {there}", color="info"
    )


def _cards(fit: Chosen, fits: pd.DataFrame, universe: pd.DataFrame, rating: Any) -> list[html.Div]:
    own = fit.of(fits).set_index("model").loc[fit.model]
    stocks = universe[universe["kind"] == "stock"]
    median = float(stocks["expected_return"].median())
    is_stock = (
        stocks["ticker"] == own["ticker"]
    ).any()  # a fund is no company: its outlook would be compared with stocks
    outlook = fundamental_outlook(float(own["alpha"]), float(own["expected_return"]), median) if is_stock else None
    technical = None if rating is None else rating["rating_score"]
    return [
        *_verdicts(outlook, median, technical, "" if rating is None else str(rating["date"]), own),
        stat("Required return, premiums to date", percent(own["expected_return"]), note=f"± {percent(own['expected_return_se'])} SE · {fit.label}",
             tip=f"Annual: the risk-free rate plus each beta times the factor's mean to date. Known from {own['as_of']}."),
        _alpha_card(own, fit),
        _beta_card(universe, own, fits, fit),
        stat("R²", percent(own["r_squared"], digits=0), note=f"adjusted {percent(own['adjusted_r_squared'], digits=0)} · {own['n_obs']} {'months' if fit.frequency == 'M' else 'days'}",
             tip=f"Share of the variance of excess returns that the factors explain, {own['sample_start']} to {own['sample_end']}."),
        stat("Residual volatility", percent(own["residual_vol"]), note="annual", tip="Standard deviation of what the factors do not explain."),
    ]  # fmt: skip


def _verdicts(outlook: int | None, median: float, technical: Any, date: str, own: pd.Series) -> list[html.Div]:
    score = composite_score(technical, outlook)
    tone = {1: "up", -1: "down"}
    if score is None:
        agreement = "one of the two is unknown"
    else:
        agreement = "both agree" if score else "the outlook is neutral" if outlook == 0 else "the two do not agree"
    above = "above" if own["expected_return"] > median else "not above"
    why = f"{MODELS[own.name]}: alpha {'> 0' if own['alpha'] > 0 else '≤ 0'} (p {number(own['alpha_p'])}), required {above} the median {percent(median)}"
    return [
        stat("Fundamental outlook", OUTLOOK_LABELS[outlook] if outlook is not None else "–", tone=tone.get(outlook or 0, ""),
             note=why if outlook is not None else "for stocks alone",
             tip="Positive where alpha is above 0 and the required return above the median of the stocks; negative is the mirror; else neutral."),
        stat("Technical rating", number(technical, sign=True), tone="up" if (technical or 0) > 0 else "down" if (technical or 0) < 0 else "", note=date,
             tip="Mean of the averages' mean vote and the oscillators' mean vote at the last close, −1 to 1."),
        stat("Composite score", number(score, sign=bool(score)), tone="up" if (score or 0) > 0 else "down" if (score or 0) < 0 else "", note=agreement,
             tip="Technical rating × outlook: the rating where both point the same way, else 0. Both parts stand beside it."),
    ]  # fmt: skip


def _alpha_card(own: pd.Series, fit: Chosen) -> html.Div:
    verdict = "required above realised" if own["alpha"] < 0 else "realised above required"
    significant = own["alpha_q"] <= SIGNIFICANT
    mark = "" if significant or not own["alpha_p"] <= SIGNIFICANT else " · only before correction for many stocks"
    return stat(
        "Alpha", percent(own["alpha"], sign=True), tone=("up" if own["alpha"] > 0 else "down") if significant else "",
        note=f"{percent(own['alpha_low'])} to {percent(own['alpha_high'])} · {verdict}{mark}",
        tip=f"Annual, {fit.label}: realised less required return at the factor means of the sample, that is the intercept × {PERIODS_PER_YEAR[fit.frequency]}, with its 95 % interval. t {number(own['alpha_t'])}, p {number(own['alpha_p'], digits=3)}, "
            f"q {number(own['alpha_q'], digits=3)} after Benjamini and Hochberg over all tickers. Coloured only where q ≤ 0.05.",
    )  # fmt: skip


def _beta_card(universe: pd.DataFrame, own: pd.Series, fits: pd.DataFrame, fit: Chosen) -> html.Div:
    mine = universe[universe["as_of"].eq(own["as_of"]) & universe["ticker"].eq(own["ticker"])]
    beta, error = (mine["beta"].iloc[0], mine["beta_se"].iloc[0]) if len(mine) else (np.nan, np.nan)
    capm = fit.of(fits)[fit.of(fits)["model"] == "capm"]
    note = f"± {number(error)} SE"
    if len(capm):
        row = capm.iloc[0]
        note += f" · CAPM: Vasicek {number(row['beta_vasicek'])}, Blume {number(row['beta_blume'])}, up {number(row['beta_up'])} ± {number(row['beta_up_se'])}, down {number(row['beta_down'])} ± {number(row['beta_down_se'])}"
    return stat("Market beta", number(beta), note=note,
                tip="Loading on the market. Vasicek shrinks the CAPM beta to the mean of all tickers by its error, Blume to 1 by a third; up and down are the betas "
                    "of rising and falling markets.")  # fmt: skip
