"""Return, volatility and Sharpe ratio of given portfolios."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray


@dataclass(frozen=True)
class Portfolios:
    """Portfolios and what they promise a year: weights (n_rows, n_assets), the rest (n_rows,), fractions."""

    weights: FloatArray
    expected_return: FloatArray
    volatility: FloatArray
    sharpe_ratio: FloatArray


def evaluate(
    weights: npt.ArrayLike, expected_returns: FloatArray, covariance: FloatArray, *, risk_free_rate: float
) -> Portfolios:
    """Return what portfolios promise; weights (n_portfolios, n_assets) or one portfolio (n_assets,).

    expected_returns (n_assets,), covariance (n_assets, n_assets) and risk_free_rate are annual fractions.
    sharpe_ratio NaN when: the volatility is 0 or the rate unknown.
    """
    rows = np.atleast_2d(np.asarray(weights, dtype=float))
    expected_return = rows @ expected_returns
    volatility = np.sqrt(np.maximum((rows @ covariance * rows).sum(axis=1), 0))
    sharpe_ratio = (expected_return - risk_free_rate) / np.where(volatility == 0, np.nan, volatility)
    return Portfolios(rows, expected_return, volatility, sharpe_ratio)
