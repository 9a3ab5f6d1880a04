"""Ordinary least squares of many tickers on the same factors at once, with Newey-West and OLS errors.

Each regression may use its own stretch of the rows, so that late listings and every month end share one solve.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import CONFIDENCE, FloatArray
from analytics.errors import InputError

IntArray = npt.NDArray[np.intp]
COLLINEAR: Final = 1e-12  # least eigenvalue of the scaled X′X (its trace is k) below which its inverse is noise
NO_RESIDUAL: Final = 1e-12  # residuals below this share of the response are rounding: the fit is exact


@dataclass(frozen=True)
class Spans:
    """The rows start ≤ row < stop that each regression uses; both of shape (n_regressions,)."""

    start: IntArray
    stop: IntArray

    @property
    def n_obs(self) -> IntArray:
        return self.stop - self.start

    def mask(self, n_rows: int) -> FloatArray:
        """Return 1 inside and 0 outside, shape (n_regressions, n_rows)."""
        rows = np.arange(n_rows)
        return ((rows >= self.start[:, None]) & (rows < self.stop[:, None])).astype(float)


@dataclass(frozen=True)
class Regression:
    """One regression per column of the responses; the intercept comes first, then the k − 1 factors.

    n_obs, lags: shape (n_regressions,). coefficients, std_err (Newey-West), std_err_ols, t_stat, p_value, low
    and high (95 % interval): shape (k, n_regressions). covariance (Newey-West) and bread, (X′X)⁻¹: shape
    (n_regressions, k, k). r_squared, adjusted_r_squared, bic and residual_vol (per period, divisor n − k):
    shape (n_regressions,). residuals: shape (n_regressions, n_rows), 0 outside the span; design: (n_rows, k).
    NaN when: the factors are collinear in the span, or the denominator of a ratio is 0; where the fit is
    exact the residuals are 0, and t, p and bic NaN.
    """

    spans: Spans
    lags: IntArray
    design: FloatArray
    residuals: FloatArray
    bread: FloatArray
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
    bic: FloatArray
    residual_vol: FloatArray

    @property
    def n_obs(self) -> IntArray:
        return self.spans.n_obs


def newey_west_lags(n_obs: npt.ArrayLike) -> IntArray:
    """Return L = floor(4 (n / 100)^(2/9)), the usual rule for the Bartlett kernel (Newey and West 1994)."""
    return np.floor(4 * (np.asarray(n_obs) / 100) ** (2 / 9)).astype(np.intp)


def regress(excess_returns: FloatArray, factor_returns: FloatArray, spans: Spans | None = None) -> Regression:
    """Regress excess returns, shape (n_rows, n_regressions), on factor returns, shape (n_rows, n_factors).

    Both are fractions per period without missing values inside the spans (all rows where None). Raises
    InputError where there are not more observations than coefficients.
    """
    design = np.column_stack([np.ones(len(factor_returns)), factor_returns])
    (n_rows, k), n_regressions = design.shape, excess_returns.shape[1]
    if spans is None:
        spans = Spans(np.zeros(n_regressions, np.intp), np.full(n_regressions, n_rows))
    n_obs = spans.n_obs
    if n_regressions and (fewest := int(n_obs.min())) <= k:
        raise InputError(
            "observations", got=fewest, allowed=f"more than the {k} coefficients", fix="Use a longer sample."
        )
    inside = spans.mask(n_rows)
    responses = np.where(inside > 0, excess_returns.T, 0.0)
    bread = _inverse_gram(design, spans)
    coefficients, residuals = _solve(design, responses, inside, bread)
    sum_squares = (residuals**2).sum(axis=1)
    lags, degrees = newey_west_lags(n_obs), n_obs - k
    correction = (n_obs / degrees)[:, None, None]
    covariance = bread @ _long_run_scores(design, residuals, lags) @ bread * correction
    std_err = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0)).T
    t_stat, variance = _ratio(coefficients, std_err), sum_squares / degrees
    p_value, critical = _student_t(t_stat, degrees)
    r_squared = 1 - _ratio(sum_squares, _total_squares(responses, inside, n_obs))
    return Regression(
        spans, lags, design, residuals, bread, coefficients, std_err,
        np.sqrt(np.diagonal(bread, axis1=1, axis2=2).T * variance), t_stat, p_value,
        coefficients - critical * std_err, coefficients + critical * std_err, covariance,
        r_squared, 1 - (1 - r_squared) * (n_obs - 1) / degrees,
        _information_criterion(sum_squares, n_obs, k), np.sqrt(variance),
    )  # fmt: skip


def _inverse_gram(design: FloatArray, spans: Spans) -> FloatArray:
    """(X′X)⁻¹ of every span, shape (n_regressions, k, k); NaN where the columns are collinear in it."""
    k = design.shape[1]
    distinct, which = np.unique(np.stack([spans.start, spans.stop]), axis=1, return_inverse=True)
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), k * k)
    gram = (Spans(*distinct).mask(len(design)) @ products).reshape(-1, k, k)
    norm = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
    norm = np.where(norm > 0, norm, 1.0)
    norms = norm[:, :, None] * norm[:, None, :]
    values, vectors = np.linalg.eigh(gram / norms)
    values = np.where(values[:, :1] > COLLINEAR, values, np.nan)
    inverse: FloatArray = (vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1) / norms
    return inverse[which]


def _solve(
    design: FloatArray, responses: FloatArray, inside: FloatArray, bread: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Coefficients (k, n_regressions) and residuals, refined once because X′X squares the condition number."""
    coefficients = np.einsum("rij,rj->ri", bread, responses @ design)
    residuals = (responses - coefficients @ design.T) * inside
    coefficients += np.einsum("rij,rj->ri", bread, residuals @ design)
    residuals = (responses - coefficients @ design.T) * inside
    size, allowed = (residuals**2).sum(axis=1), NO_RESIDUAL**2 * (responses**2).sum(axis=1)
    residuals[size <= allowed] = 0.0
    return coefficients.T, residuals


