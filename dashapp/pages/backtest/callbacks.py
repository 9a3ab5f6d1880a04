"""What happens on the Backtest tab: submit, watch, cancel, show."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, ctx, no_update
from dash.exceptions import PreventUpdate

from analytics.errors import InputError, PlumblineError
from dashapp.backtest_job import cancel, submit
from dashapp.components import guarded
from dashapp.data import market, workspace
from dashapp.ids import SHELL
from dashapp.jobs import time_left
from dashapp.pages.backtest.layout import ID, parameter_controls
from dashapp.pages.backtest.result import result_view
from pipeline.backtests import BacktestRequest
from pipeline.queries import instruments as instrument_queries
from pipeline.workspace import ACTIVE, job_state

HIDDEN, VISIBLE = {"visibility": "hidden"}, {"visibility": "visible"}


@callback(
    Output(ID.tickers, "options"), Output(ID.tickers, "value"),
    Input(SHELL.view, "data"), State(ID.tickers, "value"),
)  # fmt: skip
def offer_tickers(view: dict[str, str], chosen: list[str] | None) -> tuple[Any, Any]:
    """Offer the store's stocks and funds, beginning with the ticker in view."""
    try:
        with market() as reader:
            listed = instrument_queries.instruments(reader)
    except PlumblineError:
        return [], no_update  # the answer area says what is missing
    tradable = listed[listed["kind"] != "index"]
    options = [{"value": row.ticker, "label": f"{row.ticker} · {row.name}"} for row in tradable.itertuples()]
    in_view = view["ticker"] if view["ticker"] in set(tradable["ticker"]) else None
    return options, no_update if chosen or not in_view else [in_view]


@callback(Output(ID.parameters, "children"), Input(ID.strategy, "value"))
def offer_parameters(strategy: str) -> Any:
    """Show the controls of the chosen strategy."""
    return parameter_controls(strategy)


@callback(Output(ID.tickers, "disabled"), Input(ID.scope, "value"))
def lock_tickers(scope: str) -> bool:
    """The ticker list counts only where tickers are chosen."""
    return scope == "all"


@callback(
    Output(SHELL.backtest_job, "data"), Output(SHELL.backtest_request, "data"), Output(ID.error, "children"),
    Input(ID.run, "n_clicks"),
    State(ID.strategy, "value"), State(ID.scope, "value"), State(ID.tickers, "value"), State(ID.start, "value"),
    State(ID.end, "value"), State(ID.capital, "value"), State(ID.fees, "value"), State(ID.slippage, "value"),
    State({"type": "backtest-parameter", "name": ALL}, "value"),
    prevent_initial_call=True,
)  # fmt: skip
def run(
    clicks: int | None, strategy: str, scope: str, tickers: list[str] | None, start: str | None, end: str | None,
    capital: float | None, fees: float | None, slippage: float | None, _values: list[Any],
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Check the form and submit it; a question already answered comes back at once."""
    if not clicks:  # the page was mounted, nobody pressed
        raise PreventUpdate
    parameters = {item["id"]["name"]: item["value"] for item in ctx.states_list[-1]}
    try:
        job = submit(BacktestRequest.of(
            strategy=strategy, tickers=None if scope == "all" else (tickers or []), start=start or None, end=end or None,
            initial_capital=_given("initial capital", capital), fee_rate=_given("fees", fees) / 100,
            slippage_rate=_given("slippage", slippage) / 100,
            parameters={name: _given(name, value) for name, value in parameters.items()},
        ))  # fmt: skip
    except PlumblineError as error:
        return no_update, no_update, dbc.Alert(str(error), color="danger", class_name="mt-2 mb-0")
    return job, job.get("job_id", no_update), None


def _given(name: str, value: Any) -> Any:
    if value is None:
        raise InputError(name, got="nothing, or not a number in range", allowed="a value", fix="Fill in the field.")
    return value


@callback(
    Output(ID.interval, "disabled"), Output(ID.progress, "value"), Output(ID.progress, "style"), Output(ID.run, "disabled"),
    Output(ID.cancel, "disabled"), Output(ID.message, "children"), Output(ID.shown, "data"),
    Input(ID.interval, "n_intervals"), Input(SHELL.backtest_job, "data"), State(ID.shown, "data"),
)  # fmt: skip
def watch(_ticks: int, submitted: dict[str, str] | None, shown: str | None) -> tuple[Any, ...]:
    """Follow the job of this browser session, from whichever page or reload it is looked at.

    It must not read the background callback's own Store: Dash would hold it back until the job has ended.
    """
    if not submitted:
        return True, 0, HIDDEN, False, True, "", no_update
    if "result_id" in submitted:
        return True, 0, HIDDEN, False, True, "", _unless_shown(submitted["result_id"], shown)
    job = job_state(workspace(), submitted["job_id"])
    if job is None:
        return True, 0, HIDDEN, False, True, "That job is not in the workspace any more.", no_update
    if job["state"] in ACTIVE:
        return False, max(3, 100 * job["progress"]), VISIBLE, True, False, _progress_text(job), no_update
    message = "" if job["state"] == "done" else f"{job['state'].capitalize()}: {job['message']}"
    result = _unless_shown(job["result_id"], shown) if job["result_id"] else no_update
    return True, 0, HIDDEN, False, True, message, result


def _unless_shown(result_id: str, shown: str | None) -> Any:
    return no_update if result_id == shown else result_id


def _progress_text(job: dict[str, Any]) -> str:
    if job["state"] == "queued":
        return f"Waiting for a free worker, {job['ahead']} ahead." if job["ahead"] else "Starting a worker."
    left = time_left(job)
    return f"{job['progress']:.0%} · {job['message']}" + (f" · about {left:.0f} s left" if left is not None else "")


@callback(
    Output(ID.cancel, "n_clicks"),
    Input(ID.cancel, "n_clicks"),
    State(SHELL.backtest_job, "data"),
    prevent_initial_call=True,
)
def stop(clicks: int | None, submitted: dict[str, str] | None) -> int:
    """Cancel the job of this browser session."""
    if clicks and submitted and "job_id" in submitted:
        cancel(submitted["job_id"])
    return 0


@callback(Output(ID.content, "children"), Input(ID.shown, "data"), Input(SHELL.theme_name, "data"))
@guarded
def show(result_id: str | None, theme: str) -> Any:
    """Show a stored result."""
    return result_view(result_id, theme=theme)
