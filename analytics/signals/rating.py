"""The rating: the votes of averages and of oscillators, weighed equally, on a scale from −1 to 1."""

from collections.abc import Mapping

import numpy as np

from analytics.conventions import RATING_BUY, RATING_STRONG_BUY, FloatArray
from analytics.errors import InputError
from analytics.indicators import VOTES

RATING_LABELS = ("strong sell", "sell", "neutral", "buy", "strong buy")
RATED_VOTES = tuple(key for key, voter in VOTES.items() if voter.vote.rating)
_LABELS = np.array([*RATING_LABELS, None], dtype=object)  # the last one, index −1, is "unknown"
_BOUNDS = (-RATING_STRONG_BUY, -RATING_BUY, RATING_BUY, RATING_STRONG_BUY)


def rating_score(votes: Mapping[str, FloatArray]) -> FloatArray:
    """Return the mean of the moving-average mean and the oscillator mean, −1 to 1, shape (n_sessions,).

    votes: {vote key: votes}; those that have no part in the rating are passed over. A group without an available
    vote is left out. NaN when: neither group has one. Raises InputError where no vote of either group is given.
    """
    groups = [
        [values for key, values in votes.items() if VOTES[key].vote.rating == group]
        for group in ("moving_average", "oscillator")
    ]
    means = [_mean(group) for group in groups if group]
    if not means:
        raise InputError("votes", got=sorted(votes), allowed="at least one vote of an average or an oscillator")
    return _mean(means)


def rating_labels(score: FloatArray) -> list[str | None]:
    """Return the label of each score; None where the score is NaN. A score on a bound takes the milder label."""
    strength = np.searchsorted(_BOUNDS, np.abs(score), side="left") - 2  # 0 neutral, 1 buy, 2 strong buy
    index = np.where(np.isfinite(score), 2 + np.sign(score) * strength, -1)
    return _LABELS[index.astype(int)].tolist()


def _mean(votes: list[FloatArray]) -> FloatArray:
    stacked = np.stack(votes)
    known = np.isfinite(stacked)
    total, count = np.where(known, stacked, 0.0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
