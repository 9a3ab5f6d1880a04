"""The frame of the Frontier tab: the question at the left, the frontier at the right, what follows from it below."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from analytics.conventions import FRONTIER_POINTS
from analytics.errors import PlumblineError
from analytics.portfolio import COVARIANCES, EXPECTED_RETURNS
from analytics.portfolio.objectives import OBJECTIVES
from analytics.portfolio.views import ALLOWED
from dashapp.components import KEPT, card, empty_graph, info
from dashapp.data import market, workspace
from dashapp.ids import ids
from dashapp.pages.frontier.panels import PANELS, Panel, asked_id, body_id, control_id
from dashapp.pages.frontier.portfolio import ON_FRONTIER, TODAY
from dashapp.pages.frontier.request import EQUALLY_HELD, LABELS, NOTHING_HELD, from_link
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import portfolio_inputs
from pipeline.queries import portfolios as portfolio_queries
from pipeline.workspace import reading

ID = ids(
    "frontier", "request", "universe", "returns", "covariance", "views", "views_box", "max_weight", "min_weight", "min_cash",
    "max_cash", "max_positions", "min_position", "max_turnover", "min_dividend_yield", "exclude", "held", "bounded",
    "ticker_bounds", "reset", "link", "portfolio", "pick", "content", "body", "chart", "line", "marked", "point", "chosen", "tab", "saved",
)  # fmt: skip
FIELDS = ("max_weight", "min_weight", "min_cash", "max_cash", "max_positions", "min_position", "max_turnover", "min_dividend_yield")  # fmt: skip


def layout(request: str = "", point: str = "", pick: str = "", **_query: str) -> html.Div:
    """Return the controls and empty places; request, point and pick are what a link asks for."""
    asked, problem = from_link(request)
    place = int(point) if point.isdecimal() and 1 <= int(point[:4]) <= FRONTIER_POINTS else FRONTIER_POINTS // 2
    chosen = pick if pick in (ON_FRONTIER, TODAY, *OBJECTIVES) else ON_FRONTIER
    return html.Div([
        html.Div(f"The link could not be used, this is the plain frontier: {problem}.", className="alert alert-warning") if problem else None,
        *(dcc.Store(id=asked_id(key)) for key in PANELS), dcc.Store(id=ID.point, data=place),
        dcc.Store(id=ID.request, data=asked), dcc.Store(id=ID.line), dcc.Store(id=ID.marked), dcc.Store(id=ID.saved),
        dbc.Row([
            dbc.Col(_question(asked), xl=3, lg=4),
            dbc.Col([
                html.Div(id=ID.content),
                html.Div([_chart_card(place, chosen), html.Div(id=ID.chosen), _panels()], id=ID.body, hidden=True),
            ], xl=9, lg=8),
        ]),
    ])  # fmt: skip


def _question(asked: Mapping[str, Any]) -> html.Div:
    sections = {
        "Universe and estimates": _estimates(asked), "Limits on weights": _weights(asked),
        "Sectors": _sectors(asked), "Single tickers": _tickers(asked), "Cash, turnover, income": _others(asked),
    }  # fmt: skip
    items = [dbc.AccordionItem(body, title=title, item_id=title) for title, body in sections.items()]
    return html.Div([
        dbc.Accordion(items, active_item=["Universe and estimates", "Limits on weights"], always_open=True, class_name="mb-2"),
        html.Div([
            dbc.Button("No limits", id=ID.reset, size="sm", color="secondary", outline=True),
            html.A("link to this question", id=ID.link, href="", className="small align-self-center"),
        ], className="d-flex gap-2 mb-3"),
    ])  # fmt: skip


def _estimates(asked: Mapping[str, Any]) -> html.Div:
    returns = {key: item.label for key, item in EXPECTED_RETURNS.items()}
    covariances = {key: item.label for key, item in COVARIANCES.items()}
    return html.Div([
        _field("Universe", _choice(ID.universe, universes(), asked["universe"])),
        _field("Expected returns", _choice(ID.returns, returns, asked["returns"]), _explained(EXPECTED_RETURNS)),
        _field("Covariance", _choice(ID.covariance, covariances, asked["covariance"]), _explained(COVARIANCES)),
        html.Div(_field("Views", dcc.Textarea(
            id=ID.views, value=asked["views"], className="form-control form-control-sm", placeholder="AAPL 12 % (60 %)\nMSFT > GOOGL 3 %", **KEPT,
        ), f"What you expect a year: {ALLOWED}."), id=ID.views_box, hidden=asked["returns"] != "black_litterman"),
    ])  # fmt: skip


def _explained(registry: Mapping[str, Any]) -> str:
    return " ".join(f"{item.label}: {item.description}" for item in registry.values())


def _weights(asked: Mapping[str, Any]) -> html.Div:
    return html.Div([
        _field(LABELS["max_weight"], _slider(ID.max_weight, asked["max_weight"]), "Drag it: the frontier follows."),
        _field(LABELS["min_weight"], _slider(ID.min_weight, asked["min_weight"], largest=20)),
        html.Div([
            _field(LABELS["max_positions"], _number(ID.max_positions, asked["max_positions"])),
            _field(LABELS["min_position"], _number(ID.min_position, asked["min_position"]), "A ticker is left out, or held with at least this much."),
        ], className="controls compact"),
        _field("Never hold", dcc.Dropdown(id=ID.exclude, options=tickers(), value=asked["exclude"], multi=True,
                                          placeholder="Tickers to exclude", **KEPT), "A list of exclusions, such as an ESG list."),
    ])  # fmt: skip


def _sectors(asked: Mapping[str, Any]) -> html.Div:
    rows = [
        _field(name, _range({"type": "frontier-sector", "name": name}, asked["sectors"].get(name, [0, 100])))
        for name in sectors()
    ]
    return html.Div(rows or "The store knows no sectors.", className="small")


def _tickers(asked: Mapping[str, Any]) -> html.Div:
    return html.Div([
        _field("Tickers with bounds of their own", dcc.Dropdown(
            id=ID.bounded, options=tickers(), value=sorted(asked["tickers"]), multi=True, placeholder="Choose tickers", **KEPT)),
        html.Div([ticker_bound(name, bounds) for name, bounds in sorted(asked["tickers"].items())], id=ID.ticker_bounds),
    ])  # fmt: skip


def ticker_bound(name: str, bounds: Any) -> html.Div:
    """Return the two-sided slider of one ticker's weight."""
    return _field(name, _range({"type": "frontier-ticker", "name": name}, bounds))


