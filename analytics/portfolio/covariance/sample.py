"""Sample covariance: every pair as it was."""

import numpy as np

from analytics.conventions import STD_DDOF, TRADING_DAYS, FloatArray
from analytics.portfolio._checks import complete_returns
from analytics.portfolio.covariance._covariance import Covariance


def sample_covariance(returns: FloatArray) -> FloatArray:
    """Return the annual sample covariance (n − 1), shape (n_assets, n_assets), of simple daily returns.

    returns: (n_sessions, n_assets), fractions, complete. Singular with no more sessions than assets. Raises
    InputError on missing values or one session.
    """
    values = complete_returns(returns)
    return TRADING_DAYS * np.cov(values, rowvar=False, ddof=STD_DDOF).reshape(values.shape[1], values.shape[1])


COVARIANCE = Covariance(
    key="sample",
    label="Sample",
    description="Covariances as they were, noise and all; needs many more sessions than assets.",
    reference="Markowitz (1952), Portfolio selection",
    estimate=lambda data: sample_covariance(data.returns),
)
