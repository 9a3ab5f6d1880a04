"""Volatility against expected return: cloud, frontier with and without limits, assets, marked portfolios; weights."""

from typing import Any

import numpy as np
import pandas as pd

from dashapp.figures._trace import encode, plain
from dashapp.theme import axis, base_layout, palette, series

MARKED = {"min_variance": "Minimum variance", "max_sharpe": "Maximum Sharpe"}
CHOSEN = "Chosen portfolio"
CLOUD = 1_000  # more dots only make the browser slower
LABELLED = 40  # names of more assets would cover each other
BEYOND = 1.15  # of the riskiest point: how far the capital market line is drawn
HOVER = "%{text}<br>return %{y:.1%}, volatility %{x:.1%}<extra></extra>"


def frontier_figure(
    points: pd.DataFrame,
    *,
    rate: float,
    chosen: tuple[float, float] | None,
    theme: str | None,
    apart: bool = False,
) -> dict[str, Any]:
    """Return the figure. points: kind, ticker, expected_return, volatility; rate: risk-free, NaN where unknown.

    chosen: (volatility, expected return) of the portfolio that is marked, None for none yet: its trace is the last.
    apart: whether the frontier is single portfolios, as counts of positions make it.
    """
    colours, lines = palette(theme), series(theme)
    kind = dict(list(points.groupby("kind")))
    traces = (
        [
            _dots(kind["random"].head(CLOUD), "Random portfolios", colours["cloud"], 4)
            | {"hoverinfo": "skip", "showlegend": False}
        ]
        if "random" in kind
        else []
    )
    traces.append(_assets(kind["asset"], colours["muted"]))
    if np.isfinite(rate) and "max_sharpe" in kind and kind["max_sharpe"]["volatility"].iloc[0] > 0:
        traces.append(_capital_market_line(kind["max_sharpe"].iloc[0], points, rate, colours["muted"]))
    if "free" in kind:
        traces.append(_curve(kind["free"], "Without limits", {"color": colours["muted"], "width": 2, "dash": "dash"}))
    name = "Efficient frontier within the limits" if "free" in kind else "Efficient frontier"
    traces.append(_curve(kind["frontier"], name, {"color": lines[0], "width": 3}, apart=apart))
    traces += _marks(kind, lines)
    volatility, expected = chosen or (None, None)
    traces.append(
        _mark(pd.DataFrame({"volatility": [volatility], "expected_return": [expected]}), CHOSEN, lines[3], "circle")
    )
    layout = base_layout(theme, height=520) | {"hovermode": "closest"}
    layout["xaxis"] = axis(theme, title={"text": "Volatility, annual"}, tickformat=".0%", rangemode="tozero")
    layout["yaxis"] = axis(theme, title={"text": "Expected return, annual"}, tickformat=".0%")
    return {"data": traces, "layout": layout}


def _assets(rows: pd.DataFrame, colour: str) -> dict[str, Any]:
    names = plain(rows["ticker"])
    labelled = np.ones(len(rows), dtype=bool)
    if len(rows) > LABELLED:  # the outermost ones: those inside the crowd answer to the mouse
        places = [
            rows["expected_return"].rank(),
            rows["volatility"].rank(),
            -rows["volatility"].rank(),
            (rows["expected_return"] / rows["volatility"]).rank(),
        ]
        labelled = np.any([place.rank(ascending=False).to_numpy() <= LABELLED / 5 for place in places], axis=0)
    texts = [name if shown else "" for name, shown in zip(names, labelled, strict=True)]
    return _dots(rows, "Single tickers", colour, 7) | {
        "mode": "markers+text", "text": texts, "hovertext": names, "textposition": "top center", "textfont": {"size": 10, "color": colour},
        "hovertemplate": HOVER.replace("%{text}", "%{hovertext}"), "showlegend": False,
    }  # fmt: skip


def _curve(rows: pd.DataFrame, name: str, line: dict[str, Any], *, apart: bool = False) -> dict[str, Any]:
    """A frontier; customdata is each point's number, which a click sends to the slider. Plain numbers: the page reads them.

    apart: between two points there is no portfolio, so no line is drawn.
    """
    numbers = list(range(1, len(rows) + 1))
    return {
        "type": "scatter", "mode": "markers" if apart else "lines", "x": rows["volatility"].tolist(), "y": rows["expected_return"].tolist(), "name": name,
        "marker": {"color": line["color"], "size": 8},
        "line": line, "text": [f"{name}, {number}" for number in numbers], "hovertemplate": HOVER,
        "customdata": numbers if name != "Without limits" else None,
    }  # fmt: skip


def _capital_market_line(best: pd.Series, points: pd.DataFrame, rate: float, colour: str) -> dict[str, Any]:
    """From the risk-free rate through the portfolio of the largest Sharpe ratio."""
    drawn = points[points["kind"] != "random"]
    slope = (best["expected_return"] - rate) / best["volatility"]
    ends = np.array([0.0, BEYOND * max(best["volatility"], drawn["volatility"].quantile(0.5))])
    return {
        "type": "scatter", "mode": "lines", "x": ends.tolist(), "y": (rate + slope * ends).tolist(), "name": "Capital market line",
        "line": {"color": colour, "width": 1, "dash": "dot"}, "hoverinfo": "skip",
    }  # fmt: skip


def _dots(rows: pd.DataFrame, name: str, colour: str, size: int) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "x": encode(rows["volatility"]), "y": encode(rows["expected_return"]),
        "name": name, "marker": {"size": size, "color": colour},
    }  # fmt: skip


def _marks(kind: dict[str, pd.DataFrame], lines: tuple[str, ...]) -> list[dict[str, Any]]:
    """The marked portfolios that there are: without a risk-free rate there is no maximum Sharpe ratio."""
    shown = {"min_variance": (lines[1], "diamond"), "max_sharpe": (lines[2], "diamond"), "held": (lines[4], "square")}
    labels = MARKED | {"held": "Held today"}
    return [_mark(kind[key], labels[key], *look) for key, look in shown.items() if key in kind]


def _mark(rows: pd.DataFrame, name: str, colour: str, symbol: str) -> dict[str, Any]:
    x, y = rows["volatility"].tolist(), rows["expected_return"].tolist()
    return {
        "type": "scatter", "mode": "markers", "x": x, "y": y, "name": name,
        "marker": {"size": 13, "color": colour, "symbol": symbol}, "hovertemplate": f"{name}<br>return %{{y:.1%}}, volatility %{{x:.1%}}<extra></extra>",
    }  # fmt: skip


def weights_figure(rows: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return horizontal bars of weights and of what each adds to the risk: name, weight, risk_contribution, largest first."""
    lines = series(theme)
    layout = base_layout(theme, height=70 + 30 * len(rows)) | {
        "hovermode": "closest", "barmode": "group", "bargap": 0.25, "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
    }  # fmt: skip
    layout["xaxis"] = axis(theme, tickformat=".0%", nticks=4, tickangle=0)
    layout["yaxis"] = axis(theme, autorange="reversed", showgrid=False, ticksuffix=" ")
    traces = [
        {
            "type": "bar", "orientation": "h", "x": rows[column].tolist(), "y": plain(rows["name"]), "name": label,
            "marker": {"color": colour}, "hovertemplate": f"%{{y}}: {label.lower()} %{{x:.2%}}<extra></extra>",
        }
        for column, label, colour in (("weight", "Weight", lines[0]), ("risk_contribution", "Share of the risk", lines[1]))
    ]  # fmt: skip
    return {"data": traces, "layout": layout}
