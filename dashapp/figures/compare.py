"""Several backtests in one picture: their curves, their Sharpe ratios with intervals, and how they move together."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import DateArray
from dashapp.figures._ticks import log_ticks
from dashapp.figures._trace import days, encode, line, plain
from dashapp.figures.backtest import drawn_rows, is_weekly
from dashapp.theme import axis, base_layout, palette, series

SHORT, SHORTEST = 32, 24  # characters of a name that an axis has room for, and a map on a telephone
DASHES = ("solid", "dash", "dot")  # once the colours are used up
PATTERNS = {"solid": "", "dash": "/", "dot": "x"}  # the same of areas
MUTED_DASHES, LEAD_DASHES = ("solid", "dash", "dot", "dashdot"), ("dash", "dot", "solid", "dashdot")
BELOW = -0.24  # of the height: a legend under the title of an axis, on a telephone too


def looks(n: int, theme: str | None) -> list[tuple[str, str]]:
    """Return (colour, dash) of n runs: no two of them alike."""
    lines = series(theme)
    return [(lines[place % len(lines)], DASHES[place // len(lines) % len(DASHES)]) for place in range(n)]


def curves_figure(
    dates: DateArray, curves: pd.DataFrame, *, muted: Sequence[str] = (), lead: Sequence[str] = (), theme: str | None
) -> dict[str, Any]:
    """Return the values of several accounts, on a log scale; curves: a column each.

    muted: those that are only compared with, in grey. lead: those that stand out from the others, in the colour of text.
    """
    rows, colours = drawn_rows(dates), palette(theme)
    x, drawn = days(dates)[rows], curves.iloc[rows]
    others = [name for name in curves if name not in {*muted, *lead}]
    look = dict(zip(others, looks(len(others), theme), strict=True))
    look |= dict(zip(muted, zip(cycle([colours["muted"]]), cycle(MUTED_DASHES)), strict=False))
    look |= dict(zip(lead, zip(cycle([colours["text"]]), cycle(LEAD_DASHES)), strict=False))
    thin = {*muted} if not lead else {*others}
    traces = [
        line(x, drawn[name], plain([name])[0], look[name][0], dash=look[name][1], width=1.2 if name in thin else 1.8, hovertemplate="%{y:,.1f}")
        for name in curves
    ]  # fmt: skip
    values = drawn.to_numpy(dtype=float)
    positive = values[np.isfinite(values) & (values > 0.0)]
    ticks = log_ticks(float(positive.min()), float(positive.max())) if len(positive) else []
    layout = base_layout(theme, height=430 + 18 * len(traces))
    layout["legend"] = layout["legend"] | {"y": -0.12, "yanchor": "top"}
    weekly = {"title": {"text": "drawn by week", "font": {"size": 10}, "standoff": 4}} if is_weekly(dates) else {}
    layout["xaxis"] = axis(theme, type="date", hoverformat="%a %d %b %Y", **weekly)
    layout["yaxis"] = axis(
        theme, type="log", side="right", tickmode="array", tickvals=ticks, ticktext=[f"{tick:,.6g}" for tick in ticks]
    )
    layout["yaxis"]["title"] = {"text": "value of 100, log scale", "font": {"size": 10}, "standoff": 4}
    return {"data": traces, "layout": layout}


def sharpe_figure(rows: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return bars of Sharpe ratios with their intervals; rows: name, sharpe_ratio, low, high (NaN where not known), muted."""
    names, look = _axis_names(rows["name"]), iter(looks(int((~rows["muted"]).sum()), theme))
    drawn = rows.assign(
        name=names,
        full=plain(rows["name"]),
        colour=[palette(theme)["muted"] if muted else next(look)[0] for muted in rows["muted"]],
    )
    known = np.isfinite(drawn[["sharpe_ratio", "low", "high"]].to_numpy(dtype=float)).all(axis=1)
    layout = base_layout(theme, height=90 + 34 * len(rows)) | {
        "hovermode": "closest", "bargap": 0.45, "barmode": "overlay", "showlegend": False,
    }  # fmt: skip
    layout["xaxis"] = axis(theme, zeroline=True, nticks=6)
    layout["yaxis"] = axis(
        theme, autorange="reversed", showgrid=False, type="category", categoryorder="array", categoryarray=names, ticksuffix=" "
    )  # fmt: skip
    return {"data": [_whiskered(drawn[known], theme), _bars(drawn[~known])], "layout": layout}


def _bars(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "type": "bar", "orientation": "h", "x": _nullable(rows["sharpe_ratio"]), "y": rows["name"].tolist(),
        "marker": {"color": rows["colour"].tolist()}, "customdata": rows["full"].tolist(),
        "hovertemplate": "%{customdata}: %{x:.2f}<extra></extra>",
    }  # fmt: skip