def _others(asked: Mapping[str, Any]) -> html.Div:
    return html.Div([
        html.Div([
            _field(LABELS["min_cash"], _number(ID.min_cash, asked["min_cash"])),
            _field(LABELS["max_cash"], _number(ID.max_cash, asked["max_cash"]), "Cash earns the risk-free rate."),
            _field(LABELS["max_turnover"], _number(ID.max_turnover, asked["max_turnover"]), "Half the sum of all changes from what is held today."),
            _field(LABELS["min_dividend_yield"], _number(ID.min_dividend_yield, asked["min_dividend_yield"]), "Of the invested part, by the dividends of the last 252 sessions."),
        ], className="controls compact"),
        _field("Held today", _choice(ID.held, held_options(), asked["held"])),
    ])  # fmt: skip


def _chart_card(place: int, chosen: str) -> Any:
    marks = {number: str(number) for number in (1, *range(10, FRONTIER_POINTS + 1, 10))}
    slider = dcc.Slider(
        id=ID.portfolio,
        min=1,
        max=FRONTIER_POINTS,
        step=1,
        value=FRONTIER_POINTS // 2,
        marks=marks,
        updatemode="drag",
        **KEPT,
    )
    picks = (
        {ON_FRONTIER: "On the frontier, by the slider"}
        | {key: item.label for key, item in OBJECTIVES.items()}
        | {TODAY: "Held today"}
    )
    return card("Efficient frontier", [
        empty_graph(ID.chart),
        html.Div([
            html.Div(_field("Along the frontier", slider, "1 is minimum variance, the last the maximum of return; even steps in return. Or click on the line."),
                     className="flex-grow-1 frontier-slider"),
            _field("Chosen portfolio", _choice(ID.pick, picks, chosen),
                   "Everything below is about this portfolio. Objectives other than the frontier's keep to the same limits."),
        ], className="d-flex flex-wrap gap-3 align-items-start"),
    ], tip="The exact frontier by the critical line, within the limits and without them. Random portfolios are there for the picture alone.")  # fmt: skip


