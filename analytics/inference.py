"""Intervals of estimates from their standard errors."""

import numpy as np
import numpy.typing as npt

from analytics.conventions import CONFIDENCE, FloatArray


def t_interval(
    estimate: npt.ArrayLike, std_err: npt.ArrayLike, *, degrees: npt.ArrayLike, confidence: float = CONFIDENCE
) -> tuple[FloatArray, FloatArray]:
    """Return the two-sided interval (low, high) of Student's t with `degrees` of freedom; arrays broadcast.

    NaN when: the estimate or its standard error is NaN, or there is no degree of freedom.
    """
    from scipy.special import stdtrit  # half a second that the start of the app need not wait for

    half = stdtrit(np.asarray(degrees, dtype=float), 0.5 + confidence / 2) * np.asarray(std_err, dtype=float)
    centre = np.asarray(estimate, dtype=float)
    return centre - half, centre + half


def two_sided_p(t_stat: npt.ArrayLike, *, degrees: npt.ArrayLike) -> FloatArray:
    """Return P(|t| as large or larger) of Student's t with `degrees` of freedom; arrays broadcast. NaN when: t is NaN."""
    from scipy.special import stdtr  # half a second that the start of the app need not wait for

    return np.asarray(2 * stdtr(np.asarray(degrees, dtype=float), -np.abs(np.asarray(t_stat, dtype=float))))


def benjamini_hochberg(p_values: npt.ArrayLike) -> FloatArray:
    """Return the q value of each p value, shape (n,): the least false-discovery rate at which it counts as found.

    q_(i) = min over j ≥ i of p_(j) n / j, at most 1 (Benjamini and Hochberg 1995). A p value that is NaN is no
    test: its q is NaN, and n does not count it.
    """
    given = np.asarray(p_values, dtype=float)
    found = np.full(given.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(given))
    order = tested[np.argsort(given[tested], kind="stable")]
    scaled = given[order] * len(order) / np.arange(1, len(order) + 1)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return found
