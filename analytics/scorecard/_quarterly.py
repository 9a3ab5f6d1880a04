"""Sums over calendar quarters: all that the estimates and their bootstrap need of a ticker's history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from analytics.conventions import DateArray, FloatArray
from analytics.market import period_of
from analytics.scorecard._buckets import BUCKETS

# Sums are whole multiples of its inverse, 1e-10, so that their order does not change the last bits: exact up to 2**20 a
# quarter and bucket, the days of 16,000 tickers.
GRAIN = 2.0**33
MONTHS_PER_QUARTER = 3


@dataclass(frozen=True)
class QuarterlySums:
    """One horizon's forward returns r, summed by calendar quarter and bucket, shape (n_quarters, n_buckets) each.

    n: days with a known return. r, squares: their sum and that of their squares. up, down: days with r above and
    below 0. base, base_up, base_down: what n days of the ticker's average would have added to r, up and down.
    excess: Σ (r − average) less the bucket's share of that sum over all days of the quarter. Over all quarters the
    second part is 0; it is there because a quarter drawn twice by the bootstrap moves the average too.
    """

    first_quarter: int  # counted from 1970
    n: FloatArray
    r: FloatArray
    squares: FloatArray
    up: FloatArray
    down: FloatArray
    base: FloatArray
    base_up: FloatArray
    base_down: FloatArray
    excess: FloatArray


SUMS = tuple(field.name for field in fields(QuarterlySums))[1:]


def quarterly_sums(
    dates: DateArray, returns: Mapping[int, FloatArray], codes: npt.NDArray[np.int64]
) -> dict[int, QuarterlySums]:
    """Return {horizon: sums} of one ticker; a horizon without a known forward return is left out.

    dates: of the signals, shape (n,). returns: {horizon: shape (n,)}. codes: bucket numbers, shape (n, n_signals).
    """
    if not len(dates):
        return {}
    quarter = period_of(dates, "M") // MONTHS_PER_QUARTER
    place = np.arange(len(dates)) - np.searchsorted(quarter, quarter)  # within its quarter
    row, shape = quarter - quarter[0], (int(quarter[-1] - quarter[0]) + 1, int(place.max()) + 1)
    member = np.zeros((*shape, len(BUCKETS) + 1))
    member[row[:, np.newaxis], place[:, np.newaxis], codes] = 1.0  # −1, unknown, is the last column, which holds
    member[row, place, -1] = 1.0  # every day
    found = {}
    for horizon, values in returns.items():
        known = np.isfinite(values)
        if known.any():
            r = np.where(known, values, 0.0)
            powers = np.zeros((*shape, 5))
            powers[row, place] = np.stack([known, r, r * r, r > 0, r < 0], axis=1)
            found[horizon] = _of_horizon(int(quarter[0]), np.matmul(member.transpose(0, 2, 1), powers))
    return found


def _of_horizon(first_quarter: int, sums: FloatArray) -> QuarterlySums:
    """sums: shape (n_quarters, n_buckets + 1, 5); the last bucket is all days, the columns n, r, r², up and down."""
    n, r, squares, up, down = np.moveaxis(sums[:, :-1], 2, 0)
    every = sums[:, -1]
    days, mean, base_up, base_down = every.sum(axis=0)[[0, 1, 3, 4]] / [1.0, *[every[:, 0].sum()] * 3]
    share = n.sum(axis=0) / days
    beyond = (every[:, 1] - every[:, 0] * mean)[:, np.newaxis]
    return QuarterlySums(
        first_quarter, n, r, squares, up, down, n * mean, n * base_up, n * base_down, r - n * mean - share * beyond
    )


def pooled(parts: Iterable[QuarterlySums]) -> QuarterlySums | None:
    """Return the sums of several tickers together, quarter by quarter; None where there are none.

    Sums of sums are the same to the bit, whatever the order.
    """
    items = list(parts)
    if not items:
        return None
    first = min(item.first_quarter for item in items)
    quarters = max(item.first_quarter + len(item.n) for item in items) - first
    sums = {name: np.zeros((quarters, len(BUCKETS))) for name in SUMS}
    for item in items:
        begin = item.first_quarter - first
        for name, array in sums.items():
            array[begin : begin + len(item.n)] += np.rint(getattr(item, name) * GRAIN) / GRAIN
    return QuarterlySums(first, **sums)
