"""Oracle approximating shrinkage: Ledoit-Wolf's target, with the weight that normal returns would ask for."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.portfolio._checks import complete_returns
from analytics.portfolio.covariance._covariance import Covariance
from analytics.portfolio.covariance._shrinkage import shrunk


def oas(returns: FloatArray) -> FloatArray:
    """Return the annual covariance shrunk towards equal variances without correlation, (n_assets, n_assets).

    returns: simple daily returns (n_sessions, n_assets), fractions, complete. s = min(1, (tr S² + tr² S) /
    ((T + 1)(tr S² − tr² S / n))), S with divisor T: scikit-learn's form, which leaves out the 2 / n of the
    paper's equation 23. Positive definite even with fewer sessions than assets. Raises InputError on missing
    values or one session. Source: Chen, Wiesel, Eldar and Hero (2010), Shrinkage algorithms for MMSE covariance
    estimation.
    """
    values = complete_returns(returns)
    n_sessions, n_assets = values.shape
    centred = values - values.mean(axis=0)
    covariance = centred.T @ centred / n_sessions
    squares, trace = (covariance**2).sum(), np.trace(covariance)
    distance = (n_sessions + 1) * (squares - trace**2 / n_assets)
    return shrunk(covariance, min(1.0, (squares + trace**2) / distance) if distance > 0 else 1.0)


COVARIANCE = Covariance(
    key="oas",
    label="OAS",
    description="Ledoit-Wolf's shrinkage with the weight that is best for normal returns.",
    reference="Chen, Wiesel, Eldar and Hero (2010), Shrinkage algorithms for MMSE covariance estimation",
    estimate=lambda data: oas(data.returns),
)
