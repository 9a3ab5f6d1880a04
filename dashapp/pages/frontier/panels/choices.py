"""How much the answer depends on the choice of estimators."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import dash_bootstrap_components as dbc
import pandas as pd
from dash import html

from analytics.portfolio import COVARIANCES, EXPECTED_RETURNS
from analytics.portfolio.choices import choices
from analytics.portfolio.views import parse_views
from dashapp.components import card, column, graph, grid, number_column, percent_column
from dashapp.figures.frontier_choices import moved_figure
from dashapp.format import percent
from dashapp.pages.frontier.live import Answer
from dashapp.pages.frontier.panels._panel import Chosen, Panel

KEPT_ANSWERS = 16


def render(chosen: Chosen, _controls: Mapping[str, Any]) -> Any:
    """Return how far the marked portfolios move, as two maps, and the table behind them."""
    table = _table(chosen.answer)
    known = table["max_sharpe_moved"].dropna()
    maps = [
        dbc.Col(card(title, graph(moved_figure(table, column_, theme=chosen.theme), tools=False)), lg=6)
        for title, column_ in (
            ("Minimum variance moves by", "min_variance_moved"),
            ("Maximum Sharpe moves by", "max_sharpe_moved"),
        )
    ]
    named = table.assign(
        key=table["expected_returns"] + "__" + table["covariance"],
        expected_returns=[EXPECTED_RETURNS[key].label for key in table["expected_returns"]],
        covariance=[COVARIANCES[key].label for key in table["covariance"]],
    )
    return [
        html.P(f"Under {len(known)} pairs of estimators the maximum-Sharpe portfolio differs from the chosen pair's by {percent(known.median(), digits=0)} "
               "at the median: what looks like one answer is one of many."),
        dbc.Row(maps),
        grid("frontier-choices", named, [
            column("expected_returns", "Expected returns", minWidth=140), column("covariance", "Covariance", minWidth=120),
            percent_column("min_variance_volatility", "Min variance: volatility", width=120),
            percent_column("max_sharpe_return", "Max Sharpe: return", width=115), percent_column("max_sharpe_volatility", "volatility", width=105),
            number_column("max_sharpe_ratio", "ratio", width=80), percent_column("max_sharpe_moved", "moved", width=90),
            column("note", "Note", minWidth=160, tooltipField="note"),
        ], row_id="key", height=420),
    ]  # fmt: skip


@lru_cache(maxsize=KEPT_ANSWERS)
def _table(answer: Answer) -> pd.DataFrame:
    data = replace(answer.inputs.data, views=parse_views(answer.request.views))
    return choices(data, feasible=answer.feasible, base=answer.request.estimator, risk_free_rate=answer.rate)


PANEL = Panel(
    "choices", "Choice of inputs", 30,
    "The same universe and limits under every pair of estimators: half the sum of all changes of weights, against the pair chosen at the left. "
    "0 % is the same portfolio, 100 % another one altogether. Ratios are by each pair's own estimates and do not compare across rows.", render, slow=True,
)  # fmt: skip
