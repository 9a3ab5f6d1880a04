"""The form of the Sensitivity tab, its progress line and the places of the answer."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import dcc, html

from analytics.backtest.sensitivity import OTHERS
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.sweep_cells import KEPT
from analytics.errors import PlumblineError
from analytics.metrics import METRICS
from dashapp.components import card, field, grid
from dashapp.data import workspace
from dashapp.ids import ids
from dashapp.inputs import name as stored_name
from dashapp.pages.backtest.controls import ONE_OF_LABELS
from dashapp.pages.backtest.layout import tradable_tickers
from dashapp.pages.sensitivity.form import DRAWS, PLACES, TERMS, WAYS, first_axes, first_range, swept, swept_parameter
from pipeline import sweeps

ID = ids(
    "sensitivity", "strategy", "tickers", "start", "end", *TERMS,
    *(f"{part}_{place}" for place in PLACES for part in ("axis", "low", "high", "step")),
    "way", "draws", "seed", "count", "run", "cancel", "resume", "error", "interval", "progress", "message", "shown", "linked",
    "content", "body", "metric", "x", "y", "others", "map", "go", "history", "fields", "y_box", "others_box", "written",
)  # fmt: skip
GRID = "sensitivity-cells"
POLL_MILLISECONDS = 300
STRATEGIES_SWEPT = {item.key: item.label for item in STRATEGIES.values() if swept(item.key)}
SEED = 1
OTHERS_LABELS = {"best": "best", "median": "median"}


def layout(sweep: str | None = None, **_query: str) -> html.Div:
    """Return the form, the progress line and the places of the answer; the address may name a stored sweep."""
    linked = stored_row(sweep)
    return html.Div([
        dcc.Location(id=ID.go, refresh="callback-nav"),
        dcc.Interval(id=ID.interval, interval=POLL_MILLISECONDS, disabled=True),
        dcc.Store(id=ID.written),
        dcc.Store(id=ID.linked, data=linked["sweep_id"] if linked else None),
        dcc.Store(id=ID.shown, data={"sweep": linked["sweep_id"], "job": None} if linked else None),
        card("Sensitivity", _form(form_fields(linked)), tip="One backtest for every set of parameters, by the engine of the Backtest tab. "
             "Parameters that are not swept stand at their defaults. Every set is counted as a try."),
        *([html.P("The sweep that the address names is not stored here.", className="mb-1")] if sweep and linked is None else []),
        html.Div(id=ID.content),
        html.Div([
            card("The landscape", [_map_controls(), html.Div(id=ID.map)],
                 tip="A peak whose neighbours are poor is luck; a plateau may not be. The plateau score of a set is the median of its "
                     "neighbourhood, all sets up to one step away on every axis."),
            card("Every parameter set", grid(GRID, pd.DataFrame(columns=["cell"]), [], row_id="cell", height=460, selectable=True, file="sensitivity"),
                 tip="Click a row to open it as a backtest. Whoever picks the best row has chosen with hindsight."),
        ], id=ID.body, hidden=True),
        html.Div(id=ID.history),
    ])  # fmt: skip


def stored_row(sweep: str | None) -> dict[str, Any] | None:
    """Return the row of a stored sweep, None where there is none of this name."""
    try:
        return sweeps.load(stored_name("sweep", sweep), workspace=workspace()) if sweep else None
    except PlumblineError:
        return None


def _filled(linked: dict[str, Any] | None) -> dict[str, Any]:
    """The values that the form begins with: those of a stored sweep, or the first of all."""
    if linked is None or linked["strategy"] not in STRATEGIES_SWEPT:
        strategy = "technical_vote"
        spans = [(name, *first_range(strategy, name)) for name in first_axes(strategy) if name]
        terms = {name: item.default * 100 if item.percent else item.default for name, item in TERMS.items()}
        return {
            "strategy": strategy,
            "tickers": [],
            "start": None,
            "end": None,
            "terms": terms,
            "spans": spans,
            "draws": None,
            "seed": SEED,
        }
    strategy, axes = linked["strategy"], linked["axes"]
    spans = []
    for span in axes["ranges"]:
        factor = 100 if swept_parameter(strategy, span["name"]).percent else 1
        spans.append((span["name"], *(round(span[end] * factor, 9) for end in ("low", "high", "step"))))
    terms = {
        name: linked["params"][name] * 100 if item.percent else linked["params"][name] for name, item in TERMS.items()
    }
    return {"strategy": strategy, "tickers": linked["tickers"], "start": linked["start_date"], "end": linked["end_date"],
            "terms": terms, "spans": spans, "draws": axes["draws"], "seed": axes["seed"] if axes["draws"] else SEED}  # fmt: skip


def form_fields(linked: dict[str, Any] | None) -> list[Any]:
    """Return the fields of the form with the values of a stored sweep, or those that it begins with."""
    filled = _filled(linked)
    return [
        html.Div([
            field("Strategy", dcc.Dropdown(id=ID.strategy, options=STRATEGIES_SWEPT, value=filled["strategy"], clearable=False)),
            html.Div(field("Tickers", dcc.Dropdown(id=ID.tickers, options=tradable_tickers(), value=filled["tickers"], multi=True, placeholder="Choose tickers")),
                     className="flex-grow-1"),
            field("From", dbc.Input(id=ID.start, type="date", size="sm", value=filled["start"]), "First date; empty: from the first price."),
            field("To", dbc.Input(id=ID.end, type="date", size="sm", value=filled["end"]), "Last date; empty: to the last price."),
        ], className="controls mb-2"),
        html.Div([_term(name, filled["terms"][name]) for name in TERMS], className="controls mb-3"),
        *(_axis(place, filled) for place in PLACES),
        html.Div([
            field("Sets", dcc.Dropdown(id=ID.way, options=WAYS, value="random" if filled["draws"] else "grid", clearable=False)),
            field("How many", _number(ID.draws, filled["draws"] or DRAWS), "Of sets drawn at random: every combination needs no number."),
            field("Seed", _number(ID.seed, filled["seed"]), "The same seed draws the same sets."),
            html.Div(id=ID.count, className="small align-self-end pb-1", role="status"),
        ], className="controls my-3"),
    ]  # fmt: skip


def _form(fields: list[Any]) -> html.Div:
    return html.Div([
        html.Div(fields, id=ID.fields),
        html.Div([
            dbc.Button("Run sweep", id=ID.run, color="primary"),
            dbc.Button("Cancel", id=ID.cancel, color="secondary", outline=True, disabled=True),
            dbc.Button("Resume", id=ID.resume, color="secondary", outline=True, disabled=True),
            dbc.Progress(id=ID.progress, value=0, striped=True, animated=True, class_name="flex-grow-1", style={"visibility": "hidden"}),
        ], className="d-flex gap-2 align-items-center"),
        html.Div(id=ID.message, className="small text-body-secondary mt-2", role="status"),
        html.Div(id=ID.error),
    ])  # fmt: skip


def _axis(place: int, filled: dict[str, Any]) -> html.Div:
    """One row of the form: a parameter, and its values from, to and step."""
    name, low, high, step = [*filled["spans"], *[(None, None, None, None)] * len(PLACES)][place - 1]
    of = vars(ID)
    return html.Div([
        html.Div(field(f"Parameter {place}", dcc.Dropdown(id=of[f"axis_{place}"], options=swept(filled["strategy"]), value=name, placeholder="None")),
                 style={"width": "16rem"}),
        field("From", _number(of[f"low_{place}"], low)), field("To", _number(of[f"high_{place}"], high)), field("Step", _number(of[f"step_{place}"], step)),
    ], className="controls mb-2")  # fmt: skip


def _term(name: str, value: Any) -> html.Div:
    item, key = TERMS[name], vars(ID)[name]
    if item.one_of:
        options = {choice: ONE_OF_LABELS.get(choice, choice) for choice in item.one_of}
        return field(item.label, dcc.Dropdown(id=key, options=options, value=value, clearable=False), item.help)
    return field(f"{item.label}, %", _number(key, round(value, 6)), item.help)


def _map_controls() -> html.Div:
    metrics = {key: METRICS[key].label for key in KEPT}
    return html.Div([
        field("Metric", dcc.Dropdown(id=ID.metric, options=metrics, value="sharpe_ratio", clearable=False)),
        field("Across", dcc.Dropdown(id=ID.x, options=[], clearable=False)),
        html.Div(field("Up", dcc.Dropdown(id=ID.y, options=[], clearable=False)), id=ID.y_box),
        html.Div(field("Of the third", dcc.Dropdown(id=ID.others, options={key: OTHERS_LABELS[key] for key in OTHERS}, value="best", clearable=False),
                       "What a place of the map shows of the third parameter."), id=ID.others_box),
    ], className="controls mb-2")  # fmt: skip


def _number(key: str, value: Any) -> dbc.Input:
    return dbc.Input(id=key, type="number", value=value, step="any", size="sm")