def _long_run_scores(design: FloatArray, residuals: FloatArray, lags: IntArray) -> FloatArray:
    """Σ_l w_l (Γ_l + Γ_l′) of the scores x_t e_t with Bartlett weights, shape (n_regressions, k, k)."""
    n_rows, k = design.shape
    total = np.zeros((len(residuals), k, k))
    for lag in range(int(lags.max(initial=0)) + 1):
        crossed = (design[lag:, :, None] * design[: n_rows - lag, None, :]).reshape(-1, k * k)
        gamma = ((residuals[:, lag:] * residuals[:, : n_rows - lag]) @ crossed).reshape(-1, k, k)
        if lag:
            weight = np.maximum(1 - lag / (lags + 1), 0)[:, None, None]
            gamma = weight * (gamma + gamma.transpose(0, 2, 1))
        total += gamma
    return total


def _total_squares(responses: FloatArray, inside: FloatArray, n_obs: IntArray) -> FloatArray:
    """Σ (y − ȳ)², 0 where what is left is rounding."""
    deviations = (responses - (responses.sum(axis=1) / n_obs)[:, None]) * inside
    total = (deviations**2).sum(axis=1)
    return np.where(total <= NO_RESIDUAL**2 * (responses**2).sum(axis=1), 0.0, total)


def _information_criterion(sum_squares: FloatArray, n_obs: IntArray, k: int) -> FloatArray:
    """Schwarz's BIC of the Gaussian likelihood, k coefficients."""
    per_obs = np.where(sum_squares > 0, sum_squares, np.nan) / n_obs
    return n_obs * (np.log(2 * np.pi * per_obs) + 1) + k * np.log(n_obs)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return numerator / np.where(denominator == 0, np.nan, denominator)


def _student_t(t_stat: FloatArray, degrees: IntArray) -> tuple[FloatArray, FloatArray]:
    """Two-sided p values, and the critical value of each confidence interval."""
    from scipy.special import stdtr, stdtrit  # 0.4 s, and the web app never fits a model

    distinct, which = np.unique(degrees, return_inverse=True)
    return 2 * stdtr(degrees, -np.abs(t_stat)), stdtrit(distinct, 0.5 + CONFIDENCE / 2)[which]
