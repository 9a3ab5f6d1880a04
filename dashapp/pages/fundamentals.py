"""Fundamentals: what a stock's return came from, and what the factor models require it to earn."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import Input, Output, callback, dcc, html

from analytics.factor_models import FACTOR_MODELS
from analytics.inference import t_interval
from dashapp.components import card, empty_state, graph, guarded, stat, stats
from dashapp.data import known_instrument, market
from dashapp.figures.factors import interval_figure
from dashapp.format import number, percent
from dashapp.ids import SHELL, ids
from dashapp.inputs import view
from dashapp.pages._page import Page
from pipeline.queries import factors as factor_queries

ID = ids("fundamentals", "content")

FACTOR_LABELS = {"mkt_rf": "Market", "smb": "Size (SMB)", "hml": "Value (HML)"}
KEY = ["model", "frequency", "window_months", "as_of"]
SIGNIFICANT_T = 2.0


def layout(**_query: str) -> html.Div:
    """Return an empty page: the callback fills it."""
    return html.Div(id=ID.content)


@callback(
    Output(ID.content, "children"), Input(SHELL.view, "data"), Input(SHELL.theme_name, "data"), Input(SHELL.run, "data")
)
@guarded
def show(seen: Any, theme: Any, _run: Any) -> Any:
    """Show every stored fit of one ticker."""
    with market() as reader:
        instrument = known_instrument(reader, view(seen)[0])
        fits = factor_queries.latest_fits(reader, instrument["ticker"])
        loadings = factor_queries.loadings(reader, instrument["ticker"])
    if fits.empty:
        return _nothing(instrument)
    loadings = _in_model_order(loadings.merge(fits[[*KEY, "n_obs"]], on=KEY))
    name = f"{instrument['name']} ({instrument['ticker']})"
    return [
        html.P([html.Strong(name), f" · {instrument['sector'] or 'sector unknown'} · monthly total returns in excess of the "
                f"risk-free rate, {fits['sample_start'].min()} to {fits['sample_end'].max()}"]),
        stats(_cards(fits)),
        dbc.Row([
            dbc.Col(card("Alpha, annual, with 95 % interval", _graph(_alphas(fits), theme, percent_axis=True),
                         tip="What was earned beyond the model's requirement. An interval across zero is no evidence of skill or mispricing."), lg=6),
            dbc.Col(card("Loadings with 95 % interval", _graph(_betas(loadings), theme, percent_axis=False),
                         tip="How much the stock moves with each factor, trailing 60 months where there is such a fit."), lg=6),
        ]),
        card("Fits", _fit_table(fits), tip="Annual figures. Newey-West standard errors with a Bartlett kernel; t distribution."),
        card("Loadings", _loading_table(loadings), tip="OLS standard errors stand beside the Newey-West ones."),
    ]  # fmt: skip


def _in_model_order(loadings: pd.DataFrame) -> pd.DataFrame:
    """Factors in the order in which their model declares them: the market first."""
    place = [FACTOR_MODELS[row.model].factors.index(row.factor) for row in loadings.itertuples()]
    return loadings.assign(place=place).sort_values(["model", "window_months", "place"])


def _nothing(instrument: dict[str, Any]) -> dbc.Card:
    if instrument["kind"] == "index":
        return empty_state(f"{instrument['ticker']} is an index: its returns leave out dividends, so no model is fitted to it. "
                           "Choose a stock or a fund at the top.")  # fmt: skip
    return empty_state(f"{instrument['ticker']} has no factor fit: it needs at least 24 complete months that overlap the "
                       "factor returns of this source.")  # fmt: skip


def _label(fit: Any) -> str:
    model = FACTOR_MODELS[fit.model].label if fit.model in FACTOR_MODELS else fit.model
    return f"{model}, {_window(fit.window_months)}"


def _window(months: int) -> str:
    return f"{months} months" if months else "full history"


def _cards(fits: pd.DataFrame) -> list[dbc.Card]:
    full = fits[fits["window_months"] == 0] if (fits["window_months"] == 0).any() else fits
    cards = []
    for fit in full.itertuples():
        label = FACTOR_MODELS[fit.model].label
        cards.append(stat(
            f"Expected return, {label}", percent(fit.expected_return), note=f"± {percent(fit.expected_return_se)} SE · {_window(fit.window_months)}",
            tip=f"Annual return that {label} requires: the risk-free rate plus each beta times the factor's mean to date. "
                f"Known from {fit.as_of}."))  # fmt: skip
    for fit in full.itertuples():
        label, survives = FACTOR_MODELS[fit.model].label, abs(fit.alpha_t) > SIGNIFICANT_T
        verdict = "required return above realised" if fit.alpha < 0 else "realised return above required"
        cards.append(stat(
            f"Alpha, {label}", percent(fit.alpha, sign=True), tone=("up" if fit.alpha > 0 else "down") if survives else "",
            note=f"t {number(fit.alpha_t)} · {verdict} · {_window(fit.window_months)}",
            tip="Annual alpha: twelve times the monthly intercept. Coloured only where |t| is above 2."))  # fmt: skip
    cards.append(stat("R²", percent(full.iloc[-1]["r_squared"], digits=0), note=_label(full.iloc[-1]),
                      tip="Share of the variance of monthly excess returns that the factors explain."))  # fmt: skip
    return cards


def _alphas(fits: pd.DataFrame) -> pd.DataFrame:
    rows = [(_label(fit), fit.alpha, fit.alpha_low, fit.alpha_high) for fit in fits.itertuples()]
    return pd.DataFrame(rows, columns=["label", "value", "low", "high"])


def _betas(loadings: pd.DataFrame) -> pd.DataFrame:
    """The loadings of the trailing window, or of the full history where there is no other."""
    recent = loadings[loadings["window_months"] == loadings["window_months"].max()]
    factors = recent["model"].map(lambda key: len(FACTOR_MODELS[key].factors))
    low, high = t_interval(recent["beta"], recent["std_err"], degrees=recent["n_obs"] - factors - 1)
    labels = [
        f"{FACTOR_LABELS.get(row.factor, row.factor)}, {FACTOR_MODELS[row.model].label}" for row in recent.itertuples()
    ]
    return pd.DataFrame({"label": labels, "value": recent["beta"], "low": low, "high": high})


def _graph(rows: pd.DataFrame, theme: str, *, percent_axis: bool) -> dcc.Graph:
    return graph(interval_figure(rows, theme=theme, percent=percent_axis), tools=False)


def _fit_table(fits: pd.DataFrame) -> html.Div:
    header = [
        "Model",
        "Alpha",
        "SE",
        "t",
        "95 % interval",
        "Expected return",
        "SE",
        "R²",
        "Residual vol",
        "Months",
        "Sample",
        "Known from",
    ]
    rows = [[
        _label(fit), percent(fit.alpha, sign=True), percent(fit.alpha_se), number(fit.alpha_t),
        f"{percent(fit.alpha_low)} to {percent(fit.alpha_high)}", percent(fit.expected_return), percent(fit.expected_return_se),
        percent(fit.r_squared, digits=0), percent(fit.residual_vol), str(fit.n_obs), f"{fit.sample_start} to {fit.sample_end}", fit.as_of,
    ] for fit in fits.itertuples()]  # fmt: skip
    return _table(header, rows)


def _loading_table(loadings: pd.DataFrame) -> html.Div:
    header = ["Model", "Factor", "Beta", "SE", "t", "p", "SE (OLS)", "Months"]
    rows = [[
        _label(row), FACTOR_LABELS.get(row.factor, row.factor), number(row.beta, digits=3), number(row.std_err, digits=3),
        number(row.t_stat), _p_value(row.p_value), number(row.std_err_ols, digits=3), str(row.n_obs),
    ] for row in loadings.itertuples()]  # fmt: skip
    return _table(header, rows)


def _p_value(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else number(value, digits=4)  # NaN compares false: a dash


def _table(header: list[str], rows: list[list[str]]) -> html.Div:
    head = html.Thead(html.Tr([html.Th(name, className="" if i == 0 else "text-end") for i, name in enumerate(header)]))
    body = html.Tbody([
        html.Tr([html.Td(cell, className="text-nowrap" if i == 0 else "text-end tabular text-nowrap") for i, cell in enumerate(row)])
        for row in rows
    ])  # fmt: skip
    return html.Div(dbc.Table([head, body], size="sm", class_name="mb-0"), className="table-responsive")


PAGE = Page(
    key="fundamentals", path="/fundamentals", name="Fundamentals", order=30,
    description="Expected return, alpha and factor loadings of one ticker, each with its standard error", layout=layout, uses=("ticker",),
)  # fmt: skip
