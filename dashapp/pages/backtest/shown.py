"""What is shown of a result: the verdict and the account first, the rest once these are drawn."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, set_props
from dash.exceptions import PreventUpdate

from analytics.errors import PlumblineError
from dashapp import inputs
from dashapp.components import guarded
from dashapp.ids import SHELL
from dashapp.pages.backtest.beside import beside_view
from dashapp.pages.backtest.layout import ID
from dashapp.pages.backtest.result import account_view, record_view, sheet_view, tickers_view, verdict_view
from dashapp.pages.backtest.runs_list import others

P = ParamSpec("P")


def beside(render: Callable[P, Any]) -> Callable[P, Any]:
    """Let a callback show nothing where a result cannot be shown: the place of the pictures says why."""

    @wraps(render)
    def quiet(*arguments: P.args, **options: P.kwargs) -> Any:
        try:
            return render(*arguments, **options)
        except PlumblineError:
            return None

    return guarded(quiet)


@beside
def draw_verdict(result_id: Any, checking: Any) -> Any:
    """Return what was asked and the key figures, and their audit when it is there: this alone changes with it."""
    return verdict_view(_result_id(result_id), checking=checking is True)


@guarded
def draw_account(result_id: Any, theme: Any) -> Any:
    """Return the account of a stored result, or what to do where there is none; an error as a card."""
    return account_view(_result_id(result_id), theme=_theme(theme))


@callback(
    Output(ID.verdict, "children"),
    Input(SHELL.run, "data"), State(ID.shown, "data"), State(ID.checking, "data"), prevent_initial_call=True,
)  # fmt: skip
def show_verdict(_run: Any, result_id: Any, checking: Any) -> Any:
    """Say of what is shown whether it is of the newest data; who watches the job shows it first."""
    if result_id is None:
        raise PreventUpdate
    return draw_verdict(result_id, checking)


# Two draw the account: who watches the job, and this where theme or run have changed. Whose answer comes last may not be
# whose was asked last, so each says what it has drawn, and what is not what should be there is drawn anew.
clientside_callback(
    ClientsideFunction("plumbline", "backtestRedraw"),
    Output(ID.redraw, "data"),
    Input(ID.pictured, "data"), Input(ID.shown, "data"), Input(SHELL.theme_name, "data"), Input(SHELL.run, "data"),
)  # fmt: skip


@callback(
    Output(ID.content, "children"),
    Input(ID.redraw, "data"), State(ID.shown, "data"), State(SHELL.theme_name, "data"), State(SHELL.run, "data"),
    prevent_initial_call=True,
)  # fmt: skip
def show(_asked: Any, result_id: Any, theme: Any, run: Any) -> Any:
    """Draw the account anew. What it says of that is no output: Dash would see a circle and hold all of it back."""
    set_props(ID.pictured, {"data": [result_id, theme, run]})
    return draw_account(result_id, theme)


# What follows is asked for once the account is on the screen: asking for it takes longer than a frame.
clientside_callback(
    ClientsideFunction("plumbline", "drawn"),
    Output(ID.drawn, "data"), Input(ID.content, "children"), State(ID.shown, "data"), State(ID.drawn, "data"),
)  # fmt: skip


@callback(Output(ID.more, "children"), Input(ID.drawn, "data"), Input(SHELL.theme_name, "data"))
@beside
def show_more(result_id: Any, theme: Any) -> Any:
    """Show the other pictures."""
    return sheet_view(_result_id(result_id), theme=_theme(theme))


@callback(Output(ID.each, "children"), Input(ID.drawn, "data"), Input(ID.checking, "data"))
@beside
def show_each(result_id: Any, _checking: Any) -> Any:
    """Show what each ticker earned; on its own, when the second stage has stored it."""
    return tickers_view(_result_id(result_id))


@callback(Output(ID.record, "children"), Input(ID.drawn, "data"))
@beside
def show_record(result_id: Any) -> Any:
    """Show every trade and metric, and how the result was made."""
    return record_view(_result_id(result_id))


@callback(
    Output(ID.other, "options"), Output(ID.other, "value"), Output(ID.beside_box, "hidden"), Input(ID.drawn, "data")
)
def offer_others(result_id: Any) -> tuple[Any, Any, bool]:
    """Offer my other runs that have an answer, the newest of them chosen; hidden where there is none."""
    shown = _result_id(result_id)
    try:
        options = others(shown) if shown else []
    except PlumblineError:
        options = []
    return options, options[0]["value"] if options else None, not options


@callback(
    Output(ID.beside, "children"), Input(ID.drawn, "data"), Input(ID.other, "value"), Input(SHELL.theme_name, "data")
)
@guarded
def show_beside(result_id: Any, other: Any, theme: Any) -> Any:
    """Show the run beside another one."""
    shown = _result_id(result_id)
    if shown is None or other in (None, shown):
        return None
    return beside_view(shown, inputs.name("run", other), theme=_theme(theme))


def _theme(value: Any) -> str:
    return "dark" if value == "dark" else "light"


def _result_id(value: Any) -> str | None:
    return None if value is None else inputs.name("result", value)
