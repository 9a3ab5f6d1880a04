"""Whether a regression held over its whole sample: tests of a break at an unknown date."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import COLLINEAR, NO_RESIDUAL, regress

TRIM: Final = 0.15  # share of the dates at either end that no break is looked for in, as Andrews proposes
CELLS: Final = 100  # of the numerical limit law: its p values are right to about 1 % of themselves
STATISTICS: Final = np.linspace(0.5, 9.5, 120) ** 2  # where the law is computed; log p is nearly straight between
LEAST_P: Final = 1e-9  # smaller p values are lost in rounding


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


def sup_f(
    excess_returns: FloatArray, factor_returns: FloatArray, trim: float = TRIM, *, betas_alone: bool = False
) -> tuple[FloatArray, npt.NDArray[np.intp], FloatArray]:
    """Return the largest Chow statistic, the position of the first date after that break, and its p value.

    Each of shape (n_tickers,). excess_returns: (n_obs, n_tickers); factor_returns: (n_obs, n_factors), in order
    of time, without missing factors. Tested is a break of intercept and slopes, or of the slopes alone, at every
    date that leaves at least the share `trim` on each side (Andrews 1993); the p value is that of the limit for
    many dates, at least LEAST_P. Raises InputError on another trim than 0 to ½, on missing factors and where a
    side has no more dates than coefficients. Infinite where the fit is exact but for a break; NaN when: a return is
    missing, the factors are collinear, or the fit is exact.
    """
    n_obs, q = len(factor_returns), factor_returns.shape[1] + 1
    if not 0 < trim < 0.5:
        raise InputError("trim", got=trim, allowed="a share of the dates between 0 and 0.5")
    if not np.isfinite(factor_returns).all():
        raise InputError("factor_returns", got="missing values", allowed="known ones", fix="Leave these dates out.")
    if _first_break(n_obs, trim) <= q:
        raise InputError(
            "observations", got=n_obs, allowed=f"more than the {q} coefficients on each side of a break",
            fix="Use a longer sample, or a larger trim.",
        )  # fmt: skip
    residuals = regress(excess_returns, factor_returns).residuals.T
    return largest_chow(residuals, np.column_stack([np.ones(n_obs), factor_returns]), trim, betas_alone=betas_alone)


def largest_chow(
    residuals: FloatArray, design: FloatArray, trim: float = TRIM, *, betas_alone: bool = False
) -> tuple[FloatArray, npt.NDArray[np.intp], FloatArray]:
    """Return what sup_f returns, of residuals (n_obs, n_tickers) on a design (n_obs, q) of which a side has enough dates."""
    n_obs, q = design.shape
    first = _first_break(n_obs, trim)
    tested = slice(first - 1, n_obs - first)  # the last date before the break
    breaking = design[:, 1:] if betas_alone else design
    gains = _gains(residuals, design, breaking, tested)
    best = np.where(np.isnan(gains), -1.0, gains).argmax(axis=0)
    gain, unexplained = gains[best, np.arange(gains.shape[1])], (residuals**2).sum(axis=0)
    left = unexplained - gain
    ratio = np.divide(gain, left, out=np.full_like(gain, np.inf), where=~(left <= NO_RESIDUAL * unexplained))
    statistic = np.where(unexplained > 0, (n_obs - q - breaking.shape[1]) * ratio, np.nan)
    return statistic, best + first, np.exp(np.interp(statistic, STATISTICS, _log_p(breaking.shape[1], trim)))


def _first_break(n_obs: int, trim: float) -> int:
    """The fewest dates before a break."""
    return int(np.ceil(trim * n_obs - 1e-9))


def _gains(residuals: FloatArray, design: FloatArray, breaking: FloatArray, tested: slice) -> FloatArray:
    """By how much a break of the `breaking` columns after each tested date lowers the sum of squares, (n_tested, n_tickers).

    With an orthonormal basis x of the design and z_t the breaking columns, all sums up to the date: s = Σ z_t e_t, what
    of z the design does not explain is A = Σ z_t z_t′ − (Σ z_t x_t′)(Σ x_t z_t′), and the gain is s′ A⁻¹ s. NaN where
    A is singular, that is where the factors of a side are collinear.
    """
    basis = np.linalg.qr(design)[0]
    z = breaking / np.linalg.norm(breaking, axis=0).clip(1e-300)
    if breaking.shape == design.shape:
        z = basis  # the same space, and better conditioned
    of_basis = (z[:, :, None] * basis[:, None, :]).cumsum(axis=0)[tested]
    own = (z[:, :, None] * z[:, None, :]).cumsum(axis=0)[tested]
    values, vectors = np.linalg.eigh(own - of_basis @ of_basis.transpose(0, 2, 1))
    weights = 1 / np.where(values > COLLINEAR, values, np.nan)
    scores = np.stack([(column[:, None] * residuals).cumsum(axis=0)[tested] for column in z.T], axis=1)
    return np.einsum("tq,tqn->tn", weights, (vectors.transpose(0, 2, 1) @ scores) ** 2)


@lru_cache(maxsize=32)
def _log_p(q: int, trim: float) -> FloatArray:
    """Log p values of STATISTICS: how likely the limit exceeds each.

    The limit is the maximum of |B_s|² / (s (1 − s)), B a Brownian bridge in q dimensions, over trim ≤ s ≤ 1 −
    trim. In the time ½ ln(s / (1 − s)) that is the squared distance from 0 of q stationary Ornstein-Uhlenbeck
    processes, so p = 1 − the share that has not reached √statistic after ln((1 − trim) / trim).
    """
    exceeded = [1 - _unreached(np.sqrt(statistic), q, np.log((1 - trim) / trim)) for statistic in STATISTICS]
    return np.log(np.clip(exceeded, LEAST_P, 1.0))


def _unreached(bound: float, q: int, duration: float) -> float:
    """The share of processes whose distance stays below `bound`: finite volumes of the backward equation."""
    from scipy.linalg import eigh_tridiagonal  # 0.4 s, and the web app never fits a model
    from scipy.special import gammainc

    edges, step = np.linspace(0, bound, CELLS + 1, retstep=True)
    centres, start = edges[1:] - step / 2, np.diff(gammainc(q / 2, edges**2 / 2))
    size = centres ** (q - 1) * np.exp(-(centres**2) / 2) * step
    flow = edges ** (q - 1) * np.exp(-(edges**2) / 2) / step
    flow[0], flow[-1] = 0.0, 2 * flow[-1]  # nothing passes 0; who reaches the bound, half a step away, is out
    rates, modes = eigh_tridiagonal(-(flow[:-1] + flow[1:]) / size, flow[1:-1] / np.sqrt(size[:-1] * size[1:]))
    return float((start / np.sqrt(size)) @ modes @ (np.exp(rates * duration) * (np.sqrt(size) @ modes)))
