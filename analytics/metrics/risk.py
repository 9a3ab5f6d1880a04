"""Metrics of how much, how far and how long the account fell or swung."""

import math

import numpy as np

from analytics.conventions import CONFIDENCE, TRADING_DAYS
from analytics.metrics._metric import NAN, Metric, deviation, mean, moment, wealth
from analytics.metrics._performance import Performance


def annual_volatility(performance: Performance) -> float:
    """Return the standard deviation per year. NaN when: fewer than two returns."""
    (returns,) = performance.known("returns")
    return deviation(returns) * math.sqrt(TRADING_DAYS)


def annual_downside_deviation(performance: Performance) -> float:
    """Return the root mean square shortfall below the risk-free rate, per year. NaN when: none is known."""
    below = np.minimum(performance.excess_returns(), 0.0)
    return math.sqrt(TRADING_DAYS * mean(below**2))


def max_drawdown(performance: Performance) -> float:
    """Return the deepest fall from a peak, 0 or less. NaN when: no return is known."""
    (returns,) = performance.known("returns")
    value = wealth(returns)
    return float(np.min(value / np.maximum.accumulate(value)) - 1.0) if len(returns) else NAN


def max_drawdown_days(performance: Performance) -> float:
    """Return the longest time below a peak in calendar days. NaN when: no return is known."""
    known = np.isfinite(performance.returns)
    if not known.any():
        return NAN
    dates = performance.dates[known].astype("datetime64[D]")
    dates = np.concatenate([dates[:1], dates])  # the capital is there on the first date
    value = wealth(performance.returns[known])
    peaks = np.flatnonzero(value >= np.maximum.accumulate(value))
    ends = np.append(peaks[1:], len(value) - 1)
    recovered = np.append(np.ones(len(peaks) - 1, dtype=int), 0)  # the session that regains the peak, if any
    under_water = ends - peaks > recovered
    days = (dates[ends] - dates[peaks]).astype(float)
    return float(np.max(np.where(under_water, days, 0.0)))


def value_at_risk(performance: Performance) -> float:
    """Return the loss that a session exceeds with probability 1 − confidence. NaN when: none is known."""
    (returns,) = performance.known("returns")
    return -float(np.quantile(returns, 1.0 - CONFIDENCE)) if len(returns) else NAN


def expected_shortfall(performance: Performance) -> float:
    """Return the mean loss at or beyond the value at risk, positive. NaN when: no return is known."""
    (returns,) = performance.known("returns")
    return -mean(returns[returns <= -value_at_risk(performance)])


def skewness(performance: Performance) -> float:
    """Return the third standardised moment. NaN when: fewer than two returns, or constant."""
    (returns,) = performance.known("returns")
    return moment(returns, 3)


def kurtosis(performance: Performance) -> float:
    """Return the fourth standardised moment less 3. NaN when: fewer than two returns, or constant."""
    (returns,) = performance.known("returns")
    return moment(returns, 4) - 3.0


METRICS = (
    Metric(
        key="annual_volatility",
        label="Annual volatility",
        formula=f"s(r) √{TRADING_DAYS}",
        unit="fraction",
        better="lower",
        func=annual_volatility,
        reference="empyrical annual_volatility",
        description="How widely yearly returns spread around their mean, from the spread of the daily ones.",
    ),
    Metric(
        key="annual_downside_deviation",
        label="Downside deviation",
        formula=f"√(mean(min(r − f, 0)²)) √{TRADING_DAYS}",
        unit="fraction",
        better="lower",
        func=annual_downside_deviation,
        reference="Sortino and van der Meer (1991); empyrical downside_risk",
        description="The volatility of the sessions that earned less than the risk-free rate, per year.",
    ),
    Metric(
        key="max_drawdown",
        label="Maximum drawdown",
        formula="min_t (W_t / max_{i≤t} W_i − 1)",
        unit="fraction",
        better="higher",
        func=max_drawdown,
        reference="empyrical max_drawdown",
        description="The deepest fall from an earlier peak, as a negative share of that peak.",
    ),
    Metric(
        key="max_drawdown_days",
        label="Longest drawdown",
        formula="longest calendar time from a peak until it is regained, or until the end",
        unit="days",
        better="lower",
        func=max_drawdown_days,
        reference="definition",
        description="The longest time the account stayed below an earlier peak.",
    ),
    Metric(
        key="value_at_risk",
        label="Value at risk, 95 %",
        formula="−quantile(r, 0.05), linear between order statistics",
        unit="fraction",
        better="lower",
        func=value_at_risk,
        reference="Hyndman and Fan (1996), type 7; empyrical value_at_risk",
        description="The loss that one session in twenty exceeded, as a positive share; historical.",
    ),
    Metric(
        key="expected_shortfall",
        label="Expected shortfall, 95 %",
        formula="−mean(r_t : r_t ≤ −value at risk)",
        unit="fraction",
        better="lower",
        func=expected_shortfall,
        reference="empyrical conditional_value_at_risk",
        description="The mean loss of the worst twentieth of the sessions, as a positive share; historical.",
    ),
    Metric(
        key="skewness",
        label="Skewness",
        formula="mean(((r − mean) / σ)³), σ population",
        unit="ratio",
        better="higher",
        func=skewness,
        reference="scipy.stats.skew, bias=True",
        description="Negative where the large losses are larger than the large gains.",
    ),
    Metric(
        key="kurtosis",
        label="Excess kurtosis",
        formula="mean(((r − mean) / σ)⁴) − 3, σ population",
        unit="ratio",
        better="lower",
        func=kurtosis,
        reference="scipy.stats.kurtosis, bias=True",
        description="How much heavier the tails are than those of a normal distribution, which has 0.",
    ),
)
