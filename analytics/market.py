"""Prices in memory: one ticker's bars on its own calendar, and many tickers on the union of theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.conventions import DateArray, FloatArray
from analytics.errors import MissingDataError

FIELDS = ("open", "high", "low", "close", "adj_close", "volume")


@dataclass(frozen=True)
class Bars:
    """One ticker's daily bars, oldest first, each array of shape (n_sessions,); NaN where unknown.

    open, high, low, close: USD, adjusted for splits only. adj_close: USD, adjusted for splits and dividends.
    volume: shares, split-adjusted. A close-only source leaves open, high, low and volume NaN.
    """

    ticker: str
    dates: DateArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    adj_close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.dates)

    def rows(self, mask: np.ndarray | slice) -> "Bars":
        """Return the bars of the selected rows."""
        return Bars(self.ticker, self.dates[mask], *(getattr(self, field)[mask] for field in FIELDS))

    def by_period(self, timeframe: str) -> "Bars":
        """Return one bar per calendar week (W) or month (M), dated by its last session; the running one is the last.

        NaN when: an open, high, low or volume is unknown on any day of the period.
        """
        last = period_ends(self.dates, timeframe)
        if not len(last):
            return self
        first = np.concatenate([[0], last[:-1] + 1])
        return Bars(
            self.ticker, self.dates[last], self.open[first], np.maximum.reduceat(self.high, first),
            np.minimum.reduceat(self.low, first), self.close[last], self.adj_close[last],
            np.add.reduceat(self.volume, first),
        )  # fmt: skip


def period_ends(dates: DateArray, timeframe: str) -> np.ndarray:
    """Return the row of the last session of each calendar week (W, Monday to Sunday) or month (M)."""
    period = period_of(dates, timeframe)
    return np.flatnonzero(np.append(period[1:] != period[:-1], True)) if len(dates) else np.empty(0, dtype=np.int64)


def period_of(dates: DateArray, timeframe: str) -> np.ndarray:
    """Return the number of each date's calendar week (W) or month (M), counted from 1970, shape (n,)."""
    if timeframe == "M":
        return dates.astype("datetime64[M]").astype(np.int64)
    return (dates.astype("datetime64[D]").astype(np.int64) + 3) // 7  # 1970-01-01 was a Thursday


@dataclass(frozen=True, eq=False)  # the same only as itself: what is computed of one can be kept by it
class Panel:
    """Many tickers' bars on one calendar, each array of shape (n_dates, n_tickers); NaN where a ticker has no bar."""

    dates: DateArray
    tickers: tuple[str, ...]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    adj_close: FloatArray
    volume: FloatArray

    @classmethod
    def of(cls, bars: Mapping[str, Bars] | Sequence[Bars]) -> "Panel":
        """Align bars on the union of their dates, tickers sorted; raises MissingDataError where there are none."""
        items = sorted(bars.values() if isinstance(bars, Mapping) else bars, key=lambda item: item.ticker)
        if not items:
            raise MissingDataError("No prices to align: the selection holds no ticker with prices.")
        dates = np.unique(np.concatenate([item.dates for item in items]))
        arrays = {field: np.full((len(dates), len(items)), np.nan) for field in FIELDS}
        for column, item in enumerate(items):
            rows = np.searchsorted(dates, item.dates)
            for field in FIELDS:
                arrays[field][rows, column] = getattr(item, field)
        return cls(dates, tuple(item.ticker for item in items), **arrays)

    @property
    def has_bar(self) -> np.ndarray:
        """Where a ticker has a close, shape (n_dates, n_tickers)."""
        return np.isfinite(self.close)

    def bars(self, ticker: str) -> Bars:
        """Return one ticker's bars on its own calendar, not to be written to: they may be the panel's own arrays."""
        column = self.tickers.index(ticker)
        present = self.has_bar[:, column]
        rows = slice(None) if present.all() else present
        fields = (np.ascontiguousarray(getattr(self, field)[rows, column]) for field in FIELDS)
        return Bars(ticker, self.dates[rows], *fields)
