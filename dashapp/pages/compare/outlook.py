"""What could be made of the chosen runs: a blend of them, and what one of them may become."""

from functools import lru_cache
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
import pandas as pd
from dash import html

from analytics.backtest.blend import WAYS, Blend, OutOfSample, blend
from analytics.backtest.monte_carlo import Paths, simulate_paths
from analytics.backtest.tear_sheet import distribution
from analytics.conventions import FloatArray
from analytics.errors import InputError
from dashapp import inputs
from dashapp.components import card, column, graph, grid, number_column, percent_column, stat, stats
from dashapp.data import market, published
from dashapp.figures.compare import blend_figure, curves_figure, weights_along_figure
from dashapp.figures.paths import fan_figure, spread_figure
from dashapp.format import number, percent
from dashapp.pages.compare.judged import SEED
from dashapp.pages.compare.runs import KEPT, Held, Runs, one_of
from pipeline.queries import factors as factor_queries

WAY_LABELS = {
    "min_variance": "Blend: minimum variance", "max_return": "Blend: maximum return", "max_sharpe": "Blend: maximum Sharpe",
    "equal_weight": "Blend: equal weights",
}  # fmt: skip
MOST_PREMIUM, MOST_YEARS = 10.0, 20  # of the controls
LEAST_VOLATILITY, MOST_VOLATILITY = 0.5, 3.0
DRAWN = 0.99  # of the final values: the few above would flatten the rest


# ---- blend --------------------------------------------------------------------------------------------------


def blend_view(runs: Runs, *, theme: str | None) -> list[Any]:
    """Return the frontier of the blends and their record; raises InputError, MissingDataError where there is none."""
    found = blended(Held.of(runs))
    front, names = found.frontier, list(found.names)
    frontier = pd.DataFrame({"volatility": front.volatility, "expected_return": front.expected_return})
    points = pd.DataFrame({
        "name": [*names, "Equal weights"], "volatility": [*found.runs.volatility, *found.equal_weight.volatility],
        "expected_return": [*found.runs.expected_return, *found.equal_weight.expected_return],
    })  # fmt: skip
    weights = pd.DataFrame(front.weights, columns=names)
    return [
        dbc.Row([
            dbc.Col(card("Blends in hindsight", graph(blend_figure(frontier, points, theme=theme), tools=False),
                         tip="Long-only mixes of the chosen runs by their mean returns and Ledoit and Wolf's covariance over the common sessions: "
                             "what would have been best, known only afterwards."), xl=6),
            dbc.Col(card("What they hold", graph(weights_along_figure(front.volatility, weights, theme=theme), tools=False),
                         tip="The weights of each portfolio of the frontier, from the least volatility to the highest return."), xl=6),
        ]),
        *_record(found, theme),
    ]  # fmt: skip


def _record(found: Blend, theme: str | None) -> list[html.Div]:
    held = found.out_of_sample
    if held is None:
        return [card("Out of sample", html.P(found.why_not, className="mb-0"))]
    rows = blend_rows(held)
    best, equal = (rows.set_index("label").loc[WAY_LABELS[way]] for way in ("max_sharpe", "equal_weight"))
    told = (
        f"Choosing the maximum Sharpe ratio promised {number(best['promised'])} and gave {number(best['sharpe_ratio'])}; "
        f"equal weights, which choose nothing, gave {number(equal['sharpe_ratio'])}."
    )
    curves = pd.DataFrame(
        np.vstack([np.ones(len(held.names)), np.cumprod(1.0 + held.returns, axis=0)])[1:] * 100.0,
        columns=list(rows["label"]),
    )
    columns = [
        column("label", "Allocation", minWidth=220, tooltipField="label"), percent_column("annual_return", "Return a year", coloured=True, width=120),
        percent_column("annual_volatility", "Volatility", width=110), number_column("sharpe_ratio", "Sharpe", width=90),
        number_column("promised", "Promised", width=100, tip="The Sharpe ratio that each choice had in sample, mean over the sessions it was held"),
        percent_column("max_drawdown", "Drawdown", width=110),
    ]  # fmt: skip
    return [card("Out of sample", [
        html.P(told, className="fw-semibold"),
        graph(curves_figure(held.dates, curves, lead=list(rows["label"][:len(WAYS)]), theme=theme)),
        grid("compare-blend", rows, columns, row_id="label", row_height=32),
    ], tip=f"Each of the {len(held.chosen_on)} choices knows the sessions before it alone and is held for the next ones. Moving capital between runs "
           "is free here; the runs' own costs are in their returns.")]  # fmt: skip


