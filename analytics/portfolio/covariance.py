"""Annual covariance of asset returns, estimated from daily returns."""

import numpy as np

from analytics.conventions import STD_DDOF, TRADING_DAYS, FloatArray
from analytics.portfolio._checks import complete_returns


def sample_covariance(returns: FloatArray) -> FloatArray:
    """Return the annual sample covariance (n − 1), shape (n_assets, n_assets), of simple daily returns.

    returns: (n_sessions, n_assets), fractions, complete. Raises InputError on missing values or one session.
    """
    values = complete_returns(returns)
    return TRADING_DAYS * np.cov(values, rowvar=False, ddof=STD_DDOF).reshape(values.shape[1], values.shape[1])


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
    shrinkage = min(noise, distance) / distance if noise > 0 and distance > 0 else 0.0
    return TRADING_DAYS * ((1 - shrinkage) * covariance + shrinkage * target * np.eye(n_assets))
