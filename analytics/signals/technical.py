"""Everything that is stored of a ticker's technical view, computed in one pass."""

from collections.abc import Mapping
from typing import Any

from analytics.conventions import CORE_VOTES, FloatArray
from analytics.indicators import INDICATORS, compute_indicator, compute_vote
from analytics.market import Bars
from analytics.signals.rating import rating_labels, rating_score
from analytics.signals.votes import count_votes, overall_signal


def technical_signals(bars: Bars) -> dict[str, Any]:
    """Return {column: values of shape (n_sessions,)} for every stored column of `technical_signals`.

    The columns are each indicator's outputs, each `vote_<key>`, and the totals. NaN (None for the label) where
    unknown.
    """
    columns: dict[str, Any] = {}
    votes: dict[str, FloatArray] = {}
    for indicator in INDICATORS.values():
        outputs = compute_indicator(indicator, bars)
        columns |= outputs
        votes |= {vote.key: compute_vote(indicator, vote, bars, outputs) for vote in indicator.votes}
    return columns | {f"vote_{key}": vote for key, vote in votes.items()} | totals(votes)


def totals(votes: Mapping[str, FloatArray]) -> dict[str, Any]:
    """Return what the votes add up to, each of shape (n_sessions,).

    buy_votes and sell_votes (of the core seven), overall_signal, rating_score and rating_label. NaN (None for the
    label) where unknown.
    """
    core = {key: votes[key] for key in CORE_VOTES}
    buys, sells = count_votes(core)
    score = rating_score(votes)
    return {
        "buy_votes": buys, "sell_votes": sells, "overall_signal": overall_signal(core),
        "rating_score": score, "rating_label": rating_labels(score),
    }  # fmt: skip
