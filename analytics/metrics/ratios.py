"""Metrics that set what was earned against the risk that was run."""

import math

import numpy as np

from analytics.conventions import TRADING_DAYS
from analytics.metrics._metric import Metric, deviation, mean, moment, ratio
from analytics.metrics._performance import Performance
from analytics.metrics.returns import annual_return
from analytics.metrics.risk import annual_downside_deviation, max_drawdown


def sharpe_ratio(performance: Performance) -> float:
    """Return the Sharpe ratio per year. NaN when: fewer than two excess returns, or constant."""
    excess = performance.excess_returns()
    return ratio(mean(excess), deviation(excess)) * math.sqrt(TRADING_DAYS)


def sharpe_ratio_se(performance: Performance) -> float:
    """Return Mertens' standard error of the Sharpe ratio, per year. NaN when: the ratio is."""
    excess = performance.excess_returns()
    sharpe = ratio(mean(excess), deviation(excess))
    skewed, tailed = moment(excess, 3), moment(excess, 4) - 3.0
    variance = 1.0 + sharpe**2 / 2.0 - skewed * sharpe + tailed * sharpe**2 / 4.0
    return math.sqrt(TRADING_DAYS * ratio(max(variance, 0.0), len(excess) - 1))


def sortino_ratio(performance: Performance) -> float:
    """Return the yearly excess return per downside deviation. NaN when: no session fell below the rate."""
    return ratio(TRADING_DAYS * mean(performance.excess_returns()), annual_downside_deviation(performance))


def calmar_ratio(performance: Performance) -> float:
    """Return the annual return per maximum drawdown. NaN when: there was no drawdown."""
    return ratio(annual_return(performance), -max_drawdown(performance))


def omega_ratio(performance: Performance) -> float:
    """Return gains over losses, both against the risk-free rate. NaN when: there was no loss."""
    excess = performance.excess_returns()
    return ratio(float(np.maximum(excess, 0.0).sum()), float(np.maximum(-excess, 0.0).sum()))


METRICS = (
    Metric(
        key="sharpe_ratio",
        label="Sharpe ratio",
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
        formula=f"√{TRADING_DAYS} √((1 + S²/2 − γ₃ S + (γ₄ − 3) S²/4) / (n − 1)), S per session",
        unit="ratio",
        better="lower",
        func=sharpe_ratio_se,
        reference="Mertens (2002); Lo (2002)",
        description="How far the Sharpe ratio may be off by chance: about two of these either way.",
    ),
    Metric(
        key="sortino_ratio",
        label="Sortino ratio",
        formula=f"{TRADING_DAYS} mean(r − f) / downside deviation",
        unit="ratio",
        better="higher",
        func=sortino_ratio,
        reference="Sortino and van der Meer (1991); empyrical sortino_ratio",
        description="Yearly return above the risk-free rate per unit of downside deviation.",
    ),
    Metric(
        key="calmar_ratio",
        label="Calmar ratio",
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
        formula="Σ max(r − f, 0) / Σ max(f − r, 0)",
        unit="ratio",
        better="higher",
        func=omega_ratio,
        reference="Keating and Shadwick (2002); empyrical omega_ratio",
        description="All gains against all losses, both measured from the risk-free rate.",
    ),
)
