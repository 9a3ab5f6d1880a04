"""The account of a backtest: equity against buy-and-hold, the drawdown below it, exposure and turnover, rolling statistics."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import DateArray
from analytics.market import period_ends
from dashapp.figures._ticks import log_ticks, money
from dashapp.figures._trace import days, encode, line
from dashapp.theme import axis, base_layout, palette, series

DAILY_UP_TO = 1_400  # sessions; longer accounts are drawn by week
MARKED = 5  # drawdowns marked on the chart: more would cover it
GAP = 0.06  # of the height, between two panes
MARGIN = {"l": 8, "r": 78, "t": 28, "b": 46, "autoexpand": False}  # fixed: to find it, Plotly draws everything twice
FITS = "allow"  # the margins leave room for every label: Plotly need not measure each to hide what sticks out
FEW = 8  # sessions that each have a tick: Plotly would repeat the day at every few hours
SHARES = ".3~%"  # whole percent where they are, and no two ticks that read the same


def drawn_rows(dates: DateArray, lows: Any = None) -> np.ndarray:
    """Return the rows that are drawn: all, or the last session of each week of a long account.

    lows (n,): the drawdown; of a long account each week's deepest session is then drawn too, so that no trough is lost:
    where it is deeper than the ends of its week and of the one before, between which a line is drawn.
    """
    if not is_weekly(dates):
        return np.arange(len(dates))
    last = period_ends(dates, "W")
    if lows is None:
        return last
    known = np.where(np.isfinite(values := np.asarray(lows, dtype=float)), values, np.inf)
    first = np.concatenate([[0], last[:-1] + 1])
    deepest = np.array([start + int(known[start : end + 1].argmin()) for start, end in zip(first, last, strict=True)])
    ends = np.minimum(known[last], np.concatenate([[np.inf], known[last[:-1]]]))
    return np.union1d(last, deepest[known[deepest] < ends])


def is_weekly(dates: DateArray) -> bool:
    """Whether an account is so long that it is drawn by week."""
    return len(dates) > DAILY_UP_TO


def equity_figure(account: pd.DataFrame, *, theme: str | None, drawdowns: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return the figure of date, equity, benchmark (USD) and drawdown (fraction ≤ 0), oldest first, on a log scale.

    drawdowns: number, start and recovery (None: not regained) of those that are marked, the deepest first.
    """
    dates = days(account["date"])
    rows = drawn_rows(dates, account["drawdown"])
    x, drawn, lines = dates[rows], account.iloc[rows], series(theme)
    traces = [
        line(x, drawn["equity"], "Strategy", lines[0], width=2, hovertemplate="$%{y:,.0f}"),
        line(x, drawn["benchmark"], "Buy and hold", palette(theme)["muted"], hovertemplate="$%{y:,.0f}"),
        line(x, drawn["drawdown"], "Drawdown", palette(theme)["down"], yaxis="y2", fill="tozeroy",
             fillcolor=palette(theme)["down_soft"], showlegend=False, hovertemplate="%{y:.1%}"),
    ]  # fmt: skip
    layout = base_layout(theme, height=480) | {"hoversubplots": "axis", "margin": MARGIN}
    layout["xaxis"] = _dates(theme, dates, anchor="y2")
    layout["yaxis"] = axis(
        theme, type="log", domain=[0.3, 1], side="right", tickformat="$.4~s", nticks=6, ticklabeloverflow=FITS,
        title={"text": "Equity", "standoff": 12}, **_money_ticks(drawn[["equity", "benchmark"]].to_numpy(dtype=float)),
    )  # fmt: skip
    layout["yaxis2"] = axis(
        theme, domain=[0, 0.25], side="right", tickformat=SHARES, nticks=4, ticklabeloverflow=FITS,
        title={"text": "Drawdown", "standoff": 12},
    )  # fmt: skip
    if drawdowns is not None and len(dates):
        layout["shapes"] = _marked(drawdowns.head(MARKED), str(dates[-1]), theme)
    return {"data": traces, "layout": layout}


def _dates(theme: str | None, dates: DateArray, **options: Any) -> dict[str, Any]:
    """The axis of dates; says where it is drawn by week, and has a tick a session where there are only a few."""
    looks: dict[str, Any] = {"type": "date", "hoverformat": "%a %d %b %Y"}
    if is_weekly(dates):
        looks["title"] = {"text": "drawn by week", "font": {"size": 10}, "standoff": 4}
    elif 0 < len(dates) <= FEW:
        looks |= {"tickmode": "array", "tickvals": dates, "tickformat": "%d %b<br>%Y"}
    return axis(theme, **looks, **options)


def _money_ticks(values: np.ndarray) -> dict[str, Any]:
    """Ticks of a logarithmic axis of USD; none of ours where there is nothing above 0."""
    drawn = values[np.isfinite(values) & (values > 0.0)]
    if not len(drawn):
        return {}
    ticks = log_ticks(float(drawn.min()), float(drawn.max()))
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [money(tick) for tick in ticks]}


