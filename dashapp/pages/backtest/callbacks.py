"""What happens on the Backtest tab: submit, watch, cancel, show."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, ctx, no_update
from dash.exceptions import PreventUpdate

from analytics.backtest.strategies import STRATEGIES
from analytics.errors import InputError, PlumblineError
from dashapp import inputs
from dashapp.backtest_job import cancel, submit
from dashapp.components import guarded
from dashapp.data import settings, workspace
from dashapp.ids import SHELL
from dashapp.jobs import time_left
from dashapp.pages.backtest.layout import ID, SCOPES, parameter_controls, tradable_tickers
from dashapp.pages.backtest.result import result_view
from pipeline.backtests import BacktestRequest
from pipeline.workspace import ACTIVE, job_state

PERCENT_FIELDS = ("fee_rate", "slippage_rate")  # typed as percent
FORM_LABELS = {
    "tickers": "Tickers", "start": "From", "end": "To", "initial_capital": "Initial capital, $", "fee_rate": "Fees, %",
    "slippage_rate": "Slippage, %",
}  # fmt: skip
HIDDEN, VISIBLE = {"visibility": "hidden"}, {"visibility": "visible"}


@callback(Output(ID.tickers, "value"), Input(SHELL.view, "data"), State(ID.tickers, "value"))
def begin_with_view(seen: Any, chosen: Any) -> Any:
    """Begin an empty selection with the ticker in view; a selection made before stays."""
    ticker, _ = inputs.view(seen)
    tradable = [option["value"] for option in tradable_tickers()]
    return [ticker] if ticker in tradable and not chosen else no_update


@callback(Output(ID.parameters, "children"), Input(ID.strategy, "value"), State(ID.asked, "data"))
def offer_parameters(strategy: Any, asked: Any) -> Any:
    """Show the controls of the chosen strategy, with what the address says of them."""
    chosen = inputs.choice("strategy", strategy, STRATEGIES)
    return parameter_controls(chosen, inputs.texts("parameters", asked, chosen))


@callback(Output(ID.tickers, "disabled"), Input(ID.scope, "value"))
def lock_tickers(scope: Any) -> bool:
    """The ticker list counts only where tickers are chosen."""
    return inputs.choice("universe", scope, SCOPES) == "all"


@callback(
    Output(SHELL.backtest_job, "data"), Output(SHELL.backtest_request, "data"), Output(ID.error, "children"),
    Input(ID.run, "n_clicks"),
    State(ID.strategy, "value"), State(ID.scope, "value"), State(ID.tickers, "value"), State(ID.start, "value"),
    State(ID.end, "value"), State(ID.capital, "value"), State(ID.fees, "value"), State(ID.slippage, "value"),
    State({"type": "backtest-parameter", "name": ALL}, "value"),
    prevent_initial_call=True,
)  # fmt: skip
def run(
    clicks: int | None, strategy: Any, scope: Any, tickers: Any, start: Any, end: Any, capital: Any, fees: Any,
    slippage: Any, _values: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Check the form and submit it; a question already answered comes back at once."""
    if not clicks:  # the page was mounted, nobody pressed
        raise PreventUpdate
    try:
        strategy = inputs.choice("strategy", strategy, STRATEGIES)
        everything = inputs.choice("universe", scope, SCOPES) == "all"
        job = submit(BacktestRequest.of(
            strategy=strategy, tickers=None if everything else inputs.tickers(tickers),
            start=inputs.date("start", start), end=inputs.date("end", end),
            initial_capital=inputs.number("initial_capital", capital), fee_rate=inputs.number("fee_rate", fees) / 100,
            slippage_rate=inputs.number("slippage_rate", slippage) / 100,
            parameters=_parameters(strategy, ctx.states_list[-1]),
        ))  # fmt: skip
    except PlumblineError as error:
        return (
            no_update,
            no_update,
            dbc.Alert(_in_words_of_the_form(error, strategy), color="danger", class_name="mt-2 mb-0"),
        )
    return job, job.get("job_id", no_update), None


def _in_words_of_the_form(error: PlumblineError, strategy: Any) -> str:
    """An error about a field, said with the label that stands above it."""
    if not isinstance(error, InputError):
        return str(error)
    parameters = STRATEGIES[strategy].parameters if isinstance(strategy, str) and strategy in STRATEGIES else ()
    labels = FORM_LABELS | {item.name: item.label for item in parameters}
    got, allowed = error.got, error.allowed
    if error.field in PERCENT_FIELDS and isinstance(got, float):
        got, allowed = f"{got * 100:g}", "from 0 up to, not including, 100"
    return f"{labels.get(error.field, error.field)}: got {got}; allowed: {allowed}. {error.fix}"


def _parameters(strategy: str, sent: list[dict[str, Any]]) -> dict[str, Any]:
    """The strategy's own controls; one that it does not declare is refused by name."""
    declared = {item.name: item for item in STRATEGIES[strategy].parameters}
    found = {}
    for item in sent:
        name = inputs.choice("parameter", item["id"]["name"], declared)
        found[name] = inputs.parameter(declared[name], item.get("value"))
    return found


@callback(
    Output(ID.interval, "disabled"), Output(ID.progress, "value"), Output(ID.progress, "style"), Output(ID.run, "disabled"),
    Output(ID.cancel, "disabled"), Output(ID.message, "children"), Output(ID.shown, "data"),
    Input(ID.interval, "n_intervals"), Input(SHELL.backtest_job, "data"), State(ID.shown, "data"),
)  # fmt: skip
def watch(_ticks: Any, sent: Any, shown: Any) -> tuple[Any, ...]:
    """Follow the job of this browser session, from whichever page or reload it is looked at.

    It must not read the background callback's own Store: Dash would hold it back until the job has ended.
    """
    kind, name = _submitted(sent)
    if not name:
        return True, 0, HIDDEN, False, True, "", no_update
    if kind == "result_id":
        return True, 0, HIDDEN, False, True, "", _unless_shown(name, shown)
    job = job_state(workspace(), name)
    if job is None:
        return True, 0, HIDDEN, False, True, "That job is not in the workspace any more.", no_update
    if job["state"] in ACTIVE:
        return False, max(3, 100 * job["progress"]), VISIBLE, True, False, _progress_text(job), no_update
    message = (
        job["message"] if job["state"] in ("done", "cancelled") else f"{job['state'].capitalize()}: {job['message']}"
    )
    result = _unless_shown(job["result_id"], shown) if job["result_id"] else no_update
    return True, 0, HIDDEN, False, True, message, result


def _submitted(sent: Any) -> tuple[str, str]:
    """What the browser keeps of its last submission: (job_id or result_id, its name), or two empty texts."""
    if isinstance(sent, dict):
        for kind in ("result_id", "job_id"):
            if sent.get(kind):
                return kind, inputs.name(kind, sent[kind])
    return "", ""


def _unless_shown(result_id: str, shown: Any) -> Any:
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
def stop(clicks: int | None, sent: Any) -> int:
    """Cancel the job of this browser session."""
    kind, name = _submitted(sent)
    if clicks and kind == "job_id":
        cancel(name)
    return 0


@callback(
    Output(ID.content, "children"), Input(ID.shown, "data"), Input(SHELL.theme_name, "data"), Input(SHELL.run, "data")
)
@guarded
def show(result_id: Any, theme: Any, _run: Any) -> Any:
    """Show a stored result."""
    return result_view(None if result_id is None else inputs.name("result", result_id), theme=theme)
