"""Data: which run is shown, from which source, how old, what it could not use, and the way to a newer one."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import Input, Output, callback, ctx, html, set_props
from flask import current_app

from analytics.errors import PlumblineError
from dashapp.components import card, column, grid, guarded, info, number_column, percent_column, stat, stats
from dashapp.data import UPDATE_KEY, market, published, settings
from dashapp.format import age, duration, number, without_folders
from dashapp.ids import SHELL, ids
from dashapp.pages._page import Page
from dashapp.status import Status, seconds_since, status, step_name
from pipeline.queries import prices as price_queries
from pipeline.queries import quality as quality_queries
from pipeline.queries import runs as run_queries

ID = ids("data", "content", "refresh", "progress")

FIRST_LOOK_MILLISECONDS = 1_000  # after the button was pressed
REFRESH_TIP = (
    "Fetches, checks, computes and publishes, as make update does. One update at a time; what is shown stays until the "
    "new run is complete; its standard backtests follow. You may leave the page."
)


def layout(**_query: str) -> html.Div:
    """Return the button and an empty page: the callbacks fill it."""
    button = dbc.Button(
        [html.I(className="bi bi-arrow-repeat"), " Refresh data"], id=ID.refresh, size="sm", disabled=True
    )
    return html.Div([
        html.Div([
            html.Div(id=ID.progress, className="update-progress", role="status"), html.Span([button, " ", info(REFRESH_TIP)]),
        ], className="d-flex flex-wrap gap-2 justify-content-between align-items-center mb-3"),
        html.Div(id=ID.content),
    ])  # fmt: skip


@callback(
    Output(ID.refresh, "disabled"), Output(ID.progress, "children"),
    Input(ID.refresh, "n_clicks"), Input(SHELL.update, "data"), Input(SHELL.run, "data"),
)  # fmt: skip
def refresh(clicks: int | None, _update: Any, _run: Any) -> tuple[bool, Any]:
    """Start an update where the button was pressed, and say how the newest one fares."""
    refused = ""
    if clicks and ctx.triggered_id == ID.refresh:
        try:
            _start()
        except PlumblineError as error:
            refused = str(error)
        set_props(SHELL.tick, {"interval": FIRST_LOOK_MILLISECONDS})
    now = status()
    damage = dbc.Alert(now.fault, color="danger", class_name="mb-2") if now.fault else None
    return now.update["state"] == "running", [_refusal(refused) if refused else None, damage, _progress(now)]


def _start() -> None:
    if status().update["state"] != "running":  # one that cron started; the lock has the last word
        current_app.config[UPDATE_KEY].start(settings())


def _refusal(words: str) -> dbc.Alert:
    return dbc.Alert(words, color="info", class_name="mb-2 py-2")


def _progress(now: Status) -> Any:
    update, shown = now.update, ""
    if now.run:
        whole = "" if now.fault else " and is complete"
        shown = f" What is shown was published {age(now.run['published_at'])}{whole}."
    if update["state"] == "running":
        taken = f", {duration(seconds_since(update['started_at']))}" if update["started_at"] else ""
        words = f" Updating: {step_name(update['step'])}{taken}.{shown}"
        return html.Span([dbc.Spinner(size="sm", color="primary", spinner_class_name="me-1"), words])
    if update["state"] == "none":
        return html.Span(now.outcome or "No update is running.", className="text-body-secondary")
    how = "failed" if update["state"] == "failed" else "was stopped"
    return dbc.Alert([
        html.Strong(f"The last update {how} in step {step_name(update['step'])}, {age(update['started_at'])}. "),
        f"{update['message']}{shown}",
    ], color="warning", class_name="mb-0")  # fmt: skip


@callback(Output(ID.content, "children"), Input(SHELL.run, "data"))
@guarded
def show(_run: Any) -> Any:
    """Show the published run."""
    with market() as reader:
        run, source = published(reader)
        steps, fetched = run_queries.run_steps(reader, run["run_id"]), run_queries.fetch_log(reader, run["run_id"])
        coverage, rejects = price_queries.coverage(reader), run_queries.rejects(reader, run["run_id"])
        tables, history = run_queries.table_rows(reader, run["run_id"]), run_queries.history(reader)
        scores, flags = quality_queries.scores(reader), quality_queries.flags(reader)
    return [
        stats(_cards(run, source.label, steps, coverage, rejects)),
        html.P(source.description, className="text-body-secondary"),
        card("Steps", _steps(steps)),
        card("Coverage", _coverage(coverage, scores), tip="Bars per ticker, and how many of them have highs and lows, and volume. "
             "Quality is 100 % where nothing is missing, stale, odd or rejected."),
        card("What looks odd", _flags(flags), tip="Prices that passed the quality gate and deserve a look, newest first."),
        card("What the source said", _fetched(fetched), tip="Tickers and files for which nothing came (unknown, not delisted), and what looks odd in those that did."),
        card("Rejected rows", _rejects(rejects), tip="Rows the quality gate refused, with the reason; they are in no table."),
        card("Last runs", _history(history), tip="Every update that was kept, also those that failed: times are UTC."),
        card("Tables", _tables(tables), tip="Rows and checksum of every table of this run: the same content gives the same checksum."),
    ]  # fmt: skip


def _cards(
    run: dict[str, Any], label: str, steps: pd.DataFrame, coverage: pd.DataFrame, rejects: pd.DataFrame
) -> list[Any]:
    seconds = steps["seconds"].sum()
    return [
        stat("Source", label, tip="The store holds one source at a time."),
        stat("Published", run["published_at"][:10], note=f"{run['published_at'][11:16]} UTC", tip="When this run became the one shown."),
        stat("State", run["status"] or "–", tone="up" if run["status"] == "complete" else "", note=f"{number(seconds, digits=1)} s in all",
             tip="Complete, or partial: published although something did not come."),
        stat("Newest price", str(coverage["last_date"].max()), note=f"{len(coverage)} instruments", tip="The latest session of any instrument."),
        stat("Rejected rows", number(len(rejects), digits=0), tip="Rows refused by the quality gate."),
        stat("Code", run["code_version"][:8], note=f"run {run['run_id']}", tip="Version of the code that computed this run, and the run's name."),
    ]  # fmt: skip


def _minute(timestamp: str) -> str:
    return timestamp[:16].replace("T", " ")


def _steps(steps: pd.DataFrame) -> Any:
    return grid("data-steps", steps, [
        column("step", "Step", minWidth=130), column("status", "State", width=110), number_column("seconds", "Seconds", digits=1),
        number_column("rows_written", "Rows", digits=0, width=120), number_column("rows_rejected", "Rejected", digits=0, width=110),
        column("message", "What", minWidth=260, flex=3, wrapText=True, autoHeight=True),
    ], row_id="step")  # fmt: skip


def _coverage(coverage: pd.DataFrame, scores: pd.DataFrame) -> Any:
    rows = coverage.merge(scores, on="ticker", how="left")
    return grid("data-coverage", rows, [
        column("ticker", "Ticker", width=100, pinned="left"), column("name", "Name", minWidth=160), column("kind", "Kind", width=80),
        column("first_date", "First", width=108), column("last_date", "Last", width=108), number_column("rows", "Bars", digits=0, width=85),
        number_column("rows_with_range", "With range", digits=0, width=95), number_column("rows_with_volume", "With volume", digits=0, width=95),
        percent_column("score", "Quality", digits=2, width=100, tip="From 0 to 100 %; docs/DATA.md has the formula"),
        number_column("missing_sessions", "Missing", digits=0, width=95, tip="Sessions of the exchange without a bar"),
        number_column("stale_sessions", "Stale", digits=0, width=80, tip="Bars with the same four prices as the session before"),
        number_column("jumps", "Jumps", digits=0, width=85, tip="Sessions on which the price moved by more than 40 %"),
        number_column("rejected_rows", "Rejected", digits=0, width=95, tip="Rows that the quality gate refused"),
    ], row_id="ticker", height=420)  # fmt: skip


def _flags(flags: pd.DataFrame) -> Any:
    if flags.empty:
        return html.P("Nothing.", className="mb-0")
    numbered = flags.assign(number=flags.index.astype(str))
    return grid("data-flags", numbered, [
        column("ticker", "Ticker", width=110), column("date", "Date", width=120), column("check_name", "Check", width=180),
        column("message", "What", flex=3, minWidth=260),
    ], row_id="number", height=300)  # fmt: skip


def _fetched(fetched: pd.DataFrame) -> Any:
    told = fetched[(fetched["status"] != "ok") | (fetched["message"].fillna("") != "")]
    count = html.P(f"{(fetched['status'] == 'ok').sum()} of {len(fetched)} tickers and files came.", className="mb-1")
    if told.empty:
        return count
    columns = [column("ticker", "Ticker", width=160), column("status", "State", width=110),
               column("message", "Message", minWidth=260, flex=3, wrapText=True, autoHeight=True)]  # fmt: skip
    return [count, grid("data-fetched", told, columns, row_id="ticker")]


def _rejects(rejects: pd.DataFrame) -> Any:
    if rejects.empty:
        return html.P("None: every row that came passed the quality gate.", className="mb-0")
    numbered = rejects.assign(number=rejects.index.astype(str))
    return grid("data-rejects", numbered, [
        column("ticker", "Ticker", width=110), column("date", "Date", width=120), column("reason", "Reason", minWidth=200, flex=2),
        column("payload", "Row as it came", minWidth=320, flex=3),
    ], row_id="number", height=360)  # fmt: skip


def _history(runs: pd.DataFrame) -> Any:
    shown = runs.assign(started_at=runs["started_at"].map(_minute), message=runs["message"].map(without_folders))
    return grid("data-history", shown, [
        column("started_at", "Started", width=145), column("status", "State", width=105),
        number_column("rows", "Rows", digits=0, width=110), number_column("seconds", "Seconds", digits=1, width=100),
        column("message", "What", minWidth=220, flex=3, wrapText=True, autoHeight=True), column("run_id", "Run", minWidth=210),
    ], row_id="run_id")  # fmt: skip


def _tables(tables: pd.DataFrame) -> Any:
    return grid("data-tables", tables, [column("table_name", "Table", minWidth=180), number_column("rows", "Rows", digits=0, width=130),
                                        column("checksum", "Checksum", minWidth=260, flex=2)], row_id="table_name")  # fmt: skip


PAGE = Page(
    key="data", path="/data", name="Data", order=60,
    description="Which run is shown, from which source, how old it is, and what was rejected", layout=layout,
)  # fmt: skip
