"""Checks of what the estimators and the frontier are given."""

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray
from analytics.errors import InputError

SINGULAR = 1e-12  # smallest over largest eigenvalue below which a covariance counts as singular


def complete_returns(returns: npt.ArrayLike) -> FloatArray:
    """Return complete daily returns as an array of shape (n_sessions, n_assets); raises InputError."""
    values = np.asarray(returns, dtype=float)
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1:
        raise InputError("returns", got=f"shape {values.shape}", allowed="two or more sessions × one or more assets")
    if not np.isfinite(values).all():
        missing = int((~np.isfinite(values)).sum())
        raise InputError(
            "returns",
            got=f"{missing} missing values",
            allowed="complete returns",
            fix="Leave those assets out.",
        )
    return values


def expected_returns_and_covariance(
    expected_returns: npt.ArrayLike, covariance: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return arrays of shapes (n,) and (n, n), the second symmetric; raises InputError."""
    mu, sigma = np.asarray(expected_returns, dtype=float), np.asarray(covariance, dtype=float)
    if mu.ndim != 1 or not len(mu) or not np.isfinite(mu).all():
        raise InputError("expected_returns", got=mu.tolist(), allowed="one finite number per asset, at least one")
    n = len(mu)
    if sigma.shape != (n, n) or not np.isfinite(sigma).all():
        missing = int((~np.isfinite(sigma)).sum())
        got = f"shape {sigma.shape}, {missing} missing values"
        raise InputError("covariance", got=got, allowed=f"a complete {n} × {n} matrix")
    if not (np.array_equal(sigma, sigma.T) or np.allclose(sigma, sigma.T, rtol=1e-9, atol=0)):
        raise InputError("covariance", got="an asymmetric matrix", allowed="a symmetric one")
    return mu, sigma


def finite(field: str, value: float) -> float:
    """Return a finite number; raises InputError."""
    if not np.isfinite(value):
        raise InputError(field, got=value, allowed="a finite number")
    return float(value)


def at_least(field: str, value: int, minimum: int) -> int:
    """Return a whole number that is large enough; raises InputError."""
    if value != int(value) or value < minimum:
        raise InputError(field, got=value, allowed=f"a whole number from {minimum} on")
    return int(value)
