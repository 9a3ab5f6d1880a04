"""The price chart: candles or line, overlays, panes below, and markers where the stored signal changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import DateArray
from analytics.indicators import Indicator
from analytics.market import Bars
from dashapp.figures._trace import days, encode, line
from dashapp.format import column_label
from dashapp.theme import axis, base_layout, palette, series

MARKER_COLUMNS = ("date", "overall_signal", "buy_votes", "sell_votes")
PRICE_HEIGHT, PANE_HEIGHT, GAP = 380, 130, 0.02


@dataclass(frozen=True)
class Chart:
    """What to draw."""

    candles: bool
    overlays: Sequence[Indicator]
    panes: Sequence[Indicator]
    volume: bool
    unit: str  # before a price: $ or nothing
    weekly: bool = False


def technical_figure(
    bars: Bars, signals: pd.DataFrame, markers: pd.DataFrame, chart: Chart, *, theme: str | None
) -> dict[str, Any]:
    """Return the figure.

    signals has a row per bar. markers: date, close, overall_signal, buy_votes, sell_votes where the signal changed.
    """
    x = days(bars.dates)
    panes = (["volume"] if chart.volume else []) + [indicator.key for indicator in chart.panes]
    traces = [
        _price(bars, x, _signal_texts(signals), theme, candles=chart.candles),
        *_overlays(chart, signals, x, theme),
    ]
    visible = "legendonly" if chart.weekly else True  # decades of them would hide the price; the legend shows them
    traces += [trace | {"visible": visible} for trace in _markers(markers, theme)]
    for number, key in enumerate(panes, start=2):
        found = [_volume(bars, x, theme)] if key == "volume" else _pane(chart, key, signals, x, theme)
        traces += [trace | {"yaxis": f"y{number}"} for trace in found]
    return {"data": traces, "layout": _layout(bars, chart, panes, theme)}


def _signal_texts(signals: pd.DataFrame) -> list[str]:
    """What the hover says of each day's stored signal."""
    words = {1: "buy", -1: "sell", 0: "neutral"}
    rows = zip(*(signals[name] for name in MARKER_COLUMNS[1:]), strict=True)
    return [
        f"signal {words[s]}, {b:.0f} buy and {v:.0f} sell votes" if s in words else "no signal yet" for s, b, v in rows
    ]


