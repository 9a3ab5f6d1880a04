"""Factor-model covariance: assets move together through the factors alone."""

import numpy as np

from analytics.conventions import MIN_FACTOR_SESSIONS, STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import MissingDataError
from analytics.portfolio._checks import complete_returns
from analytics.portfolio.covariance._covariance import Covariance
from analytics.portfolio.market_data import MarketData


def factor_model_covariance(returns: FloatArray, factor_returns: FloatArray) -> FloatArray:
    """Return the annual covariance B Σ_f B′ + D, (n_assets, n_assets).

    returns: simple daily returns (n_sessions, n_assets), fractions, complete. factor_returns: (n_sessions,
    n_factors); sessions in which one is unknown are left out, of the returns too. B are least-squares loadings
    beside an intercept, Σ_f the factors' sample covariance, D the residual variances (divisor: sessions less
    coefficients), whose correlations are taken as 0. Positive definite unless the factors explain an asset
    wholly. Raises InputError on missing returns, MissingDataError on fewer than 252 known sessions. Source:
    Connor, Goldberg and Korajczyk (2010), Portfolio risk analysis, chapter 3.
    """
    known = np.isfinite(factor_returns).all(axis=1)
    if known.sum() < MIN_FACTOR_SESSIONS:
        raise MissingDataError(
            f"The factor-model covariance needs {MIN_FACTOR_SESSIONS} sessions with factor returns; "
            f"{known.sum()} are known."
        )
    values, factors = complete_returns(returns)[known], factor_returns[known]
    centred, moves = values - values.mean(axis=0), factors - factors.mean(axis=0)
    loadings, _, rank, _ = np.linalg.lstsq(moves, centred)
    residuals = centred - moves @ loadings
    # Σ_f is the product of the centred factors with themselves, so that B Σ_f B′ comes out symmetric to the bit.
    explained = moves @ loadings / np.sqrt(len(moves) - STD_DDOF)
    specific = (residuals**2).sum(axis=0) / (len(moves) - 1 - rank)
    return TRADING_DAYS * (explained.T @ explained + np.diag(specific))


def _estimate(data: MarketData) -> FloatArray:
    if data.factor_returns is None:
        raise MissingDataError("The factor-model covariance needs daily factor returns, and none are stored.")
    return factor_model_covariance(data.returns, data.factor_returns)


COVARIANCE = Covariance(
    key="factor_model",
    label="Factor model",
    description="Assets move together through the Fama-French factors alone; the rest of each is its own.",
    reference="Sharpe (1963), A simplified model for portfolio analysis; Connor, Goldberg and Korajczyk (2010)",
    estimate=_estimate,
)
