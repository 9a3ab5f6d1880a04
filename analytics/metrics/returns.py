"""Metrics of what was earned."""

import numpy as np

from analytics.conventions import TRADING_DAYS
from analytics.metrics._metric import NAN, Metric, compound, mean
from analytics.metrics._performance import Performance


def total_return(performance: Performance) -> float:
    """Return the compounded return. NaN when: no return is known."""
    return compound(*performance.known("returns"))


def annual_return(performance: Performance) -> float:
    """Return the geometric return per year. NaN when: under two sessions, or over everything was lost."""
    (returns,) = performance.known("returns")
    final = 1.0 + compound(returns)
    if len(returns) < 2 or final < 0.0:
        return NAN
    with np.errstate(over="ignore"):  # a few wild sessions can compound beyond the largest float
        return float(np.power(final, TRADING_DAYS / len(returns)) - 1.0)


def best_day(performance: Performance) -> float:
    """Return the largest return of a session. NaN when: no return is known."""
    (returns,) = performance.known("returns")
    return float(returns.max()) if len(returns) else NAN


def worst_day(performance: Performance) -> float:
    """Return the smallest return of a session. NaN when: no return is known."""
    (returns,) = performance.known("returns")
    return float(returns.min()) if len(returns) else NAN


def positive_days(performance: Performance) -> float:
    """Return the share of sessions with a gain, 0 to 1. NaN when: no return is known."""
    (returns,) = performance.known("returns")
    return mean(returns > 0.0)


METRICS = (
    Metric(
        key="total_return",
        label="Total return",
        formula="Π(1 + r_t) − 1",
        unit="fraction",
        better="higher",
        func=total_return,
        reference="compounding",
        description="What the account gained over the whole period, as a share of the initial capital.",
    ),
    Metric(
        key="annual_return",
        label="Annual return",
        formula=f"(1 + total return)^({TRADING_DAYS} / sessions) − 1",
        unit="fraction",
        better="higher",
        func=annual_return,
        reference="compound annual growth rate; empyrical annual_return",
        description="The constant yearly return that would have led to the same final value.",
    ),
    Metric(
        key="best_day",
        label="Best day",
        formula="max r_t",
        unit="fraction",
        better="higher",
        func=best_day,
        reference="definition",
        description="The largest gain of a single session.",
    ),
    Metric(
        key="worst_day",
        label="Worst day",
        formula="min r_t",
        unit="fraction",
        better="higher",
        func=worst_day,
        reference="definition",
        description="The largest loss of a single session, as a negative return.",
    ),
    Metric(
        key="positive_days",
        label="Positive days",
        formula="share of sessions with r_t > 0",
        unit="fraction",
        better="higher",
        func=positive_days,
        reference="definition",
        description="How many of the sessions ended with a gain.",
    ),
)
