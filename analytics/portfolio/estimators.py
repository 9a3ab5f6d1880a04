"""How expected returns and covariance are estimated from daily returns: named pairs of the two."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from analytics.conventions import FloatArray
from analytics.portfolio.covariance import ledoit_wolf
from analytics.portfolio.expected_returns import mean_historical

Estimate = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Estimator:
    """One way from simple daily returns (n_sessions, n_assets) to annual expected returns and covariance."""

    key: str
    label: str
    description: str
    expected_returns: Estimate
    covariance: Estimate
    reference: str


DEFAULT_ESTIMATOR: Final = Estimator(
    key="mean__ledoit_wolf",
    label="Historical mean, Ledoit-Wolf covariance",
    description="Past mean returns as they are; covariances pulled towards equal and uncorrelated.",
    expected_returns=mean_historical,
    covariance=ledoit_wolf,
    reference="Ledoit and Wolf (2004)",
)
ESTIMATORS: Final = MappingProxyType({estimator.key: estimator for estimator in (DEFAULT_ESTIMATOR,)})
