"""One fit against its data and over time: the security characteristic line, residuals, rolling alpha and beta."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import DateArray, FloatArray
from dashapp.figures._trace import days, encode, line
from dashapp.theme import axis, base_layout, palette, series


def characteristic_line_figure(
    market: FloatArray, excess: FloatArray, dates: DateArray, *, alpha: float, beta: float, theme: str | None
) -> dict[str, Any]:
    """Return excess returns against the market's with the fitted line; all per period, fractions."""
    ends = np.array([market.min(), market.max()])
    points = {
        "type": "scatter", "mode": "markers", "x": encode(market), "y": encode(excess), "text": [str(date) for date in dates],
        "marker": {"size": 5, "color": series(theme)[0], "opacity": 0.55}, "showlegend": False,
        "hovertemplate": "%{text}: market %{x:.1%}, stock %{y:.1%}<extra></extra>",
    }  # fmt: skip
    fitted = {
        "type": "scatter", "mode": "lines", "x": ends.tolist(), "y": (alpha + beta * ends).tolist(), "hoverinfo": "skip",
        "line": {"color": series(theme)[1], "width": 2}, "showlegend": False,
    }  # fmt: skip
    layout = base_layout(theme, height=330) | {"hovermode": "closest"}
    layout["xaxis"] = axis(theme, tickformat=".3~%", zeroline=True, title={"text": "Market, excess return"})
    layout["yaxis"] = axis(theme, tickformat=".3~%", zeroline=True, title={"text": "Stock, excess return"})
    return {"data": [points, fitted], "layout": layout}


def residuals_figure(dates: DateArray, residuals: FloatArray, deviation: float, *, theme: str | None) -> dict[str, Any]:
    """Return residuals over time with lines at ± two standard deviations, fractions per period."""
    colours = palette(theme)
    bars = {
        "type": "bar", "x": days(dates), "y": encode(residuals), "name": "Residual",
        "marker": {"color": series(theme)[0]}, "hovertemplate": "%{x}: %{y:.1%}<extra></extra>",
    }  # fmt: skip
    layout = base_layout(theme, height=220) | {"hovermode": "closest", "showlegend": False}
    layout["xaxis"] = axis(theme, showgrid=False)
    layout["yaxis"] = axis(theme, tickformat=".3~%", zeroline=True)
    layout["shapes"] = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level,
         "line": {"color": colours["muted"], "width": 1, "dash": "dot"}} for level in (-2 * deviation, 2 * deviation)
    ]  # fmt: skip
    return {"data": [bars], "layout": layout}


def rolling_figure(
    history: pd.DataFrame, *, label: str, percent: bool, level: float, break_date: str | None, theme: str | None
) -> dict[str, Any]:
    """Return an estimate as it was known over time with its 95 % band; history: as_of, value, low, high.

    level: the line to compare with, 0 for alpha and 1 for beta. break_date: marked where given.
    """
    colours, colour = palette(theme), series(theme)[0]
    dates = days(history["as_of"].to_numpy(dtype="datetime64[D]"))
    form = ":.1%" if percent else ":.2f"
    edge = {"width": 0, "showlegend": False, "hoverinfo": "skip"}
    traces = [
        line(dates, history["low"], "low", colour, **edge),
        line(dates, history["high"], "high", colour, fill="tonexty", fillcolor=colours["band"], **edge),
        line(dates, history["value"], label, colour, width=2, hovertemplate=f"%{{y{form}}}"),
    ]
    layout = base_layout(theme, height=230) | {"showlegend": False, "margin": {"l": 8, "r": 8, "t": 10, "b": 8}}
    layout["xaxis"] = axis(theme, showgrid=False)
    layout["yaxis"] = axis(theme, tickformat=".3~%" if percent else ".3~f", zeroline=False)
    dotted = {"color": colours["muted"], "width": 1, "dash": "dot"}
    layout["shapes"] = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level, "line": dotted}]
    if break_date:
        layout["shapes"].append({
            "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": break_date, "x1": break_date,
            "line": {"color": colours["down"], "width": 1.5, "dash": "dash"},
        })  # fmt: skip
    return {"data": traces, "layout": layout}
