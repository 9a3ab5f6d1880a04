"""The drawdowns of a path of wealth, one by one."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import DateArray, FloatArray


@dataclass(frozen=True)
class Drawdowns:
    """Every stretch below an earlier peak, in time order; the arrays but depth are rows of the path of wealth.

    depth: value at the trough over the peak − 1, below 0. end: where the peak is regained, else the last row.
    """

    depth: FloatArray  # (n_drawdowns,)
    peak: np.ndarray
    end: np.ndarray
    days: FloatArray  # calendar days from peak to end
    recovered: np.ndarray  # whether the peak has been regained


def find_drawdowns(value: FloatArray, below: FloatArray, dates: DateArray) -> Drawdowns:
    """Return the drawdowns of a path, shape (n,); below is value / its peak so far − 1 and dates the days of its rows."""
    peaks = np.flatnonzero(value >= np.maximum.accumulate(value))
    ends = np.append(peaks[1:], len(value) - 1)
    recovered = np.append(np.ones(len(peaks) - 1, dtype=bool), False)
    kept = ends - peaks > recovered  # a peak that the next session regains or exceeds begins none
    days = (dates[ends] - dates[peaks]).astype("timedelta64[D]").astype(float)
    depth = np.minimum.reduceat(below, peaks)
    return Drawdowns(depth[kept], peaks[kept], ends[kept], days[kept], recovered[kept])
