"""Parameters that the analyst changes on the chart: computed live for the one ticker, and marked as not the stored ones."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
import numpy as np
from dash import ALL, Input, Output, State, callback, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from analytics.conventions import CORE_VOTES, FloatArray
from analytics.errors import InputError, PlumblineError
from analytics.indicators import INDICATORS, VOTES, Indicator, compute_indicator, compute_vote
from analytics.market import Bars
from analytics.parameters import Parameter
from analytics.registry import lookup
from analytics.signals import overall_signal
from dashapp import inputs
from dashapp.components.votes import signal_word
from dashapp.format import column_label
from dashapp.pages.technical.layout import ID, OVERLAYS, PANES

Changes = Mapping[str, Mapping[str, Any]]  # {indicator: {parameter: value}}, only what differs from the stored
MOST = 200  # more than all parameters there are


@callback(
    Output(ID.parameters, "children"), Input(ID.overlays, "value"), Input(ID.panes, "value"), Input(ID.reset, "n_clicks"),
    State(ID.live, "data"),
)  # fmt: skip
def offer(overlays: Any, panes: Any, _clicks: Any, kept: Any) -> Any:
    """Offer the parameters of what is drawn."""
    try:
        drawn = [*inputs.choices("overlay", overlays, OVERLAYS), *inputs.choices("pane", panes, PANES)]
        changed = {} if ctx.triggered_id == ID.reset else changes(kept)
    except PlumblineError:
        return []  # the chart says what is wrong
    return [
        _field(indicator, parameter, changed.get(indicator.key, {}).get(parameter.name, parameter.default))
        for indicator in drawn if indicator for parameter in indicator.parameters
    ]  # fmt: skip


def _field(indicator: Indicator, parameter: Parameter, value: Any) -> html.Div:
    whose = parameter.label if parameter.name in indicator.outputs else f"{indicator.label}: {parameter.label}"
    name = f"{indicator.key}.{parameter.name}"
    field = dbc.Input(
        id={"type": "technical-parameter", "name": name},
        type="number",
        step="any",
        value=value,
        size="sm",
        debounce=True,
    )
    return html.Div([html.Label([html.Span(whose, className="field-label"), field], title=parameter.help)])


@callback(
    Output(ID.live, "data"), Output(ID.live_error, "children"),
    Input({"type": "technical-parameter", "name": ALL}, "value"), State(ID.live, "data"), prevent_initial_call=True,
)  # fmt: skip
def collect(_values: Any, kept: Any) -> tuple[Any, Any]:
    """Note what differs from the stored parameters; nothing is drawn anew where that stays the same."""
    sent = ctx.inputs_list[0]
    if not sent:
        raise PreventUpdate
    try:
        shown = changes({item["id"]["name"]: item.get("value") for item in sent})
    except PlumblineError as error:
        return no_update, dbc.Alert(str(error), color="danger", class_name="py-1 my-2")
    found = {f"{key}.{name}": value for key, own in shown.items() for name, value in own.items()}
    return (no_update if found == kept else found), None


def changes(value: Any) -> Changes:
    """Return what a Store of {"indicator.parameter": value} changes; raises InputError and UnknownKeyError."""
    if not isinstance(value, Mapping) or len(value) > MOST:
        raise InputError("parameters", got=inputs.shown(value), allowed=f"up to {MOST} of indicator.parameter")
    found: dict[str, dict[str, Any]] = {}
    for name, given in value.items():
        key, _, own = inputs.shown(name).partition(".")
        indicator = lookup(INDICATORS, key, "indicator")
        parameter = lookup({item.name: item for item in indicator.parameters}, own, "parameter")
        checked = parameter.check(inputs.number(f"{indicator.label}, {parameter.label}", given))
        if checked != parameter.default:
            found.setdefault(key, {})[own] = checked
    return found


def live_lines(bars: Bars, changed: Changes, drawn: list[Indicator]) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """Return ({column: values}, {column: label}) of the drawn lines that the changes concern; bars: the whole history."""
    values: dict[str, FloatArray] = {}
    labels: dict[str, str] = {}
    for indicator in drawn:
        own = changed.get(indicator.key)
        if not own:
            continue
        outputs = compute_indicator(indicator, bars, own)
        shared = [f"{name.replace('_', ' ')} {value:g}" for name, value in own.items() if name not in outputs]
        for name, array in outputs.items():
            if name in own:
                labels[name] = f"{column_label(name).rpartition(' ')[0]} {own[name]:g} (live)"
            elif shared:
                labels[name] = f"{column_label(name)} (live: {', '.join(shared)})"
            if name in labels:
                values[name] = array
    return values, labels


def banner(bars: Bars, changed: Changes, last: Mapping[str, Any]) -> Any:
    """Return the line that says what differs from the stored signals, and leads to the Backtest tab; None for nothing.

    bars: the whole history. last: the newest stored row.
    """
    if not changed:
        return None
    named = [f"{INDICATORS[key].label}, {_label(key, name)} {value:g} (stored {_default(key, name):g})"
             for key, own in changed.items() for name, value in own.items()]  # fmt: skip
    return dbc.Alert([
        html.Strong("Live: "), "; ".join(named), ". Lines marked live are computed now. ", _live_votes(bars, changed, last),
        " Markers, votes, ratings and records are the stored ones. ",
        dcc.Link("Backtest these parameters", href=_backtest(bars.ticker, changed), className="alert-link"),
    ], color="warning", class_name="py-2 mb-2")  # fmt: skip


def _live_votes(bars: Bars, changed: Changes, last: Mapping[str, Any]) -> str:
    """What the changed indicators vote today, and what the signal would be with them."""
    votes: dict[str, float] = {}
    for key, own in changed.items():
        indicator = INDICATORS[key]
        outputs = compute_indicator(indicator, bars, own)
        votes |= {vote.key: float(compute_vote(indicator, vote, bars, outputs)[-1]) for vote in indicator.votes}
    differing = [
        f"{VOTES[key].vote.label} {signal_word(vote)[0].lower()} (stored {signal_word(last[f'vote_{key}'])[0].lower()})"
        for key, vote in votes.items() if np.isfinite(vote) and vote != last[f"vote_{key}"]
    ]  # fmt: skip
    if not differing:
        return "No vote of today changes."
    stored = {key: np.nan if last[f"vote_{key}"] is None else float(last[f"vote_{key}"]) for key in CORE_VOTES}
    core = {key: np.array([votes.get(key, vote)]) for key, vote in stored.items()}
    signal = signal_word(overall_signal(core)[0])[0].lower()
    return f"Votes of today that change: {', '.join(differing)}; the overall signal would be {signal}."


def _label(key: str, name: str) -> str:
    return next(item.label.lower() for item in INDICATORS[key].parameters if item.name == name)


def _default(key: str, name: str) -> Any:
    return next(item.default for item in INDICATORS[key].parameters if item.name == name)


def _backtest(ticker: str, changed: Changes) -> str:
    text = ",".join(f"{key}.{name}={value:g}" for key, own in changed.items() for name, value in own.items())
    asked = {"ticker": ticker, "strategy": "technical_vote", "indicator_parameters": text}
    return "/backtest?" + urlencode(asked, safe="^")
