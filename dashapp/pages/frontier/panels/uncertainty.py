"""How far the frontier, its weights and the chosen portfolio would move had the dates fallen otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import dash_bootstrap_components as dbc
import numpy as np
from dash import html

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.portfolio import evaluate
from analytics.portfolio.estimators import estimator
from analytics.portfolio.intervals import Intervals, portfolio_intervals
from analytics.portfolio.resampling import Resampled, resampled_frontier, sharpe_wins
from analytics.portfolio.views import parse_views
from dashapp.components import card, graph, stat, stats
from dashapp.figures.frontier_uncertainty import band_figure, weight_intervals_figure
from dashapp.format import percent, unbroken
from dashapp.pages.frontier.live import SHOWN_WEIGHT, Answer
from dashapp.pages.frontier.panels._panel import Chosen, Panel

MOST_BARS: Final = 20
KEPT: Final = 8
STORED: Final = ("capm", "ff3", "ff5")  # expected returns that come from stored fits, and are not redrawn
# Measured in simulated markets of 20 stocks and five years; docs/METHODS.md has the table.
BIAS: Final = (
    "Read the band as sampling spread, not as an interval of the true frontier: in 200 simulated markets of 20 stocks the 95 % band held the "
    "true return at a step of the frontier in 60 % of cases (94 % at minimum variance, 26 % at maximum return), because the best weights of "
    "a sample owe part of their return to luck; the frontier of the sample lay 8 points a year above the true one on average."
)
FIXED: Final = (
    "Read the band as sampling spread of the covariance alone: the expected returns come from stored fits and are not redrawn, and their "
    "error is the larger one. The Fundamentals tab shows it ticker by ticker. Historical mean redraws both."
)
_ONE_AT_A_TIME = Lock()  # the same question asked twice at once is computed once


@dataclass(frozen=True, eq=False)
class Spread:
    """The resampled frontier of an answer, and what was held fixed or left out of it."""

    found: Resampled
    notes: tuple[str, ...]


@lru_cache(maxsize=KEPT)
def _spread(answer: Answer) -> Spread:
    """An answer is one object as long as it is kept, so it is its own key."""
    data, request = replace(answer.inputs.data, views=parse_views(answer.request.views)), answer.request
    pair, n = estimator(request.estimator), len(data.tickers)
    factors = data.factor_returns if request.covariance == "factor_model" else None
    rows = np.ones(len(data.returns), dtype=bool) if factors is None else np.isfinite(factors).all(axis=1)
    columns = data.returns if factors is None else np.hstack([data.returns, factors])

    def estimate(sample: FloatArray) -> tuple[FloatArray, FloatArray]:
        return pair.estimate(
            replace(data, returns=sample[:, :n], factor_returns=sample[:, n:] if factors is not None else None)
        )

    feasible = answer.feasible.without("positions", "min_position") if answer.feasible.is_split else answer.feasible
    found = resampled_frontier(columns[rows], estimate=estimate, risk_free_rate=answer.rate, feasible=feasible)
    return Spread(found, tuple(_notes(answer, int(rows.sum()))))


def _notes(answer: Answer, n_sessions: int) -> list[str]:
    notes = []
    if answer.request.returns == "black_litterman":
        notes.append("Views and market values are not redrawn.")
    if answer.feasible.is_split:
        notes.append(
            "Limits on the number of positions and the smallest position are left out of the redrawn frontiers."
        )
    if n_sessions < len(answer.inputs.dates):
        notes.append(f"Drawn from the {n_sessions:,} sessions whose factor returns are known.")
    return notes


def _render(chosen: Chosen, _controls: Mapping[str, Any]) -> list[Any]:
    with _ONE_AT_A_TIME:
        spread = _spread(chosen.answer)
    found, past = spread.found, _past(chosen.answer, chosen.weights)
    rank, where = _rank(chosen, found)
    fixed = chosen.answer.request.returns in STORED
    figures = {name: float(getattr(past, name)) for name in (
        "mean_return", "mean_return_low", "mean_return_high", "volatility", "volatility_low", "volatility_high")}  # fmt: skip
    return [
        stats(_cards(chosen, past, found, rank)),
        dbc.Row([
            dbc.Col(card("Frontier within its sampling spread", graph(band_figure(found, chosen=figures, of_volatility=fixed, theme=chosen.theme), tools=False),
                         tip=f"{found.draws} redrawn histories: blocks of {found.block_sessions} sessions of the same window, all tickers together, estimated "
                             "and optimised anew. At each step along the frontier the band holds 95 % of what the draws promise."), xl=7),
            dbc.Col(card("Weights at this step", [_weights(chosen, found, rank), html.P(where, className="small text-body-secondary mb-0 mt-2")],
                         tip="Bars: the weights that the whole window gives. Lines: where 95 % of the redrawn weights lie."), xl=5),
        ]),
        html.P(unbroken(" ".join((FIXED if fixed else BIAS, *spread.notes))), className="small text-body-secondary mb-0"),
    ]  # fmt: skip


def _past(answer: Answer, weights: FloatArray) -> Intervals:
    return portfolio_intervals(_returns(answer, weights))


def _returns(answer: Answer, weights: FloatArray) -> FloatArray:
    """Daily returns of the weights over the window, rebalanced daily, the rest in cash."""
    cash = max(1 - float(weights.sum()), 0.0)
    return np.asarray(answer.inputs.data.returns @ weights + cash * answer.rate / TRADING_DAYS)


def _rank(chosen: Chosen, found: Resampled) -> tuple[int, str]:
    """The step of the frontier whose weights are shown, and what there is to say of it."""
    last = len(found.frontier.weights)
    held = found.frontier.weights > SHOWN_WEIGHT
    if chosen.point is not None and not chosen.answer.feasible.is_split:
        rank = chosen.point - 1
        where = f"Step {rank + 1} of {last} on the frontier."
    else:
        answer = chosen.answer
        risk = evaluate(
            chosen.weights, answer.expected_returns, answer.covariance, risk_free_rate=answer.rate
        ).volatility[0]
        rank = int(np.abs(found.frontier.volatility - risk).argmin())
        where = (
            f"{chosen.label} is not on this frontier: shown is step {rank + 1} of {last}, the nearest in volatility."
        )
    always = int((found.weights_low[rank] > SHOWN_WEIGHT)[held[rank]].sum())
    return (
        rank,
        f"{where} Of {int(held[rank].sum())} tickers held here, {always or 'none'} stay in nearly every redrawn history.",
    )


def _cards(chosen: Chosen, past: Intervals, found: Resampled, rank: int) -> list[html.Div]:
    answer = chosen.answer
    n, window = len(answer.tickers), f"{answer.inputs.dates[0].date()} to {answer.inputs.as_of}"
    wins, fixed = np.nan, answer.request.returns in STORED
    drawn, centre = ("volatility", found.frontier.volatility) if fixed else ("return", found.frontier.expected_return)
    if answer.rate_known:
        pair = (_returns(answer, weights) for weights in (chosen.weights, np.full(n, 1 / n)))
        wins = sharpe_wins(*pair, risk_free_rate=answer.rate)
    return [
        stat("Mean return", percent(past.mean_return), note=f"95 %: {_span(past.mean_return_low, past.mean_return_high)}",
             tip=f"{chosen.label}: the mean daily return of these weights × 252, {window}, rebalanced daily. Newey-West interval. The weights were "
                 "chosen on the same window, which the interval does not know."),
        stat("Volatility", percent(past.volatility), note=f"95 %: {_span(past.volatility_low, past.volatility_high)}",
             tip=f"Annual, of the same daily returns, {window}. The interval counts that calm and stormy times last."),
        stat(f"{drawn.capitalize()} at this step", percent(centre[rank]),
             note=f"redrawn: {_span(getattr(found, f'{drawn}_low')[rank], getattr(found, f'{drawn}_high')[rank])}",
             tip="Of the frontier at this step by the chosen estimates, and where 95 % of the redrawn frontiers have it: sampling spread."),
        stat("Sharpe above equal weights", percent(wins, digits=0), note="of 1,000 redrawn histories, in sample",
             tip="In how many histories of redrawn quarters these weights have the higher Sharpe ratio. The weights are fixed and were chosen on this "
                 "window, so the share flatters them; Out of sample has the test that does not."),
    ]  # fmt: skip


def _span(low: Any, high: Any) -> str:
    return unbroken(f"{percent(float(low), digits=0)} to {percent(float(high), digits=0)}")


def _weights(chosen: Chosen, found: Resampled, rank: int) -> Any:
    weights, low, high = found.frontier.weights[rank], found.weights_low[rank], found.weights_high[rank]
    shown = np.flatnonzero(np.maximum(weights, high) > SHOWN_WEIGHT)
    shown = shown[np.lexsort((-high[shown], -weights[shown]))][:MOST_BARS]
    names = [chosen.answer.tickers[number] for number in shown]
    return graph(
        weight_intervals_figure(names, weights[shown], low[shown], high[shown], theme=chosen.theme), tools=False
    )


PANEL = Panel(
    key="uncertainty", label="Uncertainty", order=50,
    tip="How far the answer would move had the same history fallen otherwise: its quarters are drawn again at random, and estimated and "
        "optimised anew. In sample: it does not show what comes.",
    render=_render, slow=True,
)  # fmt: skip
