"""Metrics that compare the account with its benchmark."""

import math

import numpy as np

from analytics.conventions import STD_DDOF, TRADING_DAYS, FloatArray
from analytics.metrics._metric import NAN, Metric, compound, deviation, mean, ratio
from analytics.metrics._performance import Performance


def _excess_pair(performance: Performance) -> tuple[FloatArray, FloatArray]:
    returns, benchmark, risk_free = performance.known("returns", "benchmark_returns", "risk_free_returns")
    return returns - risk_free, benchmark - risk_free


def _active_returns(performance: Performance) -> FloatArray:
    returns, benchmark = performance.known("returns", "benchmark_returns")
    return returns - benchmark


def _slope(excess: FloatArray, benchmark: FloatArray) -> float:
    spread = deviation(benchmark)
    if not spread > 0.0:
        return NAN
    return float(np.cov(excess, benchmark, ddof=STD_DDOF)[0, 1] / spread**2)


def beta(performance: Performance) -> float:
    """Return the slope on the benchmark's excess returns. NaN when: under two sessions, or it is constant."""
    return _slope(*_excess_pair(performance))


def annual_alpha(performance: Performance) -> float:
    """Return the annualised intercept of the regression on the benchmark. NaN when: beta is."""
    excess, benchmark = _excess_pair(performance)
    return TRADING_DAYS * (mean(excess) - _slope(excess, benchmark) * mean(benchmark))


def annual_tracking_error(performance: Performance) -> float:
    """Return the standard deviation of the active returns per year. NaN when: fewer than two sessions."""
    return deviation(_active_returns(performance)) * math.sqrt(TRADING_DAYS)


def information_ratio(performance: Performance) -> float:
    """Return the active return per tracking error, per year. NaN when: the tracking error is zero."""
    active = _active_returns(performance)
    return ratio(mean(active), deviation(active)) * math.sqrt(TRADING_DAYS)


def benchmark_total_return(performance: Performance) -> float:
    """Return the benchmark's compounded return. NaN when: it is not known."""
    return compound(*performance.known("benchmark_returns"))


METRICS = (
    Metric(
        key="beta",
        label="Beta",
        formula="cov(r − f, b − f) / var(b − f)",
        unit="ratio",
        better="neither",
        func=beta,
        reference="regression on the benchmark; empyrical beta",
        description="How much the account moved when its benchmark moved by one.",
    ),
    Metric(
        key="annual_alpha",
        label="Annual alpha",
        formula=f"{TRADING_DAYS} (mean(r − f) − beta × mean(b − f))",
        unit="fraction",
        better="higher",
        func=annual_alpha,
        reference="Jensen (1968)",
        description="Yearly return beyond what exposure to the benchmark explains.",
    ),
    Metric(
        key="annual_tracking_error",
        label="Tracking error",
        formula=f"s(r − b) √{TRADING_DAYS}",
        unit="fraction",
        better="neither",
        func=annual_tracking_error,
        reference="Grinold and Kahn (1999)",
        description="How widely the account's yearly return is spread around the benchmark's.",
    ),
    Metric(
        key="information_ratio",
        label="Information ratio",
        formula=f"mean(r − b) / s(r − b) × √{TRADING_DAYS}",
        unit="ratio",
        better="higher",
        func=information_ratio,
        reference="Grinold and Kahn (1999); empyrical excess_sharpe, annualised",
        description="Yearly return above the benchmark per unit of tracking error.",
    ),
    Metric(
        key="benchmark_total_return",
        label="Benchmark total return",
        formula="Π(1 + b_t) − 1",
        unit="fraction",
        better="neither",
        func=benchmark_total_return,
        reference="compounding",
        description="What buying and holding the same tickers with the same costs gained over the period.",
    ),
)
