"""Everything that is stored of a ticker's technical view, computed in one pass."""

from typing import Any

from analytics.conventions import CORE_VOTES, FloatArray
from analytics.indicators import INDICATORS, compute_indicator, compute_vote
from analytics.market import Bars
from analytics.signals.rating import rating_labels, rating_score
from analytics.signals.votes import count_votes, overall_signal


def technical_signals(bars: Bars) -> dict[str, Any]:
    """Return {column: values of shape (n_sessions,)} for every stored column of `technical_signals`.

    The columns are each indicator's outputs, each `vote_<key>`, buy_votes and sell_votes (of the core seven),
    overall_signal, rating_score and rating_label. NaN (None for the label) where unknown.
    """
    columns: dict[str, Any] = {}
    votes = {}
    for indicator in INDICATORS.values():
        outputs = compute_indicator(indicator, bars)
        columns |= outputs
        if indicator.vote:
            votes[indicator.key] = compute_vote(indicator, bars, outputs)
    columns |= {f"vote_{key}": vote for key, vote in votes.items()}
    core: dict[str, FloatArray] = {key: votes[key] for key in CORE_VOTES if key in votes}
    columns["buy_votes"], columns["sell_votes"] = count_votes(core)
    columns["overall_signal"] = overall_signal(core)
    columns["rating_score"] = rating_score(votes)
    columns["rating_label"] = rating_labels(columns["rating_score"])
    return columns
