"""The frame of the Fundamentals tab: its controls and the places that the callbacks fill."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
import pandas as pd
from dash import dcc, html

from analytics.conventions import FACTOR_WINDOWS
from analytics.factor_models import FACTOR_MODELS, PREMIUM_CHOICES
from dashapp.components import KEPT, card, field, grid
from dashapp.ids import ids
from dashapp.pages.fundamentals.columns import OF_UNIVERSE

ID = ids(
    "fundamentals", "view", "model", "window", "frequency", "dimson", "content", "body", "premiums", "own", "expected", "survival",
    "exposure", "history", "period", "start", "end", "moves", "dates", "peers", "company", "universe", "universe_body", "go",
)  # fmt: skip
UNIVERSE_GRID = "fundamentals-universe"
VIEWS = {"ticker": "One ticker", "universe": "Universe"}
SWITCH = {key: f"fundamentals-to-{key}" for key in VIEWS}
MODELS = {key: model.label for key, model in FACTOR_MODELS.items()}
WINDOWS = {str(months): f"{months} months" if months else "Full history" for months in FACTOR_WINDOWS}
FREQUENCIES = {"M": "Monthly", "D": "Daily"}
FIT_QUERY = {
    "model": MODELS,
    "window": WINDOWS,
    "returns": FREQUENCIES,
}  # what an address may say besides ticker and view
PERIODS = {"1d": "Last day", "1m": "Month", "3m": "Quarter", "1y": "Year", "own": "My dates"}
FACTOR_LABELS = {
    "mkt_rf": "Market", "smb": "Size", "smb5": "Size", "hml": "Value", "rmw": "Profitability", "cma": "Investment", "mom": "Momentum",
}  # fmt: skip
PREMIUM_LABELS = FACTOR_LABELS | {"smb": "Size, 3-factor", "smb5": "Size, 5-factor"}


def layout(view: str = "ticker", **query: str) -> html.Div:
    """Return the frame of one view; the callbacks fill it. An unknown view is the ticker's, an unknown model the default."""
    shown = view if view in VIEWS else "ticker"
    fit = {name: query[name] for name, allowed in FIT_QUERY.items() if query.get(name) in allowed}
    pills = html.Div([
        dcc.Link(label, id=SWITCH[key], href=address(key, query), className=f"btn btn-outline-primary{' active' if key == shown else ''}")
        for key, label in VIEWS.items()
    ], className="btn-group view-switch")  # fmt: skip
    body = _ticker_view() if shown == "ticker" else []
    return html.Div([
        dcc.Store(id=ID.view, data=shown), html.Div([pills, *_fit_controls(shown, fit)], className="controls mb-3"), *body, *_universe_view(),
    ])  # fmt: skip


def address(view: str, query: Mapping[str, Any]) -> str:
    """Return the address of a view with the ticker and range of a query."""
    carried = {name: query[name] for name in ("ticker", "range") if query.get(name)}
    return "/fundamentals?" + urlencode(carried | ({"view": view} if view != "ticker" else {}), safe="^")


def _fit_controls(view: str, fit: Mapping[str, str]) -> list[html.Div]:
    controls = [
        field(
            "Model", dcc.Dropdown(id=ID.model, options=MODELS, value=fit.get("model", "ff3"), clearable=False, **KEPT)
        ),
        field(
            "Window",
            dcc.Dropdown(id=ID.window, options=WINDOWS, value=fit.get("window", "60"), clearable=False, **KEPT),
        ),
        field(
            "Returns",
            dcc.Dropdown(id=ID.frequency, options=FREQUENCIES, value=fit.get("returns", "M"), clearable=False, **KEPT),
        ),
    ]
    if view == "ticker":
        controls.append(html.Div(dbc.Switch(
            id=ID.dimson, value=False, label="Dimson lags, daily",
            label_style={"fontSize": ".8rem"}, **KEPT), title="Daily betas with the factors of the day before and the day after: for stocks that trade thinly"))  # fmt: skip
    return controls


def _ticker_view() -> list[Any]:
    required = card(
        "Required and realised return", [_premium_controls(), html.Div(id=ID.expected)],
        tip="What each model requires a year: the risk-free rate plus each beta times the factor's premium; and what the ticker earned a "
            "year over the same sample. Bars show 95 % intervals, with the error of betas and premiums.",
    )  # fmt: skip
    company = card(
        "Company", html.Div(id=ID.company),
        tip="As the vendor reported it on the date shown; the bar is the percentile among the stocks of the same sector in this store.",
    )  # fmt: skip
    moves = card(
        "What moved it", [_period_controls(), html.Div(id=ID.moves)],
        tip="Each factor's return times the chosen fit's beta; what is left is idiosyncratic. Over several periods the parts are linked by "
            "Cariño's method, so that they sum to the compound return exactly.",
    )  # fmt: skip
    return [
        html.Div(id=ID.content),
        html.Div([
            dbc.Row([dbc.Col(required, xl=7), dbc.Col([company, html.Div(id=ID.peers)], xl=5)]),
            html.Div(id=ID.survival), html.Div(id=ID.exposure), moves, html.Div(id=ID.history),
        ], id=ID.body, hidden=True),
    ]  # fmt: skip


def _universe_view() -> list[Any]:
    """In the ticker's view too, empty and hidden: Dash wants to find the places of every callback."""
    table = grid(
        UNIVERSE_GRID, pd.DataFrame(columns=["ticker"]), OF_UNIVERSE, row_id="ticker", height=560, selectable=True
    )
    return [
        dcc.Location(id=ID.go, refresh="callback-nav"),
        html.Div(id=ID.universe),
        html.Div(card("Every stock and fund", table, tip="The newest fit of each. Click a row to open the ticker. Columns sort and filter; a dash is unknown."),
                 id=ID.universe_body, hidden=True),
    ]  # fmt: skip


def _premium_controls() -> html.Div:
    own = [
        html.Label([html.Span(PREMIUM_LABELS[name], className="field-label"), dbc.Input(
            id={"type": "fundamentals-premium", "name": name}, type="number", step="any", size="sm", placeholder="%", **KEPT)])
        for name in PREMIUM_LABELS
    ]  # fmt: skip
    return html.Div([
        field("Factor premiums", dcc.Dropdown(id=ID.premiums, options=PREMIUM_CHOICES, value="mean", clearable=False, **KEPT),
               "What a factor is taken to earn a year. The stored number uses the mean to date."),
        html.Div(own, id=ID.own, hidden=True, className="own-premiums"),
    ], className="controls mb-2")  # fmt: skip


def _period_controls() -> html.Div:
    return html.Div([
        field("Period", dbc.RadioItems(
            id=ID.period, options=[{"label": label, "value": key} for key, label in PERIODS.items()], value="1y", inline=True, **KEPT),
            "Periods end with the last date on which the factors are known."),
        html.Div([
            html.Label([html.Span("From", className="field-label"), dbc.Input(id=ID.start, type="date", size="sm", **KEPT)]),
            html.Label([html.Span("To", className="field-label"), dbc.Input(id=ID.end, type="date", size="sm", **KEPT)]),
        ], id=ID.dates, hidden=True, className="own-dates"),
    ], className="controls mb-2")  # fmt: skip
