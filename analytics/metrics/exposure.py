"""Metrics of how much of the account was in the market, and of how often it changed hands."""

from analytics.conventions import TRADING_DAYS
from analytics.metrics._arithmetic import mean
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance


def exposure_share(performance: Performance) -> float:
    """Return the share of sessions that end with a position, 0 to 1. NaN when: the exposure is not known."""
    (exposure,) = performance.known("gross_exposure")
    return mean(exposure > 0.0)


def average_gross_exposure(performance: Performance) -> float:
    """Return the mean share of the account in positions. NaN when: the exposure is not known."""
    return mean(*performance.known("gross_exposure"))


def average_net_exposure(performance: Performance) -> float:
    """Return the mean of long less short positions over the account. NaN when: the exposure is not known."""
    return mean(*performance.known("net_exposure"))


def annual_turnover(performance: Performance) -> float:
    """Return half the traded value over the account's, per year. NaN when: the turnover is not known."""
    return TRADING_DAYS * mean(*performance.known("turnover")) / 2.0


METRICS = (
    Metric(
        key="exposure_share",
        label="Time in the market",
        level="period",
        formula="share of sessions that end with a position",
        unit="fraction",
        better="neither",
        func=exposure_share,
        reference="definition",
        description="How many of the sessions the account ended with any position at all.",
    ),
    Metric(
        key="average_gross_exposure",
        label="Average exposure",
        level="period",
        formula="mean(value of positions / value of account)",
        unit="fraction",
        better="neither",
        func=average_gross_exposure,
        reference="definition",
        description="How much of the account was in positions on average, at the close.",
    ),
    Metric(
        key="average_net_exposure",
        label="Average net exposure",
        level="period",
        formula="mean((value of long − value of short positions) / value of account)",
        unit="fraction",
        better="neither",
        func=average_net_exposure,
        reference="definition",
        description="How much of the account gained on average when all prices rose alike, at the close.",
    ),
    Metric(
        key="annual_turnover",
        label="Annual turnover",
        level="period",
        formula=f"{TRADING_DAYS} × mean(traded value / value of account) / 2",
        unit="ratio",
        better="lower",
        func=annual_turnover,
        reference="one-way turnover",
        description="How many times a year the whole account was exchanged.",
    ),
)
