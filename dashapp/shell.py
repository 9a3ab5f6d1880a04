"""What stands around every page: the top bar, the state of the view, and the messages."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html

from analytics.errors import PlumblineError
from dashapp.data import market, published, settings
from dashapp.format import age
from dashapp.ids import SHELL
from dashapp.pages import PAGES
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import runs as run_queries

RANGES = ("1m", "3m", "6m", "1y", "2y", "5y", "max")


def layout() -> html.Div:
    """Return the whole page; called at every page load, so that the ticker list is that of the published run."""
    options, fallback = _tickers()
    return html.Div([
        dcc.Location(id=SHELL.url, refresh=False),
        dcc.Store(id=SHELL.view), dcc.Store(id=SHELL.theme_name), dcc.Store(id=SHELL.options, data=_options(fallback)),
        dcc.Store(id=SHELL.backtest_job, storage_type="session"),
        dcc.Store(id=SHELL.backtest_request), dcc.Store(id=SHELL.backtest_outcome),
        _top_bar(options),
        html.H1("Plumbline, the equity-analysis workbench", className="visually-hidden"),
        html.Main(dash.page_container, className="page"),
        html.Div(id=SHELL.toasts, className="position-fixed bottom-0 end-0 p-3", style={"zIndex": 1090}),
    ])  # fmt: skip


def toast(message: str) -> dbc.Toast:
    """Return a message that stays until it is read."""
    return dbc.Toast(message, header="Something went wrong", icon="danger", dismissable=True, duration=15_000)


def _options(fallback: str | None) -> dict[str, Any]:
    """What the browser needs to keep URL and controls the same."""
    return {"ticker": fallback, "ranges": RANGES, "uses": {page.path: page.uses for page in PAGES.values()}}


def _tickers() -> tuple[list[dict[str, str]], str | None]:
    try:
        with market() as reader:
            listed = instrument_queries.instruments(reader)
    except PlumblineError:
        return [], None  # the pages say why
    options = [
        {"value": row.ticker, "label": f"{row.ticker} · {row.name}", "search": f"{row.ticker} {row.name} {row.sector}"}
        for row in listed.itertuples()
    ]  # fmt: skip
    return options, options[0]["value"] if options else None


def _top_bar(options: list[dict[str, str]]) -> html.Header:
    links = [
        html.Li(
            dbc.NavLink(page.name, id={"type": "nav", "path": page.path}, href=page.path),
            className="nav-item",
            title=page.description,
        )
        for page in PAGES.values()
    ]
    ranges = dbc.RadioItems(
        id=SHELL.range, options=[{"label": name, "value": name} for name in RANGES], value="2y", class_name="btn-group",
        input_class_name="btn-check", label_class_name="btn btn-sm btn-outline-secondary", label_checked_class_name="active",
    )  # fmt: skip
    search = dcc.Dropdown(
        id=SHELL.ticker, options=options, value=options[0]["value"] if options else None, clearable=False,
        placeholder="Search ticker or name",
    )  # fmt: skip
    theme = dbc.Button(
        html.I(className="bi bi-circle-half"), id=SHELL.theme, color="link", size="sm", title="Light or dark",
        class_name="text-body",
    )  # fmt: skip
    return html.Header(
        html.Div([
            html.A([html.I(className="bi bi-rulers"), " Plumbline"], href="/", className="brand"),
            dbc.Nav(links, class_name="flex-grow-1"),
            html.Div(search, id=SHELL.ticker_box, className="ticker-box"),
            html.Div(ranges, id=SHELL.range_box, className="range-box", role="group", title="How much history the charts show"),
            theme,
            html.Div(id=SHELL.badge, className="source-line w-100"),
        ], className="d-flex flex-wrap align-items-center gap-2 px-3 py-2"),
        className="topbar",
    )  # fmt: skip


clientside_callback(
    ClientsideFunction("plumbline", "view"),
    Output(SHELL.ticker, "value"), Output(SHELL.range, "value"), Output(SHELL.url, "search"), Output(SHELL.view, "data"),
    Output({"type": "nav", "path": ALL}, "href"), Output({"type": "nav", "path": ALL}, "active"),
    Output(SHELL.ticker_box, "hidden"), Output(SHELL.range_box, "hidden"),
    Input(SHELL.url, "search"), Input(SHELL.url, "pathname"), Input(SHELL.ticker, "value"), Input(SHELL.range, "value"),
    State(SHELL.options, "data"),
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "theme"), Output(SHELL.theme_name, "data"), Input(SHELL.theme, "n_clicks")
)


@callback(Output(SHELL.badge, "children"), Input(SHELL.url, "pathname"))
def show_source(_pathname: str) -> Any:
    """Say which data is shown and how old it is."""
    try:
        with market() as reader:
            run, source = published(reader)
            newest = instrument_queries.newest_date(reader)
    except PlumblineError as error:
        return str(error)
    failed = run_queries.failed_update(settings().db, published_at=run["published_at"])
    badges = [dbc.Badge(source.badge, color="warning", text_color="dark", class_name="me-2")] if source.badge else []
    if failed or run["status"] == "partial":
        word = "the last update failed" if failed else "the last update was partial"
        badges.append(dbc.Badge(f"{word}: see Data", color="warning", text_color="dark", class_name="me-2"))
    run_name = html.Span(f" · run {run['run_id']}", className="d-none d-sm-inline")
    return [*badges, f"{source.label} · prices to {newest} · published {age(run['published_at'])}", run_name]
