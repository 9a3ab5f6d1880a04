"""Votes of the indicators and the signal they add up to."""

from collections.abc import Iterable, Mapping

import numpy as np

from analytics.conventions import CORE_VOTES, VOTE_THRESHOLD, FloatArray
from analytics.indicators import INDICATORS, compute_indicator, compute_vote
from analytics.market import Bars
from analytics.registry import lookup


def compute_votes(bars: Bars, *, keys: Iterable[str] = CORE_VOTES) -> dict[str, FloatArray]:
    """Return {indicator key: votes of shape (n_sessions,)}, each −1, 0 or 1.

    NaN when: the indicator is in its warm-up or lacks an input that day. Raises UnknownKeyError.
    """
    chosen = [lookup(INDICATORS, key, "indicator") for key in keys]
    return {item.key: compute_vote(item, bars, compute_indicator(item, bars)) for item in chosen}


def count_votes(votes: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return (buy_votes, sell_votes) per session. NaN when: no vote is available that day."""
    stacked = np.stack(list(votes.values()))
    known = np.isfinite(stacked).any(axis=0)
    buys, sells = (stacked > 0).sum(axis=0), (stacked < 0).sum(axis=0)
    return np.where(known, buys, np.nan), np.where(known, sells, np.nan)


def overall_signal(votes: Mapping[str, FloatArray], *, threshold: int = VOTE_THRESHOLD) -> FloatArray:
    """Return the signal per session: 1 where at least `threshold` votes are buys and buys outnumber sells.

    −1 is the mirror, 0 everything else. NaN when: no vote is available that day.
    """
    buys, sells = count_votes(votes)
    buy = (buys >= threshold) & (buys > sells)
    sell = (sells >= threshold) & (sells > buys)
    return np.where(np.isfinite(buys), buy.astype(float) - sell.astype(float), np.nan)
