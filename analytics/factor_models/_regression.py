"""Ordinary least squares of many tickers on the same factors at once, with Newey-West and OLS errors."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import CONFIDENCE, FloatArray
from analytics.errors import InputError


@dataclass(frozen=True)
class Regression:
    """One regression per ticker on the same n_obs rows; the intercept comes first, then the k − 1 factors.

    coefficients, std_err (Newey-West), std_err_ols, t_stat, p_value, low and high (95 % interval): shape (k,
    n_tickers). covariance (Newey-West): shape (n_tickers, k, k). r_squared, adjusted_r_squared and
    residual_vol (per period, divisor n − k): shape (n_tickers,). NaN when: the factors are collinear, or the
    denominator of a ratio is 0.
    """

    n_obs: int
    lags: int
    coefficients: FloatArray
    std_err: FloatArray
    std_err_ols: FloatArray
    t_stat: FloatArray
    p_value: FloatArray
    low: FloatArray
    high: FloatArray
    covariance: FloatArray
    r_squared: FloatArray
    adjusted_r_squared: FloatArray
    residual_vol: FloatArray


def newey_west_lags(n_obs: int) -> int:
    """Return L = floor(4 (n / 100)^(2/9)), the usual rule for the Bartlett kernel (Newey and West 1994)."""
    return int(4 * (n_obs / 100) ** (2 / 9))


def regress(excess_returns: FloatArray, factor_returns: FloatArray) -> Regression:
    """Regress excess returns, shape (n_obs, n_tickers), on factor returns, shape (n_obs, n_factors).

    Both are fractions per period without missing values. Raises InputError where there are not more
    observations than coefficients.
    """
    design = np.column_stack([np.ones(len(factor_returns)), factor_returns])
    n_obs, k = design.shape
    if n_obs <= k:
        raise InputError(
            "observations", got=n_obs, allowed=f"more than the {k} coefficients", fix="Use a longer sample."
        )
    coefficients, bread = _least_squares(design, excess_returns)
    residuals = excess_returns - design @ coefficients
    sum_squares = (residuals**2).sum(axis=0)
    variance = sum_squares / (n_obs - k)
    lags = newey_west_lags(n_obs)
    covariance = bread @ _long_run_scores(design, residuals, lags) @ bread * (n_obs / (n_obs - k))
    std_err = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)).T
    r_squared = 1 - _ratio(sum_squares, ((excess_returns - excess_returns.mean(axis=0)) ** 2).sum(axis=0))
    t_stat = _ratio(coefficients, std_err)
    p_value, critical = _student_t(t_stat, n_obs - k)
    return Regression(
        n_obs, lags, coefficients, std_err, np.sqrt(np.outer(np.diag(bread), variance)), t_stat, p_value,
        coefficients - critical * std_err, coefficients + critical * std_err, covariance,
        r_squared, 1 - (1 - r_squared) * (n_obs - 1) / (n_obs - k), np.sqrt(variance),
    )  # fmt: skip


def _least_squares(design: FloatArray, responses: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients and (X′X)⁻¹ by QR, which does not square the condition number; NaN where rank is short."""
    q, r = np.linalg.qr(design)
    diagonal = np.abs(np.diag(r))
    if not (diagonal > np.finfo(float).eps * len(design) * diagonal.max()).all():
        k = design.shape[1]
        return np.full((k, responses.shape[1]), np.nan), np.full((k, k), np.nan)
    inverse = np.linalg.inv(r)
    return inverse @ (q.T @ responses), inverse @ inverse.T


def _long_run_scores(design: FloatArray, residuals: FloatArray, lags: int) -> FloatArray:
    """Σ_l w_l (Γ_l + Γ_l′) of the scores x_t e_t with Bartlett weights, shape (n_tickers, k, k)."""
    scores = residuals.T[:, :, None] * design
    total = scores.transpose(0, 2, 1) @ scores
    for lag in range(1, lags + 1):
        gamma = scores[:, lag:].transpose(0, 2, 1) @ scores[:, :-lag]
        total += (1 - lag / (lags + 1)) * (gamma + gamma.transpose(0, 2, 1))
    return total


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return numerator / np.where(denominator == 0, np.nan, denominator)


def _student_t(t_stat: FloatArray, degrees: int) -> tuple[FloatArray, float]:
    """Two-sided p values, and the critical value of the confidence interval."""
    from scipy.special import stdtr, stdtrit  # 0.4 s, and the web app never fits a model

    return 2 * stdtr(degrees, -np.abs(t_stat)), float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))
