"""Bars, and the two ways to look into the future, that the tests of signals and of their record share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from analytics.conventions import DateArray, FloatArray
from analytics.market import FIELDS, Bars

START = "2018-01-01"


def sessions(n: int, start: str = START) -> DateArray:
    """The weekdays from a day on."""
    return np.busday_offset(start, np.arange(n), roll="forward")


def walk(seed: int, n: int = 320, *, start: str = START, drift: float = 0.0, step: float = 0.02) -> Bars:
    """A random walk with a quarterly dividend: consistent open, high, low, and adj_close below close."""
    rng = np.random.default_rng(seed)
    close = 80 * np.exp(np.cumsum(rng.normal(drift, step, n)))
    opening = np.concatenate([[80.0], close[:-1]])[:n] * np.exp(rng.normal(0, 0.005, n))
    high = np.maximum(opening, close) * np.exp(np.abs(rng.normal(0, 0.005, n)))
    low = np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0, 0.005, n)))
    paid = np.where(np.arange(n) % 63 == 40, 0.99, 1.0)
    adj_close = close * np.append(np.cumprod(paid[::-1])[::-1][1:], 1.0)[:n]
    return Bars("TEST", sessions(n, start), opening, high, low, close, adj_close, rng.uniform(1e5, 1e6, n))


def without(bars: Bars, *names: str) -> Bars:
    """A source that does not tell these fields."""
    return replace(bars, **{name: np.full(len(bars), np.nan) for name in names})


def poisoned(bars: Bars, cut: int, factor: float) -> Bars:
    """The same bars up to and with the row `cut`, every later price and volume multiplied."""
    later = np.arange(len(bars)) > cut
    return replace(bars, **{
        name: np.where(later, getattr(bars, name) * factor, getattr(bars, name)) for name in FIELDS
    })  # fmt: skip


def other_futures(bars: Bars, cuts: list[int]) -> Iterator[tuple[int, Bars]]:
    """(cut, bars that agree up to the row `cut`): later prices ten times as high, unknown, and not there."""
    for cut in cuts:
        yield cut, poisoned(bars, cut, 10.0)
        yield cut, poisoned(bars, cut, np.nan)
        yield cut, bars.rows(slice(cut + 1))


def same(left: FloatArray, right: FloatArray) -> bool:
    """Whether two arrays are equal, None and NaN included."""
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype == object or right.dtype == object:
        return left.tolist() == right.tolist()
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))


def cuts_of(n: int) -> list[int]:
    """Where the future begins: densely in the warm-up, and up to the last rows."""
    return sorted({*range(0, min(n - 1, 60), 6), *range(70, n - 1, max(1, n // 16)), n - 3, n - 2} & set(range(n)))


def looked_ahead(
    compute: Callable[[Bars], Mapping[str, Any]], bars: Bars, cuts: list[int], *, horizon: int = -1
) -> set[str]:
    """The columns of which a row up to a cut depends on a row after it.

    horizon: sessions after a row's next one up to which it may see, −1 where it may see its own row and no other.
    """
    whole, found = compute(bars), set()
    for cut, other in other_futures(bars, cuts):
        rows = max(0, cut - horizon)  # 0 … cut, less those whose window is not over
        found |= {name for name, values in compute(other).items() if not same(values[:rows], whole[name][:rows])}
    return found
