"""The price chart: candles or line, overlays, panes below, and what marks signals, patterns and agreement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import CORE_VOTES, DateArray, FloatArray
from analytics.indicators import Indicator
from analytics.market import Bars
from dashapp.figures._trace import days, encode, line
from dashapp.figures.technical_marks import (
    WORDS,
    Ribbon,
    pattern_markers,
    patterns_in_words,
    ribbon_trace,
    signal_markers,
    turns_in_words,
)
from dashapp.format import column_label
from dashapp.theme import axis, base_layout, palette, series

MARKER_COLUMNS = ("date", "overall_signal", "buy_votes", "sell_votes")
Texts = npt.NDArray[np.str_]  # an array is sent without a look at every single one
FEW = 140  # bars
PRICE_HEIGHT, PANE_HEIGHT, RIBBON_HEIGHT, GAP = 380, 130, 26, 0.02


@dataclass(frozen=True)
class Chart:
    """What to draw."""

    candles: bool
    overlays: Sequence[Indicator]
    panes: Sequence[Indicator]
    volume: bool
    unit: str  # before a price: $ or nothing
    weekly: bool = False
    log: bool = False
    live: Mapping[str, FloatArray] = field(default_factory=dict)  # {column: values} in place of the stored ones
    labels: Mapping[str, str] = field(default_factory=dict)  # {column: label} where it is not the stored column's
    patterns: pd.DataFrame | None = None  # date, pattern (in words), direction

    def label(self, column: str) -> str:
        """Return what the legend and the hover call a line."""
        return self.labels.get(column, column_label(column))


def technical_figure(
    bars: Bars, signals: pd.DataFrame, markers: pd.DataFrame, chart: Chart, *, theme: str | None,
    ribbon: Ribbon | None = None, compared: tuple[str, FloatArray] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the figure.

    signals and ribbon have a row per bar. markers: date, close, overall_signal, the core votes where the signal
    changed. compared: the name of another ticker and its rebased closes, shape (n_bars,).
    """
    x = days(bars.dates)
    panes = _panes(chart, ribbon)
    traces = [
        _price(bars, x, _day_texts(signals, markers, chart.patterns), theme, candles=chart.candles),
        *_overlays(chart, signals, x, theme),
    ]
    if compared:
        traces.append(line(x, compared[1], f"{compared[0]}, rebased", palette(theme)["muted"], width=1.3, dash="dash"))
    if chart.patterns is not None:
        traces += pattern_markers(chart.patterns, bars, theme)
    visible = "legendonly" if chart.weekly else True  # decades of them would hide the price; the legend shows them
    traces += [trace | {"visible": visible} for trace in signal_markers(markers, theme)]
    for number, key in enumerate(panes, start=2):
        if key == "volume":
            found = [_volume(bars, x, theme)]
        elif ribbon is not None and key == "agreement":
            found = [ribbon_trace(ribbon, x, theme)]
        else:
            found = _pane(chart, key, signals, x, theme)
        traces += [trace | {"yaxis": f"y{number}"} for trace in found]
    return {"data": traces, "layout": _layout(bars, chart, panes, theme)}


def _panes(chart: Chart, ribbon: Ribbon | None) -> dict[str, int]:
    """The panes below the price from top to bottom, with their heights."""
    heights = {"agreement": RIBBON_HEIGHT} if ribbon is not None else {}
    heights |= {"volume": PANE_HEIGHT} if chart.volume else {}
    return heights | {indicator.key: PANE_HEIGHT for indicator in chart.panes}


def _day_texts(signals: pd.DataFrame, markers: pd.DataFrame, patterns: pd.DataFrame | None) -> Texts:
    """What the hover says of each day: the stored signal, on the day it turned its votes, and the patterns."""
    turned = turns_in_words(markers[markers["date"].isin(signals["date"])])
    found = patterns_in_words(patterns) if patterns is not None else {}
    rows = zip(signals["date"], *(signals[name].to_numpy(float).tolist() for name in MARKER_COLUMNS[1:]), strict=True)
    texts = [
        (turned.get(date) or (f"signal {WORDS[s]}: {b:.0f} buy, {v:.0f} sell" if s in WORDS else "no signal yet"))
        + found.get(date, "")
        for date, s, b, v in rows
    ]
    return np.array(texts, dtype=str)


def _price(bars: Bars, x: DateArray, texts: Texts, theme: str | None, *, candles: bool) -> dict[str, Any]:
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
    colours = series(theme)
    shown = [
        (name, name in (indicator.drawn or indicator.outputs) or name in chart.live)
        for indicator in chart.overlays for name in indicator.outputs
    ]  # fmt: skip
    shown.sort(key=lambda item: not item[1])  # those at hand in the legend come last, and leave the first colours free
    return [
        line(
            x,
            signals[name].to_numpy(float),
            chart.label(name),
            colours[i % len(colours)],
            width=1.3,
            dash="solid" if i < len(colours) else "dot",
            visible=True if drawn else "legendonly",
        )
        for i, (name, drawn) in enumerate(shown)
    ]


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
            trace = {"type": "bar", "x": x, "y": encode(values), "name": chart.label(name),
                     "marker": {"color": palette(theme)["cloud"], "line": {"width": 0}}}  # fmt: skip
        else:
            trace = line(x, values, chart.label(name), colours[number % len(colours)], width=1.3)
        traces.append(trace | {"showlegend": False})
    return traces


