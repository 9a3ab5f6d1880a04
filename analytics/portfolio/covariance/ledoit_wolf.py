"""Ledoit-Wolf shrinkage: the share of noise is estimated from the returns themselves."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.portfolio._checks import complete_returns
from analytics.portfolio.covariance._covariance import Covariance
from analytics.portfolio.covariance._shrinkage import shrunk


def ledoit_wolf(returns: FloatArray) -> FloatArray:
    """Return the annual covariance shrunk towards equal variances without correlation, (n_assets, n_assets).

    returns: simple daily returns (n_sessions, n_assets), fractions, complete. Positive definite even with
    fewer sessions than assets. Raises InputError on missing values or one session. Source: Ledoit and Wolf
    (2004), A well-conditioned estimator for large-dimensional covariance matrices; the divisor is n, as in
    the paper.
    """
    values = complete_returns(returns)
    n_sessions, n_assets = values.shape
    centred = values - values.mean(axis=0)
    covariance = centred.T @ centred / n_sessions
    target = np.trace(covariance) / n_assets
    squares = centred**2
    distance = ((covariance**2).sum() - n_assets * target**2) / n_assets  # d², from the target
    noise = ((squares.T @ squares).sum() / n_sessions - (covariance**2).sum()) / (n_assets * n_sessions)  # b²
    return shrunk(covariance, min(noise, distance) / distance if noise > 0 and distance > 0 else 0.0)


COVARIANCE = Covariance(
    key="ledoit_wolf",
    label="Ledoit-Wolf",
    description="Covariances pulled towards equal and uncorrelated, as far as the sample is noise.",
    reference="Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices",
    estimate=lambda data: ledoit_wolf(data.returns),
)
