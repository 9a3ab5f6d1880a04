"""Data: which run is shown, from which source, how old, and what it could not use."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import Input, Output, callback, html

from dashapp.components import card, column, grid, guarded, number_column, stat, stats
from dashapp.data import market, published, settings
from dashapp.format import age, number
from dashapp.ids import SHELL, ids
from dashapp.pages._page import Page
from pipeline.queries import prices as price_queries
from pipeline.queries import runs as run_queries

ID = ids("data", "content")


def layout(**_query: str) -> html.Div:
    """Return an empty page: the callback fills it."""
    return html.Div(id=ID.content)


@callback(Output(ID.content, "children"), Input(SHELL.url, "pathname"))
@guarded
def show(_pathname: str) -> Any:
    """Show the published run."""
    with market() as reader:
        run, source = published(reader)
        steps, fetched = run_queries.run_steps(reader, run["run_id"]), run_queries.fetch_log(reader, run["run_id"])
        coverage, rejects = price_queries.coverage(reader), run_queries.rejects(reader, run["run_id"])
        tables = run_queries.table_rows(reader, run["run_id"])
    failed = run_queries.failed_update(settings().db, published_at=run["published_at"])
    return [
        _failure(failed, run) if failed else None,
        stats(_cards(run, source.label, steps, coverage, rejects)),
        html.P(source.description, className="text-body-secondary"),
        card("Steps", _steps(steps)),
        card("Coverage", _coverage(coverage), tip="Bars per ticker, and how many of them have highs and lows, and volume."),
        card("What the source said", _fetched(fetched), tip="Tickers and files for which nothing came (unknown, not delisted), and what looks odd in those that did."),
        card("Rejected rows", _rejects(rejects), tip="Rows the quality gate refused, with the reason; they are in no table."),
        card("Tables", _tables(tables), tip="Rows and checksum of every table of this run: the same content gives the same checksum."),
    ]  # fmt: skip


def _failure(failed: dict[str, Any], run: dict[str, Any]) -> dbc.Alert:
    return dbc.Alert(
        [html.Strong(f"The last update failed in step {failed['step']} {age(failed['started_at'])}. "),
         f"{failed['message']} What is shown was published {age(run['published_at'])} and is complete."],
        color="warning",
    )  # fmt: skip


def _cards(
    run: dict[str, Any], label: str, steps: pd.DataFrame, coverage: pd.DataFrame, rejects: pd.DataFrame
) -> list[Any]:
    seconds = steps["seconds"].sum()
    return [
        stat("Source", label, tip="The store holds one source at a time."),
        stat("Published", age(run["published_at"]), note=run["published_at"], tip="When this run became the one shown (UTC)."),
        stat("State", run["status"] or "–", tone="up" if run["status"] == "complete" else "", note=f"{number(seconds, digits=1)} s in all",
             tip="Complete, or partial: published although something did not come."),
        stat("Newest price", str(coverage["last_date"].max()), note=f"{len(coverage)} instruments", tip="The latest session of any instrument."),
        stat("Rejected rows", number(len(rejects), digits=0), tip="Rows refused by the quality gate."),
        stat("Code", run["code_version"], note=f"run {run['run_id']}", tip="Version of the code that computed this run, and the run's name."),
    ]  # fmt: skip


def _steps(steps: pd.DataFrame) -> Any:
    return grid("data-steps", steps, [
        column("step", "Step"), column("status", "State", width=110), number_column("seconds", "Seconds", digits=1),
        number_column("rows_written", "Rows", digits=0, width=120), number_column("rows_rejected", "Rejected", digits=0, width=110),
        column("message", "What", minWidth=260, flex=3, wrapText=True, autoHeight=True),
    ], row_id="step")  # fmt: skip


def _coverage(coverage: pd.DataFrame) -> Any:
    return grid("data-coverage", coverage, [
        column("ticker", "Ticker", width=100, pinned="left"), column("name", "Name", minWidth=160), column("kind", "Kind", width=90),
        column("first_date", "First", width=115), column("last_date", "Last", width=115), number_column("rows", "Bars", digits=0),
        number_column("rows_with_range", "With range", digits=0, width=120), number_column("rows_with_volume", "With volume", digits=0, width=130),
    ], row_id="ticker", height=420)  # fmt: skip


def _fetched(fetched: pd.DataFrame) -> Any:
    told = fetched[(fetched["status"] != "ok") | (fetched["message"].fillna("") != "")]
    count = html.P(f"{(fetched['status'] == 'ok').sum()} of {len(fetched)} tickers and files came.", className="mb-1")
    if told.empty:
        return count
    columns = [column("ticker", "Ticker", width=160), column("status", "State", width=110),
               column("message", "Message", flex=3, wrapText=True, autoHeight=True)]  # fmt: skip
    return [count, grid("data-fetched", told, columns, row_id="ticker")]


def _rejects(rejects: pd.DataFrame) -> Any:
    if rejects.empty:
        return html.P("None: every row that came passed the quality gate.", className="mb-0")
    numbered = rejects.assign(number=rejects.index.astype(str))
    return grid("data-rejects", numbered, [
        column("ticker", "Ticker", width=110), column("date", "Date", width=120), column("reason", "Reason", flex=2), column("payload", "Row as it came", flex=3),
    ], row_id="number", height=360)  # fmt: skip


def _tables(tables: pd.DataFrame) -> Any:
    return grid("data-tables", tables, [column("table_name", "Table"), number_column("rows", "Rows", digits=0, width=130),
                                        column("checksum", "Checksum", flex=2)], row_id="table_name")  # fmt: skip


PAGE = Page(
    key="data", path="/data", name="Data", order=60,
    description="Which run is shown, from which source, how old it is, and what was rejected", layout=layout,
)  # fmt: skip
