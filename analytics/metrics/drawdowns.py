"""Metrics of falls from a peak: how deep, how long, how often."""

import math

import numpy as np

from analytics.conventions import CONFIDENCE
from analytics.metrics._arithmetic import NAN, mean, quantile, smallest
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance
from analytics.metrics.returns import days_since_epoch


def max_drawdown(performance: Performance) -> float:
    """Return the deepest fall from a peak, 0 or less. NaN when: no return is known."""
    return smallest(performance.below_peak) if _is_known(performance) else NAN


def max_drawdown_days(performance: Performance) -> float:
    """Return the longest time below a peak in calendar days. NaN when: no return is known."""
    return float(np.max(performance.drawdowns.days, initial=0.0)) if _is_known(performance) else NAN


def max_drawdown_start(performance: Performance) -> float:
    """Return the day of the peak before the deepest fall, since 1970-01-01. NaN when: there was no drawdown."""
    deepest = _deepest(performance)
    return days_since_epoch(performance.wealth_dates[performance.drawdowns.peak[deepest]]) if len(deepest) else NAN


def max_drawdown_date(performance: Performance) -> float:
    """Return the day of the deepest fall's trough, since 1970-01-01. NaN when: there was no drawdown."""
    if not len(_deepest(performance)):
        return NAN
    trough = np.argmin(performance.below_peak)
    return days_since_epoch(performance.wealth_dates[trough : trough + 1])


def max_drawdown_end(performance: Performance) -> float:
    """Return the day that regained the peak, since 1970-01-01. NaN when: none did, or there was no drawdown."""
    deepest = _deepest(performance)
    if not len(deepest) or not performance.drawdowns.recovered[deepest].all():
        return NAN
    return days_since_epoch(performance.wealth_dates[performance.drawdowns.end[deepest]])


def n_drawdowns(performance: Performance) -> float:
    """Return the number of stretches below a peak. NaN when: no return is known."""
    return float(len(performance.drawdowns.depth)) if _is_known(performance) else NAN


def average_drawdown(performance: Performance) -> float:
    """Return the mean depth of the drawdowns, below 0. NaN when: there was none."""
    return mean(performance.drawdowns.depth) if _is_known(performance) else NAN


def average_drawdown_days(performance: Performance) -> float:
    """Return the mean length of the drawdowns in calendar days. NaN when: there was none."""
    return mean(performance.drawdowns.days) if _is_known(performance) else NAN


def pain_index(performance: Performance) -> float:
    """Return the mean distance from the peak, 0 or more. NaN when: no return is known."""
    return mean(-performance.below_peak[1:])


def ulcer_index(performance: Performance) -> float:
    """Return the root mean square distance from the peak, 0 or more. NaN when: no return is known."""
    return math.sqrt(mean(performance.below_peak[1:] ** 2))


def conditional_drawdown_at_risk(performance: Performance) -> float:
    """Return the mean distance from the peak of the worst twentieth of the sessions. NaN when: none is known."""
    below = performance.below_peak[1:]
    return -mean(below[below <= quantile(below, 1.0 - CONFIDENCE)])


def _is_known(performance: Performance) -> bool:
    return len(performance.known_returns) > 0


def _deepest(performance: Performance) -> np.ndarray:
    """The number of the deepest drawdown, shape (1,); (0,) where there is none."""
    if not _is_known(performance) or not len(performance.drawdowns.depth):
        return np.empty(0, dtype=int)
    return np.array([np.argmin(performance.drawdowns.depth)])


METRICS = (
    Metric(
        key="max_drawdown",
        label="Maximum drawdown",
        level="period",
        formula="min_t (W_t / max_{i≤t} W_i − 1)",
        unit="fraction",
        better="higher",
        func=max_drawdown,
        reference="empyrical max_drawdown",
        description="The deepest fall from an earlier peak, as a negative share of that peak.",
    ),
    Metric(
        key="max_drawdown_start",
        label="Maximum drawdown: peak",
        level="period",
        formula="date of the peak before the trough",
        unit="date",
        better="neither",
        func=max_drawdown_start,
        reference="definition",
        description="The day of the peak from which the deepest fall began.",
    ),
    Metric(
        key="max_drawdown_date",
        label="Maximum drawdown: trough",
        level="period",
        formula="date of the lowest W_t / max_{i≤t} W_i",
        unit="date",
        better="neither",
        func=max_drawdown_date,
        reference="definition",
        description="The day on which the deepest fall was at its lowest.",
    ),
    Metric(
        key="max_drawdown_end",
        label="Maximum drawdown: regained",
        level="period",
        formula="first date after the trough with W_t at the peak or above",
        unit="date",
        better="neither",
        func=max_drawdown_end,
        reference="definition",
        description="The day that made good the deepest fall, unknown where none has yet.",
    ),
    Metric(
        key="max_drawdown_days",
        label="Longest drawdown",
        level="period",
        formula="longest calendar time from a peak until it is regained, or until the end",
        unit="days",
        better="lower",
        func=max_drawdown_days,
        reference="definition",
        description="The longest time the account stayed below an earlier peak.",
    ),
    Metric(
        key="n_drawdowns",
        label="Drawdowns",
        level="period",
        formula="number of stretches with W_t below an earlier peak",
        unit="count",
        better="neither",
        func=n_drawdowns,
        reference="definition",
        description="How many times the account fell below a peak, however little.",
    ),
    Metric(
        key="average_drawdown",
        label="Average drawdown",
        level="period",
        formula="mean depth of the drawdowns, each from its peak to its trough",
        unit="fraction",
        better="higher",
        func=average_drawdown,
        reference="ffn avg_drawdown",
        description="How deep a fall from a peak was on average, the small ones included, as a negative share.",
    ),
    Metric(
        key="average_drawdown_days",
        label="Average length of a drawdown",
        level="period",
        formula="mean calendar time of the drawdowns, each from its peak until it is regained, or until the end",
        unit="days",
        better="lower",
        func=average_drawdown_days,
        reference="definition",
        description="How long it took on average to regain a peak, the small falls included.",
    ),
    Metric(
        key="pain_index",
        label="Pain index",
        level="period",
        formula="mean(1 − W_t / max_{i≤t} W_i)",
        unit="fraction",
        better="lower",
        func=pain_index,
        reference="Zephyr Associates; skfolio average_drawdown",
        description="How far below its peak the account was on an average session.",
    ),
    Metric(
        key="ulcer_index",
        label="Ulcer index",
        level="period",
        formula="√(mean((1 − W_t / max_{i≤t} W_i)²))",
        unit="fraction",
        better="lower",
        func=ulcer_index,
        reference="Martin and McCann (1989); skfolio ulcer_index",
        description="How far below its peak the account was, deep falls counting more than shallow ones.",
    ),
    Metric(
        key="conditional_drawdown_at_risk",
        label="Conditional drawdown at risk, 95 %",
        level="period",
        formula="−mean(D_t : D_t ≤ quantile(D, 0.05)), D_t = W_t / max_{i≤t} W_i − 1",
        unit="fraction",
        better="lower",
        func=conditional_drawdown_at_risk,
        reference="Chekhlov, Uryasev and Zabarankin (2005)",
        description="How far below its peak the account was in the worst twentieth of the sessions.",
    ),
)
