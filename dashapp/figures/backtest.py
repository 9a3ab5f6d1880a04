"""The account of a backtest: equity against buy-and-hold, and the drawdown below it."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.market import period_ends
from dashapp.figures._trace import days, line
from dashapp.theme import axis, base_layout, palette, series

DAILY_UP_TO = 1_400  # sessions; longer accounts are drawn by week


def equity_figure(account: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return the figure of date, equity, benchmark (USD) and drawdown (fraction ≤ 0), oldest first."""
    dates = days(account["date"])
    rows = period_ends(dates, "W") if len(dates) > DAILY_UP_TO else np.arange(len(dates))
    x, drawn, lines = dates[rows], account.iloc[rows], series(theme)
    traces = [
        line(x, drawn["equity"], "Strategy", lines[0], width=2, hovertemplate="$%{y:,.0f}"),
        line(x, drawn["benchmark"], "Buy and hold", palette(theme)["muted"], hovertemplate="$%{y:,.0f}"),
        line(x, drawn["drawdown"], "Drawdown", palette(theme)["down"], yaxis="y2", fill="tozeroy",
             fillcolor=palette(theme)["down_soft"], showlegend=False, hovertemplate="%{y:.1%}"),
    ]  # fmt: skip
    layout = base_layout(theme, height=480) | {"hoversubplots": "axis"}
    layout["xaxis"] = axis(theme, type="date", anchor="y2", hoverformat="%a %d %b %Y")
    layout["yaxis"] = axis(
        theme, domain=[0.3, 1], side="right", tickprefix="$", title={"text": "Equity", "standoff": 12}
    )
    layout["yaxis2"] = axis(
        theme, domain=[0, 0.25], side="right", tickformat=".0%", title={"text": "Drawdown", "standoff": 12}
    )
    return {"data": traces, "layout": layout}