def _panels() -> Any:
    tabs = [dbc.Tab(_panel(item), label=item.label, tab_id=item.key) for item in PANELS.values()]
    return dbc.Card(dbc.CardBody(dbc.Tabs(tabs, id=ID.tab, active_tab=next(iter(PANELS)))), class_name="mb-3")


def _panel(panel: Panel) -> html.Div:
    fields = []
    for name, (label, control) in panel.controls.items():
        control.id = control_id(panel.key, name)
        fields.append(_field(label, control))
    body: Any = html.Div(id=body_id(panel.key))
    return html.Div([
        html.P(panel.tip, className="small text-body-secondary mt-3 mb-2"),
        html.Div(fields, className="controls mb-3") if fields else None,
        dcc.Loading(body, delay_show=400, type="dot") if panel.slow else body,
    ])  # fmt: skip


# ---- what the store offers; empty without a store: the answer area says what is missing


def universes() -> dict[str, str]:
    """Return {key: label} of the stored universes."""
    try:
        with market() as reader:
            return portfolio_inputs.universes(reader) or {"stocks": "All stocks"}
    except PlumblineError:
        return {"stocks": "All stocks"}


def tickers() -> list[dict[str, str]]:
    """Return the stocks and funds as options."""
    try:
        with market() as reader:
            listed = instrument_queries.instruments(reader)
    except PlumblineError:
        return []
    rows = listed[listed["kind"] != "index"].itertuples()
    return [{"value": row.ticker, "label": f"{row.ticker} · {row.name}"} for row in rows]


def sectors() -> list[str]:
    """Return the sectors of the stored stocks, sorted."""
    try:
        with market() as reader:
            listed = instrument_queries.instruments(reader)
    except PlumblineError:
        return []
    return sorted({name for name in listed["sector"] if isinstance(name, str)})


def held_options() -> dict[str, str]:
    """Return what may be held today: nothing known, equal weights, or a saved portfolio."""
    found = {NOTHING_HELD: "Nothing", EQUALLY_HELD: "Equal weights"}
    try:
        with reading(workspace()) as reader:
            return found | {name: name for name in portfolio_queries.portfolios(reader)["name"]}
    except PlumblineError:
        return found


def _field(label: str, control: Any, tip: str = "") -> html.Div:
    return html.Div([html.Span([label, " ", info(tip)] if tip else label, className="field-label"), control], className="mb-2")  # fmt: skip


def _choice(key: str, options: Mapping[str, str], value: str) -> dcc.Dropdown:
    return dcc.Dropdown(id=key, options=dict(options), value=value, clearable=False, **KEPT)


def _number(key: str, value: float | None) -> dbc.Input:
    return dbc.Input(id=key, type="number", value=value, step="any", size="sm", debounce=True, **KEPT)


def _slider(key: str, value: float, *, largest: int = 100) -> dcc.Slider:
    marks = {number: str(number) for number in range(0, largest + 1, largest // 4)}
    return dcc.Slider(id=key, min=0, max=largest, step=0.5, value=value, marks=marks, updatemode="drag", **KEPT)


def _range(key: Any, value: Any) -> dcc.RangeSlider:
    marks = {number: str(number) for number in (0, 25, 50, 75, 100)}
    return dcc.RangeSlider(id=key, min=0, max=100, step=1, value=value, marks=marks, updatemode="drag", **KEPT)