def blend_rows(held: OutOfSample) -> pd.DataFrame:
    """Return label, the measured metrics and the promised Sharpe ratio of each way of allocating and of each run."""
    labels = [WAY_LABELS.get(name, name) if place < len(WAYS) else name for place, name in enumerate(held.names)]
    return pd.DataFrame({"label": labels, **held.metrics, "promised": held.promised_sharpe_ratio})


@lru_cache(maxsize=KEPT)
def blended(held: Held) -> Blend:
    """Return the blend of the chosen runs on their common sessions."""
    runs = held.runs
    values = np.column_stack(list(runs.returns().values()))
    return blend(values, runs.common.dates, runs.labels, risk_free_returns=runs.common.risk_free)


# ---- Monte-Carlo --------------------------------------------------------------------------------------------


def paths_view(runs: Runs, run: Any, premium: Any, volatility: Any, years: Any, *, theme: str | None) -> list[Any]:
    """Return what one run may become under the controls' market; raises InputError."""
    label = one_of(runs, run)
    shock = _within("premium", premium, -MOST_PREMIUM, MOST_PREMIUM) / 100.0
    times = _within("volatility", volatility, LEAST_VOLATILITY, MOST_VOLATILITY)
    found = simulated(
        Held.of(runs), _market_run(), label, shock, times, inputs.whole("years", years, low=1, high=MOST_YEARS)
    )
    median, (low, high) = float(found.fan[-1, 2]), (float(found.fan[-1, place]) for place in (0, 4))
    deep = np.quantile(found.max_drawdown, [0.5, 0.05])
    beta = f", beta to the market {number(found.beta)}" if np.isfinite(found.beta) else ""
    return [
        card(f"{label}: what may come", [
            stats([
                stat("Value of 100, median", number(median * 100, digits=0), note=f"90 %: {number(low * 100, digits=0)} to {number(high * 100, digits=0)}",
                     tip=f"At the end of {years} years, over {len(found.final_value):,} paths."),
                stat("Probability of loss", percent(found.loss_probability), tip="Share of the paths that end below what was put in."),
                stat("Drawdown, median", percent(deep[0]), note=f"worst 5 %: {percent(deep[1])} or deeper", tip="The deepest fall from a peak on each path."),
                stat("Probability of ruin", percent(found.ruin_probability), tip="Share of the paths that lose everything on the way."),
            ]),
            graph(fan_figure(found.sessions, found.fan, theme=theme), tools=False),
        ], tip=f"The run's own sessions, drawn again in blocks of {found.block_sessions} (circular block bootstrap{beta}). It supposes that the strategy goes on "
               "as it did: what was luck in the past is in every path."),
        dbc.Row([
            dbc.Col(card("Final value of 100", graph(spread_figure(distribution(_central(found)), percent=False, name="Final value", theme=theme), tools=False),
                         tip="The highest 1 % of the paths are left out of the picture."), xl=6),
            dbc.Col(card("Deepest drawdown", graph(spread_figure(distribution(found.max_drawdown), percent=True, name="Drawdown", theme=theme), tools=False)), xl=6),
        ]),
    ]  # fmt: skip


def _central(found: Paths) -> FloatArray:
    """Final values of 100 without the highest 1 %, which would flatten the rest."""
    return found.final_value[found.final_value <= np.quantile(found.final_value, DRAWN)] * 100.0


@lru_cache(maxsize=KEPT)
def simulated(
    held: Held, _market: str, label: str, premium_shock: float, volatility_multiplier: float, years: int
) -> Paths:
    """Return the paths of one run; without a shock to its premium the market need not be known.

    _market: the published run that the market's returns are read from, part of the key alone.
    """
    record = held.runs.records[label]
    beside = None
    if premium_shock:
        with market() as reader:
            factors = factor_queries.factor_returns(reader, "D", start=str(record.dates[0]))
        returns = (factors["mkt_rf"] + factors["rf"]).rename(None)
        beside = returns.reindex(pd.DatetimeIndex(record.dates).as_unit("s")).to_numpy(dtype=float)
        known = np.isfinite(beside) & np.isfinite(record.returns)
        beside = (
            beside if known.sum() >= len(beside) / 2 else record.benchmark_returns
        )  # no factors of these dates: buy and hold
    return simulate_paths(
        record.returns,
        beside,
        seed=SEED,
        premium_shock=premium_shock,
        volatility_multiplier=volatility_multiplier,
        years=float(years),
    )


def _market_run() -> str:
    with market() as reader:
        return str(published(reader)[0]["run_id"])


def _within(field: str, value: Any, low: float, high: float) -> float:
    found = float(inputs.number(field, value))
    if not low <= found <= high:
        raise InputError(field, got=found, allowed=f"{low:g} to {high:g}")
    return found
