"""Ask fewer votes of the tickers that the fundamentals or the frontier favour."""

from dataclasses import replace
from typing import Any

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._fundamental import known_median
from analytics.backtest.strategies._positions import decisions, equal_share, sides
from analytics.backtest.strategies._rebalance import schedule, until_next
from analytics.backtest.strategies._shares import WINDOW, frontier_weights
from analytics.backtest.strategies._strategy import Strategy
from analytics.backtest.strategies._technical import (
    THRESHOLD,
    VOTERS,
    agreed,
    check_threshold,
    explain_votes,
    vote_counts,
)
from analytics.conventions import VOTE_THRESHOLD, FloatArray
from analytics.errors import InputError
from analytics.parameters import Parameter

FAVOURS = {"expected_return": "expected return above the median", "frontier_weight": "frontier weight above an equal share"}  # fmt: skip


def check(*, threshold: int, lower_threshold: int, votes: tuple[str, ...], **_others: Any) -> None:
    """Raise InputError where fewer votes are chosen than a threshold asks for, or the lower one is above the other."""
    check_threshold(threshold, votes)
    if lower_threshold > threshold:
        raise InputError("lower_threshold", got=lower_threshold, allowed=f"at most the votes needed, {threshold}")


def decide(
    inputs: StrategyInputs, *, threshold: int, lower_threshold: int, votes: tuple[str, ...], favour: str, window: int,
    indicator_parameters: str = "",
) -> FloatArray:  # fmt: skip
    """Return 1 / n_tickers where enough votes agree to buy, the negative where `threshold` agree to sell.

    Shape of the panel. A favoured ticker needs lower_threshold votes to be bought. NaN when: nothing changes. Raises
    InputError where fewer votes are chosen than a threshold asks for, or the lower one is above the other.
    """
    check(threshold=threshold, lower_threshold=lower_threshold, votes=votes)
    buys, sells = vote_counts(inputs.panel, votes=votes, indicator_parameters=indicator_parameters)
    needed = np.where(_favoured(inputs, favour, window), lower_threshold, threshold)
    side = sides(inputs, agreed(buys, sells, needed), agreed(sells, buys, threshold))
    return decisions(inputs, side * equal_share(inputs))


def _favoured(inputs: StrategyInputs, favour: str, window: int) -> np.ndarray:
    """Where a ticker has the lower bar; False where what decides it is unknown."""
    if favour == "expected_return":
        return np.asarray(inputs.known("expected_return") > known_median(inputs))
    acts = schedule(inputs, "monthly")
    weights = frontier_weights(inputs, np.flatnonzero(acts), portfolio="max_sharpe", window=window)
    return np.asarray(until_next(acts, weights) > equal_share(inputs))


def explain(
    inputs: StrategyInputs, column: int, rows: np.ndarray, *, threshold: int, lower_threshold: int,
    votes: tuple[str, ...], favour: str, window: int, indicator_parameters: str = "",
) -> list[str]:  # fmt: skip
    """Return the votes behind each decision, and whether the bar was lower; of a frontier weight only how it is set."""
    said = explain_votes(inputs.panel, column, rows, votes=votes, indicator_parameters=indicator_parameters)
    if favour == "frontier_weight":  # as many frontiers as months for a few words would take longer than the test
        return said
    lower = _favoured(inputs, favour, window)[rows, column]
    return [
        f"{text}; {lower_threshold} needed: {FAVOURS[favour]}" if low else f"{text}; {threshold} needed"
        for text, low in zip(said, lower, strict=True)
    ]


STRATEGY = Strategy(
    key="threshold",
    label="Integrated: threshold",
    description="Follows the technical vote with a lower bar for tickers of high expected return or frontier weight.",
    parameters=(
        replace(THRESHOLD, default=VOTE_THRESHOLD + 1),
        replace(
            THRESHOLD, name="lower_threshold", label="Votes, favoured", default=VOTE_THRESHOLD - 1,
            help="votes that a favoured ticker needs to be bought",
        ),
        *VOTERS,
        Parameter(
            "favour", "Favoured by", "expected_return", "an expected return above the universe's median, or a weight "
            "in the maximum-Sharpe portfolio above an equal share", one_of=tuple(FAVOURS),
        ),
        WINDOW,
    ),
    decide=decide,
    needs=("factors",),
    explain=explain,
    check=check,
)  # fmt: skip
