"""The list of my runs: what this browser has asked, how each is doing, opened or cancelled by a click."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from dash import Input, Output, State, callback, ctx, dcc, html, no_update, set_props
from dash.exceptions import PreventUpdate

from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.conventions import INITIAL_CAPITAL
from analytics.errors import PlumblineError
from dashapp import inputs
from dashapp.backtest_job import BACKTEST, cancel, owner
from dashapp.components import column, grid, grid_id, number_column, percent_column
from dashapp.data import settings, workspace
from dashapp.format import usd
from dashapp.ids import SHELL, ids
from dashapp.pages.backtest.assumptions import listed, lowered, setting, strategy_label
from dashapp.pages.compare.runs import tickers_text
from dashapp.progress import time_left
from pipeline import asked
from pipeline.workspace import ACTIVE

ID = ids("runs", "tick", "summary", "told")
GRID = "backtest-mine"
MOST = 100  # runs that are listed
TICK_MILLISECONDS = 1_000
HEIGHT = 250
STOP = "stop"  # the column that cancels
ENDED = ("done", "failed", "cancelled", "lost", asked.DELETED)
DRAWN, WAITING = "backtest-drawn", "backtest-waiting"  # the result that is shown; the job that has no answer yet
NONE_YET = "My runs: none yet in this browser"


def runs_list() -> html.Details:
    """Return the place of the list, closed: its line says how many run."""
    empty = pd.DataFrame({"id": []})
    return html.Details([
        html.Summary(NONE_YET, id=ID.summary),
        dcc.Interval(id=ID.tick, interval=TICK_MILLISECONDS, disabled=True),
        html.P(["What this browser asked, the newest first. Click a run to show it, or mark it with the space bar. All stored runs, everybody's: ", dcc.Link("Compare", href="/compare"), "."],
               className="small text-body-secondary my-1"),
        grid(GRID, empty, _columns(), row_id="id", height=HEIGHT, row_height=32, selectable=True, file="my-runs"),
        html.Div(id=ID.told, className="small", role="status"),
    ], className="mb-3")  # fmt: skip


def _columns() -> list[dict[str, Any]]:
    return [
        column("strategy", "Strategy", minWidth=150, tooltipField="strategy"), column("tickers", "Tickers", minWidth=120, tooltipField="tickers"),
        column("settings", "Not at its default", minWidth=180, tooltipField="settings"), column("dates", "Dates", width=200, tooltipField="dates"),
        column("state", "State", minWidth=150, tooltipField="message"),
        percent_column("total_return", "Return", coloured=True, width=95), number_column("sharpe_ratio", "Sharpe", width=85),
        column("asked_at", "Asked (UTC)", width=175), column(STOP, "", width=80, cellClass="grid-action", sortable=False, filter=False),
    ]  # fmt: skip


@callback(
    Output(grid_id(GRID), "rowData"), Output(ID.summary, "children"), Output(ID.tick, "disabled"),
    Input(DRAWN, "data"), Input(ID.tick, "n_intervals"), Input(WAITING, "data"), Input(ID.told, "children"),
)  # fmt: skip
def list_mine(shown: Any, *_changes: Any) -> tuple[Any, Any, Any]:
    """List this browser's runs, mark the one that is shown, and look again while one of them has not ended."""
    try:
        found = asked.mine(workspace(), owner(), kind=BACKTEST, most=MOST)
    except PlumblineError:
        return no_update, no_update, True  # the place of the answer says what is wrong
    idle = not any(row["state"] in ACTIVE for row in found)
    if ctx.triggered_id in (
        None,
        DRAWN,
        WAITING,
    ):  # as a property: an output would close a circle, for a marked row is shown
        drawn = (
            shown if ctx.triggered_id != WAITING else None
        )  # another is waited for: the one that is shown can be chosen again
        marked = [row["question_id"] for row in found if drawn is not None and row["stored_id"] == drawn]
        set_props(grid_id(GRID), {"selectedRows": {"ids": marked}})
    return run_rows(found, seconds=settings().job_seconds), summary(found), idle


