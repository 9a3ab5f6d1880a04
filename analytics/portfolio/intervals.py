"""How well a sample knows the mean return and the volatility of portfolios with fixed weights."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import CONFIDENCE, STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import newey_west_lags
from analytics.inference import t_interval

MIN_SESSIONS: Final = 30  # fewer returns than this give no interval
COSINES: Final = 2  # that measure the noise of the variance in five years, see `_waves`
COSINE_SESSIONS: Final = 5 * TRADING_DAYS
CONSTANT: Final = 1e-14  # a standard deviation per session below which returns do not vary but for rounding


@dataclass(frozen=True, eq=False)
class Intervals:
    """Annual mean return and volatility with their intervals; fractions, shape () or (n_portfolios,)."""

    mean_return: FloatArray
    mean_return_low: FloatArray
    mean_return_high: FloatArray
    volatility: FloatArray
    volatility_low: FloatArray
    volatility_high: FloatArray
    n_sessions: int


def portfolio_intervals(returns: npt.ArrayLike, *, confidence: float = CONFIDENCE) -> Intervals:
    """Return intervals of the annual mean return and volatility of portfolios with constant weights.

    returns: simple daily returns, (n_sessions,) or (n_sessions, n_portfolios), fractions, complete: asset
    returns @ weights, so rebalanced daily. Mean: Newey and West (1987), Student's t with n − 1 degrees of
    freedom. Volatility: on the log, its error from the lowest cosine waves of the squared deviations (Lazarus,
    Lewis, Stock and Watson 2018), Student's t with as many degrees of freedom. NaN when: fewer than MIN_SESSIONS
    sessions; the volatility's also where the returns do not vary. Raises InputError on missing values.
    """
    values = np.asarray(returns, dtype=float)
    if values.ndim not in (1, 2) or not np.isfinite(values).all():
        got = f"shape {values.shape}, {int((~np.isfinite(values)).sum())} missing values"
        raise InputError("returns", got=got, allowed="complete returns of one portfolio, or one column for each")
    if not 0 < confidence < 1:
        raise InputError("confidence", got=confidence, allowed="a probability between 0 and 1")
    n = len(values)
    if n < MIN_SESSIONS:
        unknown = np.full(values.shape[1:], np.nan)
        return Intervals(unknown, unknown, unknown, unknown, unknown, unknown, n)
    mean = values.mean(axis=0)
    deviations = values - mean
    std_err = np.sqrt(_newey_west(deviations) / (n - STD_DDOF))
    low, high = t_interval(mean, std_err, degrees=n - STD_DDOF, confidence=confidence)
    variance = (deviations**2).sum(axis=0) / (n - STD_DDOF)
    known = np.where(variance > CONSTANT**2, variance, np.nan)
    waves = _waves(n)
    # The delta method: the error of log s is that of s² over 2 s².
    half = np.sqrt(_cosine_variance(deviations**2, waves) / n) / (2 * known)
    log_low, log_high = t_interval(np.log(known) / 2, half, degrees=waves, confidence=confidence)
    year = np.sqrt(TRADING_DAYS)
    return Intervals(
        TRADING_DAYS * mean, TRADING_DAYS * low, TRADING_DAYS * high,
        year * np.sqrt(variance), year * np.exp(log_low), year * np.exp(log_high), n,
    )  # fmt: skip


def _newey_west(deviations: FloatArray) -> FloatArray:
    """Long-run variance of a series without mean: Bartlett kernel, the automatic bandwidth."""
    n, lags = len(deviations), int(newey_west_lags(len(deviations)))
    found = (deviations**2).mean(axis=0)
    for lag in range(1, lags + 1):
        found = found + 2 * (1 - lag / (lags + 1)) * (deviations[lag:] * deviations[:-lag]).sum(axis=0) / n
    return np.asarray(found)


def _waves(n_sessions: int) -> int:
    """How many cosines: 2 up to five years, rising with √n.

    Calm and stormy times last for months, so that only the slowest waves of the squares show how much the variance
    of a sample owes to the times it fell on. More of them give narrower intervals that hold the truth less often.
    """
    return max(COSINES, int(COSINES * (n_sessions / COSINE_SESSIONS) ** 0.5))


def _cosine_variance(series: FloatArray, waves: int) -> FloatArray:
    """Long-run variance: the mean square of the first type-II cosine coefficients, of unit length."""
    n = len(series)
    angles = np.pi / n * np.outer(np.arange(1, waves + 1), np.arange(n) + 0.5)
    coefficients = np.sqrt(2 / n) * np.cos(angles) @ (series - series.mean(axis=0))
    return np.asarray((coefficients**2).mean(axis=0))
