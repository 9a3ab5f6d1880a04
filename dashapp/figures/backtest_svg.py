"""Small static charts of a report, as SVG text that needs nothing else: no script, no font, no network."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from analytics.conventions import DateArray, FloatArray
from dashapp.figures._ticks import linear_ticks, log_ticks, money
from dashapp.figures.backtest import drawn_rows
from dashapp.theme import palette, series

WIDTH, LEFT, BOTTOM, LEGEND = 900, 62, 18, 16  # pixels; the picture scales with the page


def line_svg(
    dates: DateArray, values: Mapping[str, FloatArray], *, height: int, unit: str, is_log: bool = False,
    lows: FloatArray | None = None,
) -> str:  # fmt: skip
    """Return lines by date, each (n,), on a log scale where asked; a value that cannot be drawn is a gap.

    unit: "usd", "percent" or "number", of the labels at the left. lows (n,): see `drawn_rows`.
    """
    rows = drawn_rows(dates, lows)
    drawn = {name: np.asarray(value, dtype=float)[rows] for name, value in values.items()}
    if is_log:
        drawn = {name: _logarithms(value) for name, value in drawn.items()}
    known = np.concatenate([value[np.isfinite(value)] for value in drawn.values()])
    if not len(known):
        return ""
    days = dates[rows].astype("datetime64[D]").astype(float)
    ticks = _log_ticks(known.min(), known.max()) if is_log else linear_ticks(known.min(), known.max())
    low, high = min(known.min(), ticks[0]), max(known.max(), ticks[-1])
    x = LEFT + (WIDTH - LEFT - 4) * (days - days[0]) / max(days[-1] - days[0], 1.0)
    parts = [_grid_line(_height(tick, low, high, height), _label(10**tick if is_log else tick, unit)) for tick in ticks]
    parts += _date_labels(dates[rows], x, height)
    colours = _colours(drawn)
    parts += [_path(x, _height(value, low, high, height), colours[name], name) for name, value in drawn.items()]
    return _svg([*parts, *_legend(colours)], height, list(values))


def bars_svg(labels: Sequence[str], values: Mapping[str, FloatArray], *, height: int, unit: str = "percent") -> str:
    """Return a bar per label and series, each series (n,); an unknown value is left out.

    A single series is green above and red below zero where it is in percent.
    """
    series_of = {name: np.asarray(value, dtype=float) for name, value in values.items()}
    finite = np.concatenate([value[np.isfinite(value)] for value in series_of.values()])
    if not len(finite):
        return ""
    ticks = linear_ticks(min(finite.min(), 0.0), max(finite.max(), 0.0))
    low, high = min(finite.min(), ticks[0]), max(finite.max(), ticks[-1])
    parts = [_grid_line(_height(tick, low, high, height), _label(tick, unit)) for tick in ticks]
    step, colours = (WIDTH - LEFT - 4) / len(labels), _colours(series_of)
    every, width = math.ceil(len(labels) / 20), 0.7 * step / len(series_of)
    parts += [
        f'<text x="{LEFT + (place + 0.5) * step:.1f}" y="{height - 4}" text-anchor="middle">{html.escape(label)}</text>'
        for place, label in enumerate(labels) if place % every == 0
    ]  # fmt: skip
    by_sign = len(series_of) == 1 and unit == "percent"
    zero = float(_height(0.0, low, high, height))
    for number, (name, value) in enumerate(series_of.items()):
        for place in np.flatnonzero(np.isfinite(value)):
            top, left = float(_height(value[place], low, high, height)), LEFT + (place + 0.15) * step + number * width
            colour = palette("light")["up" if value[place] >= 0 else "down"] if by_sign else colours[name]
            parts.append(
                f'<rect x="{left:.1f}" y="{min(top, zero):.1f}" width="{width:.1f}" height="{abs(top - zero):.1f}" fill="{colour}"/>'
            )
    return _svg([*parts, *_legend(colours)], height, list(values))


def _colours(names: Iterable[str]) -> dict[str, str]:
    return dict(zip(names, (series("light")[0], palette("light")["muted"]), strict=False))


def _legend(colours: Mapping[str, str]) -> list[str]:
    """What the lines or bars are, above them; nothing where there is only one."""
    parts, left = [], LEFT + 8
    for name, colour in colours.items() if len(colours) > 1 else ():
        parts.append(f'<rect x="{left}" y="{-LEGEND + 5}" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{left + 18}" y="{-LEGEND + 11}">{html.escape(name)}</text>')
        left += 32 + 7 * len(name)
    return parts


def _svg(parts: list[str], height: int, names: Sequence[str]) -> str:
    title = html.escape(", ".join(names))
    return (
        f'<svg viewBox="0 {-LEGEND} {WIDTH} {height + LEGEND}" role="img" aria-label="{title}" font-size="11" '
        f'fill="{palette("light")["muted"]}">{"".join(parts)}</svg>'
    )


def _path(x: FloatArray, y: FloatArray, colour: str, name: str) -> str:
    """A line with a gap wherever a value is unknown."""
    moves, pen = [], "M"
    for across, down in zip(x, y, strict=True):
        if math.isfinite(down):
            moves.append(f"{pen}{across:.1f} {down:.1f}")
            pen = "L"
        else:
            pen = "M"
    title = f"<title>{html.escape(name)}</title>"
    return f'<path d="{"".join(moves)}" fill="none" stroke="{colour}" stroke-width="1.4">{title}</path>'


def _grid_line(y: FloatArray | float, label: str) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{float(y):.1f}" y2="{float(y):.1f}" stroke="{palette("light")["grid"]}"/>'
        f'<text x="{LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _date_labels(dates: DateArray, x: FloatArray, height: int) -> list[str]:
    """The years where they begin; of a test within one year its first and last date."""
    years = pd.DatetimeIndex(dates).year.to_numpy()
    first = np.flatnonzero(np.append(False, years[1:] != years[:-1]))
    if not len(first):
        ends = {0: "start", len(dates) - 1: "end"}
        named = [(row, str(dates[row])[:10], anchor) for row, anchor in ends.items()]
    else:
        named = [(row, str(years[row]), "middle") for row in first[:: math.ceil(len(first) / 12)]]
    return [
        f'<text x="{x[row]:.1f}" y="{height - 4}" text-anchor="{anchor}">{text}</text>' for row, text, anchor in named
    ]


def _height(value: FloatArray | float, low: float, high: float, height: int) -> FloatArray:
    """Pixels from the top."""
    share = (np.asarray(value, dtype=float) - low) / max(high - low, 1e-12)
    return 6 + (1.0 - share) * (height - BOTTOM - 12)


def _logarithms(values: FloatArray) -> FloatArray:
    return np.array([math.log10(value) if value > 0.0 else math.nan for value in values])


def _log_ticks(low: float, high: float) -> list[float]:
    """The logarithms of the ticks between two logarithms."""
    return [math.log10(tick) for tick in log_ticks(10.0**low, 10.0**high)]


def _label(value: float, unit: str) -> str:
    if unit == "percent":
        return f"{value * 100:,.4g} %".replace("-", "−")
    return money(value) if unit == "usd" else f"{value:,.4g}".replace("-", "−")
