"""The days on which an exchange is open."""

from functools import cache

import numpy as np

from analytics.conventions import DateArray
from analytics.registry import lookup

FIRST, LAST = "1962-01-01", "2040-12-31"
CALENDARS = {"NYSE": "New York Stock Exchange", "weekdays": "every day from Monday to Friday"}


@cache
def sessions(name: str) -> DateArray:
    """Return the sessions of a calendar, rising; those to come are as the exchange plans them. Raises UnknownKeyError."""
    lookup(CALENDARS, name, "calendar")
    if name == "weekdays":
        days = np.arange(FIRST, np.datetime64(LAST, "D") + 1, dtype="datetime64[D]")
        return days[np.is_busday(days)]
    import pandas_market_calendars  # here: it takes a moment to load, and only an update needs it

    return np.asarray(
        pandas_market_calendars.get_calendar(name).valid_days(FIRST, LAST).tz_localize(None), "datetime64[D]"
    )


def is_session(name: str, days: DateArray) -> np.ndarray:
    """Return where `days`, of shape (n,), are sessions; NaT is none."""
    return np.isin(days, sessions(name))


def between(name: str, first: str, last: str) -> DateArray:
    """Return the sessions from `first` to `last`, both included."""
    days = sessions(name)
    return days[
        np.searchsorted(days, np.datetime64(first, "D")) : np.searchsorted(days, np.datetime64(last, "D"), "right")
    ]
