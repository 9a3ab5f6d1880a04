"""James-Stein shrinkage of the historical means, in Jorion's Bayes-Stein form."""

import numpy as np

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.portfolio._checks import SINGULAR, complete_returns, expected_returns_and_covariance
from analytics.portfolio.expected_returns._expected_returns import ExpectedReturns
from analytics.portfolio.expected_returns.historical_mean import mean_historical


def bayes_stein(returns: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the mean returns pulled towards the minimum-variance portfolio's, annual, (n_assets,).

    returns: simple daily returns (n_sessions, n_assets), fractions, complete. covariance: annual, positive
    definite. The common target is the historical return of the fully invested portfolio of least variance, short
    sales allowed; the shrinkage is (n + 2) / (n + 2 + T d′Σ⁻¹d) with d the distance of the means from it, all
    per session. (James and Stein's own weight is below 0 where the market explains more than half of the
    variance, as it does in a crisis.) Raises InputError on missing values or a covariance that is not positive
    definite. Source: Jorion (1986), Bayes-Stein estimation for portfolio analysis, with the covariance as given.
    """
    mean, sigma = expected_returns_and_covariance(mean_historical(returns), covariance)
    years = len(complete_returns(returns)) / TRADING_DAYS
    eigenvalues = np.linalg.eigvalsh(sigma)
    if eigenvalues[0] <= SINGULAR * eigenvalues[-1]:
        raise InputError(
            "covariance",
            got=f"smallest eigenvalue {eigenvalues[0]:.3g}",
            allowed="a positive definite matrix",
            fix="Shrink it (Ledoit-Wolf), or leave out assets that duplicate others.",
        )
    inverse_sums = np.linalg.solve(sigma, np.ones_like(mean))
    target = inverse_sums @ mean / inverse_sums.sum()
    distance = years * (mean - target) @ np.linalg.solve(sigma, mean - target)
    shrinkage = (len(mean) + 2) / (len(mean) + 2 + distance)
    return (1 - shrinkage) * mean + shrinkage * target


EXPECTED_RETURNS = ExpectedReturns(
    key="james_stein",
    label="James-Stein",
    description="Past mean returns pulled towards one common return, the more the less they differ beyond chance.",
    reference="Jorion (1986), Bayes-Stein estimation for portfolio analysis",
    estimate=lambda data, covariance: bayes_stein(data.returns, covariance),
)
