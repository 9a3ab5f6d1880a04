"""What a metric declares, and the arithmetic that decides when one is undefined."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analytics.conventions import STD_DDOF, FloatArray
from analytics.metrics._performance import Performance

NAN = math.nan
ZERO = 1e-12  # a denominator smaller than this is what rounding leaves of a zero


@dataclass(frozen=True)
class Metric:
    """One number: its definition, how it is read and func(performance) -> float, NaN where undefined."""

    key: str
    label: str
    formula: str
    unit: Literal["fraction", "ratio", "count", "days", "usd"]
    better: Literal["higher", "lower", "neither"]
    func: Callable[[Performance], float]
    reference: str
    description: str  # one sentence for the info tip


def ratio(numerator: float, denominator: float) -> float:
    """Return numerator / denominator. NaN when: the denominator is zero or either is unknown."""
    return float(numerator / denominator) if abs(denominator) > ZERO else NAN


def mean(values: np.ndarray) -> float:
    """Return the mean. NaN when: there is no value."""
    return float(np.mean(values)) if len(values) else NAN


def deviation(values: FloatArray) -> float:
    """Return the sample standard deviation, exactly 0 where constant. NaN when: fewer than two values."""
    if len(values) <= STD_DDOF:
        return NAN
    spread = float(np.std(values, ddof=STD_DDOF))
    return spread if spread > ZERO else 0.0


def compound(returns: FloatArray) -> float:
    """Return the compounded return. NaN when: there is no return."""
    return float(np.prod(1.0 + returns) - 1.0) if len(returns) else NAN


def wealth(returns: FloatArray) -> FloatArray:
    """Return the value of one unit, shape (n + 1,): 1 before the first return."""
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def moment(values: FloatArray, order: int) -> float:
    """Return the standardised central moment (population). NaN when: fewer than two values, or constant."""
    if not deviation(values) > 0.0:
        return NAN
    return float(np.mean(((values - np.mean(values)) / np.std(values)) ** order))
