"""Metrics that set what was earned against the risk that was run."""

import math
from statistics import NormalDist

import numpy as np

from analytics.conventions import TRADING_DAYS
from analytics.metrics._arithmetic import NAN, correlation, deviation, mean, moment, ratio
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance
from analytics.metrics.drawdowns import max_drawdown
from analytics.metrics.exposure import exposure_share
from analytics.metrics.returns import annual_return
from analytics.metrics.risk import annual_downside_deviation


def sharpe_ratio(performance: Performance) -> float:
    """Return the Sharpe ratio per year. NaN when: fewer than two excess returns, or constant."""
    excess = performance.excess
    return ratio(mean(excess), deviation(excess)) * math.sqrt(TRADING_DAYS)


def sharpe_ratio_se(performance: Performance) -> float:
    """Return Mertens' standard error of the Sharpe ratio, per year. NaN when: the ratio is."""
    excess = performance.excess
    sharpe = ratio(mean(excess), deviation(excess))
    skewed, tailed = moment(excess, 3), moment(excess, 4) - 3.0
    variance = 1.0 + sharpe**2 / 2.0 - skewed * sharpe + tailed * sharpe**2 / 4.0
    return math.sqrt(TRADING_DAYS * ratio(max(variance, 0.0), len(excess) - 1))


def probabilistic_sharpe_ratio(performance: Performance) -> float:
    """Return the probability that the true Sharpe ratio is above 0. NaN when: its standard error is 0 or unknown."""
    return _normal(ratio(sharpe_ratio(performance), sharpe_ratio_se(performance)))


def _normal(value: float) -> float:
    return NormalDist().cdf(value) if not math.isnan(value) else NAN


def autocorrelation_penalty(performance: Performance) -> float:
    """Return by how much autocorrelation widens the deviation of yearly returns, 1 or more. NaN when: it is unknown."""
    excess = performance.excess
    step = abs(correlation(excess[1:], excess[:-1]))
    lags = np.arange(1, len(excess))
    return math.sqrt(1.0 + 2.0 * float(np.sum((1.0 - lags / max(len(excess), 1)) * step**lags))) if step >= 0.0 else NAN


def smart_sharpe_ratio(performance: Performance) -> float:
    """Return the Sharpe ratio less what autocorrelation adds to it. NaN when: under three sessions, or constant."""
    return sharpe_ratio(performance) / autocorrelation_penalty(performance)


def sortino_ratio(performance: Performance) -> float:
    """Return the yearly excess return per downside deviation. NaN when: no session fell below the rate."""
    return ratio(TRADING_DAYS * mean(performance.excess), annual_downside_deviation(performance))


def adjusted_sortino_ratio(performance: Performance) -> float:
    """Return the Sortino ratio / √2, comparable with a Sharpe ratio. NaN when: the Sortino ratio is."""
    return sortino_ratio(performance) / math.sqrt(2.0)


def smart_sortino_ratio(performance: Performance) -> float:
    """Return the Sortino ratio less what autocorrelation adds to it. NaN when: it or the autocorrelation is."""
    return sortino_ratio(performance) / autocorrelation_penalty(performance)


def smart_adjusted_sortino_ratio(performance: Performance) -> float:
    """Return the smart Sortino ratio / √2. NaN when: the smart Sortino ratio is."""
    return smart_sortino_ratio(performance) / math.sqrt(2.0)


def calmar_ratio(performance: Performance) -> float:
    """Return the annual return per maximum drawdown. NaN when: there was no drawdown."""
    return ratio(annual_return(performance), -max_drawdown(performance))


def omega_ratio(performance: Performance) -> float:
    """Return gains over losses, both against the risk-free rate. NaN when: there was no loss."""
    excess = performance.excess
    return ratio(float(np.maximum(excess, 0.0).sum()), float(np.maximum(-excess, 0.0).sum()))


def risk_return_ratio(performance: Performance) -> float:
    """Return the mean over the deviation of a session's return. NaN when: fewer than two returns, or constant."""
    return ratio(mean(performance.known_returns), deviation(performance.known_returns))


def risk_adjusted_return(performance: Performance) -> float:
    """Return the annual return over the time in the market. NaN when: that is zero or not known."""
    return ratio(annual_return(performance), exposure_share(performance))


