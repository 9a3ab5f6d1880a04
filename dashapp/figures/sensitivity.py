"""How a strategy's answer depends on its parameters, and what choosing the best on the past earned afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analytics.backtest.sensitivity import WalkForward
from analytics.conventions import FloatArray
from dashapp.format import by_unit
from dashapp.theme import axis, base_layout, palette, series

MOST_WRITTEN, MOST_ACROSS = 150, 12  # places of a map, and of a row of it, that have room for their value
MOST_TICKS = 20  # of an axis that names each of its values


def choices_figure(found: WalkForward, periods: Sequence[str], *, theme: str | None) -> dict[str, Any]:
    """Return what each choice promised on the past and earned in the block after it; periods: a label per choice."""
    looks = (
        (found.promised, "Promised: best on all sessions before", palette(theme)["muted"]),
        (found.earned, "Earned in the block", series(theme)[0]),
    )
    traces = [
        {
            "type": "bar", "x": list(periods), "y": _plain(values), "name": name, "marker": {"color": colour},
            "hovertemplate": "%{y:.2f}",
        }
        for values, name, colour in looks
    ]  # fmt: skip
    layout = base_layout(theme, height=300) | {"barmode": "group", "bargap": 0.25}
    layout["xaxis"] = axis(theme, type="category", showgrid=False, nticks=12)
    layout["yaxis"] = axis(theme, zeroline=True, nticks=6, title={"text": "Sharpe ratio"})
    return {"data": traces, "layout": layout}


def map_figure(
    values: FloatArray, x: Sequence[Any], y: Sequence[Any], *, labels: tuple[str, str], metric: str, unit: str, theme: str | None,
    marks: Mapping[str, tuple[Any, Any]],
) -> dict[str, Any]:  # fmt: skip
    """Return a heat map, values (n_y, n_x); marks: {name: (x, y)} of places that are pointed out."""
    written = [[by_unit(value, unit) if np.isfinite(value) else "" for value in row] for row in values]
    across, up = [_word(value) for value in x], [_word(value) for value in y]
    has_room = values.size <= MOST_WRITTEN and len(across) <= MOST_ACROSS
    trace = {
        "type": "heatmap", "z": [_plain(row) for row in values], "x": across, "y": up, "text": written, "showscale": True,
        "colorscale": _scale(theme), "colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": _ticks(unit)},
        "texttemplate": "%{text}" if has_room else "", "hoverongaps": False,
        "hovertemplate": f"{labels[0]} %{{x}}, {labels[1]} %{{y}}<br>{metric}: %{{text}}<extra></extra>",
    }  # fmt: skip
    pointed = [
        {
            "type": "scatter", "mode": "markers", "x": [_word(place[0])], "y": [_word(place[1])], "name": name,
            "marker": {"symbol": symbol, "size": 40 if has_room else 16, "color": "rgba(0,0,0,0)", "line": {"width": 2.5, "color": palette(theme)["text"]}},
            "hoverinfo": "skip",
        }
        for (name, place), symbol in zip(marks.items(), ("circle", "square"), strict=False)
    ]  # fmt: skip
    layout = base_layout(theme, height=max(320, min(620, 130 + 22 * len(up)))) | {"hovermode": "closest"}
    layout["xaxis"] = axis(theme, type="category", showgrid=False, title={"text": labels[0]}, nticks=20)
    layout["yaxis"] = axis(theme, type="category", showgrid=False, title={"text": labels[1]}, nticks=20)
    return {"data": [trace, *pointed], "layout": layout}


def points_figure(
    values: FloatArray, x: Any, y: Any | None, *, labels: tuple[str, str], metric: str, unit: str, theme: str | None
) -> dict[str, Any]:
    """Return a point per set: coloured by its value over two parameters, or, y None, with its value as the height.

    Over two parameters a set without a value is a ring.
    """
    height = values if y is None else np.asarray(y, dtype=float)
    there = np.isfinite(values)
    mark = {"size": 8, "color": series(theme)[0]} if y is None else {
        "size": 9, "color": _plain(values[there]), "colorscale": _scale(theme), "showscale": True, "line": {"width": 0.5, "color": palette(theme)["line"]},
        "colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": _ticks(unit)},
    }  # fmt: skip
    ring = {"size": 8, "color": palette(theme)["muted"], "symbol": "circle-open"}
    place = f"{labels[0]} %{{x}}" + ("" if y is None else f", {labels[1]} %{{y}}")
    traces = [
        {
            "type": "scatter", "mode": "markers", "x": _plain(np.asarray(x, dtype=float)[chosen]), "y": _plain(height[chosen]), "name": name,
            "marker": marker, "text": [by_unit(value, unit) for value in values[chosen]],
            "hovertemplate": f"{place}<br>{metric}: %{{text}}<extra></extra>",
        }
        for name, chosen, marker in ((metric, there, mark), ("No value", ~there, ring))
        if y is not None or marker is mark
    ]  # fmt: skip
    layout = base_layout(theme, height=420) | {"hovermode": "closest"}
    named = sorted({float(value) for value in x})
    ticks = {"tickvals": named} if y is None and len(named) <= MOST_TICKS else {}
    layout["xaxis"] = axis(theme, title={"text": labels[0]}, **ticks)
    layout["yaxis"] = axis(
        theme, title={"text": metric if y is None else labels[1]}, tickformat=_ticks(unit) if y is None else ""
    )
    return {"data": traces, "layout": layout}


def _scale(theme: str | None) -> list[list[Any]]:
    """No sign, for the middle of a sweep means nothing; the lowest is not the colour of a place without a value."""
    return [[0, palette(theme)["line"]], [1, series(theme)[0]]]


def _ticks(unit: str) -> str:
    return ".3~%" if unit == "fraction" else ""


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _plain(values: Any) -> list[float | None]:
    """Numbers as JSON can hold them: NaN is a gap."""
    return [value if np.isfinite(value) else None for value in np.asarray(values, dtype=float).tolist()]
