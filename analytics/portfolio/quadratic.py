"""One exact quadratic programme over the weights that limits allow."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.portfolio._parametric import corners_of, positive_definite
from analytics.portfolio.limits import FeasibleSet


def minimise_quadratic(matrix: FloatArray, linear: FloatArray, feasible: FeasibleSet) -> FloatArray:
    """Return the weights (n,) of least ½ w′Mw − linear′w in the feasible set.

    matrix (n, n): symmetric and positive semidefinite; singular ones get a ridge of 1e-7 of their mean diagonal.
    Counts of positions and least positions are not looked at. Raises NoPortfolioError where no weights obey the
    limits, InputError where the matrix is indefinite.
    """
    zero = np.zeros(len(linear))
    return corners_of(zero, positive_definite(matrix), feasible, linear=-np.asarray(linear, dtype=float)).weights[0]
