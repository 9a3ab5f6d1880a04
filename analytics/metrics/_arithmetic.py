"""The arithmetic that metrics share, and when its results are undefined."""

import math

import numpy as np

from analytics.conventions import STD_DDOF, FloatArray

NAN = math.nan
ZERO = 1e-12  # a denominator smaller than this is what rounding leaves of a zero


def ratio(numerator: float, denominator: float) -> float:
    """Return numerator / denominator. NaN when: the denominator is zero or either is unknown."""
    return float(numerator / denominator) if abs(denominator) > ZERO else NAN


def mean(values: np.ndarray) -> float:
    """Return the mean. NaN when: there is no value."""
    return float(np.mean(values)) if len(values) else NAN


def largest(values: np.ndarray) -> float:
    """Return the largest value. NaN when: there is no value."""
    return float(np.max(values)) if len(values) else NAN


def smallest(values: np.ndarray) -> float:
    """Return the smallest value. NaN when: there is no value."""
    return float(np.min(values)) if len(values) else NAN


def quantile(values: FloatArray, probability: float) -> float:
    """Return the quantile, linear between order statistics (type 7). NaN when: there is no value."""
    return float(np.quantile(values, probability)) if len(values) else NAN


def deviation(values: FloatArray) -> float:
    """Return the sample standard deviation, exactly 0 where constant. NaN when: fewer than two values."""
    if len(values) <= STD_DDOF:
        return NAN
    spread = float(np.std(values, ddof=STD_DDOF))
    return spread if spread > ZERO else 0.0


def moment(values: FloatArray, order: int) -> float:
    """Return the standardised central moment (population). NaN when: fewer than two values, or constant."""
    if not deviation(values) > 0.0:
        return NAN
    standard = (values - np.mean(values)) / np.std(values)
    return float(np.mean(math.prod([standard] * order)))  # a power of an array takes eight times as long


def correlation(left: FloatArray, right: FloatArray) -> float:
    """Return the linear correlation of two series. NaN when: fewer than two pairs, or one is constant."""
    if not (deviation(left) > 0.0 and deviation(right) > 0.0):
        return NAN
    return float(np.corrcoef(left, right)[0, 1])


def slope(values: FloatArray, on: FloatArray) -> float:
    """Return the slope of the regression of values on another series. NaN when: under two pairs, or it is constant."""
    spread = deviation(on)
    if not spread > 0.0:
        return NAN
    return float(np.cov(values, on, ddof=STD_DDOF)[0, 1] / spread**2)


def compound(returns: FloatArray) -> float:
    """Return the compounded return. NaN when: there is no return."""
    return float(np.prod(1.0 + returns) - 1.0) if len(returns) else NAN


def growth_rate(returns: FloatArray, exponent: float) -> float:
    """Return (1 + compounded return)^exponent − 1. NaN when: there is no return, or more than everything was lost."""
    final = 1.0 + compound(returns)
    if not final >= 0.0:
        return NAN
    with np.errstate(over="ignore"):  # a few wild sessions can compound beyond the largest float
        return float(np.power(final, exponent) - 1.0)


def wealth(returns: FloatArray) -> FloatArray:
    """Return the value of one unit, shape (n + 1,): 1 before the first return."""
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def longest_run(condition: np.ndarray) -> float:
    """Return how many values in a row are true, at the most. NaN when: there is no value."""
    if not len(condition):
        return NAN
    ends = np.flatnonzero(np.concatenate([[True], ~np.asarray(condition, dtype=bool), [True]]))
    return float(np.max(np.diff(ends)) - 1)
