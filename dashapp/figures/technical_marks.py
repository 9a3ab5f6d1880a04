"""What stands on the price chart besides lines: signal markers, candlestick patterns and the agreement ribbon."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analytics.conventions import CORE_VOTES, DateArray, FloatArray
from analytics.indicators import VOTES
from analytics.market import Bars
from dashapp.figures._trace import days, encode
from dashapp.format import percent
from dashapp.theme import palette

WORDS = {1: "buy", -1: "sell", 0: "neutral"}
AWAY = 0.012  # of the price: how far from the bar a pattern's mark stands


@dataclass(frozen=True)
class Ribbon:
    """The daily signal against what was known of the fundamentals, each of shape (n_bars,); NaN where unknown."""

    label: str
    signal: FloatArray
    known: FloatArray  # a fraction a year
    agreement: FloatArray

    def rows(self, rows: np.ndarray) -> "Ribbon":
        """Return the ribbon of some rows."""
        return replace(self, signal=self.signal[rows], known=self.known[rows], agreement=self.agreement[rows])


def signal_markers(markers: pd.DataFrame, theme: str | None) -> list[dict[str, Any]]:
    """Return a trace of the turns to buy and one of those to sell. What they say stands in the hover of the price:

    a unified hover takes the nearest point of every trace, and of these that is mostly another day's.
    """
    colours, traces = palette(theme), []
    turned, dates, closes = (markers[name].to_numpy() for name in ("overall_signal", "date", "close"))
    for signal, name, symbol, colour in ((1, "Buy", "triangle-up", "up"), (-1, "Sell", "triangle-down", "down")):
        rows = np.flatnonzero(turned == signal)
        traces.append({
            "type": "scatter", "mode": "markers", "x": days(dates[rows]), "y": encode(closes[rows]), "name": name,
            "marker": {"symbol": symbol, "size": 10, "color": colours[colour],
                       "line": {"width": 1, "color": colours["surface"]}},
            "hoverinfo": "skip",
        })  # fmt: skip
    return traces


def turns_in_words(markers: pd.DataFrame) -> dict[str, str]:
    """Return {date: what the signal turned to, and which core votes said so}."""
    keys = [key for key in CORE_VOTES if f"vote_{key}" in markers]
    labels = [VOTES[key].vote.label for key in keys]
    rows = (
        zip(*(markers[f"vote_{key}"].to_numpy(float).tolist() for key in keys), strict=True)
        if keys
        else [()] * len(markers)
    )
    return {
        date: f"<b>signal turned {WORDS[signal]}</b>{_said(labels, row)}"
        for date, signal, row in zip(markers["date"], markers["overall_signal"], rows, strict=True)
    }


def _said(labels: Sequence[str], row: Sequence[float]) -> str:
    sides = {
        word: [label for label, vote in zip(labels, row, strict=True) if vote == side]
        for side, word in ((1, "buy"), (-1, "sell"))
    }
    return "".join(f"<br>{word}: {', '.join(found)}" for word, found in sides.items() if found)


def patterns_in_words(patterns: pd.DataFrame) -> dict[str, str]:
    """Return {date: the candlestick patterns of that day}."""
    found = patterns.assign(word=patterns["direction"].map({1: "bullish: ", -1: "bearish: "}) + patterns["pattern"])
    return {str(date): "".join(f"<br>{word}" for word in words) for date, words in found.groupby("date")["word"]}


def pattern_markers(patterns: pd.DataFrame, bars: Bars, theme: str | None) -> list[dict[str, Any]]:
    """Return a trace of the bullish candlestick patterns, under their bars, and one of the bearish, above."""
    traces = []
    dates = bars.dates.astype(str)
    for side, name, colour, edge, factor in (
        (1, "Bullish pattern", "up", bars.low, 1 - AWAY), (-1, "Bearish pattern", "down", bars.high, 1 + AWAY),
    ):  # fmt: skip
        found = np.unique(patterns.loc[patterns["direction"] == side, "date"].to_numpy(dtype=str))
        rows = np.searchsorted(dates, found)
        traces.append({
            "type": "scatter", "mode": "markers", "x": days(found), "y": encode(edge[rows] * factor), "name": name,
            "marker": {"symbol": "circle", "size": 4, "color": palette(theme)[colour]},
            "hoverinfo": "skip",
        })  # fmt: skip
    return traces


def ribbon_trace(ribbon: Ribbon, x: DateArray, theme: str | None) -> dict[str, Any]:
    """Return the ribbon as a heat map of one row; unknown is a gap."""
    colours = palette(theme)
    words = {1: "agree", -1: "disagree", 0: "no signal"}
    texts = [
        f"{WORDS[int(signal)]} × {ribbon.label} {percent(known, sign=True)} a year: {words[int(both)]}"
        if np.isfinite(both) else "not available: the signal or the fit was not known yet"
        for signal, known, both in zip(ribbon.signal, ribbon.known, ribbon.agreement, strict=True)
    ]  # fmt: skip
    scale = [[0, colours["down"]], [0.5, colours["grid"]], [1, colours["up"]]]
    return {
        "type": "heatmap", "x": x, "y": [0], "z": [[float(v) if np.isfinite(v) else None for v in ribbon.agreement]],
        "name": "Agreement", "colorscale": scale, "zmin": -1, "zmax": 1, "showscale": False, "text": [texts],
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