def _marked(drawdowns: pd.DataFrame, last: str, theme: str | None) -> list[dict[str, Any]]:
    """A band behind each drawdown, with its number in the table: as a label of the band, annotations are drawn twice."""
    colours = palette(theme)
    return [{
        "type": "rect", "xref": "x", "yref": "paper", "x0": row.start, "x1": last if pd.isna(row.recovery) else row.recovery,
        "y0": 0, "y1": 1, "layer": "below", "fillcolor": colours["cloud"], "opacity": 0.35, "line": {"width": 0},
        "label": {"text": str(row.number), "textposition": "top center", "font": {"size": 11, "color": colours["muted"]}},
    } for row in drawdowns.itertuples()]  # fmt: skip


def turnover_unit(dates: DateArray) -> str:
    """Return by what turnover is drawn: "M", or of a test of a few sessions "D"."""
    return "M" if len(dates) > FEW else "D"


def exposure_figure(account: pd.DataFrame, turnover: pd.DataFrame, *, theme: str | None) -> dict[str, Any]:
    """Return gross and net exposure (shares of the account) over time, and below them the turnover of each period.

    account: date, gross_exposure, net_exposure. turnover: period (its first day, by `turnover_unit`), turnover (1: the
    account once).
    """
    dates = days(account["date"])
    rows = drawn_rows(dates)
    drawn, lines = account.iloc[rows], series(theme)
    gross, net = (account[name].to_numpy(dtype=float) for name in ("gross_exposure", "net_exposure"))
    one = np.allclose(gross, net, equal_nan=True)  # without short positions they are the same
    named = [("gross_exposure", "Exposure")] if one else [("gross_exposure", "Gross"), ("net_exposure", "Net")]
    traces = [
        *(line(dates[rows], drawn[name], label, colour, hovertemplate="%{y:.0%}", line={"shape": "hv", "color": colour, "width": 1.3})
          for (name, label), colour in zip(named, lines, strict=False)),
        {
            "type": "bar", "x": days(turnover["period"]), "y": encode(turnover["turnover"]), "name": "Turnover", "yaxis": "y2",
            **({"xperiod": "M1", "xperiodalignment": "middle", "xhoverformat": "%b %Y"} if turnover_unit(dates) == "M" else {}),
            "marker": {"color": lines[2]}, "hovertemplate": "%{y:.0%}", "showlegend": False,
        },
    ]  # fmt: skip
    layout = base_layout(theme, height=330) | {"hovermode": "x"}
    layout["xaxis"] = _dates(theme, dates, anchor="y2")
    layout["yaxis"] = axis(
        theme, domain=[0.48, 1], side="right", tickformat=SHARES, title={"text": "Exposure"}, zeroline=True
    )
    layout["yaxis2"] = axis(
        theme, domain=[0, 0.42], side="right", tickformat=SHARES, title={"text": "Turnover"}, nticks=4
    )
    return {"data": traces, "layout": layout}


def rolling_figure(rolling: pd.DataFrame, whole: dict[str, float], *, theme: str | None) -> dict[str, Any]:
    """Return Sharpe ratio, beta and volatility of the year up to each date, one pane each.

    rolling: date, sharpe_ratio, beta, annual_volatility. whole: the same over the whole test, drawn as a dotted line.
    """
    dates = days(rolling["date"])
    rows = drawn_rows(dates)
    drawn, lines = rolling.iloc[rows], series(theme)
    panes = (
        ("sharpe_ratio", "Sharpe", ".2~f", ".2f"),
        ("beta", "Beta", ".2~f", ".2f"),
        ("annual_volatility", "Volatility", SHARES, ".1%"),
    )
    layout = base_layout(theme, height=400) | {"showlegend": False, "hoversubplots": "axis", "shapes": []}
    layout["xaxis"] = _dates(theme, dates, anchor=f"y{len(panes)}")
    traces, height = [], (1 - GAP * (len(panes) - 1)) / len(panes)
    for number, (name, label, form, hover) in enumerate(panes, start=1):
        key, top = f"y{number if number > 1 else ''}", 1 - (number - 1) * (height + GAP)
        traces.append(
            line(dates[rows], drawn[name], label, lines[number - 1], yaxis=key, hovertemplate=f"%{{y:{hover}}}")
        )  # fmt: skip
        layout[f"yaxis{key[1:]}"] = axis(
            theme, domain=[max(0.0, top - height), top], side="right", tickformat=form, nticks=4, title={"text": label},
            zeroline=True,
        )  # fmt: skip
        if np.isfinite(level := whole.get(name, np.nan)):
            layout["shapes"].append({
                "type": "line", "xref": "paper", "yref": key, "x0": 0, "x1": 1, "y0": level, "y1": level,
                "line": {"color": palette(theme)["muted"], "width": 1, "dash": "dot"},
            })  # fmt: skip
    return {"data": traces, "layout": layout}
