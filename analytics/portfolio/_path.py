"""What the critical line works on: the problems along a path, one optimum, and what may move at it."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

AT_LOWER, INSIDE, AT_UPPER = -1, 0, 1


class Path(NamedTuple):
    """The problems along t: sigma (n, n), rows (m, n), lower and upper (n,); the rest with its speed.

    gradient (2, n): g at t = 0 and its speed. limits (4, m): a and b at t = 0, then their speeds.
    """

    sigma: FloatArray
    rows: FloatArray
    lower: FloatArray
    upper: FloatArray
    gradient: FloatArray
    limits: FloatArray


class Point(NamedTuple):
    """One optimum: state (n + m), x (n,), multipliers (m,), gradient (n,), Gx (m,).

    state: the bound that a weight is at or the limit that a row is at, INSIDE where it is between the two. At an
    upper limit the multiplier of a row is ≥ 0 and the gradient of a weight ≤ 0, at a lower one the other way.
    """

    state: IntArray
    x: FloatArray
    multipliers: FloatArray
    gradient: FloatArray
    reached: FloatArray


class Basis(NamedTuple):
    """Items (weights, then rows as n + row) in the basis, the place of each (−1: none), their matrix and its inverse."""

    items: IntArray
    place: IntArray
    matrix: FloatArray
    inverse: FloatArray
