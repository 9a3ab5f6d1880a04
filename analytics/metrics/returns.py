"""Metrics of what was earned."""

import numpy as np

from analytics.conventions import TRADING_DAYS
from analytics.metrics._arithmetic import NAN, compound, growth_rate, mean
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance


def start_date(performance: Performance) -> float:
    """Return the first session with a known return, in days since 1970-01-01. NaN when: there is none."""
    return days_since_epoch(performance.known_dates[:1])


def end_date(performance: Performance) -> float:
    """Return the last session with a known return, in days since 1970-01-01. NaN when: there is none."""
    return days_since_epoch(performance.known_dates[-1:])


def days_since_epoch(dates: np.ndarray) -> float:
    """Return the one date given as days since 1970-01-01. NaN when: none is given."""
    return float(dates[0].astype("datetime64[D]").astype(np.int64)) if len(dates) else NAN


def total_return(performance: Performance) -> float:
    """Return the compounded return. NaN when: no return is known."""
    return compound(performance.known_returns)


def annual_return(performance: Performance) -> float:
    """Return the geometric return per year. NaN when: under two sessions, or over everything was lost."""
    returns = performance.known_returns
    return growth_rate(returns, TRADING_DAYS / len(returns)) if len(returns) > 1 else NAN


def annual_mean_return(performance: Performance) -> float:
    """Return the arithmetic mean return per year. NaN when: no return is known."""
    return TRADING_DAYS * mean(performance.known_returns)


def annual_risk_free_rate(performance: Performance) -> float:
    """Return the geometric risk-free return per year. NaN when: fewer than two sessions have it and a return."""
    risk_free, _ = performance.known("risk_free_returns", "returns")
    return growth_rate(risk_free, TRADING_DAYS / len(risk_free)) if len(risk_free) > 1 else NAN


METRICS = (
    Metric(
        key="start_date",
        label="First session",
        level="period",
        formula="date of r_1",
        unit="date",
        better="neither",
        func=start_date,
        reference="definition",
        description="The first session whose return counts.",
    ),
    Metric(
        key="end_date",
        label="Last session",
        level="period",
        formula="date of r_n",
        unit="date",
        better="neither",
        func=end_date,
        reference="definition",
        description="The last session whose return counts.",
    ),
    Metric(
        key="total_return",
        label="Total return",
        level="period",
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
        level="period",
        formula=f"(1 + total return)^({TRADING_DAYS} / sessions) − 1",
        unit="fraction",
        better="higher",
        func=annual_return,
        reference="compound annual growth rate; empyrical annual_return",
        description="The constant yearly return that would have led to the same final value.",
    ),
    Metric(
        key="annual_mean_return",
        label="Mean return, annual",
        level="period",
        formula=f"{TRADING_DAYS} mean(r)",
        unit="fraction",
        better="higher",
        func=annual_mean_return,
        reference="arithmetic mean; ffn daily_mean",
        description="The average daily return times the sessions of a year, without compounding.",
    ),
    Metric(
        key="annual_risk_free_rate",
        label="Risk-free rate, annual",
        level="period",
        formula=f"Π(1 + f_t)^({TRADING_DAYS} / sessions) − 1",
        unit="fraction",
        better="neither",
        func=annual_risk_free_rate,
        reference="compounding",
        description="What cash earned per year over the same sessions.",
    ),
)
