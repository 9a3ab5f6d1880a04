"""Ledoit and Wolf's test of the difference of two Sharpe ratios, for all pairs of several series at once."""

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.bootstrap import optimal_block_length
from analytics.conventions import CONFIDENCE, STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import InputError

CONSTANT: Final = 1e-12  # a deviation smaller than this, per session, is what rounding leaves of none
SAME: Final = 1e-6  # a standard error smaller than this, per session, is what rounding leaves between two equal series
LARGEST_ROOT: Final = 0.97  # Andrews and Monahan (1992): of the autoregression that whitens
PARZEN: Final = 2.6614  # Andrews (1991): the bandwidth is this × (α n)^(1/5)
CHUNK: Final = 1_000_000  # numbers at a time


@dataclass(frozen=True, eq=False)
class SharpeTest:
    """Tests of the differences of Sharpe ratios, row less column, each of shape (n_series, n_series), per year.

    std_err: heteroscedasticity- and autocorrelation-consistent. p_hac: of the normal distribution. p_value, low and
    high (95 %): of the studentised bootstrap. NaN on the diagonal, and where a series, or the difference of two in units
    of their deviation, does not vary.
    """

    difference: FloatArray
    std_err: FloatArray
    p_hac: FloatArray
    p_value: FloatArray
    low: FloatArray
    high: FloatArray


def sharpe_differences(
    excess: npt.ArrayLike, *, seed: int, draws: int = 5_000, block_length: int | None = None
) -> SharpeTest:
    """Return the tests of every pair of series; excess: complete excess returns per session, (n_sessions, n_series).

    Standard errors: Parzen kernel, pre-whitened by a vector autoregression, Andrews' bandwidth. Bootstrap: circular
    blocks of block_length sessions, where None `block_length_of`, all series together, each draw studentised by its own
    blocks. The same seed gives the same numbers. Raises InputError on missing values or too few sessions. Source:
    Ledoit and Wolf (2008), Robust performance hypothesis testing with the Sharpe ratio.
    """
    values = np.asarray(excess, dtype=float)
    if values.ndim != 2 or len(values) < 10 or not np.isfinite(values).all():
        raise InputError("excess", got=f"shape {values.shape}", allowed="10 or more complete sessions × series")
    length = math.ceil(block_length_of(values)) if block_length is None else block_length
    if not 1 <= length <= len(values) // 2:
        raise InputError("block_length", got=length, allowed=f"1 to {len(values) // 2} sessions")
    moving = np.flatnonzero(values.std(axis=0) > CONSTANT)
    found = {name: np.full((values.shape[1],) * 2, np.nan) for name in SharpeTest.__dataclass_fields__}
    if len(moving) > 1:
        test = _tests(values[:, moving], length, seed, draws)
        for name, whole in found.items():
            whole[np.ix_(moving, moving)] = test[name]
    return SharpeTest(**found)


