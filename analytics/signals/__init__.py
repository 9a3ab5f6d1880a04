"""From votes to one signal: the same functions serve the store, the charts and every backtest."""

from analytics.signals.agreement import agreement, known_on
from analytics.signals.rating import RATED_VOTES, RATING_LABELS, rating_labels, rating_score
from analytics.signals.technical import technical_signals
from analytics.signals.timeframes import TIMEFRAMES, completed_bars, timeframe_rating
from analytics.signals.votes import compute_votes, count_votes, overall_signal

__all__ = [
    "RATED_VOTES",
    "RATING_LABELS",
    "TIMEFRAMES",
    "agreement",
    "completed_bars",
    "compute_votes",
    "count_votes",
    "known_on",
    "overall_signal",
    "rating_labels",
    "rating_score",
    "technical_signals",
    "timeframe_rating",
]
