"""What the residuals of a regression say about its assumptions; batched over tickers."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import FloatArray
from analytics.factor_models._regression import Regression


@dataclass(frozen=True)
class Diagnostics:
    """One value per regression, shape (n_regressions,). NaN when: the residuals are all 0 or unknown.

    durbin_watson: 2 (1 − first autocorrelation), about. jarque_bera_p: p value of normal residuals.
    breusch_pagan_p: p value of a variance that does not depend on the factors.
    """

    durbin_watson: FloatArray
    jarque_bera_p: FloatArray
    breusch_pagan_p: FloatArray


def diagnose(regression: Regression) -> Diagnostics:
    """Return the diagnostics of every regression; NaN where the residuals are all 0 or unknown."""
    return Diagnostics(durbin_watson(regression), jarque_bera_p(regression), breusch_pagan_p(regression))


def durbin_watson(regression: Regression) -> FloatArray:
    """Return Σ (e_t − e_{t−1})² / Σ e_t² (Durbin and Watson 1950), shape (n_regressions,)."""
    residuals, spans = regression.residuals, regression.spans
    rows, squares = np.arange(len(residuals)), (residuals**2).sum(axis=1)
    ends = residuals[rows, spans.start] ** 2 + residuals[rows, spans.stop - 1] ** 2
    crossed = np.einsum("rt,rt->r", residuals[:, 1:], residuals[:, :-1])
    return (2 * squares - ends - 2 * crossed) / _known(squares)


def jarque_bera_p(regression: Regression) -> FloatArray:
    """Return P(χ²(2) > n/6 (skewness² + (kurtosis − 3)² / 4)) (Jarque and Bera 1980), shape (n_regressions,)."""
    squared, n_obs = regression.residuals**2, regression.n_obs
    variance = _known(squared.sum(axis=1)) / n_obs
    skewness = np.einsum("rt,rt->r", squared, regression.residuals) / n_obs / variance**1.5
    kurtosis = np.einsum("rt,rt->r", squared, squared) / n_obs / variance**2
    return np.exp(-n_obs / 12 * (skewness**2 + (kurtosis - 3) ** 2 / 4))


def breusch_pagan_p(regression: Regression) -> FloatArray:
    """Return P(χ²(k − 1) > n R²) of e² on the factors (Breusch and Pagan 1979, Koenker 1981), shape (n_regressions,).

    NaN also where the squared residuals do not vary.
    """
    from scipy.special import chdtrc  # 0.4 s, and the web app never fits a model

    n_obs, design = regression.n_obs, regression.design
    squared = regression.residuals**2
    mean = _known(squared.sum(axis=1)) / n_obs
    deviations = (squared - mean[:, None]) * regression.spans.mask(len(design))
    total = (deviations**2).sum(axis=1)
    moments = deviations @ design
    explained = np.einsum("ri,rij,rj->r", moments, regression.bread, moments)
    return np.asarray(chdtrc(design.shape[1] - 1, n_obs * np.maximum(explained, 0) / _known(total)))


def _known(squares: FloatArray) -> FloatArray:
    return np.where(squares > 0, squares, np.nan)
