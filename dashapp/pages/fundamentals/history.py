"""Alpha and the market beta as they were known over time."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import Input, Output, callback, html

from analytics.conventions import CONFIDENCE
from analytics.factor_models import FACTOR_MODELS
from dashapp.components import card, graph, guarded
from dashapp.data import market
from dashapp.figures.factor_history import rolling_figure
from dashapp.ids import SHELL
from dashapp.pages.fundamentals._reading import chosen, fitted_instrument, window_label
from dashapp.pages.fundamentals.layout import FACTOR_LABELS, ID, MODELS
from pipeline.queries import factors as factor_queries

KEPT_MODELS, KEPT_WINDOWS = ("capm", "ff3", "ff5"), (0, 60)  # of which every month end is stored


@callback(
    Output(ID.history, "children"),
    Input(SHELL.view, "data"), Input(ID.model, "value"), Input(ID.window, "value"), Input(ID.frequency, "value"),
    Input(SHELL.theme_name, "data"), Input(SHELL.run, "data"),
)  # fmt: skip
@guarded
def show(seen: Any, model: Any, window: Any, frequency: Any, theme: Any, _run: Any) -> Any:
    """Show the stored month-end fits of the chosen model, or of the nearest one that is stored."""
    fit = chosen(model, window, frequency)
    key = fit.model if fit.model in KEPT_MODELS else "ff3" if fit.model == "carhart4" else "ff5"
    months = fit.window if fit.window in KEPT_WINDOWS else 60
    with market() as reader:
        ticker = fitted_instrument(reader, seen)["ticker"]
        fits = factor_queries.fit_history(reader, ticker, key, months)
        loadings = factor_queries.loading_history(reader, ticker, key, months)
        latest = factor_queries.latest_fits(reader, ticker)
    if len(fits) < 2:
        return None
    own = latest[(latest["model"] == key) & (latest["window_months"] == months) & (latest["frequency"] == "M")].iloc[0]
    broken = own["chow_date"] if own["chow_p"] <= 1 - CONFIDENCE else None
    other = (
        ""
        if (key, months, "M") == (fit.model, fit.window, fit.frequency)
        else " Month ends are stored of CAPM, FF3 and FF5 over 60 months and the full history: this is the nearest."
    )
    alphas = pd.DataFrame(
        {"as_of": fits["as_of"], "value": fits["alpha"], "low": fits["alpha_low"], "high": fits["alpha_high"]}
    )
    shapes = {"break_date": broken, "theme": theme}
    panes = [("Alpha, annual", rolling_figure(alphas, label="Alpha", percent=True, level=0, **shapes))]
    by_factor = dict(list(loadings.groupby("factor")))
    for factor in FACTOR_MODELS[key].factors:
        rows = by_factor[factor]
        history = pd.DataFrame(
            {"as_of": rows["as_of"], "value": rows["beta"], "low": rows["low"], "high": rows["high"]}
        )
        figure = rolling_figure(history, label="Beta", percent=False, level=1 if factor == "mkt_rf" else 0, **shapes)
        panes.append((f"{FACTOR_LABELS[factor]} beta", figure))
    words = f"Each point is the fit that was known on that date: {window_label(months)} up to the month it could use.{other}"
    if broken:
        words += f" Dashed: a break in alpha or betas of the newest fit, most likely from {broken} on."
    return card(f"Rolling alpha and betas, {MODELS[key]}", [
        html.P(words, className="small text-body-secondary mb-1"),
        dbc.Row([dbc.Col([html.Div(title, className="field-label"), graph(figure, tools=False)], lg=6) for title, figure in panes]),
    ], tip="The band is the 95 % interval with Newey-West errors. Stored month by month and never changed afterwards, so that a backtest can ask what was known.")  # fmt: skip
