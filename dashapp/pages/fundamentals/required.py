"""What each model requires of a ticker under the chosen premiums, beside what was earned."""

from typing import Any

import pandas as pd
from dash import ALL, Input, Output, callback, ctx, html

from analytics.conventions import PERIODS_PER_YEAR
from analytics.errors import InputError, MissingDataError
from analytics.factor_models import (
    FACTOR_MODELS,
    PREMIUM_CHOICES,
    TickerFit,
    chosen_premiums,
    fit_ticker,
    required_return,
)
from analytics.inference import t_interval
from dashapp.components import graph, guarded, plain_table
from dashapp.data import market
from dashapp.figures.factors import returns_figure
from dashapp.format import percent
from dashapp.ids import SHELL
from dashapp.inputs import choice
from dashapp.inputs import number as checked_number
from dashapp.pages.fundamentals._reading import (
    Chosen,
    as_stored,
    chosen,
    factor_history,
    fitted_instrument,
    returns_and_factors,
)
from dashapp.pages.fundamentals.layout import ID, PREMIUM_LABELS
from pipeline.queries import Reader
from pipeline.queries import factors as factor_queries

MAX_PERCENT = 100  # a year, of a premium that is typed


@callback(
    Output(ID.expected, "children"), Output(ID.own, "hidden"),
    Input(SHELL.view, "data"), Input(ID.window, "value"), Input(ID.frequency, "value"), Input(ID.premiums, "value"),
    Input({"type": "fundamentals-premium", "name": ALL}, "value"), Input(SHELL.theme_name, "data"), Input(SHELL.run, "data"),
)  # fmt: skip
def show_expected(seen: Any, window: Any, frequency: Any, premiums: Any, _own: Any, theme: Any, _run: Any) -> Any:
    """Show what each model requires under the chosen premiums beside what was earned."""
    given = {item["id"]["name"]: item.get("value") for item in ctx.inputs_list[4]}
    return _expected(seen, window, frequency, premiums, given, theme), premiums != "own"


@guarded
def _expected(seen: Any, window: Any, frequency: Any, premiums: Any, given: dict[str, Any], theme: Any) -> Any:
    fit, way = chosen("capm", window, frequency), choice("factor premiums", premiums, PREMIUM_CHOICES)
    typed = {name: value for name, value in given.items() if value not in (None, "")} if way == "own" else {}
    if way == "own" and not typed:
        raise MissingDataError("Type the premium of each factor of a model, in percent a year: then it is shown.")
    own = {name: _typed(name, value) for name, value in typed.items()}
    with market() as reader:
        ticker = fitted_instrument(reader, seen)["ticker"]
        rows, why = _required(reader, ticker, fit, way, own)
        history = factor_history(reader, fit.frequency)
    if rows.empty:
        raise MissingDataError(" ".join(why))
    bars = pd.concat([
        pd.DataFrame({"label": rows["label"], "kind": kind, "value": rows[kind], "low": rows[f"{kind}_low"], "high": rows[f"{kind}_high"]})
        for kind in ("required", "realised")
    ])  # fmt: skip
    return [
        graph(returns_figure(bars, theme=theme), tools=False), _difference_table(rows),
        html.P(_premium_words(history, way, fit.frequency), className="small text-body-secondary mb-0 mt-1"),
        html.Ul([html.Li(words) for words in why], className="small text-body-secondary mb-0 mt-2") if why else None,
    ]  # fmt: skip


def _typed(name: str, value: Any) -> float:
    """A premium as a fraction of what was typed as percent."""
    field = f"premium of {PREMIUM_LABELS[choice('factor', name, PREMIUM_LABELS)]}"
    percent_a_year = checked_number(field, value)
    if abs(percent_a_year) > MAX_PERCENT:
        raise InputError(field, got=percent_a_year, allowed=f"percent a year from -{MAX_PERCENT} to {MAX_PERCENT}")
    return percent_a_year / 100


