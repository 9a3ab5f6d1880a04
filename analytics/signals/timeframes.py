"""The rating on weekly and monthly bars, of completed periods only."""

from typing import Any

import numpy as np

from analytics.conventions import CORE_VOTES
from analytics.market import Bars, period_of
from analytics.signals.rating import RATED_VOTES
from analytics.signals.technical import totals
from analytics.signals.votes import compute_votes

TIMEFRAMES = {"W": "weekly", "M": "monthly"}


def completed_bars(bars: Bars, timeframe: str) -> Bars:
    """Return the weekly (W) or monthly (M) bars whose period is over, each dated by its last session.

    The last period is over when the weekday after its last session is in another one. Before a holiday at the end of
    a week or a month that is a session late, and never early.
    """
    periods = bars.by_period(timeframe)
    if not len(bars):
        return periods
    next_weekday = np.busday_offset(bars.dates[-1] + np.timedelta64(1, "D"), 0, roll="forward")
    running, following = period_of(np.array([bars.dates[-1], next_weekday]), timeframe)
    return periods.rows(slice(None, -1)) if running == following else periods


def timeframe_rating(bars: Bars, timeframe: str) -> dict[str, Any]:
    """Return the totals of `technical_signals` on completed weekly (W) or monthly (M) bars, and their dates.

    {column: values of shape (n_periods,)}; windows count weeks or months. NaN (None for the label) where unknown.
    """
    periods = completed_bars(bars, timeframe)
    votes = compute_votes(periods, keys=dict.fromkeys((*CORE_VOTES, *RATED_VOTES)))
    return {"date": periods.dates} | totals(votes)
