"""One fit against its data: loadings, the characteristic line, residuals, and where return and variance came from."""

from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import Input, Output, callback, html

from analytics.conventions import CONFIDENCE
from analytics.errors import InputError
from analytics.factor_models import (
    FACTOR_MODELS,
    TickerFit,
    dimson_betas,
    fit_ticker,
    model_parts,
    variance_contributions,
)
from analytics.inference import t_interval, two_sided_p
from dashapp.components import card, graph, grid, guarded
from dashapp.data import market
from dashapp.figures.factor_history import characteristic_line_figure, residuals_figure
from dashapp.figures.factors import contributions_figure, loadings_figure
from dashapp.format import number, percent
from dashapp.ids import SHELL
from dashapp.pages.fundamentals._reading import (
    as_stored,
    chosen,
    fitted_instrument,
    returns_and_factors,
)
from dashapp.pages.fundamentals.columns import OF_LOADINGS
from dashapp.pages.fundamentals.layout import FACTOR_LABELS, ID
from pipeline.queries import factors as factor_queries

SIGNIFICANT = 1 - CONFIDENCE
UNIT = {"M": "month", "D": "day"}


@callback(
    Output(ID.exposure, "children"),
    Input(SHELL.view, "data"), Input(ID.model, "value"), Input(ID.window, "value"), Input(ID.frequency, "value"), Input(ID.dimson, "value"),
    Input(SHELL.theme_name, "data"), Input(SHELL.run, "data"),
)  # fmt: skip
@guarded
def show(seen: Any, model: Any, window: Any, frequency: Any, dimson: Any, theme: Any, _run: Any) -> Any:
    """Show the chosen fit of one ticker."""
    fit = chosen(model, window, frequency)
    with market() as reader:
        ticker = fitted_instrument(reader, seen)["ticker"]
        loadings, fits = factor_queries.loadings(reader, ticker), factor_queries.latest_fits(reader, ticker)
        returns, factors = returns_and_factors(reader, ticker, fit.frequency)
    factors = as_stored(factors, fits, fit.frequency)
    stored = _in_order(fit.of(loadings))
    try:
        found = fit_ticker(returns, factors, fit.model, window=fit.window, frequency=fit.frequency)
        line = fit_ticker(returns, factors, "capm", window=fit.window, frequency=fit.frequency)
    except InputError as error:
        return dbc.Alert(f"{fit.label}: {error}", color="info")
    if dimson is True and fit.frequency == "D":
        stored = pd.concat([stored, _dimson_rows(found)], ignore_index=True)
    rows = stored.rename(columns={"beta": "value"})
    return [
        *([] if found.residuals.any() else [_exact_fit(ticker, found)]),
        dbc.Row([
            dbc.Col(card("Loadings with 95 % interval", graph(loadings_figure(rows, theme=theme), tools=False),
                         tip=f"How much the ticker moves with each factor under every model, {fit.label.split(', ', 1)[1]}; Newey-West errors. SMB is the 3-factor file's in the models "
                             "of 3 and 4 factors, and the 5-factor file's in the others."), lg=6),
            dbc.Col([card(f"Where return and variance came from, {found.model.label}", _contributions(found, theme),
                         tip=f"Left: annual mean over {found.dates[0].date()} to {found.dates[-1].date()}, which the parts sum to. Right: share of the variance of "
                             "excess returns; half of what two factors share falls to each."),
                card("Loadings in numbers", _loading_table(stored, f"loadings-{ticker}-{fit.window}-{fit.frequency}"), tip="Every model with this window. SE: Newey-West; the ordinary one stands beside it.")], lg=6),
        ]),
        dbc.Row([
            dbc.Col(card("Security characteristic line", _line(line, theme),
                         tip=f"Each dot is a {UNIT[fit.frequency]}. The slope is the CAPM beta, the intercept alpha per {UNIT[fit.frequency]}."), lg=6),
            dbc.Col(card(f"Residuals, {found.model.label}", _residuals(found, fit.of(fits), theme),
                         tip="What the factors do not explain. The dotted lines stand at two standard deviations."), lg=6),
        ]),
    ]  # fmt: skip


@callback(Output(ID.dimson, "disabled"), Input(ID.frequency, "value"))
def only_for_days(frequency: Any) -> bool:
    """Let the switch be pressed where it does something."""
    return bool(frequency != "D")


def _exact_fit(ticker: str, found: TickerFit) -> dbc.Alert:
    return dbc.Alert(f"residuals of {ticker} in {found.model.label}: got 0 on every date; allowed: residuals that vary. The ticker is a mix of the factors, as a "
                     "benchmark is of itself: alpha is 0 by construction, and errors, t and p are undefined. Choose another model or ticker.", color="info")  # fmt: skip


def _in_order(loadings: pd.DataFrame) -> pd.DataFrame:
    """Loadings with the labels of factors and models, factor by factor, the smaller models first."""
    factors = {label: number for number, label in enumerate(dict.fromkeys(FACTOR_LABELS.values()))}
    models = {model.label: len(model.factors) for model in FACTOR_MODELS.values()}
    named = loadings.assign(
        factor=loadings["factor"].map(FACTOR_LABELS), model=loadings["model"].map(lambda key: FACTOR_MODELS[key].label)
    )
    return named.assign(place=named["factor"].map(factors), size=named["model"].map(models)).sort_values(
        ["place", "size", "model"], ignore_index=True
    )


