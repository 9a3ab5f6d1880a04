"""What happens on the Backtest tab: submit, watch, cancel, show."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec

import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, ctx, no_update
from dash.exceptions import PreventUpdate

from analytics.backtest.spec import ENGINES
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.errors import InputError, PlumblineError
from analytics.parameters import Parameter
from dashapp import inputs
from dashapp.backtest_job import cancel, is_new, submit
from dashapp.components import KEPT, guarded
from dashapp.data import known_instrument, market, settings, workspace
from dashapp.ids import SHELL
from dashapp.jobs import ended_text, progress_text
from dashapp.pages.backtest.layout import ID, SCOPES, TERM, parameter_controls, tradable_tickers
from dashapp.pages.backtest.result import record_view, sheet_view, tickers_view, verdict_view
from pipeline.backtests import BacktestRequest
from pipeline.workspace import ACTIVE, job_state

P = ParamSpec("P")
FORM_LABELS = {
    "tickers": "Tickers",
    "start": "From",
    "end": "To",
    "initial_capital": "Initial capital, $",
    "engine": "Engine",
}
TERMS = {item.name: item for item in (*COSTS, *RULES)}
HIDDEN, VISIBLE = {"visibility": "hidden"}, {"visibility": "visible"}
IDLE = (True, 0, HIDDEN, False, True)  # no polling, no progress, Run can be pressed, Cancel cannot


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
    parameters = inputs.texts("parameters", asked, chosen)
    kept = asked.get("kept") if isinstance(asked, dict) else None
    key = {"persistence": kept} if isinstance(kept, str) else {}
    return parameter_controls(chosen, parameters, kept=KEPT | key)


@callback(Output(ID.tickers, "disabled"), Input(ID.scope, "value"))
def lock_tickers(scope: Any) -> bool:
    """The ticker list counts only where tickers are chosen."""
    return inputs.choice("universe", scope, SCOPES) == "all"


@callback(
    Output(SHELL.backtest_job, "data"), Output(SHELL.backtest_request, "data"), Output(ID.error, "children"),
    Input(ID.run, "n_clicks"),
    State(ID.strategy, "value"), State(ID.scope, "value"), State(ID.tickers, "value"), State(ID.start, "value"),
    State(ID.end, "value"), State(ID.capital, "value"), State(ID.engine, "value"),
    State({"type": TERM, "name": ALL}, "value"), State({"type": "backtest-parameter", "name": ALL}, "value"),
    prevent_initial_call=True,
)  # fmt: skip
def run(
    clicks: int | None, strategy: Any, scope: Any, tickers: Any, start: Any, end: Any, capital: Any, engine: Any,
    _terms: Any, _values: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Check the form and submit it; a question already answered comes back at once."""
    if not clicks:  # the page was mounted, nobody pressed
        raise PreventUpdate
    try:
        strategy = inputs.choice("strategy", strategy, STRATEGIES)
        everything = inputs.choice("universe", scope, SCOPES) == "all"
        declared = {item.name: item for item in STRATEGIES[strategy].parameters}
        terms = _sent(TERMS, ctx.states_list[-2])
        job = submit(BacktestRequest.of(
            strategy=strategy, tickers=None if everything else inputs.tickers(tickers),
            start=inputs.date("start", start), end=inputs.date("end", end),
            initial_capital=inputs.number("initial_capital", capital), engine=inputs.choice("engine", engine, ENGINES),
            costs={item.name: terms[item.name] for item in COSTS if item.name in terms},
            rules={item.name: terms[item.name] for item in RULES if item.name in terms},
            parameters=_sent(declared, ctx.states_list[-1]),
        ))  # fmt: skip
    except PlumblineError as error:
        told = dbc.Alert(_in_words_of_the_form(error, strategy), color="danger", class_name="mt-2 mb-0")
        return no_update, no_update, told
    return job, job["job_id"] if is_new(job) else no_update, None


def _in_words_of_the_form(error: PlumblineError, strategy: Any) -> str:
    """An error about a field, said with the label that stands above it."""
    if not isinstance(error, InputError):
        return str(error)
    parameters = STRATEGIES[strategy].parameters if isinstance(strategy, str) and strategy in STRATEGIES else ()
    declared = TERMS | {item.name: item for item in parameters}
    labels = {name: f"{item.label}, %" if item.percent else item.label for name, item in declared.items()} | FORM_LABELS
    got, allowed = error.got, error.allowed
    if error.field in declared and declared[error.field].percent and isinstance(got, float):
        item = declared[error.field]
        got, allowed = f"{got * 100:g}", f"a number from {item.minimum * 100:g} to {item.maximum * 100:g}"
    return f"{labels.get(error.field, error.field)}: got {got}; allowed: {allowed}. {error.fix}"


