"""The frame of the Technical tab: its controls and the places that the callbacks fill."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import dcc, html

from analytics.errors import PlumblineError
from analytics.indicators import INDICATORS, Indicator
from analytics.scorecard import HORIZONS
from dashapp.components import KEPT, card, empty_graph, grid, info
from dashapp.components.votes import VOTE_COLUMNS
from dashapp.data import market
from dashapp.ids import ids
from pipeline.queries import instruments as instrument_queries

ID = ids(
    "technical", "style", "overlays", "panes", "scale", "compare", "ribbon", "content", "body", "title", "notes", "chart",
    "parameters", "reset", "live", "live_error", "drawings", "zoom", "csv", "download", "scope", "horizon", "votes",
)  # fmt: skip

STYLES = {"candles": "Candles", "line": "Line"}
SCALES = {"linear": "Linear", "log": "Logarithmic"}
RIBBONS = {"none": "None", "alpha": "Signal × alpha", "expected_return": "Signal × required return"}
VOLUME = "volume"  # a pane that no indicator stands for
PATTERNS = "patterns"  # an overlay that no indicator stands for
OVERLAYS: dict[str, Indicator | None] = {key: item for key, item in INDICATORS.items() if item.pane == "price"} | {
    PATTERNS: None
}
PANES: dict[str, Indicator | None] = {VOLUME: None} | {
    key: item for key, item in INDICATORS.items() if item.pane == "own"
}
MAX_PANES = 4
VOTES_GRID = "technical-votes"
SCOPES = {"ticker": "This ticker", "stocks": "All stocks"}
HORIZON_LABELS = {str(days): f"{days} sessions" for days in HORIZONS}


def layout(**_query: str) -> html.Div:
    """Return the controls and the empty frame: the callbacks fill it."""
    return html.Div([
        dcc.Store(id=ID.live, storage_type="session", data={}),
        dcc.Store(id=ID.drawings, storage_type="session", data={}), dcc.Store(id=ID.zoom, data={}),
        _controls(), html.Div(id=ID.content),
        html.Div([_chart_card(), _votes_card()], id=ID.body, hidden=True),
    ])  # fmt: skip


def _controls() -> html.Div:
    overlays = _options(
        OVERLAYS, "Candlestick patterns", "Where TA-Lib's candlestick patterns stand, and which they are."
    )
    panes = _options(PANES, "Volume", "Shares traded in each session.")
    return html.Div([
        _field("Price as", _choice(ID.style, STYLES, "candles")),
        _field("Scale", _choice(ID.scale, SCALES, "linear")),
        _field("Compare with", dcc.Dropdown(id=ID.compare, options=tickers(), value=None, placeholder="No other", **KEPT)),
        _field("Overlays", dcc.Dropdown(id=ID.overlays, options=overlays, value=["sma"], multi=True, **KEPT), grows=True),
        _field(f"Panes (up to {MAX_PANES})", dcc.Dropdown(
            id=ID.panes, options=panes, value=["volume", "rsi", "macd"], multi=True, **KEPT), grows=True),
        _field("Agreement ribbon", _choice(ID.ribbon, RIBBONS, "none"),
               tip="Where the stored signal points the way of the fundamentals as they were known on that day: the sign of alpha "
                   "or of the required return of the three-factor fit over 60 months. Green: they agree; red: they differ; grey: no signal."),
    ], className="controls mb-3")  # fmt: skip


def _chart_card() -> html.Div:
    parameters = html.Details([
        html.Summary(["Parameters ", info("Change one and its line is computed at once, for this chart alone. What is stored, "
                                          "and every vote and record below, stays at the default parameters.")]),
        html.Div(id=ID.parameters, className="controls compact my-2"), html.Div(id=ID.live_error),
        dbc.Button("Back to the stored parameters", id=ID.reset, size="sm", color="secondary", outline=True),
    ], className="small mb-2")  # fmt: skip
    tools = dbc.Button(
        [html.I(className="bi bi-download"), " CSV"],
        id=ID.csv,
        size="sm",
        color="link",
        class_name="p-0 text-decoration-none",
    )
    return card(html.Span(id=ID.title), [
        html.Div(id=ID.notes), parameters, dcc.Download(id=ID.download), empty_graph(ID.chart, drawing=True),
    ], tools=tools)  # fmt: skip


def _votes_card() -> html.Div:
    scope = _choice(ID.scope, SCOPES, "ticker")
    horizon = _choice(ID.horizon, HORIZON_LABELS, "21")
    return card("Votes and their record", [
        html.Div([_field("Record of", scope), _field("Held for", horizon)], className="controls mb-2"), html.Div(id=ID.votes),
        html.Div(grid(VOTES_GRID, pd.DataFrame(columns=["key"]), VOTE_COLUMNS, row_id="key", height=640, row_height=54), className="mt-5"),
    ], tip="Each stored vote at the last close, why it stands as it does, and what followed such votes in the past: bought at the next "
           "open, held for the sessions chosen, dividends included, before costs. The record is of today, with all of history known.")  # fmt: skip


def tickers() -> list[dict[str, str]]:
    """Return what can be compared with; it must be there from the start: a list without options drops a kept choice."""
    try:
        with market() as reader:
            listed = instrument_queries.instruments(reader)
    except PlumblineError:
        return []  # the content says what is missing
    ordered = listed.sort_values("kind", key=lambda kinds: kinds != "index", kind="stable")
    return [{"value": row.ticker, "label": f"{row.ticker} · {row.name}"} for row in ordered.itertuples()]


def _options(drawn: Mapping[str, Indicator | None], other: str, about: str) -> list[dict[str, str]]:
    """The indicators as options, each explained where the pointer rests; `other` is what no indicator stands for."""
    return [
        {"value": key, "label": item.label if item else other, "title": item.description if item else about}
        for key, item in drawn.items()
    ]


def _choice(key: str, options: Any, value: str) -> dcc.Dropdown:
    return dcc.Dropdown(id=key, options=options, value=value, clearable=False, **KEPT)


def _field(label: str, control: Any, *, tip: str = "", grows: bool = False) -> html.Div:
    name = html.Label([label, " ", info(tip)] if tip else label, htmlFor=control.id)
    return html.Div([name, control], className="flex-grow-1" if grows else "")
