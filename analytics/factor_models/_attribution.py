"""Where a return and its variance came from: risk-free rate, factors, alpha and what the model does not explain."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError


def return_contributions(returns: FloatArray, parts: FloatArray) -> FloatArray:
    """Return what each part contributed to the compound return of a period, shape (n_parts,); they sum to it exactly.

    returns: (n_periods,), fractions. parts: (n_periods, n_parts), fractions that sum to the return of each period.
    Linked over time by Cariño (1999): part k of period t counts ln(1 + r_t) / r_t over ln(1 + R) / R. Raises
    InputError where the parts do not sum to the returns, or a value is unknown or a loss of everything.
    """
    if not (np.isfinite(returns).all() and np.isfinite(parts).all() and (returns > -1).all()):
        raise InputError("returns", got="unknown values or -100 %", allowed="known returns above -100 %")
    gap = float(np.abs(parts.sum(axis=1) - returns).max(initial=0.0))
    if gap > 1e-9:
        raise InputError("parts", got=f"sums that are off by {gap:g}", allowed="parts that sum to each return")
    total = np.expm1(np.log1p(returns).sum())
    linked: FloatArray = (_log_ratio(returns)[:, None] * parts).sum(axis=0) / _log_ratio(np.array(total))
    return linked


def model_parts(
    returns: FloatArray, factor_returns: FloatArray, risk_free: FloatArray, betas: FloatArray
) -> FloatArray:
    """Split returns into (n_periods, 2 + n_factors): risk-free rate, each β_k x_kt, and the idiosyncratic rest.

    returns and risk_free: (n_periods,); factor_returns: (n_periods, n_factors); betas: (n_factors,). All fractions
    per period; each row sums to its return. Over the sample of a fit the mean of the rest is its alpha.
    """
    explained = factor_returns * betas
    rest = returns - risk_free - explained.sum(axis=1)
    return np.column_stack([risk_free, explained, rest])


def variance_contributions(betas: FloatArray, factor_covariance: FloatArray, residual_variance: float) -> FloatArray:
    """Return the share of the variance that each factor and, last, the residual explain; they sum to 1.

    betas: (n_factors,); factor_covariance: (n_factors, n_factors); residual_variance: of the same period.
    Factor k counts β_k (Σβ)_k, so half of each covariance falls to either side: a share may be negative. NaN
    when: the total is 0.
    """
    parts = np.append(betas * (factor_covariance @ betas), residual_variance)
    total = parts.sum()
    return parts / (total if total > 0 else np.nan)


def _log_ratio(values: FloatArray) -> FloatArray:
    """ln(1 + x) / x, and 1 at 0."""
    safe = np.where(values == 0, 1.0, values)
    return np.where(values == 0, 1.0, np.log1p(safe) / safe)
