"""How far to trust a frontier: promise against record, the sampling spread of frontier and weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import FloatArray
from analytics.portfolio.portfolios import Portfolios
from analytics.portfolio.resampling import Resampled
from dashapp.figures._trace import encode, plain
from dashapp.theme import axis, base_layout, palette, series

POINT = "return %{y:.1%}, volatility %{x:.1%}<extra></extra>"
HEADROOM = 0.05  # of the range of what is drawn


def record_figure(record: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return what was promised joined to what came. record: kind, promised_*, realised_* with _low and _high.

    The axes hold the points and the intervals of the return; a long interval of the volatility runs out of the picture.
    """
    colours, lines = palette(theme), series(theme)
    ranks, best, equal = (record[record["kind"] == kind] for kind in ("frontier", "max_sharpe", "equal_weight"))
    traces = [
        _joined(record, colours["muted"]),
        _points(ranks, "promised", "Frontier, promised", {"color": lines[0], "symbol": "circle-open"}, line=lines[0]),
        _points(ranks, "realised", "Frontier, earned", {"color": lines[0]}, faint=colours["line"]),
        _points(best, "promised", "Maximum Sharpe, promised", {"color": lines[1], "symbol": "diamond-open", "size": 11}),
        _points(best, "realised", "Maximum Sharpe, earned", {"color": lines[1], "symbol": "diamond", "size": 11}, faint=colours["line"]),
        _points(equal, "realised", "Equal weights, earned", {"color": lines[2], "symbol": "square", "size": 10}, faint=colours["line"]),
    ]  # fmt: skip
    reach = float(record[["promised_volatility", "realised_volatility"]].max(axis=None))
    return {"data": traces, "layout": _layout(theme, height=480, reach=reach)}


def band_figure(
    found: Resampled, *, chosen: Mapping[str, float], of_volatility: bool, theme: str | None
) -> dict[str, Any]:
    """Return the frontier within the spread of its draws, rank by rank, Michaud's average, and the chosen portfolio.

    chosen: mean_return and volatility with _low and _high, of its past. of_volatility: whether the band is that of
    volatility, where expected returns are not redrawn.
    """
    colours, lines = palette(theme), series(theme)
    name = "volatility" if of_volatility else "return"
    low, high = getattr(found, f"{name}_low"), getattr(found, f"{name}_high")
    spread = [f"{least:.1%} to {most:.1%}" for least, most in zip(low, high, strict=True)]
    past = pd.DataFrame([{key.replace("mean_", ""): value for key, value in chosen.items()}]).add_prefix("realised_")
    traces = [
        _band(found, low, high, of_volatility=of_volatility, colour=colours["band"]) | {"name": f"Sampling spread of {name}, 95 %"},
        _curve(found.frontier, "Frontier of the sample", {"color": lines[0], "width": 3})
        | {"text": spread, "hovertemplate": f"sampling spread of {name} %{{text}}<br>{POINT}"},
        _curve(found.average, "Average of the redrawn weights", {"color": lines[2], "width": 2, "dash": "dash"}),
        _points(past, "realised", "Chosen portfolio's past, 95 %", {"color": lines[3], "size": 11}, faint=colours["muted"]),
    ]  # fmt: skip
    reach = max(
        float(found.frontier.volatility.max()), float(high.max()) if of_volatility else 0.0, chosen["volatility"]
    )
    return {"data": traces, "layout": _layout(theme, height=440, reach=reach)}


