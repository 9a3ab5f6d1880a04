"""Alpha and the market beta as they were known over time."""

from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import Input, Output, callback, html

from analytics.conventions import CONFIDENCE, TRADING_DAYS
from analytics.factor_models import FACTOR_MODELS, rolling_betas
from dashapp.components import card, graph, guarded
from dashapp.data import market
from dashapp.figures.factor_history import rolling_figure
from dashapp.ids import SHELL
from dashapp.pages.fundamentals._reading import chosen, fitted_instrument, returns_and_factors
from dashapp.pages.fundamentals.layout import FACTOR_LABELS, ID, MODELS
from pipeline.queries import Reader
from pipeline.queries import factors as factor_queries

SESSIONS, SESSIONS_PER_WEEK = TRADING_DAYS, 5
KEPT_MODELS, KEPT_WINDOWS = ("capm", "ff3", "ff5"), (0, 60)  # of which every month end is stored


@callback(
    Output(ID.history, "children"),
    Input(SHELL.view, "data"), Input(ID.model, "value"), Input(ID.window, "value"), Input(ID.frequency, "value"),
    Input(SHELL.theme_name, "data"), Input(SHELL.run, "data"),
)  # fmt: skip
@guarded
def show(seen: Any, model: Any, window: Any, frequency: Any, theme: Any, _run: Any) -> Any:
    """Show the stored month-end fits of the chosen model or of the nearest one that is stored; of days a rolling window."""
    fit = chosen(model, window, frequency)
    key = fit.model if fit.model in KEPT_MODELS else "ff3" if fit.model == "carhart4" else "ff5"
    months = fit.window if fit.window in KEPT_WINDOWS else 60
    with market() as reader:
        ticker = fitted_instrument(reader, seen)["ticker"]
        fits = factor_queries.fit_history(reader, ticker, key, months)
        loadings = factor_queries.loading_history(reader, ticker, key, months)
        latest = factor_queries.latest_fits(reader, ticker)
        daily = _of_sessions(reader, ticker, fit.model) if fit.frequency == "D" else None
    if len(fits) < 2:
        return card("Rolling alpha and betas", html.P(f"There are no month-end fits of {MODELS[key]}: this source lacks a factor, or the history is too short.",
                                                      className="text-body-secondary mb-0"))  # fmt: skip
    own = latest[(latest["model"] == key) & (latest["window_months"] == months) & (latest["frequency"] == "M")].iloc[0]
    broken = own["chow_date"] if own["chow_p"] <= 1 - CONFIDENCE else None
    panes = _month_ends(key, fits, loadings, broken, theme)
    words = f"Each point is the fit that was known on that date: {f'up to {months} months' if months else 'all months'} that end with the last one it could use, 24 at least."
    if (key, months) != (fit.model, fit.window):
        words += " Month ends are stored of CAPM, FF3 and FF5 over 60 months and the full history: this is the nearest."
    if broken:
        words += f" Dashed: a break in the betas of the newest fit, most likely from {broken} on."
    if daily is not None:
        title = f"Market beta of {MODELS[fit.model]} over the last {SESSIONS} sessions, daily returns, by the date of its last session"
        panes.append((title, rolling_figure(daily, label="Beta", percent=False, level=1, break_date=None, theme=theme)))
    return card(f"Rolling alpha and betas, {MODELS[key]}", [
        html.P(words, className="small text-body-secondary mb-1"),
        dbc.Row([dbc.Col([html.Div(title, className="field-label"), graph(figure, tools=False)], lg=6) for title, figure in panes]),
    ], tip="The band is the 95 % interval with Newey-West errors. Stored month by month; only a vendor that rewrites prices or factors of the past changes them, so that a backtest can ask what was known.")  # fmt: skip


def _month_ends(
    key: str, fits: pd.DataFrame, loadings: pd.DataFrame, broken: str | None, theme: Any
) -> list[tuple[str, dict[str, Any]]]:
    """Title and figure of alpha and of each beta."""
    marks = {"break_date": broken, "theme": theme}
    alphas = fits.rename(columns={"alpha": "value", "alpha_low": "low", "alpha_high": "high"})
    panes = [("Alpha, annual", rolling_figure(alphas, label="Alpha", percent=True, level=0, **marks))]
    by_factor = dict(list(loadings.rename(columns={"beta": "value"}).groupby("factor")))
    for factor in FACTOR_MODELS[key].factors:
        level = 1 if factor == "mkt_rf" else 0
        figure = rolling_figure(by_factor[factor], label="Beta", percent=False, level=level, **marks)
        panes.append((f"{FACTOR_LABELS[factor]} beta", figure))
    return panes


def _of_sessions(reader: Reader, ticker: str, model: str) -> pd.DataFrame:
    """The rolling market beta of daily returns at the end of each week; it has no band."""
    returns, factors = returns_and_factors(reader, ticker, "D")
    names = list(FACTOR_MODELS[model].factors)
    known = factors[[*names, "rf"]].join(returns.rename("own"), how="inner").dropna()
    excess = (known["own"] - known["rf"]).to_numpy(float)
    betas = rolling_betas(excess[:, None], known[names].to_numpy(float), SESSIONS)[1][:, 0, 0]
    shown = pd.DataFrame({"as_of": known.index, "value": betas, "low": np.nan, "high": np.nan}).dropna(subset="value")
    return shown.iloc[::SESSIONS_PER_WEEK]