METRICS = (
    Metric(
        key="sharpe_ratio",
        label="Sharpe ratio",
        level="period",
        formula=f"mean(r − f) / s(r − f) × √{TRADING_DAYS}",
        unit="ratio",
        better="higher",
        func=sharpe_ratio,
        reference="Sharpe (1994); empyrical sharpe_ratio",
        description="Yearly return above the dated risk-free rate per unit of volatility.",
    ),
    Metric(
        key="sharpe_ratio_se",
        label="Sharpe ratio, standard error",
        level="period",
        formula=f"√{TRADING_DAYS} √((1 + S²/2 − γ₃ S + (γ₄ − 3) S²/4) / (n − 1)), S per session",
        unit="ratio",
        better="lower",
        func=sharpe_ratio_se,
        reference="Mertens (2002); Lo (2002)",
        description="How far the Sharpe ratio may be off by chance: about two of these either way.",
    ),
    Metric(
        key="probabilistic_sharpe_ratio",
        label="Probabilistic Sharpe ratio",
        level="period",
        formula="Φ(Sharpe ratio / its standard error)",
        unit="fraction",
        better="higher",
        func=probabilistic_sharpe_ratio,
        reference="Bailey and López de Prado (2012); skfolio probabilistic_sharpe_ratio",
        description="How sure the record makes it that the true Sharpe ratio is above 0.",
    ),
    Metric(
        key="smart_sharpe_ratio",
        label="Smart Sharpe ratio",
        level="period",
        formula="Sharpe ratio / √(1 + 2 Σ_k (1 − k/n) |ρ|^k), ρ the autocorrelation of r − f",
        unit="ratio",
        better="higher",
        func=smart_sharpe_ratio,
        reference="Lo (2002); QuantStats smart_sharpe",
        description="The Sharpe ratio after a deduction for returns that depend on those before.",
    ),
    Metric(
        key="sortino_ratio",
        label="Sortino ratio",
        level="period",
        formula=f"{TRADING_DAYS} mean(r − f) / downside deviation",
        unit="ratio",
        better="higher",
        func=sortino_ratio,
        reference="Sortino and van der Meer (1991); empyrical sortino_ratio",
        description="Yearly return above the risk-free rate per unit of downside deviation.",
    ),
    Metric(
        key="smart_sortino_ratio",
        label="Smart Sortino ratio",
        level="period",
        formula="Sortino ratio / √(1 + 2 Σ_k (1 − k/n) |ρ|^k), ρ the autocorrelation of r − f",
        unit="ratio",
        better="higher",
        func=smart_sortino_ratio,
        reference="Lo (2002); QuantStats smart_sortino",
        description="The Sortino ratio after a deduction for returns that depend on those before.",
    ),
    Metric(
        key="adjusted_sortino_ratio",
        label="Sortino ratio / √2",
        level="period",
        formula="Sortino ratio / √2",
        unit="ratio",
        better="higher",
        func=adjusted_sortino_ratio,
        reference="Schwager (2012); QuantStats adjusted_sortino",
        description="The Sortino ratio on the scale of the Sharpe ratio, which it equals where gains mirror losses.",
    ),
    Metric(
        key="smart_adjusted_sortino_ratio",
        label="Smart Sortino ratio / √2",
        level="period",
        formula="smart Sortino ratio / √2",
        unit="ratio",
        better="higher",
        func=smart_adjusted_sortino_ratio,
        reference="Schwager (2012); QuantStats adjusted_sortino, smart",
        description="The smart Sortino ratio on the scale of the Sharpe ratio.",
    ),
    Metric(
        key="calmar_ratio",
        label="Calmar ratio",
        level="period",
        formula="annual return / −maximum drawdown",
        unit="ratio",
        better="higher",
        func=calmar_ratio,
        reference="Young (1991); empyrical calmar_ratio",
        description="Yearly return per unit of the deepest fall.",
    ),
    Metric(
        key="omega_ratio",
        label="Omega ratio",
        level="period",
        formula="Σ max(r − f, 0) / Σ max(f − r, 0)",
        unit="ratio",
        better="higher",
        func=omega_ratio,
        reference="Keating and Shadwick (2002); empyrical omega_ratio",
        description="All gains against all losses, both measured from the risk-free rate.",
    ),
    Metric(
        key="risk_return_ratio",
        label="Return per risk, daily",
        level="period",
        formula="mean(r) / s(r)",
        unit="ratio",
        better="higher",
        func=risk_return_ratio,
        reference="QuantStats risk_return_ratio",
        description="The average return of a session per standard deviation, without risk-free rate or annualising.",
    ),
    Metric(
        key="risk_adjusted_return",
        label="Return per time in the market",
        level="period",
        formula="annual return / time in the market",
        unit="fraction",
        better="higher",
        func=risk_adjusted_return,
        reference="QuantStats rar",
        description="The yearly return divided by the share of sessions that ended with a position.",
    ),
)
