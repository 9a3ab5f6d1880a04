"""The stationary bootstrap: a series drawn again in blocks of random length, so that what depends stays together."""

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray


def optimal_block_length(series: npt.ArrayLike) -> float:
    """Return the mean block length that estimates the variance of a mean best, in observations, at least 1.

    series: (n,), complete. Politis and White (2004) with the correction of Patton, Politis and White (2009); the
    autocorrelations that count are those before the first run of insignificant ones. 1 where the series is shorter
    than 10 or does not vary.
    """
    values = np.asarray(series, dtype=float)
    n = len(values)
    deviations = values - values.mean() if n else values
    if n < 10 or not np.ptp(values) > 0.0:
        return 1.0
    run = max(5, int(np.log10(n)))
    most = min(int(np.ceil(np.sqrt(n))) + run, n - 2)
    covariances = np.array([deviations[lag:] @ deviations[: n - lag] for lag in range(most + 1)]) / n
    lags = np.arange(1, _bandwidth(deviations, covariances, run) + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - lags / lags[-1]))  # the flat-top lag window
    weighted = 2.0 * window * covariances[lags]
    bias, long_run = (weighted * lags).sum(), covariances[0] + weighted.sum()
    length = (bias**2 / long_run**2 * n) ** (1 / 3) if long_run != 0.0 else np.inf
    return float(np.clip(length, 1.0, np.ceil(min(3.0 * np.sqrt(n), n / 3))))


def _bandwidth(deviations: FloatArray, covariances: FloatArray, run: int) -> int:
    """Twice the lag after which `run` autocorrelations in a row are insignificant; the longest where there is none."""
    n, most = len(deviations), len(covariances) - 1
    squares = np.cumsum(deviations**2)
    lags = np.arange(most + 1)
    scale = np.sqrt((squares[-1] - squares[lags]) * squares[n - 2 - lags])  # of both ends, one observation fewer
    small = np.abs(n * covariances) < 2.0 * np.sqrt(np.log10(n) / n) * scale
    runs = np.lib.stride_tricks.sliding_window_view(small[:most], run).all(axis=1)
    first = int(np.argmax(runs))
    return min(2 * max(first, 1), most) if runs.any() else most


def stationary_rows(rng: np.random.Generator, *, n: int, block_length: float, draws: int) -> npt.NDArray[np.intp]:
    """Return `draws` resamples of the rows 0..n−1, (draws, n): blocks from random starts, of geometric length.

    block_length: their mean. The last row is followed by the first (Politis and Romano 1994).
    """
    begins = rng.random(draws * n) * block_length < 1.0
    begins[::n] = True
    at = np.flatnonzero(begins)
    shift = rng.integers(0, n, len(at)) - at
    rows = np.arange(draws * n) + np.repeat(shift, np.diff(at, append=draws * n))
    rows[rows >= n] -= n  # a block is no longer than the series, so that it wraps at most once
    return rows.reshape(draws, n)