def _sent(declared: Mapping[str, Parameter], sent: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of controls by the names of what they declare; one that is not declared is refused by name."""
    found = {}
    for item in sent:
        name = inputs.choice("parameter", item["id"]["name"], declared)
        found[name] = inputs.parameter(declared[name], item.get("value"))
    return found


@callback(
    Output(ID.interval, "disabled"), Output(ID.progress, "value"), Output(ID.progress, "style"), Output(ID.run, "disabled"),
    Output(ID.cancel, "disabled"), Output(ID.message, "children"), Output(ID.shown, "data"), Output(ID.checking, "data"),
    Input(ID.interval, "n_intervals"), Input(SHELL.backtest_job, "data"), State(ID.shown, "data"), State(ID.checking, "data"),
)  # fmt: skip
def watch(_ticks: Any, sent: Any, shown: Any, checking: Any) -> tuple[Any, ...]:
    """Follow the job of this browser session, from whichever page or reload it is looked at.

    The answer is shown as soon as it is stored, and again with its audit when that is there. It must not read the
    background callback's own Store: Dash would hold it back until the job has ended.
    """
    kind, name = _submitted(sent)
    if not name:
        return *IDLE, "", no_update, no_update
    if kind == "result_id":
        return *IDLE, "", *_to_show(name, shown, checking, still_checking=False)
    job = job_state(workspace(), name)
    if job is None:
        return *IDLE, "That job is not in the workspace any more.", no_update, no_update
    if job["state"] in ACTIVE:
        answered = bool(job["result_id"])  # what is still running is its audit: the next question need not wait
        result = (
            _to_show(job["result_id"], shown, checking, still_checking=True) if answered else (no_update, no_update)
        )
        return (
            False,
            max(3, 100 * job["progress"]),
            VISIBLE,
            not answered,
            False,
            progress_text(job, seconds=settings().job_seconds),
            *result,
        )
    result = (
        _to_show(job["result_id"], shown, checking, still_checking=False)
        if job["result_id"]
        else (no_update, no_update)
    )
    return *IDLE, ended_text(job), *result


def _to_show(result_id: str, shown: Any, checking: Any, *, still_checking: bool) -> tuple[Any, Any]:
    """What is shown and whether its audit is still running, each only where it has changed."""
    return (
        no_update if result_id == shown else result_id,
        no_update if result_id == shown and checking == still_checking else still_checking,
    )


def _submitted(sent: Any) -> tuple[str, str]:
    """What the browser keeps of its last submission: (job_id or result_id, its name), or two empty texts."""
    if isinstance(sent, dict):
        for kind in ("result_id", "job_id"):
            if sent.get(kind):
                return kind, inputs.name(kind, sent[kind])
    return "", ""


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


@callback(Output(ID.unknown, "children"), Input(SHELL.view, "data"))
@guarded
def explain_unknown(seen: Any) -> Any:
    """Say so where the address names a ticker that the store does not have."""
    ticker, _ = inputs.view(seen) if seen else (None, "")
    if ticker and tradable_tickers():  # without a store the answer area says what is missing
        with market() as reader:
            known_instrument(reader, ticker)
    return None


def beside(render: Callable[P, Any]) -> Callable[P, Any]:
    """Let a callback show nothing where a result cannot be shown: the place of the pictures says why."""

    @wraps(render)
    def quiet(*arguments: P.args, **options: P.kwargs) -> Any:
        try:
            return render(*arguments, **options)
        except PlumblineError:
            return None

    return guarded(quiet)


@callback(
    Output(ID.verdict, "children"), Input(ID.shown, "data"), Input(ID.checking, "data"), Input(SHELL.run, "data")
)  # fmt: skip
@beside
def show_verdict(result_id: Any, checking: Any, _run: Any) -> Any:
    """Show what was asked and the key figures, and their audit when it is there: this alone changes with it."""
    return verdict_view(_result_id(result_id), checking=checking is True)


@callback(
    Output(ID.content, "children"), Input(ID.shown, "data"), Input(SHELL.theme_name, "data"), Input(SHELL.run, "data")
)  # fmt: skip
@guarded
def show(result_id: Any, theme: Any, _run: Any) -> Any:
    """Show the pictures of a stored result."""
    return sheet_view(_result_id(result_id), theme="dark" if theme == "dark" else "light")


@callback(Output(ID.each, "children"), Input(ID.shown, "data"), Input(ID.checking, "data"))
@beside
def show_each(result_id: Any, _checking: Any) -> Any:
    """Show what each ticker earned; on its own, when the second stage has stored it."""
    return tickers_view(_result_id(result_id))


@callback(Output(ID.record, "children"), Input(ID.shown, "data"))
@beside
def show_record(result_id: Any) -> Any:
    """Show every trade and metric, and how the result was made."""
    return record_view(_result_id(result_id))


def _result_id(value: Any) -> str | None:
    return None if value is None else inputs.name("result", value)
