"""Trade a technical signal only where the fundamental outlook confirms it."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._fundamental import outlook_text
from analytics.backtest.strategies._positions import decisions, equal_share, sides
from analytics.backtest.strategies._strategy import Strategy
from analytics.backtest.strategies._technical import THRESHOLD, VOTERS, check_votes, explain_votes, vote_signals
from analytics.conventions import FloatArray


def decide(
    inputs: StrategyInputs, *, threshold: int, votes: tuple[str, ...], indicator_parameters: str = ""
) -> FloatArray:
    """Return 1 / n_tickers where the votes agree to buy and the outlook is positive, shape of the panel.

    The position closes where the votes agree to sell or the outlook turns negative; the mirror for shorts. An unknown
    outlook confirms nothing. NaN when: nothing changes. Raises InputError as technical_vote does.
    """
    buy, sell = vote_signals(inputs.panel, threshold=threshold, votes=votes, indicator_parameters=indicator_parameters)
    outlook = inputs.known("outlook")
    positive, negative = outlook > 0, outlook < 0
    side = sides(
        inputs, buy & positive, sell & negative, leave_long=sell | negative, leave_short=buy | positive
    )  # fmt: skip
    return decisions(inputs, side * equal_share(inputs))


def explain(
    inputs: StrategyInputs,
    column: int,
    rows: np.ndarray,
    *,
    threshold: int,
    votes: tuple[str, ...],
    indicator_parameters: str = "",
) -> list[str]:
    """Return the votes and the outlook behind each decision."""
    said = explain_votes(inputs.panel, column, rows, votes=votes, indicator_parameters=indicator_parameters)
    outlook = inputs.known("outlook")[rows, column]
    return [f"{text}; {outlook_text(value)}" for text, value in zip(said, outlook, strict=True)]


STRATEGY = Strategy(
    key="filter",
    label="Integrated: filter",
    description="Follows the technical vote only where the fundamental outlook points the same way.",
    parameters=(THRESHOLD, *VOTERS),
    decide=decide,
    needs=("factors",),
    explain=explain,
    check=check_votes,
)
