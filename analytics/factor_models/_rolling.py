"""Alpha and betas of a window that moves with every date, for all tickers at once."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import COLLINEAR


def rolling_betas(excess_returns: FloatArray, factor_returns: FloatArray, window: int) -> tuple[FloatArray, FloatArray]:
    """Return alphas, (n_dates, n_tickers), per date, and betas, (n_dates, n_factors, n_tickers), of OLS over the last `window` dates.

    excess_returns: (n_dates, n_tickers); factor_returns: (n_dates, n_factors); fractions per date. Nothing after
    a date changes its values. Raises InputError where the window has no more dates than coefficients. NaN when:
    the window is not full, a value in it is missing, or its factors are collinear.
    """
    design = np.column_stack([np.ones(len(factor_returns)), factor_returns])
    k = design.shape[1]
    if window <= k:
        raise InputError(
            "window", got=window, allowed=f"more dates than the {k} coefficients", fix="Use a longer window."
        )
    products = _window_products(np.hstack([design, excess_returns]), k, window)
    coefficients = _inverse(products[:, :, :k]) @ products[:, :, k:]
    return coefficients[:, 0], coefficients[:, 1:]


def _window_products(values: FloatArray, k: int, window: int) -> FloatArray:
    """Σ of the first k columns times all columns over the last `window` rows, (n_rows, k, n_columns); NaN in the first rows.

    A window is the end of one block of rows and the beginning of the next. Both are sums of its own rows alone:
    there is no difference of long sums, which would lose digits and carry a NaN on for ever.
    """
    n_rows, n_columns = values.shape
    n_blocks = -(-n_rows // window)
    padded = np.zeros((n_blocks * window, n_columns))
    padded[:n_rows] = values
    sums = np.empty((k, n_blocks, window, n_columns))
    for column, begins in enumerate(sums):
        ends = (padded[:, column, None] * padded).reshape(n_blocks, window, n_columns)
        begins[:, 0] = ends[:, 0]
        for row in range(1, window):  # half the time of cumsum along a middle axis
            np.add(begins[:, row - 1], ends[:, row], out=begins[:, row])
        for row in range(window - 1, 0, -1):
            ends[:, row - 1] += ends[:, row]
        begins[1:, :-1] += ends[:-1, 1:]
    found = sums.reshape(k, -1, n_columns)[:, :n_rows]
    found[:, : window - 1] = np.nan
    return found.transpose(1, 0, 2)


def _inverse(gram: FloatArray) -> FloatArray:
    """Inverses of matrices, (n_dates, k, k); NaN where a value is, or where the columns are collinear."""
    known = np.asarray(np.isfinite(gram).all(axis=(1, 2)))
    gram = np.where(known[:, None, None], gram, np.eye(gram.shape[1]))
    norm = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
    norm = np.where(norm > 0, norm, 1.0)
    norms = norm[:, :, None] * norm[:, None, :]
    values, vectors = np.linalg.eigh(gram / norms)
    values = np.where(known[:, None] & (values[:, :1] > COLLINEAR), values, np.nan)
    return (vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1) / norms
