"""Random long-only portfolios, for the picture beside the frontier."""

import numpy as np

from analytics.conventions import FRONTIER_CLOUD, FRONTIER_SEED, FloatArray
from analytics.portfolio._checks import at_least, expected_returns_and_covariance, finite
from analytics.portfolio.portfolios import Portfolios, evaluate


def random_portfolios(
    expected_returns: FloatArray,
    covariance: FloatArray,
    *,
    risk_free_rate: float,
    count: int = FRONTIER_CLOUD,
    seed: int = FRONTIER_SEED,
) -> Portfolios:
    """Return `count` random fully invested portfolios, the same ones for the same seed.

    expected_returns (n,), covariance (n, n) and risk_free_rate are annual fractions. Weights are Dirichlet
    with a total concentration c drawn log-uniformly from ½ (nearly one asset) to 2n (nearly equal weights):
    uniform weights alone would leave the ends of the picture empty. Raises InputError on missing or malformed
    input.
    """
    mu, sigma = expected_returns_and_covariance(expected_returns, covariance)
    rate, n_assets = finite("risk_free_rate", risk_free_rate), len(mu)
    rng = np.random.default_rng(seed)
    total = np.exp(rng.uniform(np.log(0.5), np.log(2 * n_assets), size=at_least("count", count, 1)))
    gamma = rng.standard_gamma(np.repeat((total / n_assets)[:, None], n_assets, axis=1))
    return evaluate(gamma / gamma.sum(axis=1, keepdims=True), mu, sigma, risk_free_rate=rate)
