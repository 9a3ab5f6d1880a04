"""Whether all alphas of a universe are zero together: one test instead of a search for the largest."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import COLLINEAR, NO_RESIDUAL


@dataclass(frozen=True)
class JointTest:
    """The GRS statistic, its p value, and what it was made from; mean_abs_alpha per period, a fraction."""

    statistic: float
    p_value: float
    n_obs: int
    n_tickers: int
    n_factors: int
    mean_abs_alpha: float


def grs_test(excess_returns: FloatArray, factor_returns: FloatArray) -> JointTest:
    """Test that the alphas of all tickers are 0 (Gibbons, Ross and Shanken 1989), exact for normal residuals.

    F = (T − N − K) / N · α′Σ⁻¹α / (1 + μ′Ω⁻¹μ) with N and T − N − K degrees of freedom; Σ: residual covariance, μ
    and Ω: mean and covariance of the factors, all with divisor T. excess_returns: (T, N) and factor_returns:
    (T, K), fractions per period on the same dates. Raises InputError where a value is missing, where T ≤ N + K,
    and where the residuals or the factors are collinear, as with a repeated ticker, or an exact fit.
    """
    from scipy.special import fdtrc  # 0.4 s, and the web app never tests a universe

    (n_obs, n_tickers), n_factors = excess_returns.shape, factor_returns.shape[1]
    if not (np.isfinite(excess_returns).all() and np.isfinite(factor_returns).all()):
        raise InputError("returns", got="missing values", allowed="a sample that all tickers and factors share")
    degrees = n_obs - n_tickers - n_factors
    if n_tickers == 0 or degrees <= 0:
        raise InputError(
            "common sample", got=f"{n_obs} observations of {n_tickers} tickers and {n_factors} factors",
            allowed="more observations than tickers and factors together, of at least one ticker",
            fix="Choose a longer window or fewer tickers.",
        )  # fmt: skip
    design = np.column_stack([np.ones(n_obs), factor_returns])
    _check_rank("factors", design, least=0.0)
    coefficients = np.linalg.lstsq(design, excess_returns, rcond=None)[0]
    residuals, alphas = excess_returns - design @ coefficients, coefficients[0]
    _check_rank("residuals", residuals, least=NO_RESIDUAL * np.linalg.norm(excess_returns, axis=0))
    mean = factor_returns.mean(axis=0)
    omega = np.cov(factor_returns, rowvar=False, ddof=0).reshape(n_factors, n_factors)
    ratio = (
        alphas @ np.linalg.solve(residuals.T @ residuals / n_obs, alphas) / (1 + mean @ np.linalg.solve(omega, mean))
    )
    statistic = float(degrees / n_tickers * ratio)
    p_value = float(fdtrc(n_tickers, degrees, statistic))
    return JointTest(statistic, p_value, n_obs, n_tickers, n_factors, float(np.abs(alphas).mean()))


def _check_rank(field: str, values: FloatArray, *, least: FloatArray | float) -> None:
    """Refuse columns of which one is no longer than `least`, or a combination of the others."""
    size = np.linalg.norm(values, axis=0)
    if not (size > least).all() or np.linalg.matrix_rank(values / size, tol=COLLINEAR**0.5) < values.shape[1]:
        raise InputError(
            field, got="columns that determine each other", allowed="independent ones",
            fix="Leave out the ticker or factor that repeats another.",
        )  # fmt: skip
