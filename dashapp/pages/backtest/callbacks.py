"""What happens on the Backtest tab: submit, watch, cancel, show."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, ctx, no_update
from dash.exceptions import PreventUpdate

from analytics.backtest.spec import ENGINES
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.errors import InputError, PlumblineError, shortened
from analytics.parameters import Parameter
from dashapp import inputs
from dashapp.backtest_job import begin, cancel, owner, submit
from dashapp.components import guarded
from dashapp.data import known_instrument, market, published, settings, workspace
from dashapp.ids import SHELL
from dashapp.pages.backtest.controls import STRATEGY, TERM, label_of
from dashapp.pages.backtest.layout import ID, POLL_MILLISECONDS, tradable_tickers
from dashapp.pages.backtest.shown import draw_account, draw_verdict
from dashapp.pages.backtest.universes import CHOSEN, tickers_in
from dashapp.progress import ended_text, progress_text, soon
from pipeline import asked
from pipeline.backtests import BacktestRequest
from pipeline.workspace import ACTIVE

FORM_LABELS = {
    "tickers": "Tickers",
    "universe": "Universe",
    "start": "From",
    "end": "To",
    "initial_capital": "Initial capital, $",
    "engine": "Engine",
}
TERMS = {item.name: item for item in (*COSTS, *RULES)}
HIDDEN, VISIBLE = {"visibility": "hidden"}, {"visibility": "visible"}
CHECKING_MILLISECONDS = 1_000  # between two looks once the answer is there
IDLE = (True, POLL_MILLISECONDS, 0, HIDDEN, True)  # no polling, no progress, Cancel cannot be pressed


@callback(Output(ID.tickers, "value"), Input(SHELL.view, "data"), State(ID.tickers, "value"))
def begin_with_view(seen: Any, chosen: Any) -> Any:
    """Begin an empty selection with the ticker in view; a selection made before stays."""
    ticker, _ = inputs.view(seen)
    tradable = [option["value"] for option in tradable_tickers()]
    return [ticker] if ticker in tradable and not chosen else no_update


@callback(Output(ID.tickers, "disabled"), Input(ID.scope, "value"))
def lock_tickers(scope: Any) -> bool:
    """The ticker list counts only where tickers are chosen."""
    return bool(scope != CHOSEN)


@callback(
    Output(SHELL.backtest_job, "data"), Output(SHELL.backtest_request, "data"), Output(ID.error, "children"),
    Input(ID.run, "n_clicks"),
    State(ID.strategy, "value"), State(ID.scope, "value"), State(ID.tickers, "value"), State(ID.start, "value"),
    State(ID.end, "value"), State(ID.capital, "value"), State(ID.engine, "value"),
    State({"type": TERM, "name": ALL}, "value"), State({"type": STRATEGY, "name": ALL}, "value"),
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
        with market() as reader:
            published(reader)  # without a store there are no tickers to choose: this says so
        strategy = inputs.choice("strategy", strategy, STRATEGIES)
        declared = {item.name: item for item in STRATEGIES[strategy].parameters}
        terms = _sent(TERMS, ctx.states_list[-2])
        job = submit(BacktestRequest.of(
            strategy=strategy, tickers=tickers_in(scope, tickers),
            start=inputs.date("start", start), end=inputs.date("end", end),
            initial_capital=inputs.number("initial_capital", capital), engine=inputs.choice("engine", engine, ENGINES),
            costs={item.name: terms[item.name] for item in COSTS if item.name in terms},
            rules={item.name: terms[item.name] for item in RULES if item.name in terms},
            parameters=_sent(declared, ctx.states_list[-1]),
        ))  # fmt: skip
    except PlumblineError as error:
        told = dbc.Alert(_in_words_of_the_form(error, strategy), color="danger", class_name="mt-2 mb-0")
        return no_update, no_update, told
    begin(job)
    return job, job.get("job_id", no_update), None


def _in_words_of_the_form(error: PlumblineError, strategy: Any) -> str:
    """An error about a field, said with the label that stands above it."""
    if not isinstance(error, InputError):
        return str(error)
    parameters = STRATEGIES[strategy].parameters if isinstance(strategy, str) and strategy in STRATEGIES else ()
    declared = TERMS | {item.name: item for item in parameters}
    labels = {name: label_of(item) for name, item in declared.items()} | FORM_LABELS
    got, allowed = error.got, error.allowed
    if error.field in declared and declared[error.field].percent and isinstance(got, float):
        item = declared[error.field]
        got, allowed = f"{got * 100:g}", f"a number from {item.minimum * 100:g} to {item.maximum * 100:g}"
    return f"{labels.get(error.field, error.field)}: got {shortened(str(got))}; allowed: {allowed}. {error.fix}"


def _sent(declared: Mapping[str, Parameter], sent: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of controls by the names of what they declare; one that is not declared is refused by name."""
    found = {}
    for item in sent:
        name = inputs.choice("parameter", item["id"]["name"], declared)
        found[name] = inputs.parameter(declared[name], item.get("value"))
    return found


