"""Where the technical signal and what was known of the fundamentals point the same way."""

import numpy as np

from analytics.conventions import DateArray, FloatArray


def known_on(dates: DateArray, as_of: DateArray, values: FloatArray) -> FloatArray:
    """Return on each date the newest value that was known by then, shape (n_dates,).

    as_of: when each value could first be known, rising, shape (n_values,). values: shape (n_values,).
    NaN when: nothing was known yet, or the newest is NaN.
    """
    newest = np.searchsorted(as_of, dates, side="right") - 1
    found = np.append(values, np.nan)  # −1 is "nothing yet"
    return found[newest]


def agreement(signal: FloatArray, fundamental: FloatArray) -> FloatArray:
    """Return 1 where a buy or sell has the sign of the fundamental value, −1 where the other, 0 where neutral.

    Both of shape (n_dates,). NaN when: one of them is unknown.
    """
    return np.asarray(signal, dtype=float) * np.sign(np.asarray(fundamental, dtype=float))
