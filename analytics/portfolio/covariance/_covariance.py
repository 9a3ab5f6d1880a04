"""What a way of estimating the covariance declares."""

from collections.abc import Callable
from dataclasses import dataclass

from analytics.conventions import FloatArray
from analytics.portfolio.market_data import MarketData


@dataclass(frozen=True)
class Covariance:
    """One way to the annual covariance of asset returns: estimate(data) gives a symmetric (n, n)."""

    key: str
    label: str
    description: str  # one sentence an analyst would use
    reference: str
    estimate: Callable[[MarketData], FloatArray]
