"""Estimates of the factor models with their intervals: required returns, loadings, alphas of a universe."""

from typing import Any

import pandas as pd

from dashapp.figures._trace import plain
from dashapp.theme import axis, base_layout, palette, series

DODGE = 0.14  # between two models of one factor, in rows
ROW_HEIGHT = 46


def _interval(rows: pd.DataFrame, colour: str, *, along: str = "x") -> dict[str, Any]:
    """The error bars of rows with value, low and high; NaN draws none."""
    return {
        f"error_{along}": {
            "type": "data", "symmetric": False, "array": (rows["high"] - rows["value"]).tolist(),
            "arrayminus": (rows["value"] - rows["low"]).tolist(), "color": colour, "thickness": 1.6, "width": 4,
        },
    }  # fmt: skip


def loadings_figure(rows: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return a dot with its 95 % interval per factor and model; rows: factor, model, value, low, high."""
    factors, models = list(dict.fromkeys(rows["factor"])), list(dict.fromkeys(rows["model"]))
    place, colours = {name: number for number, name in enumerate(factors)}, series(theme)
    traces = []
    for number, model in enumerate(models):
        own = rows[rows["model"] == model]
        shift = DODGE * (number - (len(models) - 1) / 2)
        colour = colours[number % len(colours)]
        traces.append({
            "type": "scatter", "mode": "markers", "name": plain([model])[0], "x": own["value"].tolist(),
            "y": [place[name] + shift for name in own["factor"]], "customdata": own[["low", "high"]].to_numpy().tolist(),
            "text": plain(own["factor"]), "marker": {"size": 8, "color": colour},
            "hovertemplate": "%{text}: %{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})<extra>%{fullData.name}</extra>",
            **_interval(own, colour),
        })  # fmt: skip
    layout = base_layout(theme, height=90 + ROW_HEIGHT * len(factors)) | {"hovermode": "closest"}
    layout["xaxis"] = axis(theme, tickformat=".3~f", zeroline=True, zerolinewidth=2)
    layout["yaxis"] = axis(theme, tickvals=list(place.values()), ticktext=plain(factors), showgrid=False, zeroline=False,
                           range=[len(factors) - 0.5, -0.5])  # fmt: skip
    return {"data": traces, "layout": layout}


def returns_figure(rows: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return required and realised annual returns by model, each with its 95 % interval.

    rows: label, kind (required or realised), value, low, high.
    """
    colours = {"required": series(theme)[0], "realised": series(theme)[1]}
    traces = []
    for kind, colour in colours.items():
        own = rows[rows["kind"] == kind]
        traces.append({
            "type": "bar", "name": kind, "x": plain(own["label"]), "y": own["value"].tolist(),
            "customdata": own[["low", "high"]].to_numpy().tolist(), "marker": {"color": colour, "opacity": 0.75},
            "hovertemplate": "%{x}, %{fullData.name}: %{y:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra></extra>",
            **_interval(own, palette(theme)["text"], along="y"),
        })  # fmt: skip
    layout = base_layout(theme, height=300) | {"hovermode": "closest", "barmode": "group"}
    layout["xaxis"] = axis(theme, showgrid=False)
    layout["yaxis"] = axis(theme, tickformat=".3~%", zeroline=True)
    return {"data": traces, "layout": layout}


def contributions_figure(
    rows: pd.DataFrame, *, theme: str | None, digits: int = 1, total: str | None = None
) -> dict[str, Any]:
    """Return horizontal bars of label and value, fractions shown as percent; the row called `total` is set off."""
    colours = palette(theme)
    fills = [
        colours["neutral"] if label == total else colours["up"] if value >= 0 else colours["down"]
        for label, value in zip(rows["label"], rows["value"], strict=True)
    ]
    form = f".{digits}%"
    trace = {
        "type": "bar", "orientation": "h", "y": plain(rows["label"]), "x": rows["value"].tolist(),
        "marker": {"color": fills, "opacity": 0.85}, "texttemplate": f"%{{x:{form}}}", "textposition": "outside", "textfont": {"color": colours["text"]},
        "hovertemplate": f"%{{y}}: %{{x:{form}}}<extra></extra>", "cliponaxis": False,
    }  # fmt: skip
    layout = base_layout(theme, height=50 + 30 * len(rows)) | {
        "hovermode": "closest", "showlegend": False, "margin": {"l": 8, "r": 24, "t": 8, "b": 8},
    }  # fmt: skip
    low, high = min(0.0, rows["value"].min()), max(0.0, rows["value"].max())
    room = 0.18 * (high - low)  # for the numbers beside the bars
    layout["xaxis"] = axis(theme, tickformat=".3~%", zeroline=True, zerolinewidth=2,
                           range=[low - room * (low < 0), high + room])  # fmt: skip
    layout["yaxis"] = axis(theme, autorange="reversed", showgrid=False)
    return {"data": [trace], "layout": layout}


def cross_section_figure(rows: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return the alphas of a universe in order of size with their intervals; rows: ticker, value, low, high, survives."""
    ordered = rows.sort_values("value", ignore_index=True)
    colours = palette(theme)
    traces = []
    for survives, name, colour in (
        (False, "not significant after correction", colours["neutral"]),
        (True, "significant after correction (q ≤ 0.05)", colours["accent"]),
    ):
        own = ordered[ordered["survives"] == survives]
        traces.append({
            "type": "scatter", "mode": "markers", "name": name, "x": plain(own["ticker"]), "y": own["value"].tolist(),
             "customdata": own[["low", "high"]].to_numpy().tolist(),
            "marker": {"size": 7, "color": colour},
            "hovertemplate": "%{x}: %{y:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra></extra>",
            **_interval(own, colour, along="y"),
        })  # fmt: skip
    layout = base_layout(theme, height=320) | {"hovermode": "closest"}
    layout["xaxis"] = axis(theme, type="category", showgrid=False, zeroline=False, tickangle=-90, tickfont={"size": 10},
                           categoryorder="array", categoryarray=plain(ordered["ticker"]))  # fmt: skip
    layout["yaxis"] = axis(theme, tickformat=".3~%", zeroline=True, zerolinewidth=2)
    return {"data": traces, "layout": layout}