def block_length_of(excess: FloatArray) -> float:
    """Return the mean block length that all series (n_sessions, n_series) need, at most half of the sessions.

    The longest `optimal_block_length` of what moves their Sharpe ratios, session by session.
    """
    moving = excess[:, excess.std(axis=0) > CONSTANT]
    influence = _influence(moving)
    return min(max([optimal_block_length(column) for column in influence.T], default=1.0), len(excess) // 2)


def _influence(values: FloatArray) -> FloatArray:
    """By how much each session moves the Sharpe ratio, by the delta method; shape of values."""
    mean, second = values.mean(axis=0), (values**2).mean(axis=0)
    of_mean, of_second = _gradient(mean, second)
    return of_mean * (values - mean) + of_second * (values**2 - second)


def _gradient(mean: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives of mean / √(second − mean²)."""
    cubed = (second - mean**2) ** 1.5
    return second / cubed, -0.5 * mean / cubed


def _tests(values: FloatArray, length: int, seed: int, draws: int) -> dict[str, FloatArray]:
    n_series = values.shape[1]
    sharpe = values.mean(axis=0) / values.std(axis=0, ddof=STD_DDOF)
    difference = sharpe[:, None] - sharpe
    std_err = np.full((n_series, n_series), np.nan)
    for first, second in combinations(range(n_series), 2):
        std_err[first, second] = std_err[second, first] = hac_standard_error(values[:, [first, second]])
    known = np.where(std_err > SAME, std_err, np.nan)
    ratios = _studentised(values, length, seed, draws)
    ahead = np.abs(difference) / known
    larger = (np.abs(ratios) >= ahead).sum(axis=0)
    p_value = np.where(np.isnan(known), np.nan, (larger + 1.0) / (draws + 1.0))
    reach = np.quantile(np.abs(ratios), CONFIDENCE, axis=0) * known
    erfc = np.vectorize(math.erfc, otypes=[float])
    year = math.sqrt(TRADING_DAYS)
    return {
        "difference": np.where(np.eye(n_series) > 0, np.nan, difference) * year, "std_err": known * year,
        "p_hac": erfc(ahead / math.sqrt(2.0)), "p_value": p_value,
        "low": (difference - reach) * year, "high": (difference + reach) * year,
    }  # fmt: skip


def _studentised(values: FloatArray, length: int, seed: int, draws: int) -> FloatArray:
    """(redrawn difference − difference) / its standard error within the draw, (draws, n_series, n_series).

    0 where a draw knows no error, as on the diagonal.
    """
    n, n_series = values.shape
    blocks = n // length
    moments = np.hstack([values, values**2])
    sums = np.vstack([np.zeros(2 * n_series), np.cumsum(np.vstack([moments, moments[: length - 1]]), axis=0)])
    block_means = (sums[length:] - sums[:-length]) / length  # (n, 2 n_series), of the block that starts at each session
    sharpe = values.mean(axis=0) / values.std(axis=0)
    rng, parts = np.random.default_rng(seed), []
    step = max(1, CHUNK // (blocks * 2 * n_series))
    for done in range(0, draws, step):
        drawn = block_means[rng.integers(0, n, (min(step, draws - done), blocks))]
        centre = drawn.mean(axis=1, keepdims=True)
        mean, second = centre[..., :n_series], centre[..., n_series:]
        of_mean, of_second = _gradient(mean, second)
        moved = of_mean * (drawn[..., :n_series] - mean) + of_second * (drawn[..., n_series:] - second)
        products = moved.transpose(0, 2, 1) @ moved  # (step, n_series, n_series)
        own = np.diagonal(products, axis1=1, axis2=2)
        variance = (own[:, :, None] + own[:, None, :] - 2.0 * products) / blocks**2
        redrawn = (mean / np.sqrt(second - mean**2))[:, 0]
        gap = redrawn[:, :, None] - redrawn[:, None, :] - (sharpe[:, None] - sharpe)
        parts.append(np.where(variance > CONSTANT**2, gap / np.sqrt(np.maximum(variance, CONSTANT**2)), 0.0))
    return np.concatenate(parts)


def hac_standard_error(values: FloatArray) -> float:
    """Return the standard error of the difference of two session Sharpe ratios; values (n_sessions, 2), complete.

    Parzen kernel with Andrews' (1991) bandwidth on what a first-order vector autoregression leaves of the moments
    (Andrews and Monahan 1992), with the correction n / (n − 4).
    """
    n = len(values)
    moments = np.hstack([values, values**2])
    centre = moments.mean(axis=0)
    of_mean, of_second = _gradient(centre[:2], centre[2:])
    gradient = np.concatenate([of_mean, of_second]) * [1.0, -1.0, 1.0, -1.0]
    scale = moments.std(axis=0)
    series = (moments - centre) / scale  # squares of daily returns are tiny beside the returns
    whitened, back = _whiten(series)
    pull = gradient * scale @ back
    return math.sqrt(max(float(pull @ _parzen(whitened, _bandwidth(whitened)) @ pull) / n, 0.0))


def _whiten(series: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The residuals of a first-order vector autoregression, and the matrix that takes them back: (I − A)⁻¹."""
    before, after = series[:-1], series[1:]
    left, roots, right = np.linalg.svd(np.linalg.lstsq(before, after, rcond=None)[0].T)
    matrix = left @ np.diag(np.minimum(roots, LARGEST_ROOT)) @ right
    return after - before @ matrix.T, np.linalg.inv(np.eye(len(matrix)) - matrix)


def _parzen(series: FloatArray, width: float) -> FloatArray:
    """Long-run covariance (n_series, n_series) of series that have been centred; lags below the width count."""
    n = len(series)
    found = series.T @ series / n
    for lag in range(1, math.ceil(width)):
        share = lag / width
        weight = 1.0 - 6.0 * share**2 + 6.0 * share**3 if share <= 0.5 else 2.0 * (1.0 - share) ** 3
        shifted = series[lag:].T @ series[:-lag] / n
        found += weight * (shifted + shifted.T)
    return np.asarray(found * n / (n - series.shape[1]))


def _bandwidth(series: FloatArray) -> float:
    """Andrews' (1991) bandwidth, from a first-order autoregression of each series, all with equal weight."""
    n = len(series)
    before, after = series[:-1] - series[:-1].mean(axis=0), series[1:] - series[1:].mean(axis=0)
    rho = (before * after).sum(axis=0) / (before**2).sum(axis=0)
    variance = ((after - rho * before) ** 2).mean(axis=0)
    alpha = (4.0 * rho**2 * variance**2 / (1.0 - rho) ** 8).sum() / (variance**2 / (1.0 - rho) ** 4).sum()
    return min(PARZEN * float(alpha * n) ** 0.2, n - 1.0)
