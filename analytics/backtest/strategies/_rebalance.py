"""When a schedule acts: on the first close by which a week, month, quarter or year is known to be over."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import opening_row
from analytics.conventions import DateArray, FloatArray
from analytics.market import period_of
from analytics.parameters import Parameter

EVERY = {"weekly": ("W", 1), "monthly": ("M", 1), "quarterly": ("M", 3), "yearly": ("M", 12)}  # calendar, periods of it
REBALANCE = Parameter("rebalance", "Rebalancing", "monthly", "how often the weights are restored", one_of=tuple(EVERY))


def period_over(dates: DateArray, every: str) -> np.ndarray:
    """Return the closes by which a period is known to be over, shape (n_dates,): True once per period.

    That is its last weekday; before a holiday on it the first session after it. Nothing but the dates up to each row
    is looked at, so that the newest row is not taken for an end only because it is the newest.
    """
    following = np.busday_offset(dates.astype("datetime64[D]") + 1, 0, roll="forward")
    period, next_period = _period(dates, every), _period(following, every)
    over = next_period != period
    late = np.append(False, (period[1:] != period[:-1]) & ~over[:-1])
    over[1:] &= ~(over[:-1] & (period[1:] == period[:-1]))  # a session at the weekend is not its end once more
    return np.asarray((over | late)[: len(dates)])


def _period(dates: DateArray, every: str) -> np.ndarray:
    calendar, count = EVERY[every]
    return period_of(dates, calendar) // count


def schedule(inputs: StrategyInputs, every: str) -> np.ndarray:
    """Return where a schedule acts, shape (n_dates,): the first decision of the test, then whenever a period is over."""
    rows, opening = np.arange(len(inputs.panel.dates)), opening_row(inputs)
    return np.asarray((rows == opening) | (period_over(inputs.panel.dates, every) & (rows > opening)))


def until_next(acts: np.ndarray, values: FloatArray) -> FloatArray:
    """Return values decided where `acts`, (n_acts, n_tickers), as they stand at every date, (n_dates, n_tickers).

    NaN when: before the first of them.
    """
    number = np.cumsum(acts) - 1
    standing = np.full((len(acts), values.shape[1]), np.nan)
    standing[number >= 0] = values[number[number >= 0]]
    return standing


def last_completed_month(dates: DateArray) -> np.ndarray:
    """Return the number of the newest month that is known to be over at each close, counted from 1970, (n_dates,)."""
    following = np.busday_offset(dates.astype("datetime64[D]") + 1, 0, roll="forward")
    month = period_of(dates, "M")
    return np.where(period_of(following, "M") != month, month, month - 1)
