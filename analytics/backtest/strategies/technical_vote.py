"""Hold a ticker from the day its indicators agree to buy until the day they agree to sell."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import decisions, equal_share, sides
from analytics.backtest.strategies._strategy import Strategy
from analytics.backtest.strategies._technical import THRESHOLD, VOTERS, check_votes, explain_votes, vote_signals
from analytics.conventions import FloatArray


def decide(
    inputs: StrategyInputs, *, threshold: int, votes: tuple[str, ...], indicator_parameters: str = ""
) -> FloatArray:
    """Return 1 / n_tickers where the votes turn to buy, the negative where they turn to sell, shape of the panel.

    NaN when: nothing changes. Raises InputError where fewer votes are chosen than the threshold asks for.
    """
    buy, sell = vote_signals(inputs.panel, threshold=threshold, votes=votes, indicator_parameters=indicator_parameters)
    return decisions(inputs, sides(inputs, buy, sell) * equal_share(inputs))


def explain(
    inputs: StrategyInputs,
    column: int,
    rows: np.ndarray,
    *,
    threshold: int,
    votes: tuple[str, ...],
    indicator_parameters: str = "",
) -> list[str]:
    """Return how many of the votes stand behind each decision, and which."""
    return explain_votes(inputs.panel, column, rows, votes=votes, indicator_parameters=indicator_parameters)


STRATEGY = Strategy(
    key="technical_vote",
    label="Technical vote",
    description="Buys a ticker when enough indicators vote to buy and sells it when as many vote to sell.",
    parameters=(THRESHOLD, *VOTERS),
    decide=decide,
    explain=explain,
    check=check_votes,
)