@callback(
    Output(ID.told, "children"), Output(SHELL.backtest_job, "data", allow_duplicate=True),
    Input(grid_id(GRID), "selectedRows"), Input(grid_id(GRID), "cellClicked"), State(SHELL.backtest_job, "data"), prevent_initial_call=True,
)  # fmt: skip
def open_run(marked: Any, clicked: Any, followed: Any) -> tuple[Any, Any]:
    """Show the run of the row that was marked, by a click or the space bar, or cancel it where its cancel was clicked."""
    stop = clicked.get("rowId") if isinstance(clicked, Mapping) and clicked.get("colId") == STOP else None
    stopping = stop is not None and any(name.endswith(".cellClicked") for name in ctx.triggered_prop_ids)
    chosen = stop if stopping else _marked(marked)
    if chosen is None or (chosen == stop and not stopping):  # the click that cancels marks the row too
        raise PreventUpdate
    name = inputs.name("run", chosen)
    found = asked.mine(workspace(), owner(), kind=BACKTEST, most=MOST)
    row = next((item for item in found if item["question_id"] == name), None)
    if row is None:
        raise PreventUpdate
    if stopping and row["state"] in ACTIVE:
        cancel(str(row["job_id"]))
        return f"{strategy_label(row['request'])} on {listed(row['request']['tickers'])} is cancelled.", no_update
    if row["state"] not in ACTIVE and not row["stored_id"]:
        return _why_not(row), no_update
    wanted = {"job_id": row["job_id"]} if row["state"] in ACTIVE else {"result_id": row["stored_id"]}
    return "", no_update if wanted == followed else wanted


def _marked(rows: Any) -> Any:
    """The run of the marked row, None where none is."""
    return rows[0].get("id") if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else None


def _why_not(row: Mapping[str, Any]) -> str:
    if row["state"] == asked.DELETED:
        return "That result was deleted: run it again to have it."
    return f"That run has no answer ({row['state']}). {row['message'] or ''} Run it again to have one."


def run_rows(found: Sequence[Mapping[str, Any]], *, seconds: float) -> list[dict[str, Any]]:
    """Return what the list shows of `asked.mine`; seconds: the time that a job may run."""
    return [
        {
            "id": row["question_id"], "strategy": strategy_label(row["request"]), "tickers": ", ".join(row["request"]["tickers"]),
            "settings": changed_settings(row["request"]), "dates": f"{row['request']['start_date']} to {row['request']['end_date']}",
            "state": state_text(row, seconds=seconds), "message": row["message"] or "", "total_return": row["total_return"],
            "sharpe_ratio": row["sharpe_ratio"], "asked_at": _asked_at(row),
            STOP: "cancel" if row["state"] in ACTIVE else "",
        }
        for row in found
    ]  # fmt: skip


def _asked_at(row: Mapping[str, Any]) -> str:
    """When it was asked, to the second: a form is often pressed twice within a minute."""
    return f"{row['asked_at'][:10]} {row['asked_at'][11:19]}"


def others(result_id: str) -> list[dict[str, str]]:
    """Return this browser's other runs that have an answer as options, the newest first."""
    found = asked.mine(workspace(), owner(), kind=BACKTEST, most=MOST)
    newest = {row["stored_id"]: row for row in reversed(found) if row["stored_id"] not in (None, result_id)}
    return [
        {"value": name, "label": " · ".join(part for part in (
            strategy_label(row["request"]), tickers_text(row["request"]["tickers"]), changed_settings(row["request"]), _asked_at(row),
        ) if part)}
        for name, row in sorted(newest.items(), key=lambda item: str(item[1]["asked_at"]), reverse=True)
    ]  # fmt: skip


def state_text(row: Mapping[str, Any], *, seconds: float) -> str:
    """Return how a run is doing in a few words."""
    if row["state"] == "queued":
        return f"waiting, {row['ahead']:.0f} ahead" if row["ahead"] else "next in line"
    if row["state"] == "running":
        left = time_left(dict(row), seconds=seconds)
        doing = "answered, checking" if row["stored_id"] else "running"
        return f"{doing} {row['progress']:.0%}" + (f", {left:.0f} s left" if left is not None else "")
    if row["stored_id"] and not row["verdict"]:
        return f"{row['state']}, not checked"
    return str(row["state"])


def changed_settings(request: Mapping[str, Any]) -> str:
    """Return the parameters, costs and rules of a request that are not at their default, in words."""
    strategy, params = STRATEGIES.get(request["strategy_name"]), request["params"]
    declared = (*(strategy.parameters if strategy else ()), *COSTS, *RULES)
    told = [
        f"{lowered(item.label)} {setting(item, params[item.name])}"
        for item in declared
        if item.name in params and _plain(params[item.name]) != _plain(item.check(item.default))
    ]
    capital = params.get("initial_capital", INITIAL_CAPITAL)
    told += [f"capital {usd(capital, digits=0)}"] if capital != INITIAL_CAPITAL else []
    return ", ".join(told + ([str(params["engine"])] if params.get("engine", "kernel") != "kernel" else []))


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, (list, tuple)) else value


def summary(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the line above the list: how many of the runs are in which state."""
    if not found:
        return NONE_YET
    names = {"queued": "waiting", "running": "running"} | {state: state for state in ENDED}
    counts = Counter(row["state"] for row in found)
    return "My runs: " + ", ".join(f"{counts[state]} {word}" for state, word in names.items() if counts[state])
