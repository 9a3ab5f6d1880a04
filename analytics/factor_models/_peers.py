"""Which tickers carry nearly the same factor risks."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import InputError, UnknownKeyError

SINGULAR: Final = 1e-10  # a spread below this share of the loadings, or of the widest direction, is rounding


def nearest_loadings(loadings: pd.DataFrame, ticker: str, *, n: int = 5) -> pd.Series:
    """Return the Mahalanobis distances of the n tickers whose loadings are nearest, by ticker, nearest first.

    loadings: tickers × factors. The covariance is that of all tickers with known loadings; where it is
    singular, its pseudo-inverse: directions in which no ticker differs do not count. Tickers with a missing
    loading are left out; empty where it is the ticker's own. Raises UnknownKeyError where the ticker is absent,
    InputError where n is negative.
    """
    if ticker not in loadings.index:
        raise UnknownKeyError("ticker", ticker, map(str, loadings.index))
    if n < 0:
        raise InputError("n", got=n, allowed="a number of tickers from 0 up")
    known = loadings[np.isfinite(loadings.to_numpy(dtype=float)).all(axis=1)]
    if ticker not in known.index or len(known) < 2:
        return pd.Series(dtype=float, name="distance")
    values = known.to_numpy(dtype=float)
    scale = values.std(axis=0, ddof=1)
    scaled = values / np.where(scale > SINGULAR * np.abs(values).max(axis=0), scale, 1.0)
    precision = np.linalg.pinv(np.atleast_2d(np.cov(scaled, rowvar=False)), rcond=SINGULAR, hermitian=True)
    gap = scaled - scaled[known.index.get_loc(ticker)]
    distances = np.sqrt(np.maximum(np.einsum("ti,ij,tj->t", gap, precision, gap), 0))
    found = pd.Series(distances, known.index, name="distance").drop(ticker)
    return found.sort_values(kind="stable").head(n)
