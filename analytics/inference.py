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
