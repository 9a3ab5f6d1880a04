"""Which dates enter which fit: each ticker's own observations, without dropping a date for all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import MIN_FACTOR_MONTHS, MIN_FACTOR_SESSIONS, FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import IntArray, Spans

MIN_OBSERVATIONS: Final = {"M": MIN_FACTOR_MONTHS, "D": MIN_FACTOR_SESSIONS}


@dataclass(frozen=True)
class Sample:
    """Tickers that miss none of these dates between their first and their last, so that one design serves them all.

    returns: total, (n_dates, n_tickers), 0 outside start ≤ date < stop. factor_returns: (n_dates, n_factors).
    risk_free: (n_dates,). start and stop: (n_tickers,).
    """

    tickers: npt.NDArray[np.object_]
    dates: pd.DatetimeIndex
    returns: FloatArray
    factor_returns: FloatArray
    risk_free: FloatArray
    start: IntArray
    stop: IntArray


@dataclass(frozen=True)
class FitRows:
    """The fits of a sample: the column of the ticker and the span of dates of each, in order of the last date."""

    column: IntArray
    spans: Spans


def check_window(window: int) -> int:
    """Return a window in months as it is; raises InputError."""
    if window != 0 and window < MIN_FACTOR_MONTHS:
        raise InputError("windows", got=window, allowed=f"0 (full history) or at least {MIN_FACTOR_MONTHS} months")
    return window


def dated(field: str, frame: pd.DataFrame, frequency: str) -> pd.DataFrame:
    """Return the frame in order of date; raises InputError on repeated dates, and on monthly ones that are not month ends."""
    if frequency not in MIN_OBSERVATIONS:
        raise InputError("frequency", got=frequency, allowed="M (monthly) or D (daily)")
    index = pd.DatetimeIndex(frame.index)
    if frequency == "M" and (not index.is_month_end.all() or index.has_duplicates):
        raise InputError(field, got="other dates", allowed="each calendar month end once", fix="Use month-end dates.")
    if index.has_duplicates:
        raise InputError(field, got="repeated dates", allowed="each date once", fix="Keep one row per date.")
    return frame.set_axis(index).sort_index()


def samples(returns: pd.DataFrame, factor_returns: pd.DataFrame, risk_free: pd.Series) -> Iterator[Sample]:
    """Yield the tickers without a gap together, and the others by the dates they are observed on.

    Used are the dates on which every factor and the risk-free rate are known.
    """
    aligned = factor_returns.reindex(returns.index).to_numpy(dtype=float)
    rates = risk_free.reindex(returns.index).to_numpy(dtype=float)
    known = np.isfinite(aligned).all(axis=1) & np.isfinite(rates)
    dates, aligned, rates = returns.index[known], aligned[known], rates[known]
    values = returns.to_numpy(dtype=float)[known]
    observed = np.isfinite(values)
    if not observed.any():
        return
    groups: dict[bytes, list[int]] = {}
    for column in np.flatnonzero(observed.any(axis=0)).tolist():
        start, stop = _ends(observed[:, column])
        gap = not observed[start:stop, column].all()
        groups.setdefault(observed[:, column].tobytes() if gap else b"", []).append(column)
    for mask, members in groups.items():
        columns = np.array(members)
        rows = np.frombuffer(mask, dtype=bool) if mask else np.ones(len(dates), dtype=bool)
        seen = observed[np.ix_(rows, columns)]
        start, stop = np.array([_ends(column) for column in seen.T], dtype=np.intp).T
        own = np.where(seen, values[np.ix_(rows, columns)], 0.0)
        tickers = np.array([str(name) for name in returns.columns[columns]], dtype=object)
        yield Sample(tickers, dates[rows], own, aligned[rows], rates[rows], start, stop)


def latest_fits(sample: Sample, window: int, frequency: str) -> FitRows:
    """The fit of each ticker that ends with its own last observation."""
    return _fit_rows(sample, np.arange(len(sample.dates)) == (sample.stop - 1)[:, None], window, frequency)


def fits_of_every_date(
    sample: Sample, window: int, frequency: str, *, as_of: npt.NDArray[np.object_], since: pd.Timestamp | None
) -> FitRows:
    """The fits that end with each observation of a ticker after `since`; of two known as of one date the later."""
    position = np.arange(len(sample.dates))
    ends = (position >= sample.start[:, None]) & (position < sample.stop[:, None])
    ends[:, :-1] &= ~(ends[:, 1:] & (as_of[:-1] == as_of[1:]))
    if since is not None:
        ends &= np.asarray(sample.dates > since)
    return _fit_rows(sample, ends, window, frequency)


def _fit_rows(sample: Sample, ends: npt.NDArray[np.bool_], window: int, frequency: str) -> FitRows:
    """The fits that end where `ends`, (n_tickers, n_dates), is true and that have observations enough."""
    last, column = np.nonzero(ends.T)
    start = np.maximum(sample.start[column], _window_starts(sample.dates, window, frequency)[last])
    enough = last + 1 - start >= MIN_OBSERVATIONS[frequency]
    return FitRows(column[enough], Spans(start[enough], last[enough] + 1))


def _window_starts(dates: pd.DatetimeIndex, window: int, frequency: str) -> IntArray:
    """For each date the first one of the window of calendar months that ends with it."""
    if not window:
        return np.zeros(len(dates), dtype=np.intp)
    before = dates - (pd.offsets.MonthEnd(window) if frequency == "M" else pd.DateOffset(months=window))
    return np.asarray(dates.searchsorted(before, side="right"), dtype=np.intp)


def _ends(observed: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """The first observed position and the one after the last."""
    return int(observed.argmax()), len(observed) - int(observed[::-1].argmax())
