"""Metrics that compare the account with its benchmark."""

import math

import numpy as np

from analytics.conventions import TRADING_DAYS
from analytics.metrics._arithmetic import correlation, deviation, growth_rate, mean, ratio, slope
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance


def beta(performance: Performance) -> float:
    """Return the slope on the benchmark's excess returns. NaN when: under two sessions, or it is constant."""
    return slope(*performance.excess_pair)


def annual_alpha(performance: Performance) -> float:
    """Return the annualised intercept of the regression on the benchmark. NaN when: beta is."""
    excess, benchmark = performance.excess_pair
    return TRADING_DAYS * (mean(excess) - beta(performance) * mean(benchmark))


def r_squared(performance: Performance) -> float:
    """Return R² of the regression on the benchmark, 0 to 1. NaN when: under two sessions, or one is constant."""
    return correlation(*performance.excess_pair) ** 2


def benchmark_correlation(performance: Performance) -> float:
    """Return the correlation with the benchmark. NaN when: under two sessions, or one is constant."""
    return correlation(*performance.benchmark_pair)


def treynor_ratio(performance: Performance) -> float:
    """Return the yearly excess return per beta. NaN when: beta is zero or unknown."""
    return ratio(TRADING_DAYS * mean(performance.excess_pair[0]), beta(performance))


def annual_tracking_error(performance: Performance) -> float:
    """Return the standard deviation of the active returns per year. NaN when: fewer than two sessions."""
    return deviation(performance.active) * math.sqrt(TRADING_DAYS)


def information_ratio(performance: Performance) -> float:
    """Return the active return per tracking error, per year. NaN when: the tracking error is zero."""
    return ratio(mean(performance.active), deviation(performance.active)) * math.sqrt(TRADING_DAYS)


def _capture(performance: Performance, sessions: np.ndarray) -> float:
    returns, benchmark = (values[sessions] for values in performance.benchmark_pair)
    exponent = TRADING_DAYS / max(len(returns), 1)
    return ratio(growth_rate(returns, exponent), growth_rate(benchmark, exponent))


def up_capture(performance: Performance) -> float:
    """Return the annual return over the benchmark's, when it rose. NaN when: it never did."""
    return _capture(performance, performance.benchmark_pair[1] > 0.0)


def down_capture(performance: Performance) -> float:
    """Return the annual return over the benchmark's, when it fell. NaN when: it never did."""
    return _capture(performance, performance.benchmark_pair[1] < 0.0)


def capture_ratio(performance: Performance) -> float:
    """Return up capture over down capture. NaN when: one is unknown, or the latter is zero."""
    return ratio(up_capture(performance), down_capture(performance))


def batting_average(performance: Performance) -> float:
    """Return the share of sessions above the benchmark, 0 to 1. NaN when: none is known."""
    return mean(performance.active > 0.0)


METRICS = (
    Metric(
        key="beta",
        label="Beta",
        level="benchmark",
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
        level="benchmark",
        formula=f"{TRADING_DAYS} (mean(r − f) − beta × mean(b − f))",
        unit="fraction",
        better="higher",
        func=annual_alpha,
        reference="Jensen (1968)",
        description="Yearly return beyond what exposure to the benchmark explains.",
    ),
    Metric(
        key="r_squared",
        label="R²",
        level="benchmark",
        formula="correlation(r − f, b − f)²",
        unit="ratio",
        better="neither",
        func=r_squared,
        reference="regression on the benchmark; scipy linregress",
        description="How much of the account's ups and downs its benchmark explains.",
    ),
    Metric(
        key="benchmark_correlation",
        label="Correlation with the benchmark",
        level="benchmark",
        formula="correlation(r, b)",
        unit="ratio",
        better="neither",
        func=benchmark_correlation,
        reference="Pearson; skfolio correlation",
        description="How closely the account moved with its benchmark, from −1 to 1.",
    ),
    Metric(
        key="treynor_ratio",
        label="Treynor ratio",
        level="benchmark",
        formula=f"{TRADING_DAYS} mean(r − f) / beta",
        unit="fraction",
        better="higher",
        func=treynor_ratio,
        reference="Treynor (1965)",
        description="Yearly return above the risk-free rate per unit of beta.",
    ),
    Metric(
        key="annual_tracking_error",
        label="Tracking error",
        level="benchmark",
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
        level="benchmark",
        formula=f"mean(r − b) / s(r − b) × √{TRADING_DAYS}",
        unit="ratio",
        better="higher",
        func=information_ratio,
        reference="Grinold and Kahn (1999); empyrical excess_sharpe, annualised",
        description="Yearly return above the benchmark per unit of tracking error.",
    ),
    Metric(
        key="up_capture",
        label="Up capture",
        level="benchmark",
        formula="annual return over that of the benchmark, both of the sessions with b_t > 0",
        unit="ratio",
        better="higher",
        func=up_capture,
        reference="empyrical up_capture",
        description="How much of the benchmark's gains the account had part in: 1 is all of them; beware: a year of rising "
        "sessions alone compounds to several hundred percent, so that a small difference per session looks huge.",
    ),
    Metric(
        key="down_capture",
        label="Down capture",
        level="benchmark",
        formula="annual return over that of the benchmark, both of the sessions with b_t < 0",
        unit="ratio",
        better="lower",
        func=down_capture,
        reference="empyrical down_capture",
        description="How much of the benchmark's losses the account had part in: 1 is all of them; beware: a year of falling "
        "sessions alone compounds to nearly −100 % for both, so that the ratio is near 1 whatever the account did: "
        "beta and the drawdowns tell more.",
    ),
    Metric(
        key="capture_ratio",
        label="Capture ratio",
        level="benchmark",
        formula="up capture / down capture",
        unit="ratio",
        better="higher",
        func=capture_ratio,
        reference="empyrical up_down_capture",
        description="The part in the benchmark's gains against that in its losses; beware: on daily data both parts are "
        "distorted by compounding, see Up capture and Down capture.",
    ),
    Metric(
        key="batting_average",
        label="Batting average",
        level="benchmark",
        formula="share of sessions with r_t > b_t",
        unit="fraction",
        better="higher",
        func=batting_average,
        reference="empyrical batting_average",
        description="How many of the sessions the account did better than its benchmark.",
    ),
)
