"""Small static charts of a report, as SVG text that needs nothing else: no script, no font, no network."""

import html
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analytics.conventions import DateArray, FloatArray
from dashapp.figures.backtest import drawn_rows
from dashapp.theme import palette, series

WIDTH, LEFT, BOTTOM = 900, 62, 18  # pixels; the picture scales with the page
TICKS = 5
_STEPS = (1, 2, 5, 10)


def line_svg(
    dates: DateArray, values: Mapping[str, FloatArray], *, height: int, unit: str, is_log: bool = False
) -> str:
    """Return lines by date, each (n,), on a log scale where asked; a value that cannot be drawn is a gap.

    unit: "usd" or "percent", of the labels at the left.
    """
    rows = drawn_rows(dates)
    drawn = {name: np.asarray(value, dtype=float)[rows] for name, value in values.items()}
    if is_log:
        drawn = {name: _logarithms(value) for name, value in drawn.items()}
    known = np.concatenate([value[np.isfinite(value)] for value in drawn.values()])
    if not len(known):
        return ""
    days = dates[rows].astype("datetime64[D]").astype(float)
    ticks = _log_ticks(known.min(), known.max()) if is_log else _ticks(known.min(), known.max())
    low, high = min(known.min(), ticks[0]), max(known.max(), ticks[-1])
    x = LEFT + (WIDTH - LEFT - 4) * (days - days[0]) / max(days[-1] - days[0], 1.0)
    parts = [_grid_line(_height(tick, low, high, height), _label(10**tick if is_log else tick, unit)) for tick in ticks]
    parts += _year_labels(dates[rows], x, height)
    for (name, value), colour in zip(drawn.items(), (*series("light")[:1], palette("light")["muted"]), strict=False):
        parts.append(_path(x, _height(value, low, high, height), colour, name))
    return _svg(parts, height, list(values))


def bars_svg(labels: Sequence[str], values: FloatArray, *, height: int) -> str:
    """Return a bar per label, green above and red below zero; values (n,) are fractions, an unknown one is left out."""
    known = np.asarray(values, dtype=float)
    finite = known[np.isfinite(known)]
    if not len(finite):
        return ""
    ticks = _ticks(min(finite.min(), 0.0), max(finite.max(), 0.0))
    low, high = min(finite.min(), ticks[0]), max(finite.max(), ticks[-1])
    step, zero = (WIDTH - LEFT - 4) / len(known), float(_height(0.0, low, high, height))
    parts = [_grid_line(_height(tick, low, high, height), _label(tick, "percent")) for tick in ticks]
    every = math.ceil(len(labels) / 18)
    for place, (label, value) in enumerate(zip(labels, known, strict=True)):
        left = LEFT + place * step
        if place % every == 0:
            parts.append(
                f'<text x="{left + step / 2:.1f}" y="{height - 4}" text-anchor="middle">{html.escape(label)}</text>'
            )
        if math.isfinite(value):
            top, colour = float(_height(value, low, high, height)), palette("light")["up" if value >= 0 else "down"]
            parts.append(
                f'<rect x="{left + 0.15 * step:.1f}" y="{min(top, zero):.1f}" width="{0.7 * step:.1f}" '
                f'height="{abs(top - zero):.1f}" fill="{colour}"/>'
            )
    return _svg(parts, height, labels[:1])


def _svg(parts: list[str], height: int, names: Sequence[str]) -> str:
    title = html.escape(", ".join(names))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}" font-size="11" '
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


def _year_labels(dates: DateArray, x: FloatArray, height: int) -> list[str]:
    years = pd.DatetimeIndex(dates).year.to_numpy()
    first = np.flatnonzero(np.append(False, years[1:] != years[:-1]))
    every = math.ceil(len(first) / 12) if len(first) else 1
    return [
        f'<text x="{x[row]:.1f}" y="{height - 4}" text-anchor="middle">{years[row]}</text>' for row in first[::every]
    ]


def _height(value: FloatArray | float, low: float, high: float, height: int) -> FloatArray:
    """Pixels from the top."""
    share = (np.asarray(value, dtype=float) - low) / max(high - low, 1e-12)
    return 6 + (1.0 - share) * (height - BOTTOM - 12)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from below `low` to above `high`."""
    rough = max(high - low, 1e-6) / TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in _STEPS if size * factor >= rough)
    return [step * count for count in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _logarithms(values: FloatArray) -> FloatArray:
    return np.array([math.log10(value) if value > 0.0 else math.nan for value in values])


def _log_ticks(low: float, high: float) -> list[float]:
    """Logarithms of 1, 2 and 5 times powers of ten; of powers of ten alone where there are many."""
    factors = (1, 2, 5) if high - low < 3 else (1,)
    every = [
        power + math.log10(factor) for power in range(math.floor(low) - 1, math.ceil(high) + 1) for factor in factors
    ]
    inside = [tick for tick in every if low - 0.05 <= tick <= high + 0.05]
    return inside or [low, high]


def _label(value: float, unit: str) -> str:
    if unit == "percent":
        return f"{value * 100:.4g} %".replace("-", "−")
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"${value / size:.4g}{letter}"
    return f"${value:.4g}"
