"""Betas of tickers whose prices follow the market late: the sum over neighbouring days."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import regress


@dataclass(frozen=True)
class DimsonBetas:
    """Summed betas and the Newey-West errors of the sums, each of shape (n_factors, n_tickers); n_obs: dates used."""

    betas: FloatArray
    std_err: FloatArray
    n_obs: int


def dimson_betas(
    excess_returns: FloatArray, factor_returns: FloatArray, *, lags: int = 1, leads: int = 1
) -> DimsonBetas:
    """Return for each factor the sum of the coefficients of its earlier, same-day and later returns (Dimson 1979).

    excess_returns: (n_dates, n_tickers); factor_returns: (n_dates, n_factors); fractions per date, in order of
    time. The first `lags` and the last `leads` dates of the tickers are not used. Raises InputError on a
    missing value, on negative lags or leads, and where there are not more dates than coefficients. NaN when:
    the shifted factors are collinear.
    """
    if min(lags, leads) < 0:
        raise InputError("lags and leads", got=(lags, leads), allowed="whole numbers of dates from 0 up")
    if not (np.isfinite(excess_returns).all() and np.isfinite(factor_returns).all()):
        raise InputError(
            "returns", got="missing values", allowed="dates on which the tickers and all factors are known",
            fix="Leave out the dates that miss one.",
        )  # fmt: skip
    n_dates, n_factors = factor_returns.shape
    n_obs = max(n_dates - lags - leads, 0)
    shifted = np.hstack([factor_returns[start : start + n_obs] for start in range(lags + leads + 1)])
    found = regress(excess_returns[lags : lags + n_obs], shifted)
    summed = np.tile(np.eye(n_factors), lags + leads + 1)
    variance = np.einsum("ki,nij,kj->kn", summed, found.covariance[:, 1:, 1:], summed)
    return DimsonBetas(summed @ found.coefficients[1:], np.sqrt(np.maximum(variance, 0)), n_obs)
