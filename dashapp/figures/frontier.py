"""Volatility against expected return: the cloud, the frontier, the assets and the marked portfolios."""

from typing import Any

import pandas as pd

from dashapp.figures._trace import encode, plain
from dashapp.theme import axis, base_layout, palette, series

MARKED = {"min_variance": "Minimum variance", "max_sharpe": "Maximum Sharpe"}


def frontier_figure(points: pd.DataFrame, *, chosen: int, theme: str | None) -> dict[str, Any]:
    """Return the figure; `chosen` is the number of the frontier point that is marked besides the two."""
    colours, lines = palette(theme), series(theme)
    kind = dict(list(points.groupby("kind")))
    hover = "%{text}<br>return %{y:.1%}, volatility %{x:.1%}<extra></extra>"
    traces = [
        _dots(kind["random"], "Random portfolios", colours["cloud"], 4) | {"hoverinfo": "skip"},
        _dots(kind["asset"], "Stocks", colours["muted"], 7) | {
            "mode": "markers+text", "text": plain(kind["asset"]["ticker"]), "textposition": "top center",
            "textfont": {"size": 10, "color": colours["muted"]}, "hovertemplate": hover,
        },
        {
            "type": "scatter", "mode": "lines", "x": encode(kind["frontier"]["volatility"]),
            "y": encode(kind["frontier"]["expected_return"]), "name": "Efficient frontier",
            "line": {"color": lines[0], "width": 3}, "text": [f"Frontier {n}" for n in range(1, len(kind["frontier"]) + 1)],
            "hovertemplate": hover,
        },
    ]  # fmt: skip
    for number, (name, label) in enumerate(MARKED.items(), start=1):
        if name in kind:  # without a risk-free rate there is no maximum Sharpe ratio
            traces.append(_mark(kind[name], label, lines[number], "diamond"))
    traces.append(_mark(points[points["point"] == chosen], "Chosen portfolio", lines[3], "circle"))
    layout = base_layout(theme, height=560) | {"hovermode": "closest"}
    layout["xaxis"] = axis(theme, title={"text": "Volatility, annual"}, tickformat=".0%", rangemode="tozero")
    layout["yaxis"] = axis(theme, title={"text": "Expected return, annual"}, tickformat=".0%")
    return {"data": traces, "layout": layout}


def _dots(rows: pd.DataFrame, name: str, colour: str, size: int) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "x": encode(rows["volatility"]), "y": encode(rows["expected_return"]),
        "name": name, "marker": {"size": size, "color": colour},
    }  # fmt: skip


def _mark(rows: pd.DataFrame, name: str, colour: str, symbol: str) -> dict[str, Any]:
    return _dots(rows, name, colour, 13) | {
        "marker": {"size": 13, "color": colour, "symbol": symbol}, "hovertemplate": f"{name}<br>return %{{y:.1%}}, volatility %{{x:.1%}}<extra></extra>",
    }  # fmt: skip


def weights_figure(weights: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return horizontal bars of a portfolio's weights: columns ticker and weight, largest first."""
    layout = base_layout(theme, height=60 + 24 * len(weights)) | {
        "hovermode": "closest",
        "margin": {"l": 8, "r": 8, "t": 4, "b": 8},
    }
    layout["xaxis"] = axis(theme, tickformat=".0%")
    layout["yaxis"] = axis(theme, autorange="reversed", showgrid=False)
    trace = {
        "type": "bar", "orientation": "h", "x": weights["weight"].tolist(), "y": plain(weights["ticker"]),
        "marker": {"color": series(theme)[0]}, "hovertemplate": "%{y}: %{x:.2%}<extra></extra>",
    }  # fmt: skip
    return {"data": [trace], "layout": layout}
