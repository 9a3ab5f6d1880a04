"""How expected returns and covariance are estimated: every pair of a choice of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from analytics.conventions import FloatArray
from analytics.portfolio.covariance import COVARIANCES, Covariance
from analytics.portfolio.expected_returns import EXPECTED_RETURNS, ExpectedReturns
from analytics.portfolio.market_data import MarketData
from analytics.registry import lookup


@dataclass(frozen=True)
class Estimator:
    """One way from market data to annual expected returns and covariance."""

    expected_returns: ExpectedReturns
    covariance: Covariance

    @property
    def key(self) -> str:
        """The two keys, as frontiers are stored under."""
        return f"{self.expected_returns.key}__{self.covariance.key}"

    @property
    def label(self) -> str:
        """Both choices by name."""
        return f"{self.expected_returns.label}, {self.covariance.label} covariance"

    @property
    def description(self) -> str:
        """What both choices do, a sentence each."""
        return f"{self.expected_returns.description} {self.covariance.description}"

    @property
    def reference(self) -> str:
        """Where both choices come from."""
        return f"{self.expected_returns.reference}; {self.covariance.reference}"

    def estimate(self, data: MarketData) -> tuple[FloatArray, FloatArray]:
        """Return annual expected returns (n,) and covariance (n, n); raises InputError and MissingDataError."""
        covariance = self.covariance.estimate(data)
        return self.expected_returns.estimate(data, covariance), covariance


def _pairs() -> Mapping[str, Estimator]:
    pairs = [
        Estimator(returns, covariance) for returns in EXPECTED_RETURNS.values() for covariance in COVARIANCES.values()
    ]
    return MappingProxyType({pair.key: pair for pair in pairs})


ESTIMATORS: Final = _pairs()
DEFAULT_ESTIMATOR: Final = ESTIMATORS["mean__ledoit_wolf"]


def estimator(key: str) -> Estimator:
    """Return the estimator of a key such as "mean__ledoit_wolf"; raises UnknownKeyError with the nearest one."""
    return lookup(ESTIMATORS, key, "estimator")
