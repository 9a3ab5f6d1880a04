"""Exponentially weighted covariance: recent sessions count more."""

from typing import Final

import numpy as np

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.portfolio._checks import complete_returns
from analytics.portfolio.covariance._covariance import Covariance

# Sessions: a quarter. RiskMetrics' daily decay of 0.94 halves in 11 and so rests on some 30 sessions, too few for
# the weights of more assets than that; this one rests on 180.
HALF_LIFE: Final = 63


def exponentially_weighted(returns: FloatArray, *, half_life: float = HALF_LIFE) -> FloatArray:
    """Return the annual covariance Σ vₜ rₜ rₜ′ with weights vₜ that halve every half_life sessions, (n, n).

    returns: simple daily returns (n_sessions, n_assets), fractions, complete, the oldest first. The weights add
    up to 1 over the sessions there are, and the mean is taken as 0, as in the source. Singular with fewer
    sessions than assets. Raises InputError on missing values, one session or a half-life that is not positive.
    Source: RiskMetrics (1996), Technical document, fourth edition.
    """
    values = complete_returns(returns)
    if not 0 < half_life < np.inf:
        raise InputError("half_life", got=half_life, allowed="a positive number of sessions")
    weights = 0.5 ** (np.arange(len(values))[::-1] / half_life)
    scaled = values * np.sqrt(weights / weights.sum())[:, None]
    return TRADING_DAYS * (scaled.T @ scaled)


COVARIANCE = Covariance(
    key="exponentially_weighted",
    label="Exponentially weighted",
    description=f"Recent sessions count more: a session's weight halves every {HALF_LIFE} sessions.",
    reference="RiskMetrics (1996), Technical document",
    estimate=lambda data: exponentially_weighted(data.returns),
)