def _layout(bars: Bars, chart: Chart, panes: Mapping[str, int], theme: str | None) -> dict[str, Any]:
    height = PRICE_HEIGHT + sum(panes.values())
    layout = base_layout(theme, height=height) | {
        "uirevision": bars.ticker, "hoversubplots": "axis", "bargap": 0.1, "shapes": [], "annotations": [],
        "meta": {"panes": {f"y{number}": key for number, key in enumerate(panes, start=2)}},  # whose each drawing is
        "newshape": {"line": {"color": palette(theme)["accent"], "width": 2}},
    }  # fmt: skip
    bottom = 1 - PRICE_HEIGHT / height
    layout["xaxis"] = axis(
        theme, type="date", range=_span(bars), hoverformat="week to %d %b %Y" if chart.weekly else "%a %d %b %Y", rangeslider={"visible": False}, anchor=f"y{len(panes) + 1}" if panes else "y",
        rangebreaks=[{"bounds": ["sat", "mon"]}] if _few_and_no_weekend(bars) else [],
        showspikes=True, spikemode="across", spikethickness=1, spikecolor=palette(theme)["line"], spikedash="solid",
    )  # fmt: skip
    layout["yaxis"] = axis(
        theme, domain=[bottom + (GAP if panes else 0), 1], side="right", tickprefix=chart.unit, hoverformat=",.2f",
        type="log" if chart.log else "linear",
    )  # fmt: skip
    for number, (key, size) in enumerate(panes.items(), start=2):
        domain = [max(0.0, bottom - size / height) + (GAP if key != "agreement" else 0), bottom]
        _add_pane(layout, chart, key, number, domain, theme)
        bottom -= size / height
    return layout


def _add_pane(
    layout: dict[str, Any], chart: Chart, key: str, number: int, domain: list[float], theme: str | None
) -> None:
    """Add the axis, the title and the guide lines of one pane."""
    indicator = next((item for item in chart.panes if item.key == key), None)
    few: dict[str, Any] = {"visible": False, "fixedrange": True} if key == "agreement" else {}
    if indicator and indicator.fraction:
        few["tickformat"] = ".0%"
    layout[f"yaxis{number}"] = axis(
        theme, domain=domain, side="right", nticks=4, hoverformat=_hover_format(indicator, key), **few
    )
    title = indicator.label if indicator else key.capitalize()
    if indicator and (live := [chart.labels[name] for name in indicator.outputs if name in chart.labels]):
        title = live[0]
    layout["annotations"].append({
        "text": title, "xref": "paper", "yref": "paper", "x": 0, "y": domain[1], "xanchor": "left",
        "yanchor": "bottom" if key == "agreement" else "top", "showarrow": False, "font": {"size": 11, "color": palette(theme)["muted"]},
        **({"hovertext": indicator.description, "captureevents": True} if indicator else {}),
    })  # fmt: skip
    layout["shapes"] += [_level(level, number, theme) for level in (indicator.levels if indicator else ())]


def _hover_format(indicator: Indicator | None, key: str) -> str:
    if key in ("volume", "obv"):
        return ".4s"
    return ".1%" if indicator and indicator.fraction else ",.2f"


def _few_and_no_weekend(bars: Bars) -> bool:
    """Whether the holes of the weekends can be closed: with many bars that takes the browser seconds."""
    return len(bars) <= FEW and bool(np.is_busday(bars.dates).all())


def _span(bars: Bars) -> list[str]:
    """The dates shown, with half a bar of room at each end: markers would make it far more."""
    room = (bars.dates[-1] - bars.dates[0]) // (2 * max(1, len(bars) - 1)) + np.timedelta64(1, "D")
    return [str(bars.dates[0] - room), str(bars.dates[-1] + room)]


def _level(value: float, number: int, theme: str | None) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": f"y{number}", "y0": value, "y1": value,
        "line": {"color": palette(theme)["muted"], "width": 1, "dash": "dot"}, "name": "level",
    }  # fmt: skip


def signal_changes(signals: pd.DataFrame, closes: np.ndarray) -> pd.DataFrame:
    """Return the rows on which the stored signal became buy or sell: date, close, overall_signal and the core votes."""
    signal = signals["overall_signal"].to_numpy(float)
    changed = np.append(False, signal[1:] != signal[:-1]) & (np.abs(signal) == 1)
    votes = [f"vote_{key}" for key in CORE_VOTES if f"vote_{key}" in signals]
    rows = {name: signals[name].to_numpy()[changed] for name in (*MARKER_COLUMNS, *votes)}
    return pd.DataFrame(rows | {"close": closes[changed]})