def _price(bars: Bars, x: DateArray, texts: list[str], theme: str | None, *, candles: bool) -> dict[str, Any]:
    colours = palette(theme)
    if not candles:
        return line(x, bars.close, "Close", colours["text"], width=1.8, text=texts, hovertemplate="%{y} · %{text}")
    return {
        "type": "candlestick", "x": x, "name": bars.ticker, "showlegend": False, "text": texts,
        **{name: encode(getattr(bars, name)) for name in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": colours["up"], "width": 1}, "fillcolor": colours["up_soft"]},
        "decreasing": {"line": {"color": colours["down"], "width": 1}, "fillcolor": colours["down_soft"]},
    }  # fmt: skip


def _overlays(chart: Chart, signals: pd.DataFrame, x: DateArray, theme: str | None) -> list[dict[str, Any]]:
    names = [output for indicator in chart.overlays for output in indicator.outputs]
    colours = series(theme)
    return [
        line(
            x,
            signals[name].to_numpy(float),
            column_label(name),
            colours[i % len(colours)],
            width=1.3,
            dash="solid" if i < len(colours) else "dot",
        )
        for i, name in enumerate(names)
    ]


def _markers(markers: pd.DataFrame, theme: str | None) -> list[dict[str, Any]]:
    colours, traces = palette(theme), []
    for signal, name, symbol, colour in ((1, "Buy", "triangle-up", "up"), (-1, "Sell", "triangle-down", "down")):
        rows = markers[markers["overall_signal"] == signal]
        text = [f"{row.buy_votes:.0f} buy, {row.sell_votes:.0f} sell votes" for row in rows.itertuples()]
        traces.append({
            "type": "scatter", "mode": "markers", "x": days(rows["date"]), "y": encode(rows["close"]), "name": name,
            "marker": {"symbol": symbol, "size": 10, "color": colours[colour],
                       "line": {"width": 1, "color": colours["surface"]}},
            "text": text, "hovertemplate": "signal turned, %{text}",
        })  # fmt: skip
    return traces


def _volume(bars: Bars, x: DateArray, theme: str | None) -> dict[str, Any]:
    return {
        "type": "bar", "x": x, "y": encode(bars.volume), "name": "Volume", "showlegend": False,
        "marker": {"color": palette(theme)["cloud"], "line": {"width": 0}},
    }  # fmt: skip


def _pane(chart: Chart, key: str, signals: pd.DataFrame, x: DateArray, theme: str | None) -> list[dict[str, Any]]:
    indicator = next(item for item in chart.panes if item.key == key)
    colours = series(theme)
    traces = []
    for number, name in enumerate(indicator.outputs):
        values = signals[name].to_numpy(float)
        if name.endswith("_hist"):
            trace = {"type": "bar", "x": x, "y": encode(values), "name": column_label(name),
                     "marker": {"color": palette(theme)["cloud"], "line": {"width": 0}}}  # fmt: skip
        else:
            trace = line(x, values, column_label(name), colours[number % len(colours)], width=1.3)
        traces.append(trace | {"showlegend": False})
    return traces


def _layout(bars: Bars, chart: Chart, panes: list[str], theme: str | None) -> dict[str, Any]:
    height = PRICE_HEIGHT + PANE_HEIGHT * len(panes)
    layout = base_layout(theme, height=height) | {
        "uirevision": bars.ticker, "hoversubplots": "axis", "bargap": 0.1, "shapes": [], "annotations": [],
    }  # fmt: skip
    bottom = PANE_HEIGHT * len(panes) / height
    layout["xaxis"] = axis(
        theme, type="date", range=_span(bars), hoverformat="week to %d %b %Y" if chart.weekly else "%a %d %b %Y", rangeslider={"visible": False}, anchor=f"y{len(panes) + 1}" if panes else "y",
        showspikes=True, spikemode="across", spikethickness=1, spikecolor=palette(theme)["line"], spikedash="solid",
    )  # fmt: skip
    layout["yaxis"] = axis(
        theme, domain=[bottom + (GAP if panes else 0), 1], side="right", tickprefix=chart.unit, hoverformat=",.2f"
    )
    labels = {indicator.key: indicator for indicator in chart.panes}
    for number, key in enumerate(panes, start=2):
        top = bottom - (number - 2) * PANE_HEIGHT / height
        domain = [top - PANE_HEIGHT / height + GAP, top]
        layout[f"yaxis{number}"] = axis(
            theme, domain=domain, side="right", nticks=4, hoverformat=".4s" if key in ("volume", "obv") else ",.2f"
        )
        title = labels[key].label if key in labels else "Volume"
        layout["annotations"].append({
            "text": title, "xref": "paper", "yref": "paper", "x": 0, "y": domain[1], "xanchor": "left",
            "yanchor": "top", "showarrow": False, "font": {"size": 11, "color": palette(theme)["muted"]},
        })  # fmt: skip
        levels = labels[key].levels if key in labels else ()
        layout["shapes"] += [_level(level, number, theme) for level in levels]
    return layout


def _span(bars: Bars) -> list[str]:
    """The dates shown, with half a bar of room at each end: markers would make it far more."""
    room = (bars.dates[-1] - bars.dates[0]) // (2 * max(1, len(bars) - 1)) + np.timedelta64(1, "D")
    return [str(bars.dates[0] - room), str(bars.dates[-1] + room)]


def _level(value: float, number: int, theme: str | None) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": f"y{number}", "y0": value, "y1": value,
        "line": {"color": palette(theme)["muted"], "width": 1, "dash": "dot"},
    }  # fmt: skip


def signal_changes(signals: pd.DataFrame, closes: np.ndarray) -> pd.DataFrame:
    """Return the rows on which the stored signal became buy or sell: date, close, overall_signal and vote counts."""
    signal = signals["overall_signal"].to_numpy(float)
    changed = np.append(False, signal[1:] != signal[:-1]) & (np.abs(signal) == 1)
    return signals.loc[changed, list(MARKER_COLUMNS)].assign(close=closes[changed])
