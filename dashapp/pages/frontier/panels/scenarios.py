"""What the chosen portfolio can lose: as estimated, after a shock, in named stresses, and within sampling error."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import Input, Output, callback, ctx, dcc, html, no_update

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.portfolio.portfolios import evaluate
from analytics.portfolio.scenarios import SCENARIOS, SPREAD, Scenario, sampling_spread
from analytics.portfolio.tail_risk import LOSSES, HorizonRisk, risk_in_worlds
from dashapp import inputs
from dashapp.components import KEPT, card, graph, info, plain_table, stat, stats
from dashapp.figures.frontier_scenarios import horizon_figure
from dashapp.format import number, percent
from dashapp.inputs import shown
from dashapp.pages.frontier.panels._panel import Chosen, Panel, control_id

KEY, OWN = "scenarios", "own"
HORIZONS: Final = {"1": "1 session", "5": "5 sessions, a week", "21": "21, a month", "63": "63, a quarter", "252": "252, a year"}  # fmt: skip
STRESSES: Final = {item.key: item for item in SCENARIOS}
SLIDERS: Final = {  # name: smallest, largest, step, start; the first in points a year
    "shift": (-50, 50, 1, -10), "factor": (0.2, 4, 0.1, 1.5), "correlation": (-1, 0.9, 0.1, 0.3),
}  # fmt: skip
ESTIMATED, SHOCKED = "As estimated", "After the shock"
LOSS: Final = "Share of outcomes below zero."
VAR: Final = "Value at risk: the loss that 5 % of the outcomes reach or exceed; negative is a gain."
SHORTFALL: Final = "Expected shortfall (CVaR): the mean loss of the worst 5 % of the outcomes."
MARKS: Final = {"shift": (-50, -25, 0, 25, 50), "factor": (0.2, 1, 2, 3, 4), "correlation": (-1, -0.5, 0, 0.5, 0.9)}
SPREAD_TIP: Final = (
    "The figures that the portfolio may truly have, if its own returns were independent and normal and the window is all that is known. "
    "Weights count as fixed beforehand: that they were chosen for looking good is not in it (see Out of sample), and where expected returns "
    "come from a model, the model's own error is not either."
)
ASSUMPTIONS: Final = (
    "Assumed: the weights are kept by daily rebalancing without costs; a shock changes the year's figures at once and stays for the horizon; "
    "its days keep the skewness and tails of the past; simulated days are independent, so that losses do not cluster as they do in crises. "
    "The estimates are in sample."
)
METHOD_TIPS: Final = {
    "historical": "Every run of as many sessions in the window, overlapping. It knows no expected return and no shock: the past as it was. "
                  "± is its standard error, from blocks of dates drawn again.",
    "normal": "Mean and variance alone, times the horizon; returns are taken as normal and are not compounded.",
    "cornish_fisher": "The normal quantile bent by the skewness and kurtosis of the past. Unknown where these are too large for the formula.",
    "student_t": "20,000 random paths of independent days with the tails of the past, compounded. ± is its simulation error.",
}  # fmt: skip


def render(chosen: Chosen, controls: Mapping[str, Any]) -> Any:
    """Return figures before and after the shock, four methods, the named stresses, and the sampling spread."""
    horizon = int(inputs.choice("horizon", controls.get("horizon"), HORIZONS))
    asked, found = _shock(controls), chosen.answer
    worlds = {ESTIMATED: (found.expected_returns, found.covariance)}
    worlds |= {item.key: item.apply(*worlds[ESTIMATED]) for item in (replace(asked, key=SHOCKED), *SCENARIOS)}
    risk = risk_in_worlds(
        chosen.weights, found.inputs.data.returns, worlds, horizon_sessions=horizon, risk_free_rate=found.rate
    )
    promised = {key: _promise(chosen, *world) for key, world in worlds.items()}
    drawn = {name: risk.simulated[name] for name in (ESTIMATED, SHOCKED)}
    losses = {name: risk.tables[name].loc["student_t", "value_at_risk"] for name in drawn}
    return [
        html.P(f"{chosen.label}. The shock, {asked.label}: {asked.description}", className="mb-2"),
        stats(_cards(risk, promised, HORIZONS[str(horizon)])),
        dbc.Row([
            dbc.Col([
                card(f"Returns over {_sessions(horizon)}", graph(horizon_figure(risk.past, drawn, losses, theme=chosen.theme), tools=False),
                     tip="Bars: the overlapping windows of the past. Lines: 20,000 simulated paths. Dashed: the value at risk of each; "
                         "the outermost 0.2 % at either end are beyond the edges."),
                card("Random shocks: sampling error", _spread(chosen), tip=SPREAD_TIP),
            ], xl=5),
            dbc.Col([
                card("What can be lost, by method", _methods(risk),
                     tip=f"Over {_sessions(horizon)}, at 95 %. Where the methods disagree, the assumption matters."),
                card("Named stresses", _stresses(risk, promised), tip=f"Return and volatility a year; losses over {_sessions(horizon)}, by Student-t "
                     "simulation with the same random days in each row. The sizes are assumptions in the spirit of the name, not estimates."),
            ], xl=7),
        ]),
        html.P(ASSUMPTIONS, className="small text-body-secondary mb-0"),
    ]  # fmt: skip


def _shock(controls: Mapping[str, Any]) -> Scenario:
    """The named stress, or the sliders' own."""
    name = inputs.choice("stress", controls.get("stress"), [OWN, *STRESSES])
    if name != OWN:
        return STRESSES[name]
    shift, factor, correlation = (_slid(key, controls.get(key)) for key in SLIDERS)
    words = (
        f"{number(shift, digits=0, sign=True)} points of return a year, volatilities × {number(factor, digits=1)}, "
        f"correlations {_moved(correlation)}."
    )
    return Scenario(OWN, "your own", shift / 100, factor, correlation, words)


