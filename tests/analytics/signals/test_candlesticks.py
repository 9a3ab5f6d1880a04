"""Candlestick patterns: TA-Lib's on every bar, shapes drawn by hand, and nothing that a later bar could change."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from analytics.market import FIELDS, Bars
from analytics.signals.candlesticks import PATTERNS, candlestick_patterns

CUTS = range(40, 320, 10)
FILES = ("prices/AAPL", "prices/AMD", "prices/TSLA", "etf/SPY", "etf/XLRE", "index/^GSPC")
QUIET = [(100, 101.5, 99.5, 101)] * 20  # open, high, low, close: the usual size of a body and of a range
# Textbook shapes after twenty quiet days (after ten falling ones where the shape has to end a fall): the last day is it.
FALL = [(130 - 2 * day, 130.5 - 2 * day, 127.5 - 2 * day, 128 - 2 * day) for day in range(15)]
SHAPES = [
    ("engulfing", QUIET, [(101, 101.2, 99.8, 100), (99.9, 101.6, 99.8, 101.5)], 1),
    ("engulfing", QUIET, [(100, 101.2, 99.8, 101), (101.1, 101.2, 99.4, 99.5)], -1),
    ("doji", QUIET, [(100, 101.5, 99, 100)], 1),
    ("hammer", FALL, [(99.6, 100.1, 96, 100)], 1),
    ("shootingstar", [(x, x + 2.5, x - 0.5, x + 2) for x in range(100, 130, 2)], [(133, 138, 132.9, 133.6)], -1),
    ("marubozu", QUIET, [(100, 105, 100, 105)], 1),
    ("marubozu", QUIET, [(105, 105, 100, 100)], -1),
    ("3whitesoldiers", QUIET, [(100, 103.1, 99.9, 103), (102, 106.1, 101.9, 106), (105, 109.1, 104.9, 109)], 1),
    ("3blackcrows", QUIET, [(103, 106.1, 102.9, 106), (105.5, 105.6, 101.9, 102), (104, 104.1, 99.9, 100), (102, 102.1, 97.9, 98)], -1),
    ("morningstar", FALL, [(100, 100.2, 95.8, 96), (95, 95.4, 94.4, 95.2), (96, 99.7, 95.9, 99.5)], 1),
    ("eveningstar", QUIET, [(100, 104.2, 99.8, 104), (105, 105.6, 104.8, 105.2), (104, 104.1, 100.3, 100.5)], -1),
    ("darkcloudcover", QUIET, [(100, 104.2, 99.8, 104), (105, 105.2, 100.8, 101)], -1),
    ("piercing", QUIET, [(104, 104.2, 99.8, 100), (99, 103.2, 98.8, 103)], 1),
]  # fmt: skip


def of_candles(candles: list[tuple[float, ...]]) -> Bars:
    opening, high, low, close = np.array(candles, float).T
    dates = np.datetime64("2020-01-01") + np.arange(len(candles))
    return Bars("TEST", dates, opening, high, low, close, close, np.full(len(candles), np.nan))


def random_candles(n: int = 320) -> Bars:
    rng = np.random.default_rng(4)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, n)))
    opening = np.append(close[:1], close[:-1]) * np.exp(rng.normal(0, 0.01, n))
    high = np.maximum(opening, close) * np.exp(np.abs(rng.normal(0, 0.006, n)))
    low = np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0, 0.006, n)))
    return of_candles(list(zip(opening, high, low, close, strict=True)))


def as_set(bars: Bars, until: int | None = None) -> set[tuple[np.datetime64, str, int]]:
    events = candlestick_patterns(bars)
    rows = zip(events["date"], events["pattern"], events["direction"], strict=True)
    return {row for row in rows if until is None or row[0] <= bars.dates[until]}


def assert_equals_talib(bars: Bars) -> None:
    known = np.isfinite(bars.open) & np.isfinite(bars.high) & np.isfinite(bars.low) & np.isfinite(bars.close)
    prices = [array[known].astype(float) for array in (bars.open, bars.high, bars.low, bars.close)]
    expected = set()
    for name in talib.get_function_groups()["Pattern Recognition"]:
        values = getattr(talib, name)(*prices)
        for row in range(len(values)):
            if values[row]:
                expected.add((bars.dates[known][row], name[3:].lower(), 1 if values[row] > 0 else -1))
    assert len(expected) > 300
    assert as_set(bars) == expected


def test_there_are_61_patterns_with_readable_names() -> None:
    assert len(PATTERNS) == 61
    assert len(set(PATTERNS.values())) == 61
    assert PATTERNS["3whitesoldiers"] == "Three advancing white soldiers"
    assert PATTERNS["hammer"] == "Hammer"
    assert all(label[0].isupper() and label[1:] == label[1:].lower() for label in PATTERNS.values())
    assert list(PATTERNS) == sorted(PATTERNS)


@pytest.mark.parametrize(("pattern", "before", "shape", "direction"), SHAPES)
def test_a_shape_drawn_by_hand(pattern: str, before: list, shape: list, direction: int) -> None:
    bars = of_candles([*before, *shape])
    assert (bars.dates[-1], pattern, direction) in as_set(bars)
    quiet = of_candles([*before, *[QUIET[0]] * len(shape)])
    assert (quiet.dates[-1], pattern, direction) not in as_set(quiet)


def test_events_equal_talib_called_directly() -> None:
    assert_equals_talib(random_candles())


@pytest.mark.shared_data
@pytest.mark.skipif(not os.environ.get("PLUMBLINE_TEST_DATA"), reason="PLUMBLINE_TEST_DATA names no folder")
@pytest.mark.parametrize("name", FILES)
def test_events_equal_talib_on_real_prices(name: str, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / f"{name}.csv.gz")
    columns = [frame[column].to_numpy(float) for column in ("Open", "High", "Low", "Close", "Adj Close", "Volume")]
    assert_equals_talib(Bars(name, frame["Date"].to_numpy("datetime64[D]"), *columns))


def test_events_are_arrays_by_date_and_pattern() -> None:
    events = candlestick_patterns(random_candles())
    assert events["date"].dtype == np.dtype("datetime64[D]")
    assert events["pattern"].dtype == object
    assert events["direction"].dtype.kind == "i"
    assert set(events["direction"].tolist()) == {-1, 1}
    assert set(events["pattern"]) <= set(PATTERNS)
    keys = list(zip(events["date"].tolist(), events["pattern"].tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert len(keys) > 300


@pytest.mark.parametrize("factor", [10.0, 0.1, np.nan])
def test_no_event_depends_on_a_later_bar(factor: float) -> None:
    bars = random_candles()
    assert len(CUTS) >= 25
    for cut in CUTS:
        later = np.arange(len(bars)) > cut
        fields = {name: np.where(later, getattr(bars, name) * factor, getattr(bars, name)) for name in FIELDS}
        assert as_set(replace(bars, **fields), until=cut) == as_set(bars, until=cut)


def test_a_shorter_history_gives_the_same_events() -> None:
    bars = random_candles()
    for cut in CUTS:
        assert as_set(bars.rows(slice(cut + 1))) == as_set(bars, until=cut)


def test_a_close_only_source_has_no_events() -> None:
    bars = random_candles()
    unknown = np.full(len(bars), np.nan)
    for fields in ({"open": unknown, "high": unknown, "low": unknown}, {"open": unknown}):
        events = candlestick_patterns(replace(bars, **fields))
        assert {name: len(array) for name, array in events.items()} == {"date": 0, "pattern": 0, "direction": 0}
        assert events["date"].dtype == np.dtype("datetime64[D]")
    assert as_set(bars.rows(slice(0, 0))) == set()


@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_a_bar_with_an_unknown_price_is_left_out_and_spoils_nothing_after_it(field: str) -> None:
    bars = random_candles()
    gap = np.isin(np.arange(len(bars)), [0, 50, 51, 200])
    holed = replace(bars, **{field: np.where(gap, np.nan, getattr(bars, field))})
    assert as_set(holed) == as_set(bars.rows(~gap))
    assert_equals_talib(holed)


def test_prices_in_another_unit_give_the_same_events() -> None:
    bars = random_candles()
    halved = replace(bars, **{name: getattr(bars, name) / 2 for name in FIELDS})
    assert as_set(halved) == as_set(bars)