def _whiskered(rows: pd.DataFrame, theme: str | None) -> dict[str, Any]:
    """Bars with their intervals; one that lies beside its bar begins at it."""
    value, low, high = (rows[name].to_numpy(dtype=float) for name in ("sharpe_ratio", "low", "high"))
    told = [
        f"{name}: {v:.2f}, 95 %: {a:.2f} to {b:.2f}"
        for name, v, a, b in zip(rows["full"], value, low, high, strict=True)
    ]
    return _bars(rows) | {
        "error_x": {
            "type": "data", "symmetric": False, "array": (high - value).clip(0).tolist(), "arrayminus": (value - low).clip(0).tolist(),
            "color": palette(theme)["text"], "thickness": 1.5, "width": 4,
        },
        "customdata": told, "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def correlation_figure(correlation: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return the map of a correlation matrix; NaN is an empty cell."""
    colours, n = palette(theme), len(correlation)
    names = [
        f"{place} · {name}"
        for place, name in enumerate(plain(_cut(name, SHORTEST) for name in correlation.index), start=1)
    ]
    z = [_nullable(row) for row in correlation.to_numpy(dtype=float)]
    trace = {
        "type": "heatmap", "z": z, "x": [str(place) for place in range(1, n + 1)], "y": names, "zmin": -1, "zmax": 1, "showscale": False,
        "customdata": [[f"{one}<br>{other}" for other in plain(correlation.columns)] for one in plain(correlation.index)],
        "text": [[_hundredths(value) for value in row] for row in z], "texttemplate": "%{text}",
        "textfont": {"color": colours["text"], "size": 10}, "hoverongaps": False, "xgap": 1, "ygap": 1,
        "colorscale": [[0, colours["down_soft"]], [0.5, colours["surface"]], [1, colours["up_soft"]]],
        "hovertemplate": "%{customdata}<br>%{text}<extra></extra>",
    }  # fmt: skip
    layout = base_layout(theme, height=70 + 34 * n) | {"hovermode": "closest"}
    layout["xaxis"] = axis(theme, showgrid=False, type="category", side="top", tickangle=0, fixedrange=True)
    layout["yaxis"] = axis(
        theme, showgrid=False, type="category", autorange="reversed", fixedrange=True, ticksuffix=" "
    )
    return {"data": [trace], "layout": layout}


def _hundredths(value: float | None) -> str:
    """A correlation in as few letters as can be: .67, −.05, 1."""
    if value is None:
        return ""
    text = f"{value:.2f}".replace("-", "−")
    return text[: -len(".00")] if text.endswith("1.00") else text.replace("0.", ".", 1)


def _axis_names(names: Any) -> list[str]:
    """Names short enough for an axis; two that would become the same keep a number."""
    found: list[str] = []
    for name in map(str, names):
        short = _cut(name, SHORT)
        found.append(short if short not in found else f"{_cut(name, SHORT - 3)} {len(found) + 1}")
    return plain(found)


def _cut(name: str, most: int) -> str:
    """The beginning and the end of a name: what tells runs apart often stands at its end."""
    return name if len(name) <= most else f"{name[: most - most // 2 - 1]}…{name[-(most // 2) :]}"


def _nullable(values: Any) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in np.asarray(values, dtype=float)]


def blend_figure(frontier: pd.DataFrame, points: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return volatility against return: the frontier of the blends, and what each run and equal weights are alone.

    frontier: volatility, expected_return; points: name, volatility, expected_return, the last of equal weights.
    """
    lines = series(theme)
    hover = "return %{y:.1%}, volatility %{x:.1%}<extra></extra>"
    curve = {
        "type": "scatter", "mode": "lines", "x": encode(frontier["volatility"]), "y": encode(frontier["expected_return"]),
        "name": "Frontier of the blends", "line": {"color": lines[0], "width": 3}, "hovertemplate": f"blend<br>{hover}",
    }  # fmt: skip
    marks = [
        {
            "type": "scatter", "mode": "markers", "x": [row.volatility], "y": [row.expected_return], "name": plain([row.name])[0],
            "marker": {"size": 11, "color": colour, "symbol": symbol}, "hovertemplate": f"{plain([row.name])[0]}<br>{hover}",
        }
        for row, (colour, symbol) in zip(points.itertuples(index=False), [*_marks(len(points) - 1, theme), (palette(theme)["text"], "star")], strict=True)
    ]  # fmt: skip
    layout = base_layout(theme, height=400 + 18 * len(points)) | {"hovermode": "closest"}
    layout["legend"] = layout["legend"] | {"y": BELOW, "yanchor": "top"}
    layout["xaxis"] = axis(theme, title={"text": "Volatility, annual"}, tickformat=".0%", rangemode="tozero")
    layout["yaxis"] = axis(theme, title={"text": "Return, annual"}, tickformat=".0%")
    return {"data": [curve, *marks], "layout": layout}


def _marks(n: int, theme: str | None) -> list[tuple[str, str]]:
    symbols = {"solid": "circle", "dash": "diamond", "dot": "square"}
    return [(colour, symbols[dash]) for colour, dash in looks(n, theme)]


def weights_along_figure(volatility: Any, weights: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return the weights of the frontier's portfolios as an area each, from least volatility to most; weights: a column per run."""
    traces = [
        {
            "type": "scatter", "mode": "lines", "x": encode(volatility), "y": encode(weights[name]), "name": plain([name])[0],
            "stackgroup": "all", "line": {"width": 0, "color": colour}, "fillpattern": {"shape": PATTERNS[dash]}, "hovertemplate": "%{y:.0%}",
        }
        for name, (colour, dash) in zip(weights, looks(weights.shape[1], theme), strict=True)
    ]  # fmt: skip
    layout = base_layout(theme, height=400 + 18 * len(traces))
    layout["legend"] = layout["legend"] | {"y": BELOW, "yanchor": "top"}
    layout["xaxis"] = axis(theme, title={"text": "Volatility, annual"}, tickformat=".1%", hoverformat=".1%")
    layout["yaxis"] = axis(theme, tickformat=".0%", range=[0, 1], title={"text": "Share of the capital"})
    return {"data": traces, "layout": layout}
