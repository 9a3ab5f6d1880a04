"""Where one value stands among many."""

import numpy as np
import numpy.typing as npt

MIN_PEERS = 5  # known values, the own one among them, below which a percentile says nothing


def percentile_rank(values: npt.ArrayLike, value: float) -> float:
    """Return the share of known values below `value`, those equal to it counted by half: 0 to 1.

    values: shape (n,), the own one among them. NaN when: `value` is NaN, or fewer than MIN_PEERS are known.
    """
    given = np.asarray(values, dtype=float)
    known = given[np.isfinite(given)]
    if not np.isfinite(value) or len(known) < MIN_PEERS:
        return float("nan")
    return float(((known < value).sum() + 0.5 * (known == value).sum()) / len(known))
