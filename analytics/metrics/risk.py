"""Metrics of how widely the returns are spread, and of their tails."""

import math
from statistics import NormalDist

import numpy as np

from analytics.conventions import CONFIDENCE, TRADING_DAYS
from analytics.metrics._arithmetic import correlation, deviation, mean, moment, quantile, ratio
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance

TAIL = NormalDist().inv_cdf(1.0 - CONFIDENCE)  # below 0


def annual_volatility(performance: Performance) -> float:
    """Return the standard deviation per year. NaN when: fewer than two returns."""
    return deviation(performance.known_returns) * math.sqrt(TRADING_DAYS)


def annual_downside_deviation(performance: Performance) -> float:
    """Return the root mean square shortfall below the risk-free rate, per year. NaN when: none is known."""
    below = np.minimum(performance.excess, 0.0)
    return math.sqrt(TRADING_DAYS * mean(below**2))


def value_at_risk(performance: Performance) -> float:
    """Return the loss that a session exceeds with probability 1 − confidence. NaN when: none is known."""
    return -quantile(performance.known_returns, 1.0 - CONFIDENCE)


def expected_shortfall(performance: Performance) -> float:
    """Return the mean loss at or beyond the value at risk, positive. NaN when: no return is known."""
    returns = performance.known_returns
    return -mean(returns[returns <= -value_at_risk(performance)])


def normal_value_at_risk(performance: Performance) -> float:
    """Return the value at risk of a normal distribution as wide. NaN when: fewer than two returns."""
    returns = performance.known_returns
    return -(mean(returns) + TAIL * deviation(returns))


def normal_expected_shortfall(performance: Performance) -> float:
    """Return the expected shortfall of a normal distribution as wide. NaN when: fewer than two returns."""
    returns = performance.known_returns
    return deviation(returns) * NormalDist().pdf(TAIL) / (1.0 - CONFIDENCE) - mean(returns)


def skewness(performance: Performance) -> float:
    """Return the third standardised moment. NaN when: fewer than two returns, or constant."""
    return moment(performance.known_returns, 3)


def kurtosis(performance: Performance) -> float:
    """Return the fourth standardised moment less 3. NaN when: fewer than two returns, or constant."""
    return moment(performance.known_returns, 4) - 3.0


def tail_ratio(performance: Performance) -> float:
    """Return the 95 % quantile over the 5 % quantile, in size. NaN when: the latter is zero."""
    returns = performance.known_returns
    return ratio(abs(quantile(returns, CONFIDENCE)), abs(quantile(returns, 1.0 - CONFIDENCE)))


def autocorrelation(performance: Performance) -> float:
    """Return the correlation of each return with the one before. NaN when: under three returns, or constant."""
    returns = performance.known_returns
    return correlation(returns[1:], returns[:-1])


def stability(performance: Performance) -> float:
    """Return R² of the logarithm of wealth on time, 0 to 1. NaN when: under two returns, constant, or all was lost."""
    value = performance.wealth[1:]
    if len(value) < 2 or not np.all(value > 0.0):
        return math.nan
    return correlation(np.log(value), np.arange(len(value), dtype=float)) ** 2


METRICS = (
    Metric(
        key="annual_volatility",
        label="Annual volatility",
        level="period",
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
        level="period",
        formula=f"√(mean(min(r − f, 0)²)) √{TRADING_DAYS}",
        unit="fraction",
        better="lower",
        func=annual_downside_deviation,
        reference="Sortino and van der Meer (1991); empyrical downside_risk",
        description="The volatility of the sessions that earned less than the risk-free rate, per year.",
    ),
    Metric(
        key="value_at_risk",
        label="Value at risk, 95 %",
        level="period",
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
        level="period",
        formula="−mean(r_t : r_t ≤ −value at risk)",
        unit="fraction",
        better="lower",
        func=expected_shortfall,
        reference="empyrical conditional_value_at_risk",
        description="The mean loss of the worst twentieth of the sessions, as a positive share; historical.",
    ),
    Metric(
        key="normal_value_at_risk",
        label="Value at risk, 95 %, normal",
        level="period",
        formula="−(mean(r) + z s(r)), z = Φ⁻¹(0.05)",
        unit="fraction",
        better="lower",
        func=normal_value_at_risk,
        reference="QuantStats value_at_risk, with the opposite sign",
        description="The loss that one session in twenty would exceed if returns were normally distributed.",
    ),
    Metric(
        key="normal_expected_shortfall",
        label="Expected shortfall, 95 %, normal",
        level="period",
        formula="s(r) φ(z) / 0.05 − mean(r), z = Φ⁻¹(0.05)",
        unit="fraction",
        better="lower",
        func=normal_expected_shortfall,
        reference="McNeil, Frey and Embrechts (2005); QuantStats conditional_value_at_risk, opposite sign",
        description="The mean loss of the worst twentieth of the sessions if returns were normally distributed.",
    ),
    Metric(
        key="skewness",
        label="Skewness",
        level="period",
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
        level="period",
        formula="mean(((r − mean) / σ)⁴) − 3, σ population",
        unit="ratio",
        better="lower",
        func=kurtosis,
        reference="scipy.stats.kurtosis, bias=True",
        description="How much heavier the tails are than those of a normal distribution, which has 0.",
    ),
    Metric(
        key="tail_ratio",
        label="Tail ratio",
        level="period",
        formula="|quantile(r, 0.95)| / |quantile(r, 0.05)|",
        unit="ratio",
        better="higher",
        func=tail_ratio,
        reference="empyrical tail_ratio",
        description="The good sessions against the bad ones: above 1 where large gains are larger than large losses.",
    ),
    Metric(
        key="autocorrelation",
        label="Autocorrelation",
        level="period",
        formula="correlation of r_t with r_{t−1}",
        unit="ratio",
        better="neither",
        func=autocorrelation,
        reference="numpy corrcoef",
        description="Whether gains tend to follow gains (above 0) or losses (below 0).",
    ),
    Metric(
        key="stability",
        label="Stability of growth",
        level="period",
        formula="R² of ln W_t on t",
        unit="ratio",
        better="higher",
        func=stability,
        reference="empyrical stability_of_timeseries",
        description="How nearly the account grew along a straight line, on a logarithmic scale: 1 is a line.",
    ),
)
