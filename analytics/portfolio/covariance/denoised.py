"""Denoised covariance: correlations that chance alone would show are averaged away."""

import numpy as np

from analytics.conventions import STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.portfolio._checks import SINGULAR, complete_returns
from analytics.portfolio.covariance._covariance import Covariance


def denoised(returns: FloatArray) -> FloatArray:
    """Return the annual covariance with the noise among the eigenvalues made constant, (n_assets, n_assets).

    returns: simple daily returns (n_sessions, n_assets), fractions, complete. Eigenvalues of the correlation
    matrix up to (1 + √(n / T))², the largest that uncorrelated returns would show (Marchenko and Pastur), become
    their mean; the diagonal is then set back to 1, the sample variances stay. (López de Prado fits the noise's
    variance instead of taking 1; on few assets that fit hangs on its smoothing.) Positive definite, even with
    fewer sessions than assets. Raises InputError on missing values, one session or an asset that never moves.
    Source: Laloux et al. (1999), Noise dressing of financial correlation matrices; López de Prado (2020),
    Machine learning for asset managers, section 2.5.1.
    """
    values = complete_returns(returns)
    n_sessions, n_assets = values.shape
    centred = values - values.mean(axis=0)
    volatility = centred.std(axis=0, ddof=STD_DDOF)
    if (volatility <= SINGULAR * np.abs(values).max(axis=0)).any():  # a constant's deviations are rounding
        raise InputError("returns", got="an asset that never moves", allowed="returns that vary", fix="Leave it out.")
    scaled = centred / volatility
    eigenvalues, vectors = np.linalg.eigh(scaled.T @ scaled / (n_sessions - STD_DDOF))
    noise = eigenvalues <= (1 + np.sqrt(n_assets / n_sessions)) ** 2
    if noise.any():
        eigenvalues[noise] = eigenvalues[noise].mean()
    roots = vectors * np.sqrt(eigenvalues)
    roots *= (volatility / np.sqrt((roots**2).sum(axis=1)))[:, None]
    return TRADING_DAYS * (roots @ roots.T)


COVARIANCE = Covariance(
    key="denoised",
    label="Denoised",
    description="Keeps the common movements that chance cannot explain and averages the rest.",
    reference="López de Prado (2020), Machine learning for asset managers; Laloux et al. (1999)",
    estimate=lambda data: denoised(data.returns),
)
