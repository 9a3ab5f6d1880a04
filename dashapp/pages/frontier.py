"""Frontier: what the best mix of the universe's stocks would have been, and what it is made of."""

from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import Input, Output, callback, dcc, html

from analytics.conventions import FRONTIER_POINTS
from analytics.errors import MissingDataError
from dashapp.components import KEPT, card, column, graph, grid, guarded, percent_column, stat, stats
from dashapp.data import market
from dashapp.figures.frontier import MARKED, frontier_figure, weights_figure
from dashapp.format import number, percent
from dashapp.ids import SHELL, ids
from dashapp.inputs import whole
from dashapp.pages._page import Page
from pipeline.queries import factors as factor_queries
from pipeline.queries import frontier as frontier_queries

ID = ids("frontier", "portfolio", "content")

SHOWN_WEIGHT = 0.0005  # smaller weights are rounding, not holdings


def layout(**_query: str) -> html.Div:
    """Return the slider and an empty page: the callback fills it."""
    marks = {number: str(number) for number in (1, *range(10, FRONTIER_POINTS + 1, 10))}
    slider = dcc.Slider(
        id=ID.portfolio, min=1, max=FRONTIER_POINTS, step=1, value=FRONTIER_POINTS // 2, marks=marks, **KEPT
    )
    return html.Div([
        card("Choose a portfolio along the frontier", html.Div(slider, className="frontier-slider"),
             tip="1 is the minimum-variance portfolio, the last one the maximum of return; the steps between are even in return."),
        html.Div(id=ID.content),
    ])  # fmt: skip


@callback(
    Output(ID.content, "children"),
    Input(ID.portfolio, "value"),
    Input(SHELL.theme_name, "data"),
    Input(SHELL.run, "data"),
)
@guarded
def show(portfolio: Any, theme: Any, _run: Any) -> Any:
    """Draw the stored frontier and the weights of the marked and the chosen portfolio."""
    portfolio = whole("portfolio", portfolio, low=1, high=FRONTIER_POINTS)
    with market() as reader:
        run = frontier_queries.latest_frontier(reader)
        if run is None:
            raise MissingDataError("The store holds no frontier: it needs at least two stocks with more than a year of "
                                   "prices. The Data tab shows what the last update did.")  # fmt: skip
        key = {name: run[name] for name in ("universe", "as_of", "estimator")}
        points = frontier_queries.frontier_points(reader, **key)
        weights = frontier_queries.frontier_weights(reader, **key)
        factors_end = factor_queries.last_factor_date(reader)
    frontier = points[points["kind"] == "frontier"]
    chosen = int(frontier["point"].iloc[min(portfolio, len(frontier)) - 1])
    table = _weight_table(points, weights, chosen)
    return [
        stats(_cards(run, points, chosen, factors_end)),
        html.P(f"In sample: estimated over {run['start_date']} to {run['end_date']}, not a forecast.",
               className="small text-body-secondary"),
        dbc.Row([
            dbc.Col(card("Efficient frontier", graph(frontier_figure(points, chosen=chosen, theme=theme)),
                         tip=_method(run)), xl=8),
            dbc.Col([
                card("Chosen portfolio", graph(
                    weights_figure(_holdings(weights, chosen), theme=theme), tools=False)),
                card("Weights", grid("frontier-weights", table, [
                    column("ticker", "Ticker", width=90), *(percent_column(name, label, digits=2, width=None, minWidth=100) for name, label in (
                        ("min_variance", "Min variance"), ("max_sharpe", "Max Sharpe"), ("chosen", "Chosen")))],
                    row_id="ticker"),
                    tip="Stocks of the universe that none of the three portfolios holds are left out."),
            ], xl=4),
        ]),
    ]  # fmt: skip


def _method(run: dict[str, Any]) -> str:
    return (
        f"Long-only, fully invested; mean daily total returns × 252 and Ledoit-Wolf covariance over {run['n_obs']:,} sessions, "
        f"{run['start_date']} to {run['end_date']}. Estimates from the past: the best mix of the past is rarely the best of the future."
    )


def _cards(run: dict[str, Any], points: pd.DataFrame, chosen: int, factors_end: str | None) -> list[dbc.Card]:
    there = [kind for kind in MARKED if (points["kind"] == kind).any()]
    rows = [(MARKED[kind], points[points["kind"] == kind].iloc[0]) for kind in there]
    rows.append(("Chosen portfolio", points[points["point"] == chosen].iloc[0]))
    cards = [
        stat(label, percent(row["expected_return"]), note=f"volatility {percent(row['volatility'])} · Sharpe {number(row['sharpe_ratio'])}",
             tip="Expected annual return of the portfolio, in sample: the estimate it was chosen by, not a forecast.")
        for label, row in rows
    ]  # fmt: skip
    carried = factors_end is not None and factors_end < run["end_date"]
    note = f"carried since {factors_end}" if carried else f"mean to {run['end_date']}"
    cards.append(stat("Risk-free rate", percent(run["risk_free_rate"], digits=2), note=note,
                      tip="Mean daily rate of the window × 252, from the factor files; carried forward where they end earlier."))  # fmt: skip
    return cards


def _holdings(weights: pd.DataFrame, point: int) -> pd.DataFrame:
    rows = weights[(weights["point"] == point) & (weights["weight"] >= SHOWN_WEIGHT)]
    return rows.sort_values("weight", ascending=False)


def _weight_table(points: pd.DataFrame, weights: pd.DataFrame, chosen: int) -> pd.DataFrame:
    marked = points[points["kind"].isin(MARKED)]
    numbers = dict(zip(marked["kind"], marked["point"].astype(int), strict=True)) | {"chosen": chosen}
    wide = weights.pivot(index="ticker", columns="point", values="weight")
    table = pd.DataFrame({name: wide[number] for name, number in numbers.items()})
    held = table[(table >= SHOWN_WEIGHT).any(axis="columns")]
    return held.sort_values(["chosen", "min_variance"], ascending=False).reset_index()


PAGE = Page(
    key="frontier", path="/frontier", name="Frontier", order=40,
    description="The efficient frontier of the universe, its marked portfolios and their weights", layout=layout,
)  # fmt: skip