def weight_intervals_figure(
    names: Sequence[str], weights: Any, low: Any, high: Any, *, theme: str | None
) -> dict[str, Any]:
    """Return bars of weights with the spread of their redrawn values, all (n,), the first at the top."""
    lines = series(theme)
    weights, low, high = (np.asarray(values, dtype=float) for values in (weights, low, high))
    layout = base_layout(theme, height=70 + 24 * len(names)) | {
        "hovermode": "closest",
        "bargap": 0.35,
        "showlegend": False,
    }
    layout["xaxis"] = axis(theme, tickformat=".0%", range=[0, float(max(high.max(), weights.max())) * (1 + HEADROOM)])
    layout["yaxis"] = axis(theme, autorange="reversed", showgrid=False, dtick=1)
    trace = {
        "type": "bar", "orientation": "h", "y": plain(names), "x": weights.tolist(), "marker": {"color": lines[0]},
        "error_x": _whiskers(weights, low, high, palette(theme)["text"]),
        "text": [f"{a:.1%} to {b:.1%}" for a, b in zip(low, high, strict=True)], "textposition": "none",
        "hovertemplate": "%{y}: %{x:.1%}, redrawn %{text}<extra></extra>",
    }  # fmt: skip
    return {"data": [trace], "layout": layout}


def _layout(theme: str | None, *, height: int, reach: float) -> dict[str, Any]:
    """Volatility to the right as far as the last point, return upwards."""
    layout = base_layout(theme, height=height) | {"hovermode": "closest"}
    layout["xaxis"] = axis(
        theme, title={"text": "Volatility, annual"}, tickformat=".0%", range=[0, reach * (1 + HEADROOM)]
    )
    layout["yaxis"] = axis(theme, title={"text": "Return, annual"}, tickformat=".0%")
    return layout


def _curve(rows: Portfolios, name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "x": encode(rows.volatility), "y": encode(rows.expected_return), "name": name, "line": line,
        "hovertemplate": POINT,
    }  # fmt: skip


def _band(found: Resampled, low: FloatArray, high: FloatArray, *, of_volatility: bool, colour: str) -> dict[str, Any]:
    """The area between two quantiles of the draws, along one edge and back along the other."""
    around = np.concatenate([low, high[::-1]])
    edge = found.frontier.expected_return if of_volatility else found.frontier.volatility
    x, y = np.concatenate([edge, edge[::-1]]), around
    if of_volatility:
        x, y = y, x
    return {
        "type": "scatter", "mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": colour, "hoverinfo": "skip",
        "x": encode(x), "y": encode(y),
    }  # fmt: skip


def _joined(record: pd.DataFrame, colour: str) -> dict[str, Any]:
    """A thin line from each promise to what came of it; a NaN after each pair is the gap to the next."""
    gap = np.full(len(record), np.nan)
    x, y = (
        np.column_stack([record[f"promised_{name}"], record[f"realised_{name}"], gap]).ravel()
        for name in ("volatility", "return")
    )
    return {
        "type": "scatter", "mode": "lines", "x": encode(x), "y": encode(y), "line": {"color": colour, "width": 1, "dash": "dot"},
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _points(
    rows: pd.DataFrame, side: str, name: str, marker: dict[str, Any], *, line: str = "", faint: str = ""
) -> dict[str, Any]:
    """Marks at one side of the record; with a colour for the bars of volatility, its intervals too."""
    x, y = rows[f"{side}_volatility"].to_numpy(dtype=float), rows[f"{side}_return"].to_numpy(dtype=float)
    trace: dict[str, Any] = {
        "type": "scatter", "mode": "lines+markers" if line else "markers", "x": x.tolist(), "y": y.tolist(), "name": name,
        "marker": {"size": 8} | marker, "hovertemplate": f"{name}<br>{POINT}",
    }  # fmt: skip
    if line:
        trace["line"] = {"color": line, "width": 2}
    if faint:
        for which, key, centre, colour in (("x", "volatility", x, faint), ("y", "return", y, marker["color"])):
            low, high = (rows[f"{side}_{key}_{end}"].to_numpy(dtype=float) for end in ("low", "high"))
            trace[f"error_{which}"] = _whiskers(centre, low, high, colour) | {"thickness": 1}
    return trace


def _whiskers(centre: Any, low: Any, high: Any, colour: str) -> dict[str, Any]:
    """Error bars from low to high; where the centre lies outside, they begin at it."""
    above, below = np.clip(high - centre, 0, None), np.clip(centre - low, 0, None)
    return {
        "type": "data", "symmetric": False, "array": above.tolist(), "arrayminus": below.tolist(), "color": colour,
        "thickness": 1.5, "width": 3,
    }  # fmt: skip
