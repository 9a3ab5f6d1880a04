"""What a run might become: the fan of its simulated values, and how final values and drawdowns are distributed."""

from itertools import pairwise
from typing import Any

import numpy as np

from analytics.backtest.tear_sheet import Distribution
from analytics.conventions import TRADING_DAYS, FloatArray
from dashapp.figures._ticks import log_ticks
from dashapp.figures._trace import encode
from dashapp.theme import axis, base_layout, palette, series


def fan_figure(sessions: np.ndarray, fan: FloatArray, *, theme: str | None) -> dict[str, Any]:
    """Return the quantiles 5, 25, 50, 75 and 95 % of the value of 100, (n_points, 5), at sessions from the start (n_points,)."""
    colours, lines, x, value = palette(theme), series(theme), encode(sessions / TRADING_DAYS), fan * 100.0
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    filled = {"fill": "tonexty", "fillcolor": colours["band"], "showlegend": True}
    traces = [
        edge | {"y": encode(value[:, 0])}, edge | filled | {"y": encode(value[:, 4]), "name": "90 % of the paths"},
        edge | {"y": encode(value[:, 1])}, edge | filled | {"y": encode(value[:, 3]), "name": "50 % of the paths"},
        {
            "type": "scatter", "mode": "lines", "x": x, "y": encode(value[:, 2]), "name": "Median",
            "line": {"color": lines[0], "width": 2},
            "customdata": [[float(number) for number in row] for row in value.round(2)],
            "hovertemplate": "5 %: %{customdata[0]:,.0f}<br>25 %: %{customdata[1]:,.0f}<br>median: %{y:,.0f}<br>75 %: %{customdata[3]:,.0f}"
                             "<br>95 %: %{customdata[4]:,.0f}<extra></extra>",
        },
    ]  # fmt: skip
    layout = base_layout(theme, height=400)
    layout["xaxis"] = axis(theme, title={"text": "Years from the start"}, hoverformat=".1f")
    layout["yaxis"] = axis(theme, side="right", title={"text": "Value of 100"})
    positive = value[value > 0.0]
    if len(positive) == value.size:  # a quantile of 0, everything lost, has no logarithm
        ticks = log_ticks(float(positive.min()), float(positive.max()))
        layout["yaxis"] |= {
            "type": "log",
            "tickmode": "array",
            "tickvals": ticks,
            "ticktext": [f"{tick:,.6g}" for tick in ticks],
        }
    return {"data": traces, "layout": layout}


def spread_figure(found: Distribution, *, percent: bool, name: str, theme: str | None) -> dict[str, Any]:
    """Return how simulated values are distributed, as shares of the paths; percent: they are fractions, else values of 100."""
    edges, shares = found.edges, found.counts / max(found.counts.sum(), 1.0)
    form = ".0%" if percent else ",.0f"
    told = [f"{low:{form}} to {high:{form}}".replace("-", "−") for low, high in pairwise(edges)]
    trace = {
        "type": "bar", "x": encode((edges[:-1] + edges[1:]) / 2), "y": encode(shares), "name": name,
        "width": float(edges[1] - edges[0]), "marker": {"color": series(theme)[0]}, "customdata": told,
        "hovertemplate": "%{customdata}: %{y:.1%} of the paths<extra></extra>",
    }  # fmt: skip
    layout = base_layout(theme, height=280) | {"hovermode": "closest", "bargap": 0.05, "showlegend": False}
    layout["xaxis"] = axis(theme, tickformat=form, title={"text": name}, nticks=7)
    layout["yaxis"] = axis(theme, tickformat=".3~%", nticks=5, title={"text": "Share of the paths"})
    return {"data": [trace], "layout": layout}
