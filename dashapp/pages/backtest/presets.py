"""The controls that follow from a choice: those of a strategy, and those that a preset has set."""

from collections.abc import Mapping
from typing import Any

from dash import Input, Output, State, callback, no_update
from dash.exceptions import PreventUpdate

from analytics.backtest.presets import PRESETS
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from dashapp import inputs
from dashapp.components import KEPT
from dashapp.pages.backtest.controls import parameter_controls, preset_values, term_controls
from dashapp.pages.backtest.layout import ID

MOST_TIMES = 1_000_000


@callback(
    Output(ID.applied, "data"), Output(ID.strategy, "value"), Output(ID.preset, "value"),
    Input(ID.preset, "value"), State(ID.applied, "data"), State(ID.asked, "data"), prevent_initial_call=True,
)  # fmt: skip
def apply_preset(chosen: Any, before: Any, asked: Any) -> tuple[Any, Any, None]:
    """Note that a preset was chosen, and for which form; each time its controls begin anew. The box is a menu: it empties."""
    if chosen is None:
        raise PreventUpdate
    preset = inputs.choice("preset", chosen, PRESETS)
    times = before.get("times") if isinstance(before, Mapping) else 0
    times = times + 1 if isinstance(times, int) and 0 <= times < MOST_TIMES else 1
    return {"preset": preset, "times": times, "form": _form(asked)}, PRESETS[preset].strategy or no_update, None


@callback(
    Output(ID.costs, "children"), Output(ID.rules, "children"), Output(ID.preset_told, "children"),
    Input(ID.applied, "data"), State(ID.asked, "data"),
)  # fmt: skip
def offer_terms(applied: Any, asked: Any) -> tuple[Any, Any, Any]:
    """Show costs and rules as a preset sets them; without one they stand as the page brought them."""
    preset, kept = _applied(applied, asked)
    if preset is None:
        raise PreventUpdate
    values, about = preset_values(preset), PRESETS[preset]
    return (
        term_controls(COSTS, values, kept=kept),
        term_controls(RULES, values, kept=kept),
        f"Set by {about.label}, and yours to change: {about.description}",
    )


@callback(
    Output(ID.parameters, "children"), Input(ID.strategy, "value"), Input(ID.applied, "data"), State(ID.asked, "data")
)
def offer_parameters(strategy: Any, applied: Any, asked: Any) -> Any:
    """Show the controls of the chosen strategy, with what a preset, or else the address, says of them."""
    chosen = inputs.choice("strategy", strategy, STRATEGIES)
    preset, kept = _applied(applied, asked)
    if preset is not None and PRESETS[preset].strategy == chosen:
        return parameter_controls(chosen, preset_values(preset, chosen), kept=kept)
    return parameter_controls(
        chosen, inputs.texts("parameters", asked, chosen), kept=KEPT | {"persistence": _form(asked)}
    )


def _applied(applied: Any, asked: Any) -> tuple[str | None, dict[str, Any]]:
    """The preset that was chosen on this form, and where its controls keep their values; (None, ...) where there is none."""
    if not isinstance(applied, Mapping) or applied.get("form") != _form(asked):
        return None, KEPT
    preset = inputs.choice("preset", applied.get("preset"), PRESETS)
    times = inputs.whole("times", applied.get("times"), low=1, high=MOST_TIMES)
    return preset, KEPT | {"persistence": f"{_form(asked)} {preset} {times}"}


def _form(asked: Any) -> Any:
    """What tells the form of a link from the one that the browser keeps: its text, or True."""
    kept = asked.get("kept") if isinstance(asked, Mapping) else None
    return kept if isinstance(kept, str) else True