def _slid(name: str, value: Any) -> float:
    low, high, *_ = SLIDERS[name]
    given = inputs.number(name, value)
    if not low <= given <= high:
        raise InputError(name, got=shown(value), allowed=f"a number from {low:g} to {high:g}")
    return float(given)


def _moved(share: float) -> str:
    if share == 0:
        return "as they are"
    return f"moved {percent(abs(share), digits=0)} of the way to {'one' if share > 0 else 'zero'}"


def _sessions(horizon: int) -> str:
    return "1 session" if horizon == 1 else f"{horizon} sessions"


def _promise(chosen: Chosen, expected_returns: FloatArray, covariance: FloatArray) -> tuple[float, float]:
    row = evaluate(chosen.weights, expected_returns, covariance, risk_free_rate=chosen.answer.rate)
    return float(row.expected_return[0]), float(row.volatility[0])


def _cards(risk: HorizonRisk, promised: Mapping[str, tuple[float, float]], horizon: str) -> list[html.Div]:
    before, after = (risk.tables[name].loc["student_t"] for name in (ESTIMATED, SHOCKED))
    texts = [
        ("Expected return", *(percent(promised[name][0]) for name in (SHOCKED, ESTIMATED)), "A year, after the shock: the estimate plus its shift."),
        ("Volatility", *(percent(promised[name][1]) for name in (SHOCKED, ESTIMATED)), "A year, after the shock to volatilities and correlations."),
        *((label, percent(after[key]), percent(before[key]), f"{tip} After the shock, over the horizon ({horizon}), Student-t simulation.")
          for key, label, tip in (("probability_of_loss", "Probability of loss", LOSS), ("value_at_risk", "VaR 95 %", VAR),
                                  ("expected_shortfall", "Expected shortfall 95 %", SHORTFALL))),
    ]  # fmt: skip
    return [stat(label, value, note=f"before {old}", tip=tip) for label, value, old, tip in texts]


def _methods(risk: HorizonRisk) -> html.Div:
    """A row a method: the three losses as estimated, and after the shock; the past knows of none."""
    rows = []
    for key, tip in METHOD_TIPS.items():
        before, after = (risk.tables[name].loc[key] for name in (ESTIMATED, SHOCKED))
        shocked = ["–"] * len(LOSSES) if key == "historical" else [_with_error(after, name) for name in LOSSES]
        rows.append(
            [html.Span([before["label"], " ", info(tip)]), *(_with_error(before, name) for name in LOSSES), *shocked]
        )
    return plain_table(["Method", "Chance of loss", "VaR", "ES", "Loss, after", "VaR, after", "ES, after"], rows)


