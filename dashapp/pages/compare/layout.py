"""The frame of the Compare tab: the history of runs, what the chosen ones show at once, and what is asked for."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import dcc, html

from analytics.backtest.strategies import STRATEGIES
from analytics.errors import InputError
from dashapp.components import card, column, field, grid, info, number_column, percent_column
from dashapp.ids import ids
from dashapp.pages.compare.runs import MOST_RUNS, result_ids
from pipeline.standard import NIGHTS, SET

ID = ids(
    "compare", "runs", "changed", "strategy", "text", "start", "end", "listed", "told", "delete", "confirm", "content", "tab", "panel",
    "path_box", "path_run", "premium", "volatility", "years", "written", "panels", "standard",
)  # fmt: skip
GRID = "compare-history"
TABS = {"luck": "Skill or luck", "differences": "Is one better?", "blend": "Blend", "paths": "Monte-Carlo"}
TABLE_HEIGHT = 330
STANDARD_TIP = (
    f"Chooses the backtests of all stocks that every update runs: {', '.join(SET).lower()}. Those of the last {NIGHTS} nights are kept; a name or a "
    "note keeps one for good."
)
LONGEST_LINK = 1_000  # characters of ids that a link may hold


def layout(runs: str = "", **_query: str) -> html.Div:
    """Return the table of runs, the places of the answers and the controls; runs: result_ids of a link, with commas between."""
    linked, problem = _linked(runs)
    return html.Div([
        dcc.Store(id=ID.runs, data=linked), dcc.Store(id=ID.changed), dcc.Store(id=ID.written),
        card("Runs", _history(problem), tip=f"Every stored backtest, the newest first. Choose 2 to {MOST_RUNS} by their boxes; the address then links to "
             "this choice. Name and note can be written into: double-click a cell."),
        dcc.Loading(html.Div(id=ID.content), delay_show=300, overlay_style={"visibility": "visible"}),
        html.Div(id=ID.panels, hidden=True, children=[
            dbc.Tabs([dbc.Tab(label=label, tab_id=key) for key, label in TABS.items()], id=ID.tab, active_tab="luck", class_name="mb-3"),
            html.Div(_path_controls(), id=ID.path_box, hidden=True),
            dcc.Loading(html.Div(id=ID.panel), delay_show=300, overlay_style={"visibility": "visible"}),
        ]),
    ])  # fmt: skip


def _linked(runs: str) -> tuple[list[str], str]:
    """The result_ids of a link, or none and why not."""
    try:
        return list(result_ids([item for item in runs[:LONGEST_LINK].split(",") if item])), ""
    except InputError as error:
        return [], str(error)


def _history(problem: str) -> html.Div:
    strategies = {key: item.label for key, item in STRATEGIES.items()}
    return html.Div([
        html.Div([
            field("Strategy", dcc.Dropdown(id=ID.strategy, options=strategies, placeholder="All strategies")),
            field("Ticker, name or note", dbc.Input(id=ID.text, type="text", size="sm", debounce=True, maxlength=60)),
            field("Run from", dbc.Input(id=ID.start, type="date", size="sm"), "The day it was run, not the dates it covers."),
            field("Run to", dbc.Input(id=ID.end, type="date", size="sm")),
            html.Span([dbc.Button("The standard set", id=ID.standard, size="sm", color="secondary", outline=True), " ", info(STANDARD_TIP)]),
            dbc.Button("Delete the chosen runs", id=ID.delete, size="sm", color="danger", outline=True),
        ], className="controls mb-2"),
        html.Div(id=ID.listed, className="small text-body-secondary", role="status"),
        grid(GRID, pd.DataFrame({"result_id": []}), _columns(), row_id="result_id", height=TABLE_HEIGHT, row_height=32, many=True, file="runs"),
        html.Div(problem, id=ID.told, className="small mt-2", role="status"),
        dcc.ConfirmDialog(id=ID.confirm, message="Delete the chosen runs with their trades, notes and names? That they were tried stays in the ledger."),
    ])  # fmt: skip


def _columns() -> list[dict[str, Any]]:
    return [
        column("strategy", "Strategy", minWidth=150, tooltipField="strategy"), column("tickers", "Tickers", minWidth=135, tooltipField="all_tickers"),
        column("standard", "Standard set", width=105, tip="What it stands for in the set that every update runs"),
        column("name", "Name", minWidth=90, editable=True, tooltipField="name", tip="Double-click to write"),
        column("start_date", "From", width=100), column("end_date", "To", width=100),
        percent_column("annual_return", "Return a year", coloured=True, width=88),
        percent_column("annual_volatility", "Volatility", width=95), number_column("sharpe_ratio", "Sharpe", width=85),
        percent_column("max_drawdown", "Drawdown", width=105), number_column("n_trades", "Trades", digits=0, width=80),
        column("audit", "Audit", width=100), column("run_on", "Run on", width=100, tooltipField="run_on", valueFormatter={"function": "params.value.slice(0, 10)"}),
        column("note", "Note", minWidth=75, editable=True, tooltipField="note", tip="Double-click to write"),
    ]  # fmt: skip


def _path_controls() -> html.Div:
    return html.Div([
        html.Div(field("Run", dcc.Dropdown(id=ID.path_run, options=[], clearable=False, placeholder="The first chosen run")), className="flex-grow-1"),
        field("Market premium, points a year", _slider(ID.premium, -10, 10, 1, 0, {-10: "−10", 0: "0", 10: "+10"}),
               "What the market earns more a year than it did; the run gets its beta times that."),
        field("Volatility, times", _slider(ID.volatility, 0.5, 3, 0.25, 1, {0.5: "0.5", 1: "1", 2: "2", 3: "3"}),
               "How far each session strays from the mean, against what it did."),
        field("Years", _slider(ID.years, 1, 20, 1, 5, {1: "1", 5: "5", 10: "10", 20: "20"})),
    ], className="controls mb-3")  # fmt: skip


def _slider(key: str, low: float, high: float, step: float, value: float, marks: dict[float, str]) -> html.Div:
    slider = dcc.Slider(
        id=key, min=low, max=high, step=step, value=value, marks=marks, tooltip={"placement": "bottom"}, allow_direct_input=False,
    )  # fmt: skip
    return html.Div(slider, style={"minWidth": "14rem"})
