"""All objectives side by side, within the same limits."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pandas as pd
from dash import html

from analytics.portfolio.comparison import Comparison, compare
from analytics.portfolio.objectives import OBJECTIVES
from dashapp.components import card, column, grid, number_column, percent_column
from dashapp.pages.frontier.live import SHOWN_WEIGHT, Answer
from dashapp.pages.frontier.panels._panel import Chosen, Panel

KEPT_ANSWERS = 16


def render(chosen: Chosen, _controls: Mapping[str, Any]) -> Any:
    """Return the table of objectives and the table of their weights."""
    found = _compared(chosen.answer)
    table = found.table.assign(description=[OBJECTIVES[key].description for key in found.table["objective"]])
    if not chosen.answer.rate_known:
        table["sharpe_ratio"] = float("nan")
    if not chosen.answer.holdings.any():
        table["turnover"] = float("nan")
    return [
        grid("frontier-objectives", table, [
            column("label", "Objective", width=215, tooltipField="description"),
            percent_column("expected_return", "Return", width=95, tip="Expected, annual, by the chosen estimates."),
            percent_column("volatility", "Volatility", width=100, tip="Annual, by the chosen covariance."),
            number_column("sharpe_ratio", "Sharpe", width=85),
            percent_column("cvar", "CVaR 95 %", width=100, tip="Mean loss of the worst 5 % of sessions in the window, a day."),
            percent_column("max_drawdown", "Drawdown", width=105, tip="Worst in the window, weights restored daily: in sample."),
            number_column("effective_positions", "Effective positions", digits=1, width=105, tip="1 / Σ w²"),
            percent_column("cash", "Cash", width=80),
            percent_column("turnover", "Turnover", width=100, tip="Half the sum of all changes from what is held today; unknown where nothing is."),
            column("note", "Note", minWidth=120, tooltipField="note"),
        ], row_id="objective"),
        html.Div(card("Their weights", _weights(chosen, found)), className="mt-3"),
    ]  # fmt: skip


def _weights(chosen: Chosen, found: Comparison) -> Any:
    names = [f"w{number}" for number in range(len(found.weights))]
    table = pd.DataFrame(found.weights.T, columns=names).assign(ticker=list(chosen.answer.tickers))
    table = table[(table[names] >= SHOWN_WEIGHT).any(axis=1)]
    columns = [column("ticker", "Ticker", width=90, pinned="left")]
    columns += [percent_column(name, label, width=105) for name, label in zip(names, found.table["label"], strict=True)]
    return grid("frontier-objective-weights", table, columns, row_id="ticker", height=420)


@lru_cache(maxsize=KEPT_ANSWERS)
def _compared(answer: Answer) -> Comparison:
    """Keyed by the answer itself, which is one object as long as it is kept."""
    return compare(answer.task, holdings=answer.holdings)


PANEL = Panel(
    "objectives", "Objectives", 20,
    "Other ways to choose, within the same limits. All figures are in sample, so each looks good by what it optimises; methods that know no "
    "limits (hierarchical ones, risk parity, equal weight) are moved to the nearest portfolio that obeys them.", render, slow=True,
)  # fmt: skip
