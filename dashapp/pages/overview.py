"""Overview: the universe in one table, and its breadth."""

from typing import Any
from urllib.parse import urlencode

import pandas as pd
from dash import Input, Output, State, callback, dcc, html

from dashapp.components import (
    card,
    column,
    empty_state,
    grid,
    grid_id,
    guarded,
    number_column,
    percent_column,
    records,
    stat,
    stats,
)
from dashapp.data import market
from dashapp.format import percent
from dashapp.ids import SHELL, ids
from dashapp.inputs import clicked_ticker, view
from dashapp.pages._page import Page
from pipeline.queries import overview as overview_queries

ID = ids("overview", "content", "table", "go")
GRID = "overview"

COLUMNS = [
    column("ticker", "Ticker", width=80, pinned="left", cellClass="fw-semibold"),
    column("name", "Name", minWidth=120, tooltipField="name"),
    column("kind", "Kind", width=66),
    column("sector", "Sector", minWidth=110, tooltipField="sector"),
    column("last_date", "As of", width=98, tip="The session of price, returns and signal"),
    number_column("close", "Price", tip="Last close, USD; index points for an index", width=90),
    percent_column("return_1d", "1 day", digits=2, coloured=True, width=85,
                   tip="Total return of the last session; an index leaves dividends out"),
    percent_column("return_1m", "1 month", coloured=True, width=94, tip="Total return since the last close a calendar month ago"),
    percent_column("return_1y", "1 year", coloured=True, width=85, tip="Total return since the last close a calendar year ago"),
    column("signal", "Signal", width=80, tip="Overall signal of the seven core votes at the last close",
           cellClassRules={"tone-up": "params.value === 'Buy'", "tone-down": "params.value === 'Sell'"}),
    column("rating_label", "Rating", width=95, tip="Rating of all votes at the last close"),
    number_column("beta", "Beta", tip="CAPM beta, trailing 60 months", width=70),
    number_column("alpha_t", "Alpha t", tip="t statistic of the CAPM alpha, trailing 60 months, Newey-West errors", width=84),
    percent_column("expected_return", "Expected", tip="Annual return that CAPM requires, by the fit over the trailing 60 months", width=102),
    percent_column("expected_return_se", "± SE", tip="Standard error of the expected return", width=75),
]  # fmt: skip


def layout(**_query: str) -> html.Div:
    """Return the page's frame; the grid stands in it from the start, so that its click has a source."""
    table = grid(GRID, pd.DataFrame(columns=["ticker"]), COLUMNS, row_id="ticker", height=640, selectable=True)  # fmt: skip
    return html.Div([
        dcc.Location(id=ID.go, refresh="callback-nav"),
        html.Div(id=ID.content),
        html.Div(
            card("Universe", table, tip="Click a row to open the ticker. Columns sort and filter. A dash is unknown. Beta, alpha and expected return: CAPM, "
                 "trailing 60 months to the last month of the factor files."),
            id=ID.table,
        ),
    ])  # fmt: skip


@callback(
    Output(ID.content, "children"), Output(grid_id(GRID), "rowData"), Output(ID.table, "hidden"), Input(SHELL.run, "data")
)  # fmt: skip
def show(_run: Any) -> tuple[Any, list[dict[str, Any]], bool]:
    """Fill the table and count the breadth."""
    frame = _frame()
    if isinstance(frame, pd.DataFrame):
        return _breadth(frame), records(frame), False
    return frame, [], True


@guarded
def _frame() -> Any:
    with market() as reader:
        frame = overview_queries.overview(reader)
    if frame.empty:
        return empty_state("The store holds no instruments. Run: make update")
    words = {1: "Buy", -1: "Sell", 0: "Neutral"}
    return frame.assign(signal=frame["overall_signal"].map(words))


@callback(
    Output(ID.go, "href"), Input(grid_id(GRID), "selectedRows"), State(SHELL.view, "data"), prevent_initial_call=True
)
def open_ticker(rows: Any, seen: Any) -> str:
    """Open the clicked ticker on the Technical tab."""
    chosen_ticker = clicked_ticker(rows)
    return (
        f"/technical?{urlencode({'ticker': chosen_ticker, 'range': view(seen)[1]}, safe='^')}" if chosen_ticker else ""
    )


def _breadth(frame: pd.DataFrame) -> html.Div:
    stocks = frame[frame["kind"] == "stock"]
    date = stocks["last_date"].max() if len(stocks) else ""

    def share(mask: pd.Series, known: pd.Series) -> tuple[str, str]:
        count = int(known.sum())
        return percent(mask.sum() / count if count else float("nan"), digits=0), f"{int(mask.sum())} of {count} stocks"

    cards = [
        stat(
            "Stocks",
            str(len(stocks)),
            note=f"and {len(frame) - len(stocks)} funds or indices",
            tip="Active instruments of the store.",
        )
    ]
    for label, mask, known, tone, tip in (
        ("Signal buy", stocks["overall_signal"] == 1, stocks["overall_signal"].notna(), "up", "Stocks whose overall signal is buy."),
        ("Signal sell", stocks["overall_signal"] == -1, stocks["overall_signal"].notna(), "down", "Stocks whose overall signal is sell."),
        ("Rose last session", stocks["return_1d"] > 0, stocks["return_1d"].notna(), "", "Stocks with a positive total return in the last session."),
        ("Up over a year", stocks["return_1y"] > 0, stocks["return_1y"].notna(), "", "Stocks with a positive total return over a calendar year."),
        ("Alpha |t| > 2", stocks["alpha_t"].abs() > 2, stocks["alpha_t"].notna(), "",
         "Stocks whose CAPM alpha over 60 months has |t| above 2, before any correction for testing many stocks."),
    ):  # fmt: skip
        value, note = share(mask, known)
        cards.append(stat(label, value, note=note, tone=tone, tip=f"{tip} As of {date}."))
    return stats(cards)


PAGE = Page(
    key="overview", path="/", name="Overview", order=10,
    description="The universe in one sortable table: price, returns, signal, beta, alpha and expected return", layout=layout,
)  # fmt: skip