@callback(
    Output(ID.interval, "disabled"), Output(ID.interval, "interval"), Output(ID.progress, "value"), Output(ID.progress, "style"),
    Output(ID.cancel, "disabled"), Output(ID.message, "children"), Output(ID.shown, "data"), Output(ID.checking, "data"), Output(ID.waiting, "data"),
    Output(ID.verdict, "children", allow_duplicate=True), Output(ID.content, "children", allow_duplicate=True),
    Output(ID.pictured, "data", allow_duplicate=True),
    Input(ID.interval, "n_intervals"), Input(SHELL.backtest_job, "data"), State(ID.shown, "data"), State(ID.checking, "data"),
    State(ID.waiting, "data"), State(SHELL.theme_name, "data"), State(SHELL.run, "data"), prevent_initial_call="initial_duplicate",
)  # fmt: skip
def watch(_ticks: Any, sent: Any, shown: Any, checking: Any, waiting: Any, theme: Any, run: Any) -> tuple[Any, ...]:
    """Follow the job of this browser session, from whichever page or reload it is looked at.

    The answer is shown as soon as it is stored, and again with its audit when that is there; key figures and account come
    with the word that it is there, since each further question costs a browser a tenth of a second. It must not read the
    background callback's own Store: Dash would hold it back until the job has ended.
    """
    by_clock = ctx.triggered_id == ID.interval
    try:
        *told, to_show, to_check, waited = _look(sent, shown, checking, waiting)
    except PlumblineError as error:
        if by_clock:  # the next look may succeed
            raise
        *told, to_show, to_check, waited = *IDLE, str(error), no_update, no_update, no_update
    verdict: Any = no_update
    content, pictured = verdict, verdict
    now_shown = shown if to_show is no_update else to_show
    if to_show is not no_update or to_check is not no_update:
        verdict = draw_verdict(now_shown, checking if to_check is no_update else to_check)
    if to_show is not no_update or (shown is None and not by_clock):  # the page was opened just now
        content, pictured = draw_account(now_shown, theme), [now_shown, theme, run]
    return *told, to_show, to_check, waited, verdict, content, pictured


def _look(sent: Any, shown: Any, checking: Any, waiting: Any) -> tuple[Any, ...]:
    """What `watch` says of the job, all but what it draws."""
    kind, name = _submitted(sent)
    if not name:
        return *IDLE, "", no_update, no_update, no_update
    if kind == "result_id":
        return *IDLE, "", *_to_show(name, shown, checking, still_checking=False), no_update if name != shown else name
    path, mine = workspace(), owner()
    pressed = ctx.triggered_id == SHELL.backtest_job  # a look by the clock would be overtaken by the next one
    job = soon(lambda: asked.job_state(path, mine, name)) if pressed else asked.job_state(path, mine, name)
    if job is None:
        return *IDLE, "That job is not in the workspace any more.", no_update, no_update, no_update
    answer = (no_update, no_update)
    if job["result_id"]:  # while the job runs on, the audit is still to come
        answer = _to_show(job["result_id"], shown, checking, still_checking=job["state"] in ACTIVE)
    # Told once of each state without an answer: what has one is drawn, and the list of runs follows that.
    state = f"{name} {job['state']}"
    waited = no_update if job["result_id"] or state == waiting else state
    if job["state"] not in ACTIVE:
        return *IDLE, ended_text(job), *answer, waited
    pace = CHECKING_MILLISECONDS if job["result_id"] else POLL_MILLISECONDS
    if pressed and job["result_id"]:  # what is drawn comes with this: bar and words can wait for the next look
        return False, pace, *(no_update,) * 4, *answer, waited
    told = progress_text(job, seconds=settings().job_seconds)
    return False, pace, max(3, 100 * job["progress"]), VISIBLE, False, told, *answer, waited


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
