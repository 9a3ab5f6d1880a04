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
from analytics.indicators import INDICATORS, VOTES, Indicator, compute_indicator, compute_vote, declared_parameter
from analytics.market import FIELDS, Bars
from analytics.parameters import Parameter
from analytics.signals import overall_signal
from dashapp import inputs
from dashapp.components.votes import signal_word
from dashapp.format import column_label
from dashapp.pages.technical.layout import ID, OVERLAYS, PANES

Changes = Mapping[str, Mapping[str, Any]]  # {indicator: {parameter: value}}, only what differs from the stored
MOST = 200  # more than all parameters there are
_TWO_BARS = Bars("", np.arange(2).astype("datetime64[D]"), *(np.ones(2) for _ in FIELDS))


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
    found, faults = dict(kept or {}), []
    for item in sent:
        name = item["id"]["name"]
        try:
            own = changes(
                {
                    **{key: found[key] for key in found if key.split(".")[0] == str(name).split(".")[0]},
                    name: item.get("value"),
                }
            )
        except PlumblineError as error:
            faults.append(html.Div(f"{error} What was there before stays."))
            continue
        found.pop(name, None)
        found |= {f"{key}.{parameter}": value for key, chosen in own.items() for parameter, value in chosen.items()}
    alert = dbc.Alert(faults, color="danger", class_name="py-1 my-2") if faults else None
    return (no_update if found == kept else found), alert


def changes(value: Any) -> Changes:
    """Return what a Store of {"indicator.parameter": value} changes; raises InputError and UnknownKeyError."""
    if not isinstance(value, Mapping) or len(value) > MOST:
        raise InputError("parameters", got=inputs.shown(value), allowed=f"up to {MOST} of indicator.parameter")
    found: dict[str, dict[str, Any]] = {}
    for name, given in value.items():
        indicator, parameter = declared_parameter(inputs.shown(name))
        checked = parameter.check(inputs.number(f"{indicator.label}, {parameter.label}", given))
        if checked != parameter.default:
            found.setdefault(indicator.key, {})[parameter.name] = checked
    for key, chosen in found.items():
        compute_indicator(
            INDICATORS[key], _TWO_BARS, chosen
        )  # refuses what does not go together, such as fast above slow
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
    named = [_setting(key, name, value) for key, own in changed.items() for name, value in own.items()]
    concerned = _concerned(changed)
    link: list[Any] = ["No vote depends on them, so a backtest of votes would not change."]
    if concerned:
        link = [
            dcc.Link(
                "Backtest these parameters", href=_backtest(bars.ticker, changed, concerned), className="alert-link"
            )
        ]
    return dbc.Alert([
        html.Strong("Live: "), "; ".join(named), ". Lines marked live are computed now. ", _live_votes(bars, changed, concerned, last),
        " Markers, votes, ratings and records are the stored ones. ", *link,
    ], color="warning", class_name="py-2 mb-2")  # fmt: skip


def _setting(key: str, name: str, value: Any) -> str:
    indicator, parameter = declared_parameter(f"{key}.{name}")
    if name in indicator.outputs:
        return f"{parameter.label} set to {value:g}"
    return f"{indicator.label}, {parameter.label.lower()} {value:g} (stored {parameter.default:g})"


def _concerned(changed: Changes) -> list[str]:
    """The votes that read a line which the changes concern."""
    found = []
    for key, own in changed.items():
        outputs = INDICATORS[key].outputs
        for vote in INDICATORS[key].votes:
            read = vote.reads or outputs
            if any(name in read if name in outputs else True for name in own):
                found.append(vote.key)
    return found


def _live_votes(bars: Bars, changed: Changes, concerned: list[str], last: Mapping[str, Any]) -> str:
    """What the concerned votes say today, and what the signal would be with them."""
    outputs = {key: compute_indicator(INDICATORS[key], bars, own) for key, own in changed.items()}
    votes = {key: float(compute_vote(*VOTES[key], bars, outputs[VOTES[key].indicator.key])[-1]) for key in concerned}
    differing = {key: vote for key, vote in votes.items() if _differs(vote, last[f"vote_{key}"])}
    if not differing:
        return "No vote of today changes."
    said = ", ".join(
        f"{VOTES[key].vote.label} {signal_word(vote)[0].lower()} (stored {signal_word(last[f'vote_{key}'])[0].lower()})"
        for key, vote in differing.items()
    )
    if not set(differing) & set(CORE_VOTES):
        return f"Votes of today that change: {said}; none of them counts toward the overall signal."
    stored = {key: np.nan if last[f"vote_{key}"] is None else float(last[f"vote_{key}"]) for key in CORE_VOTES}
    core = {key: np.array([votes.get(key, vote)]) for key, vote in stored.items()}
    signal, kept = (signal_word(value)[0].lower() for value in (overall_signal(core)[0], last["overall_signal"]))
    return f"Votes of today that change: {said}; the overall signal would be {signal} (stored {kept})."


def _differs(vote: float, stored: Any) -> bool:
    """Whether a vote is another than the stored one; to know it no longer is another."""
    return bool(np.isnan(vote)) != (stored is None) or (stored is not None and vote != stored)


def _backtest(ticker: str, changed: Changes, concerned: list[str]) -> str:
    """The address of a backtest in which the concerned votes count beside the core ones."""
    text = ",".join(f"{key}.{name}={value:g}" for key, own in changed.items() for name, value in own.items())
    asked = {"ticker": ticker, "strategy": "technical_vote", "indicator_parameters": text}
    if more := [key for key in concerned if key not in CORE_VOTES]:
        asked["votes"] = ",".join((*CORE_VOTES, *more))
    return "/backtest?" + urlencode(asked, safe="^")
