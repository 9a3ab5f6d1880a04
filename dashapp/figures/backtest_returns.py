"""What a backtest earned: by month and year, how the returns are distributed, and which ticker it came from."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.backtest.tear_sheet import Distribution
from dashapp.figures._trace import encode, plain
from dashapp.format import percent
from dashapp.theme import axis, base_layout, palette, series

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL = 0.1  # the monthly return from which a cell has the full colour
MOST_BARS = 20  # tickers; the table lists all


def tenths(value: float) -> str:
    """Return a fraction as percent to one decimal, without the sign: a map has no room for it."""
    return f"{round(value * 100, 1) or 0.0:.1f}".replace("-", "−")


def months_figure(months: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return a map of the monthly returns, years down and months across; months: period (first day), strategy."""
    period = pd.DatetimeIndex(months["period"])
    grid = pd.DataFrame({"year": period.year, "month": period.month, "value": months["strategy"].to_numpy()})
    wide = grid.pivot(index="year", columns="month", values="value").reindex(columns=range(1, 13))
    shown, colours = wide.to_numpy(dtype=float), palette(theme)
    trace = {
        "type": "heatmap", "z": [[value if np.isfinite(value) else None for value in row] for row in shown.tolist()],
        "x": list(MONTHS), "y": [str(year) for year in wide.index], "zmin": -FULL, "zmax": FULL, "showscale": False,
        "text": [[tenths(value) if np.isfinite(value) else "" for value in row] for row in shown],
        "texttemplate": "%{text}", "textfont": {"color": colours["text"]}, "xgap": 1, "ygap": 1,
        "colorscale": [[0, colours["down_soft"]], [0.5, colours["surface"]], [1, colours["up_soft"]]],
        "hovertemplate": "%{x} %{y}: %{text} %<extra></extra>", "hoverongaps": False,
    }  # fmt: skip
    layout = base_layout(theme, height=max(170, 50 + 19 * len(wide))) | {
        "hovermode": "closest",
        "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
    }
    layout["xaxis"] = axis(theme, showgrid=False, side="top", fixedrange=True, tickangle=0)
    layout["yaxis"] = axis(
        theme,
        showgrid=False,
        autorange="reversed",
        type="category",
        fixedrange=True,
        tickmode="linear",
        tickfont={"size": 10},
    )
    return {"data": [trace], "layout": layout}


def years_figure(years: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return yearly returns as bars beside the benchmark's; years: period (first day), strategy, benchmark."""
    labels = [str(day)[:4] for day in years["period"].to_numpy(dtype="datetime64[D]")]
    looks = (("strategy", "Strategy", series(theme)[0]), ("benchmark", "Buy and hold", palette(theme)["muted"]))
    traces = [
        {
            "type": "bar", "x": labels, "y": encode(years[name]), "name": label, "marker": {"color": colour},
            "hovertemplate": "%{y:.1%}",
        }
        for name, label, colour in looks
    ]  # fmt: skip
    layout = base_layout(theme, height=300) | {"barmode": "group", "bargap": 0.25}
    layout["xaxis"] = axis(theme, type="category", showgrid=False, nticks=12)
    layout["yaxis"] = axis(theme, tickformat=".3~%", zeroline=True, nticks=6)
    return {"data": traces, "layout": layout}


def distribution_figure(found: Distribution, marks: dict[str, float], *, theme: str | None) -> dict[str, Any]:
    """Return the histogram of the sessions' returns with the normal curve; marks: {label: loss}, as positive fractions."""
    centres, colours = (found.edges[1:] + found.edges[:-1]) / 2, palette(theme)
    traces = [
        {
            "type": "bar", "x": encode(centres), "y": encode(found.counts), "name": "Sessions", "marker": {"color": series(theme)[0]},
            "hovertemplate": "%{x:.2%}: %{y} sessions<extra></extra>",
        },
        {
            "type": "scatter", "mode": "lines", "x": encode(found.at), "y": encode(found.normal), "name": "Normal, same mean and deviation",
            "line": {"color": series(theme)[1], "width": 1.6}, "hoverinfo": "skip",
        },
    ]  # fmt: skip
    layout = base_layout(theme, height=300) | {"hovermode": "closest", "bargap": 0.05}
    known = [(label, -loss) for label, loss in marks.items() if np.isfinite(loss)]
    layout["shapes"] = [
        {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 0.95 - 0.14 * place, "line": {"color": colours["down"], "width": 1.2, "dash": "dash"}}
        for place, (_, at) in enumerate(known)
    ]  # fmt: skip
    layout["annotations"] = [  # one below the other, each at the top of its own line
        {"x": at, "y": 0.95 - 0.14 * place, "yref": "paper", "xanchor": "right", "yanchor": "top", "showarrow": False,
         "text": f"{label} {percent(at)} ", "font": {"size": 11, "color": colours["down"]}}
        for place, (label, at) in enumerate(known)
    ]  # fmt: skip
    layout["xaxis"] = axis(theme, tickformat=".3~%", nticks=7, title={"text": "Return of a session"})
    layout["yaxis"] = axis(theme, tickformat=",d", nticks=6, title={"text": "Sessions"})
    return {"data": traces, "layout": layout}


def best_and_worst(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are drawn: of more than MOST_BARS, in order of what they earned, those at both ends."""
    half = MOST_BARS // 2
    return pd.concat([rows.head(half), rows.tail(half)]) if len(rows) > MOST_BARS else rows


def contribution_figure(rows: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return what each ticker earned as horizontal bars; rows: ticker, contribution (of the capital), the most first.

    Of more than MOST_BARS tickers the best and the worst are drawn.
    """
    rows = best_and_worst(rows)
    colours = palette(theme)
    trace = {
        "type": "bar", "orientation": "h", "x": rows["contribution"].tolist(), "y": plain(rows["ticker"]),
        "marker": {"color": [colours["up"] if value >= 0 else colours["down"] for value in rows["contribution"]]},
        "hovertemplate": "%{y}: %{x:.2%} of the capital<extra></extra>",
    }  # fmt: skip
    layout = base_layout(theme, height=max(160, 60 + 22 * len(rows))) | {"hovermode": "closest"}
    layout["xaxis"] = axis(theme, tickformat=".3~%", nticks=5, zeroline=True)
    layout["yaxis"] = axis(
        theme, autorange="reversed", showgrid=False, type="category", ticksuffix=" ", tickmode="linear"
    )
    return {"data": [trace], "layout": layout}
