"""Whether a regression held over its whole sample: tests of a break at an unknown date."""

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray


def cusum(residuals: FloatArray) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Return the p value of the largest |CUSUM| of OLS residuals and its position, each of shape (n_tickers,).

    residuals: (n_obs, n_tickers), in order of time (Ploberger and Krämer 1992). NaN when: a residual is NaN,
    or all are 0.
    """
    from scipy.special import kolmogorov  # 0.4 s, and the web app never fits a model

    scale = np.sqrt((residuals**2).sum(axis=0))
    path = np.abs(residuals.cumsum(axis=0) / np.where(scale > 0, scale, np.nan))
    position = np.where(np.isnan(path), -1.0, path).argmax(axis=0)
    return np.asarray(kolmogorov(path[position, np.arange(path.shape[1])])), position
