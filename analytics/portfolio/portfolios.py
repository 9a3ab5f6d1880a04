"""Return, volatility and Sharpe ratio of given portfolios."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray

NO_CASH = 1e-9  # weights that add up to 1 but for rounding
NO_RISK = 1e-9  # of the assets' own volatility: what rounding leaves of a portfolio of cash


@dataclass(frozen=True)
class Portfolios:
    """Portfolios and what they promise a year: weights (n_rows, n_assets), the rest (n_rows,), fractions."""

    weights: FloatArray
    expected_return: FloatArray
    volatility: FloatArray
    sharpe_ratio: FloatArray


def evaluate(
    weights: npt.ArrayLike,
    expected_returns: FloatArray,
    covariance: FloatArray,
    *,
    risk_free_rate: float,
    product: FloatArray | None = None,
) -> Portfolios:
    """Return what portfolios promise; weights (n_portfolios, n_assets) or one portfolio (n_assets,).

    expected_returns (n_assets,), covariance (n_assets, n_assets) and risk_free_rate are annual fractions. What is
    not invested (1 − Σw) earns the risk-free rate. product: weights times the covariance, where it is known already.
    sharpe_ratio NaN when: the volatility is 0 or the rate unknown.
    """
    rows = np.atleast_2d(np.asarray(weights, dtype=float))
    cash = 1 - rows.sum(axis=1)
    # Below rounding there is no cash, and an unknown rate need not be known.
    expected_return = rows @ expected_returns + np.where(np.abs(cash) > NO_CASH, cash * risk_free_rate, 0.0)
    variance = ((rows @ covariance if product is None else product) * rows).sum(axis=1)
    volatility = np.sqrt(np.maximum(variance, 0))
    still = volatility <= NO_RISK * np.sqrt(np.diag(covariance).mean())
    sharpe_ratio = (expected_return - risk_free_rate) / np.where(still, np.nan, volatility)
    return Portfolios(rows, expected_return, volatility, sharpe_ratio)