def _required(
    reader: Reader, ticker: str, fit: Chosen, way: str, own: dict[str, float]
) -> tuple[pd.DataFrame, list[str]]:
    """A row per model that can be fitted, and why the others cannot."""
    returns, factors = returns_and_factors(reader, ticker, fit.frequency)
    factors = as_stored(factors, factor_queries.latest_fits(reader, ticker), fit.frequency)
    history = factor_history(reader, fit.frequency)
    rows, why = [], []
    for model in sorted(FACTOR_MODELS.values(), key=lambda item: len(item.factors)):
        try:
            found = fit_ticker(returns, factors, model.key, window=fit.window, frequency=fit.frequency)
            rows.append(_row(found, history, way, own))
        except InputError as error:
            why.append(f"{model.label}: {error}")
    return pd.DataFrame(rows), why


def _row(found: TickerFit, history: pd.DataFrame, way: str, own: dict[str, float]) -> dict[str, Any]:
    periods, names = found.periods_per_year, found.model.factors
    if way == "own" and (missing := [PREMIUM_LABELS[name] for name in names if name not in own]):
        raise InputError(
            "my own premiums",
            got=f"none for {', '.join(missing)}",
            allowed="a number of percent a year for each factor",
        )
    known = history.loc[: found.dates[-1], list(names)].to_numpy(float)
    premiums = chosen_premiums(way, known, names=names, own=own, periods_per_year=periods)
    required, error = (float(values[0]) for values in required_return(
        found.betas[:, None], found.regression.covariance[:, 1:, 1:], premiums, risk_free_rate=periods * float(found.risk_free[-1])
    ))  # fmt: skip
    degrees = int(found.regression.n_obs[0]) - len(names) - 1
    low, high = t_interval(required, error, degrees=degrees)
    earned = found.realised()
    return {
        "label": found.model.label, "required": required, "required_se": error, "required_low": float(low), "required_high": float(high),
        "realised": earned.mean, "realised_se": earned.std_err, "realised_low": earned.low, "realised_high": earned.high,
        "difference": earned.mean - required, "alpha": periods * found.alpha,
        "risk_free": periods * float(found.risk_free[-1]), "sample": f"{found.dates[0]:%Y-%m} to {found.dates[-1]:%Y-%m}",
    }  # fmt: skip


def _premium_words(history: pd.DataFrame, way: str, frequency: str) -> str:
    """Each factor's premium with its standard error."""
    if way == "own":
        return "Premiums: your own, taken as known."
    periods, words = PERIODS_PER_YEAR[frequency], []
    for name, label in PREMIUM_LABELS.items():
        known = history[[name]].dropna()
        if len(known) > 1:
            found = chosen_premiums(way, known.to_numpy(float), names=(name,), periods_per_year=periods)
            words.append(f"{label} {percent(found.mean[0])} ± {percent(found.covariance[0, 0] ** 0.5)}")
    return f"Premiums a year, {PREMIUM_CHOICES[way].lower()}: {'; '.join(words)}."


def _difference_table(rows: pd.DataFrame) -> html.Div:
    header = [
        "Model",
        "Required ± SE",
        "Realised ± SE",
        "Realised − required",
        "of it alpha",
        "of it factors and rates",
    ]
    body = [[
        [row.label, html.Div(f"{row.sample}, risk-free {percent(row.risk_free)}", className="stat-note")],
        f"{percent(row.required)} ± {percent(row.required_se)}", f"{percent(row.realised)} ± {percent(row.realised_se)}",
        percent(row.difference, sign=True), percent(row.alpha, sign=True), percent(row.difference - row.alpha, sign=True),
    ] for row in rows.itertuples()]  # fmt: skip
    below = ", ".join(row.label for row in rows.itertuples() if row.alpha < 0)
    named = (
        f"the required return is above the realised one, alpha < 0, by {below}"
        if below
        else "every model requires less than was realised, alpha > 0"
    )
    words = f"At the factor means of the sample {named}. The rest of the difference is what factors and rates of the sample earned beyond these premiums and the newest rate."
    return html.Div([plain_table(header, body), html.P(words, className="small text-body-secondary mb-0 mt-1")])
