"""Shrinkage towards equal variances without correlation."""

import numpy as np

from analytics.conventions import TRADING_DAYS, FloatArray


def shrunk(covariance: FloatArray, shrinkage: float) -> FloatArray:
    """Return (1 − s) S + s (tr S / n) I, annual, (n, n), of a daily covariance S and s in [0, 1]."""
    n_assets = len(covariance)
    target = np.trace(covariance) / n_assets
    return TRADING_DAYS * ((1 - shrinkage) * covariance + shrinkage * target * np.eye(n_assets))
