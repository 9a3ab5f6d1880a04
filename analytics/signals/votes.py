"""Votes of the indicators and the signal they add up to."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from analytics.conventions import CORE_VOTES, VOTE_THRESHOLD, FloatArray
from analytics.indicators import INDICATORS, VOTES, compute_indicator, compute_vote
from analytics.market import Bars
from analytics.registry import lookup


def compute_votes(
    bars: Bars, *, keys: Iterable[str] = CORE_VOTES, parameters: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, FloatArray]:
    """Return {vote key: votes of shape (n_sessions,)}, each −1, 0 or 1.

    parameters: {indicator key: {parameter: value}} where they are not the defaults. NaN when: the indicator is in its
    warm-up or lacks an input that day. Raises UnknownKeyError, and InputError on a parameter out of bounds.
    """
    chosen = [lookup(VOTES, key, "vote") for key in keys]
    given = parameters or {}
    outputs = {
        key: compute_indicator(INDICATORS[key], bars, given.get(key)) for key in {item.indicator.key for item in chosen}
    }
    return {
        item.vote.key: compute_vote(item.indicator, item.vote, bars, outputs[item.indicator.key]) for item in chosen
    }


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
