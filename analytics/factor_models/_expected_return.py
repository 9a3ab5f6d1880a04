"""The annual return that a factor model requires of a ticker, and how uncertain it is."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import MONTHS, FloatArray


@dataclass(frozen=True)
class Premiums:
    """Annual factor premiums, (n_factors,), and the covariance of these means, (n_factors, n_factors)."""

    mean: FloatArray
    covariance: FloatArray


def factor_premiums(factor_returns: FloatArray) -> Premiums:
    """Return annual premiums from monthly factor returns, shape (n_months, n_factors), fractions.

    Months in which a factor is unknown are left out. NaN when: fewer than two months (covariance) or none.
    """
    known = factor_returns[np.isfinite(factor_returns).all(axis=1)]
    n_months, n_factors = known.shape
    if n_months < 2:
        mean = known[0] * MONTHS if n_months else np.full(n_factors, np.nan)
        return Premiums(mean, np.full((n_factors, n_factors), np.nan))
    covariance = np.cov(known, rowvar=False, ddof=1).reshape(n_factors, n_factors)
    return Premiums(MONTHS * known.mean(axis=0), MONTHS**2 * covariance / n_months)


def required_return(
    betas: FloatArray, betas_covariance: FloatArray, premiums: Premiums, *, risk_free_rate: float
) -> tuple[FloatArray, FloatArray]:
    """Return annual required returns and their standard errors, each of shape (n_tickers,), as fractions.

    betas: (n_factors, n_tickers). betas_covariance: (n_tickers, n_factors, n_factors). risk_free_rate:
    annual, taken as known. The error is by the delta method: √(m′ V_β m + β′ V_m β). NaN when: an input is
    NaN.
    """
    required = risk_free_rate + premiums.mean @ betas
    variance = np.einsum("i,tij,j->t", premiums.mean, betas_covariance, premiums.mean)
    variance += np.einsum("it,ij,jt->t", betas, premiums.covariance, betas)
    return required, np.sqrt(variance)
