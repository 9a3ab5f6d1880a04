"""From votes to one signal: the same functions serve the store, the charts and every backtest."""

from analytics.signals.rating import RATING_LABELS, rating_labels, rating_score
from analytics.signals.technical import technical_signals
from analytics.signals.votes import compute_votes, count_votes, overall_signal

__all__ = [
    "RATING_LABELS",
    "compute_votes",
    "count_votes",
    "overall_signal",
    "rating_labels",
    "rating_score",
    "technical_signals",
]
