"""What each limit costs at the chosen portfolio."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from dash import html

from analytics.portfolio import Frontier
from analytics.portfolio.portfolios import evaluate
from analytics.portfolio.shadow_prices import limit_costs
from dashapp.components import column, grid, percent_column
from dashapp.format import percent
from dashapp.pages.frontier.panels._panel import Chosen, Panel

BASIS_POINT = 1e-4


def render(chosen: Chosen, _controls: Mapping[str, Any]) -> Any:
    """Return the cost of the limits together and a row for each that binds."""
    found = chosen.answer
    if found.request.is_plain:
        return html.P("No limits are set: the portfolio is long-only and fully invested, and nothing else holds it back. "
                      "Set a limit at the left and this says what it costs.", className="text-body-secondary")  # fmt: skip
    frontier = found.frontier
    if chosen.point is None or not isinstance(frontier, Frontier):
        return html.P("Costs are those of limits on the frontier: choose a portfolio by the slider"
                      + ("." if isinstance(frontier, Frontier) else ", without a count of positions or a smallest position."),
                      className="text-body-secondary")  # fmt: skip
    costs = limit_costs(frontier, chosen.weights)
    if not costs:
        return html.P("None of the limits binds at this portfolio.", className="text-body-secondary")
    table = pd.DataFrame({
        "limit": [cost.limit.label for cost in costs], "price": [cost.price / 100 for cost in costs],
        "gain": [cost.gain for cost in costs],
    })  # fmt: skip
    return [html.P(_together(chosen)), grid("frontier-limits", table, [
        column("limit", "Limit that binds", minWidth=180),
        percent_column("price", "Return per point", digits=3, width=None, minWidth=120,
                       tip="Expected return gained, at the same volatility, for each percentage point that the limit gives way by: its shadow price. "
                           "Unknown at minimum variance, where risk and not return is at stake."),
        percent_column("gain", "Return without it", digits=2, width=None, minWidth=120,
                       tip="Expected return gained, at the same volatility, if this limit alone were dropped."),
    ], row_id="limit")]  # fmt: skip


def _together(chosen: Chosen) -> str:
    found = chosen.answer
    row = evaluate(chosen.weights, found.expected_returns, found.covariance, risk_free_rate=found.rate)
    reachable = found.free.volatility[0] <= row.volatility[0]
    best = found.free.at_volatility(float(min(row.volatility[0], found.free.volatility[-1]))) if reachable else None
    if best is None:
        return ""
    free = evaluate(best, found.expected_returns, found.covariance, risk_free_rate=found.rate)
    lost = float(np.maximum(free.expected_return[0] - row.expected_return[0], 0))
    words = (
        "cost nothing that could be shown"
        if lost < BASIS_POINT
        else f"cost {percent(lost, digits=2)} of expected return a year"
    )
    return f"At a volatility of {percent(row.volatility[0])} all limits together {words}, in sample."


PANEL = Panel(
    "limits", "What limits cost", 10,
    "In sample and by the chosen estimates. A limit may cost little here and still save much where the estimates are wrong.", render,
)  # fmt: skip
