"""Candlestick patterns: the days on which TA-Lib recognises one of its 61 shapes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import talib
from talib import abstract

from analytics.market import Bars

_PREFIX = "CDL"
_FUNCTIONS = {
    name.removeprefix(_PREFIX).lower(): getattr(talib, name)
    for name in sorted(talib.get_function_groups()["Pattern Recognition"])
}


def _label(key: str) -> str:
    name = getattr(abstract, _PREFIX + key.upper()).info["display_name"]
    return name[0] + name[1:].lower()


PATTERNS: Mapping[str, str] = MappingProxyType({key: _label(key) for key in _FUNCTIONS})  # {pattern: label}


def candlestick_patterns(bars: Bars) -> dict[str, Any]:
    """Return the events of one ticker, {date, pattern, direction}, each of shape (n_events,), by date and pattern.

    date: datetime64[D]; pattern: a key of PATTERNS, str; direction: the sign that TA-Lib gives, 1 bullish or −1
    bearish (a doji, which has no direction of its own, is 1). Found on the bars whose open, high, low and close are
    all known; a close-only source has no events. Source: TA-Lib, functions CDL…, with their default penetration.
    """
    known = np.isfinite(np.stack([bars.open, bars.high, bars.low, bars.close])).all(axis=0)
    columns = [
        np.ascontiguousarray(array[known], dtype=np.float64) for array in (bars.open, bars.high, bars.low, bars.close)
    ]
    names = np.array(list(PATTERNS), dtype=object)
    values = [function(*columns) if known.any() else columns[0] for function in _FUNCTIONS.values()]
    found = [np.flatnonzero(row) for row in values]
    row = np.concatenate(found)
    signs = np.concatenate([np.sign(array[rows]) for array, rows in zip(values, found, strict=True)])
    order = np.argsort(row, kind="stable")  # within a day they stay in the order of their names
    return {
        "date": bars.dates[known][row[order]],
        "pattern": np.repeat(names, [len(rows) for rows in found])[order],
        "direction": signs[order].astype(np.int64),
    }
