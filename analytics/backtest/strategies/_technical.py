"""What strategies read of the indicators: votes, rating, what they add up to, and why."""

from functools import lru_cache
from typing import Any

import numpy as np

from analytics.conventions import CORE_VOTES, RATING_BUY, VOTE_THRESHOLD, FloatArray
from analytics.errors import InputError
from analytics.indicators import VOTES, parse_settings, settings_text
from analytics.market import Panel
from analytics.parameters import Parameter
from analytics.signals import RATED_VOTES, compute_votes, count_votes, rating_score

KEPT_VOTES = 64  # tickers
THRESHOLD = Parameter(
    "threshold", "Votes needed", VOTE_THRESHOLD, "indicators that must agree before a trade", minimum=1, maximum=len(VOTES)
)  # fmt: skip
VOTERS = (
    Parameter(
        "votes", "Voting indicators", CORE_VOTES, "the indicators whose votes are counted", choices=tuple(VOTES)
    ),
    Parameter(
        "indicator_parameters", "Indicator parameters", "",
        "such as rsi.window=21, macd.fast=8; empty: those of the stored signals", parse=settings_text,
    ),
)  # fmt: skip
RATING_BOUNDS = (
    Parameter("buy_above", "Buy above", RATING_BUY, "score above which it buys", minimum=0, maximum=1, step=0.05),
    Parameter("sell_below", "Sell below", -RATING_BUY, "score below which it sells", minimum=-1, maximum=0, step=0.05),
)


def vote_counts(
    panel: Panel, *, votes: tuple[str, ...], indicator_parameters: str = ""
) -> tuple[FloatArray, FloatArray]:
    """Return (buys, sells), the votes of each ticker counted on its own calendar, each (n_dates, n_tickers).

    NaN when: the ticker has no bar that day, or none of the votes is available. Raises InputError and UnknownKeyError.
    """
    buys, sells = np.full((2, *panel.close.shape), np.nan)
    for column in range(len(panel.tickers)):
        rows = panel.has_bar[:, column]
        buys[rows, column], sells[rows, column] = count_votes(_votes(panel, column, votes, indicator_parameters))
    return buys, sells


@lru_cache(maxsize=KEPT_VOTES)
def _votes(panel: Panel, column: int, votes: tuple[str, ...], indicator_parameters: str) -> dict[str, FloatArray]:
    """One ticker's votes on its own calendar; not to be written to. What was decided by them is explained by them."""
    return compute_votes(panel.bars(panel.tickers[column]), keys=votes, parameters=parse_settings(indicator_parameters))


def agreed(for_it: FloatArray, against: FloatArray, needed: FloatArray | int) -> np.ndarray:
    """Return where at least `needed` votes are for it and they outnumber those against, False where unknown."""
    return np.asarray((for_it >= needed) & (for_it > against))


def vote_signals(
    panel: Panel, *, threshold: int, votes: tuple[str, ...], indicator_parameters: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the votes agree to (buy, sell), each (n_dates, n_tickers): overall_signal of 1 and of −1.

    Raises InputError where fewer votes are chosen than the threshold asks for.
    """
    check_threshold(threshold, votes)
    buys, sells = vote_counts(panel, votes=votes, indicator_parameters=indicator_parameters)
    return agreed(buys, sells, threshold), agreed(sells, buys, threshold)


def check_votes(*, threshold: int, votes: tuple[str, ...], **_others: Any) -> None:
    """Raise InputError where fewer votes are chosen than the threshold asks for: the check of strategies that vote."""
    check_threshold(threshold, votes)


def check_threshold(threshold: int, votes: tuple[str, ...], name: str = "threshold") -> None:
    """Raise InputError where fewer votes are chosen than the threshold asks for."""
    if len(votes) < threshold:
        raise InputError(
            name, got=threshold, allowed=f"at most the number of voting indicators, {len(votes)}",
            fix="Lower the threshold or let more indicators vote.",
        )  # fmt: skip


def explain_votes(
    panel: Panel, column: int, rows: np.ndarray, *, votes: tuple[str, ...], indicator_parameters: str = ""
) -> list[str]:
    """Return how a ticker's votes stand at each row, such as "4 of 7 votes to buy: SMA, MACD, RSI, ADX"."""
    at = np.searchsorted(panel.dates[panel.has_bar[:, column]], panel.dates[rows])
    found = _votes(panel, column, votes, indicator_parameters)
    stacked = np.stack([values[at] for values in found.values()])
    labels = [VOTES[key].vote.label for key in found]
    return [_sentence(labels, standing) for standing in stacked.T]


def _sentence(labels: list[str], standing: FloatArray) -> str:
    side = 1.0 if (standing > 0).sum() >= (standing < 0).sum() else -1.0
    named = [label for label, vote in zip(labels, standing, strict=True) if vote == side]
    said = f"{len(named)} of {len(labels)} votes to {'buy' if side > 0 else 'sell'}"
    return f"{said}: {', '.join(named)}" if named else said


def ratings(panel: Panel) -> FloatArray:
    """Return the technical rating of each ticker on its own calendar, −1 to 1, shape (n_dates, n_tickers).

    NaN when: the ticker has no bar that day, or none of the rated votes is available.
    """
    values = np.full(panel.close.shape, np.nan)
    for column, ticker in enumerate(panel.tickers):
        values[panel.has_bar[:, column], column] = rating_score(compute_votes(panel.bars(ticker), keys=RATED_VOTES))
    return values


def rating_at(panel: Panel, column: int, rows: np.ndarray) -> FloatArray:
    """Return the technical rating of one ticker at the given rows, on which it has a bar."""
    bars = panel.bars(panel.tickers[column])
    score = rating_score(compute_votes(bars, keys=RATED_VOTES))
    return score[np.searchsorted(bars.dates, panel.dates[rows])]
