"""What stands around every page: the top bar, the state of the view, and the messages."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html, no_update
from dash.exceptions import PreventUpdate

from analytics.errors import PlumblineError
from dashapp.data import market
from dashapp.format import age
from dashapp.ids import SHELL
from dashapp.inputs import RANGES
from dashapp.pages import PAGES
from dashapp.status import Status, status, step_name
from pipeline.queries import instruments as instrument_queries

IDLE_MILLISECONDS, RUNNING_MILLISECONDS = 5_000, 1_000  # between two looks for a new run


def layout() -> html.Div:
    """Return the whole page, with the ticker list of the published run."""
    options, fallback = _tickers()
    now = status()
    token = now.token()
    return html.Div([
        dcc.Store(id=SHELL.run, data=now.shown), dcc.Store(id=SHELL.update, data=token),
        dcc.Interval(id=SHELL.tick, interval=_pace(token)),
        dcc.Location(id=SHELL.url, refresh=False),
        dcc.Store(id=SHELL.view), dcc.Store(id=SHELL.theme_name), dcc.Store(id=SHELL.options, data=_options(fallback)),
        dcc.Store(id=SHELL.backtest_job, storage_type="session"),
        dcc.Store(id=SHELL.backtest_request), dcc.Store(id=SHELL.backtest_outcome),
        dcc.Store(id=SHELL.sweep_job, storage_type="session"),
        dcc.Store(id=SHELL.sweep_request), dcc.Store(id=SHELL.sweep_outcome),
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
    Input(SHELL.options, "data"),
)  # fmt: skip
clientside_callback(
    ClientsideFunction("plumbline", "theme"), Output(SHELL.theme_name, "data"), Input(SHELL.theme, "n_clicks")
)


@callback(
    Output(SHELL.run, "data"), Output(SHELL.update, "data"), Output(SHELL.tick, "interval"),
    Input(SHELL.tick, "n_intervals"), State(SHELL.run, "data"), State(SHELL.update, "data"), prevent_initial_call=True,
)  # fmt: skip
def look(_ticks: Any, run: Any, update: Any) -> tuple[Any, Any, Any]:
    """Notice a new run, and how an update fares; what is the same as before is not sent, so nothing is drawn again."""
    now = status()
    token = now.token()
    if (now.shown, token) == (run, update):
        raise PreventUpdate
    return (
        no_update if now.shown == run else now.shown,
        no_update if token == update else token,
        _pace(token),
    )


@callback(
    Output(SHELL.ticker, "options"), Output(SHELL.options, "data"), Input(SHELL.run, "data"), prevent_initial_call=True
)
def list_tickers(_run: Any) -> tuple[Any, Any]:
    """Offer the tickers of a new run: the first one, or one that brought others."""
    options, fallback = _tickers()
    return options, _options(fallback)


def _pace(token: dict[str, Any]) -> int:
    return RUNNING_MILLISECONDS if token["state"] == "running" else IDLE_MILLISECONDS


@callback(
    Output(SHELL.badge, "children"), Input(SHELL.url, "pathname"), Input(SHELL.run, "data"), Input(SHELL.update, "data")
)
def show_source(_pathname: Any, _run: Any, _update: Any) -> Any:
    """Say which data is shown, how old it is, and what became of the last update."""
    now = status()
    badges = _badges(now)
    if now.run is None:
        return [*badges, now.problem]
    run_name = html.Span(f" · run {now.run['run_id']}", className="d-none d-sm-inline")
    return [
        *badges, f"{now.source.label} · prices to {now.newest_date} · published {age(now.run['published_at'])}", run_name,
    ]  # fmt: skip


def _badges(now: Status) -> list[Any]:
    update, found = now.update, []
    if now.source and now.source.badge:
        found.append(_badge(now.source.badge))
    if update["state"] == "running":
        found.append(_badge(f"updating: {step_name(update['step'])}", "info"))
    elif update["state"] in ("failed", "stopped"):
        found.append(_badge(
            f"update {update['state']} in step {step_name(update['step'])}, {age(update['started_at'])}: see Data", href="/data"
        ))  # fmt: skip
    if now.fault:
        found.append(_badge("the store is damaged: see Data", "danger", href="/data"))
    if now.run and now.run["status"] == "partial":
        found.append(_badge("the last update was partial: see Data", href="/data"))
    if now.run and now.stale:
        found.append(_badge(f"stale: published {age(now.run['published_at'])}", href="/data"))
    return found


def _badge(text: str, color: str = "warning", **link: str) -> dbc.Badge:
    return dbc.Badge(
        text,
        color=color,
        text_color="white" if color == "danger" else "dark",
        class_name="me-2 text-decoration-none",
        **link,
    )
