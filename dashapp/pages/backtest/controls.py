"""A control per declared parameter: a slider or a number, a switch, a text, or a list for a choice."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from analytics.backtest.presets import PRESETS
from analytics.backtest.strategies import STRATEGIES
from analytics.errors import PlumblineError
from analytics.indicators import VOTES
from analytics.parameters import Parameter
from dashapp.components import KEPT, field

TERM = "backtest-term"
STRATEGY = "backtest-parameter"
ONE_OF_LABELS = {"long_only": "Long only", "long_short": "Long and short"}
MOST_STOPS = 600  # of a slider; what has more is typed
GRID = 1e-9  # how far from a stop of a slider a default may be by rounding


def parameter_controls(
    strategy: str, asked: Mapping[str, Any] | None = None, *, kept: Mapping[str, Any] = KEPT
) -> list[html.Div]:
    """Return the controls of a strategy's own parameters.

    asked: {parameter: value, or text of an address} where it names one; what the parameter does not allow is passed over.
    """
    return [
        field(label_of(item), _control(item, (asked or {}).get(item.name), kept, kind=STRATEGY), item.help)
        for item in STRATEGIES[strategy].parameters
    ]


def term_controls(
    declared: Sequence[Parameter], asked: Mapping[str, Any], *, kept: Mapping[str, Any]
) -> list[html.Div]:
    """Return the controls of costs or rules; asked as above. Numbers: their bounds are too wide for a slider."""
    return [
        field(label_of(item), _control(item, asked.get(item.name), kept, kind=TERM), item.help) for item in declared
    ]


def preset_values(preset: str | None, strategy: str | None = None) -> dict[str, Any]:
    """Return what a preset sets: of a strategy's parameters where one is named, else of costs and rules."""
    if preset is None:
        return {}
    chosen = PRESETS[preset]
    if strategy is None:
        return {**chosen.costs, **chosen.rules}
    return dict(chosen.parameters) if chosen.strategy == strategy else {}


def label_of(parameter: Parameter) -> str:
    """Return the words above a parameter's control, with its unit."""
    return f"{parameter.label}, %" if parameter.percent else parameter.label


def _control(parameter: Parameter, asked: Any, kept: Mapping[str, Any], *, kind: str) -> Any:
    key = {"type": kind, "name": parameter.name}
    try:
        value = parameter.default if asked is None else parameter.check(asked)
    except PlumblineError:
        value = parameter.default
    if parameter.parse is not None:
        return dbc.Input(id=key, type="text", value=value, placeholder="rsi.window=21", size="sm", **kept)
    if parameter.choices:
        options = {choice: VOTES[choice].vote.label if choice in VOTES else choice for choice in parameter.choices}
        return dcc.Dropdown(id=key, options=options, value=list(value), multi=True, **kept)
    if parameter.one_of:
        options = {choice: ONE_OF_LABELS.get(choice, choice.replace("_", " ")) for choice in parameter.one_of}
        return dcc.Dropdown(id=key, options=options, value=value, clearable=False, **kept)
    if isinstance(parameter.default, bool):
        return dbc.Switch(id=key, value=value, **kept)
    step = _slider_step(parameter) if kind == STRATEGY else None
    if step is not None:
        return _slider(key, parameter, value, step, kept)
    return number_input(key, value * 100 if parameter.percent else value, kept)


def number_input(key: Any, value: float, kept: Mapping[str, Any]) -> dbc.Input:
    """Return a field for a number that is typed."""
    return dbc.Input(id=key, type="number", value=round(value, 6), step="any", size="sm", **kept)


def _slider(key: Any, parameter: Parameter, value: float, step: float, kept: Mapping[str, Any]) -> html.Div:
    ends = {bound: f"{bound:g}" for bound in (parameter.minimum, parameter.maximum)}
    slider = dcc.Slider(
        id=key, min=parameter.minimum, max=parameter.maximum, step=step, value=value, marks=ends, **kept
    )
    return html.Div(slider, className="parameter-slider", role="group", **{"aria-label": label_of(parameter)})  # type: ignore[arg-type]


def _slider_step(parameter: Parameter) -> float | None:
    """The distance of a slider's stops, on one of which the default stands; None where there were too many."""
    for step in (parameter.step, parameter.minimum):
        if step <= 0 or (parameter.maximum - parameter.minimum) / step > MOST_STOPS:
            return None
        stops = (parameter.default - parameter.minimum) / step
        if abs(stops - round(stops)) < GRID:
            return step
    return None