def _with_error(row: pd.Series, name: str) -> Any:
    error = row[f"{name}_se"]
    if not np.isfinite(error):
        return percent(row[name])
    return [percent(row[name]), html.Div(f"± {percent(error)}", className="text-body-secondary small")]


def _stresses(risk: HorizonRisk, promised: Mapping[str, tuple[float, float]]) -> html.Div:
    labels: list[tuple[str, Any]] = [(ESTIMATED, ESTIMATED)]
    labels += [(item.key, html.Span([item.label, " ", info(item.description)])) for item in SCENARIOS]
    rows = [
        [label, *map(percent, promised[key]), *(percent(risk.tables[key].loc["student_t", name]) for name in LOSSES)]
        for key, label in labels
    ]
    return plain_table(["Stress", "Return", "Volatility", "Chance of loss", "VaR", "ES"], rows)


def _spread(chosen: Chosen) -> list[Any]:
    found = chosen.answer
    n_sessions, rate = len(found.inputs.dates), found.inputs.data.risk_free_rate
    expected, volatility = _promise(chosen, found.expected_returns, found.covariance)
    table = sampling_spread(expected, volatility, n_sessions=n_sessions, risk_free_rate=rate)
    rows = [
        [label, *(show(value) for value in table.loc[key])]
        for key, label, show in (("expected_return", "Expected return", percent), ("volatility", "Volatility", percent),
                                 ("sharpe_ratio", "Sharpe ratio", number))
    ]  # fmt: skip
    low, high = (percent((1 + side * SPREAD) / 2, digits=0) for side in (-1, 1))
    words = f"What {n_sessions:,} sessions do not rule out: {percent(SPREAD, digits=0)} of 10,000 shocks of that size lie between the two ends."
    return [
        plain_table(["A year", "Estimate", low, high], rows),
        html.P(words, className="small text-body-secondary mt-2 mb-0"),
    ]


@callback(
    Output(control_id(KEY, "stress"), "value"), *(Output(control_id(KEY, name), "value") for name in SLIDERS),
    Input(control_id(KEY, "stress"), "value"), *(Input(control_id(KEY, name), "value") for name in SLIDERS),
    prevent_initial_call=True,
)  # fmt: skip
def follow(stress: Any, *values: Any) -> Any:
    """Show the numbers of a named stress on the sliders; a slider that is moved makes the shock one's own."""
    named = STRESSES.get(stress) if isinstance(stress, str) else None
    if named is None:
        return (no_update,) * 4
    numbers = (round(100 * named.expected_return_shift, 6), named.volatility_factor, named.correlation_shift)
    if isinstance(ctx.triggered_id, dict) and ctx.triggered_id.get("name") == "stress":
        return no_update, *numbers
    moved = any(given != known for given, known in zip(values, numbers, strict=True))
    return OWN if moved else no_update, *(no_update,) * 3


def _slider(name: str) -> dcc.Slider:
    low, high, step, start = SLIDERS[name]
    marks = {value: f"{value:g}" for value in MARKS[name]}
    return dcc.Slider(min=low, max=high, step=step, value=start, marks=marks, **KEPT)


PANEL = Panel(
    KEY, "Scenarios", 60,
    "What if returns, volatilities and correlations are not those of the window? Choose a stress or set your own; the weights stay as they are.",
    render,
    controls={
        "horizon": ("Horizon, sessions", dcc.Dropdown(options=HORIZONS, value="21", clearable=False, **KEPT)),
        "stress": ("Stress", dcc.Dropdown(options={OWN: "Your own, by the sliders"} | {key: item.label for key, item in STRESSES.items()},
                                          value=OWN, clearable=False, **KEPT)),
        "shift": ("Expected return, points a year", _slider("shift")),
        "factor": ("Volatilities, times", _slider("factor")),
        "correlation": ("Correlations, share of the way to 1 or 0", _slider("correlation")),
    }, slow=True,
)  # fmt: skip
