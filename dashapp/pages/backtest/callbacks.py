"""What happens on the Backtest tab: submit, watch, cancel, show."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, ctx, no_update
from dash.exceptions import PreventUpdate

from analytics.backtest.strategies import STRATEGIES
from analytics.errors import InputError, PlumblineError
from dashapp.backtest_job import cancel, submit
from dashapp.components import guarded
from dashapp.data import settings, workspace
from dashapp.ids import SHELL
from dashapp.jobs import time_left
from dashapp.pages.backtest.layout import ID, parameter_controls
from dashapp.pages.backtest.result import result_view
from pipeline.backtests import BacktestRequest
from pipeline.workspace import ACTIVE, job_state

PERCENT_FIELDS = ("fee_rate", "slippage_rate")  # typed as percent
FORM_LABELS = {
    "tickers": "Tickers", "start": "From", "end": "To", "initial_capital": "Initial capital, $", "fee_rate": "Fees, %",
    "slippage_rate": "Slippage, %",
}  # fmt: skip
HIDDEN, VISIBLE = {"visibility": "hidden"}, {"visibility": "visible"}


@callback(
    Output(ID.tickers, "value"), Input(SHELL.view, "data"), State(ID.tickers, "value"), State(ID.tickers, "options")
)
def begin_with_view(view: dict[str, str], chosen: list[str] | None, options: list[dict[str, str]]) -> Any:
    """Begin an empty selection with the ticker in view; a selection made before stays."""
    known = any(option["value"] == view["ticker"] for option in options or [])
    return [view["ticker"]] if known and not chosen else no_update


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
            initial_capital=_given("initial_capital", capital), fee_rate=_given("fee_rate", fees) / 100,
            slippage_rate=_given("slippage_rate", slippage) / 100,
            parameters={name: _given(name, value) for name, value in parameters.items()},
        ))  # fmt: skip
    except PlumblineError as error:
        return (
            no_update,
            no_update,
            dbc.Alert(_in_words_of_the_form(error, strategy), color="danger", class_name="mt-2 mb-0"),
        )
    return job, job.get("job_id", no_update), None


def _in_words_of_the_form(error: PlumblineError, strategy: str) -> str:
    """An error about a field, said with the label that stands above it."""
    if not isinstance(error, InputError):
        return str(error)
    parameters = STRATEGIES[strategy].parameters if strategy in STRATEGIES else ()
    labels = FORM_LABELS | {item.name: item.label for item in parameters}
    got, allowed = error.got, error.allowed
    if error.field in PERCENT_FIELDS and isinstance(got, float):
        got, allowed = f"{got * 100:g}", "from 0 up to, not including, 100"
    return f"{labels.get(error.field, error.field)}: got {got}; allowed: {allowed}. {error.fix}"


def _given(name: str, value: Any) -> Any:
    if value is None:
        raise InputError(name, got="nothing", allowed="a number, or a choice", fix="Fill in the field.")
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
    message = (
        job["message"] if job["state"] in ("done", "cancelled") else f"{job['state'].capitalize()}: {job['message']}"
    )
    result = _unless_shown(job["result_id"], shown) if job["result_id"] else no_update
    return True, 0, HIDDEN, False, True, message, result


def _unless_shown(result_id: str, shown: str | None) -> Any:
    return no_update if result_id == shown else result_id


def _progress_text(job: dict[str, Any]) -> str:
    if job["state"] == "queued":
        return f"Waiting for a free worker, {job['ahead']} ahead." if job["ahead"] else "Starting a worker."
    left = time_left(job, seconds=settings().job_seconds)
    parts = [
        f"{job['progress']:.0%}",
        job["message"] or "starting",
        f"about {left:.0f} s left" if left is not None else "",
    ]
    return " · ".join(part for part in parts if part)


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
