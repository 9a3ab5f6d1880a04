"""What a way of estimating expected returns declares."""

from collections.abc import Callable
from dataclasses import dataclass

from analytics.conventions import FloatArray
from analytics.portfolio.market_data import MarketData


@dataclass(frozen=True)
class ExpectedReturns:
    """One way to annual expected returns: estimate(data, covariance (n, n), annual) gives (n,), fractions."""

    key: str
    label: str
    description: str  # one sentence an analyst would use
    reference: str
    estimate: Callable[[MarketData, FloatArray], FloatArray]