def _loading_table(stored: pd.DataFrame, file: str) -> html.Div:
    shown = stored.sort_values(["size", "model", "place"])[[item["field"] for item in OF_LOADINGS]]
    return grid(
        "fundamentals-loadings",
        shown.assign(key=shown["model"] + shown["factor"]),
        OF_LOADINGS,
        row_id="key",
        height=260,
        file=file,
    )


def _dimson_rows(found: TickerFit) -> pd.DataFrame:
    """Rows like those of _in_order; there is no ordinary error of the sum."""
    summed = dimson_betas(found.excess_returns[:, None], found.factor_returns)
    beta, error, degrees = summed.betas[:, 0], summed.std_err[:, 0], summed.n_obs - 3 * len(found.model.factors) - 1
    low, high = t_interval(beta, error, degrees=degrees)
    return pd.DataFrame({
        "factor": [FACTOR_LABELS[name] for name in found.model.factors], "model": f"{found.model.label}, Dimson ±1", "beta": beta,
        "std_err": error, "t_stat": beta / error, "p_value": two_sided_p(beta / error, degrees=degrees), "low": low, "high": high,
        "std_err_ols": np.nan, "place": range(len(found.model.factors)), "size": 99,
    })  # fmt: skip


def _contributions(found: TickerFit, theme: Any) -> dbc.Row:
    names = [FACTOR_LABELS[name] for name in found.model.factors]
    parts = found.periods_per_year * model_parts(
        found.returns, found.factor_returns, found.risk_free, found.betas
    ).mean(axis=0)
    returns = pd.DataFrame(
        {"label": ["Risk-free rate", *names, "Alpha", "Mean return"], "value": [*parts, parts.sum()]}
    )
    covariance = np.cov(found.factor_returns, rowvar=False, ddof=1).reshape(len(names), len(names))
    shares = variance_contributions(found.betas, covariance, float(found.residuals.var(ddof=1)))
    variance = pd.DataFrame({"label": [*names, "Idiosyncratic"], "value": shares})
    return dbc.Row([
        dbc.Col([html.Div("Return, annual", className="field-label"), graph(contributions_figure(returns, theme=theme, total="Mean return"), tools=False)], md=6),
        dbc.Col([html.Div("Variance, share", className="field-label"), graph(contributions_figure(variance, theme=theme, digits=0), tools=False)], md=6),
    ])  # fmt: skip


def _line(line: TickerFit, theme: Any) -> list[Any]:
    regression, per_year = line.regression, line.periods_per_year
    words = (f"Beta {number(line.betas[0])} ({number(regression.low[1, 0])} to {number(regression.high[1, 0])}), alpha {percent(per_year * line.alpha, sign=True)} a year "
             f"({percent(per_year * regression.low[0, 0])} to {percent(per_year * regression.high[0, 0])}), R² {percent(regression.r_squared[0], digits=0)}, "
             f"n {len(line.dates)}, {line.dates[0].date()} to {line.dates[-1].date()}.")  # fmt: skip
    figure = characteristic_line_figure(
        line.factor_returns[:, 0], line.excess_returns, line.dates.to_numpy(dtype="datetime64[D]"),
        alpha=line.alpha, beta=float(line.betas[0]), theme=theme,
    )  # fmt: skip
    return [html.P(words, className="small text-body-secondary mb-1"), graph(figure, tools=False)]


def _residuals(found: TickerFit, fits: pd.DataFrame, theme: Any) -> list[Any]:
    figure = residuals_figure(
        found.dates.to_numpy(dtype="datetime64[D]"), found.residuals, float(found.regression.residual_vol[0]), theme=theme
    )  # fmt: skip
    stored = fits[fits["model"] == found.model.key]
    return [graph(figure, tools=False), *([_diagnosis(stored.iloc[0])] if len(stored) else [])]


def _diagnosis(fit: pd.Series) -> html.Ul:
    """The diagnostics in words: what each says of the assumptions behind the numbers."""
    watson = fit["durbin_watson"]
    serial = (
        "positive autocorrelation"
        if watson < 1.5
        else "negative autocorrelation"
        if watson > 2.5
        else "little autocorrelation"
    )
    lines = [
        f"Durbin-Watson {number(watson)}: {serial} of the residuals.",
        _test("Jarque-Bera", fit["jarque_bera_p"], "the residuals are not normal: skewed, or with more extremes", "no sign against normal residuals"),
        _test("Breusch-Pagan", fit["breusch_pagan_p"], "their variance depends on the factors: trust the Newey-West errors, not the OLS ones",
              "no sign that their variance depends on the factors"),
        _test("CUSUM", fit["break_p"], f"alpha changed within the sample, most likely near {fit['break_date']}", "no sign of a break in alpha"),
    ]  # fmt: skip
    if fit["frequency"] == "M":
        lines.append(_test("Largest Chow statistic of the betas", fit["chow_p"], f"the betas, or the variance, changed within the sample, most likely from {fit['chow_date']} on",
                           "no sign of a break in the betas"))  # fmt: skip
    return html.Ul([html.Li(words) for words in lines], className="small text-body-secondary mb-0")


def _test(name: str, p_value: float, found: str, nothing: str) -> str:
    if pd.isna(p_value):
        return f"{name}: unknown, because the fit is exact or the sample too short."
    shown = "< 0.001" if p_value < 0.001 else number(p_value, digits=3)
    return f"{name} p {shown}: {found if p_value <= SIGNIFICANT else nothing}."
