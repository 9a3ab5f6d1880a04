"""Follow the technical vote with more capital in the tickers that promise more."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import decisions, sides
from analytics.backtest.strategies._rebalance import schedule, until_next
from analytics.backtest.strategies._shares import expected_sharpe, proportional
from analytics.backtest.strategies._strategy import Strategy
from analytics.backtest.strategies._technical import THRESHOLD, VOTERS, check_votes, explain_votes, vote_signals
from analytics.conventions import FloatArray
from analytics.parameters import Parameter

SIZES = {"expected_return": "expected return", "sharpe_ratio": "Sharpe ratio"}


def decide(
    inputs: StrategyInputs, *, threshold: int, votes: tuple[str, ...], size_by: str, indicator_parameters: str = ""
) -> FloatArray:
    """Return the ticker's share while the votes last agreed to buy and what it is sized by is positive, else 0.

    Shape of the panel; negative after a sell where it is negative. The shares of all tickers, held or not, add up to
    1 and change when a month is over. NaN when: nothing changes. Raises InputError as technical_vote does.
    """
    buy, sell = vote_signals(inputs.panel, threshold=threshold, votes=votes, indicator_parameters=indicator_parameters)
    side, share = sides(inputs, buy, sell), _shares(inputs, size_by)
    weights = np.where(side * share > 0.0, share, 0.0)
    return decisions(inputs, weights, again=schedule(inputs, "monthly"))


def _shares(inputs: StrategyInputs, size_by: str) -> FloatArray:
    """Each ticker's share as of the newest month, with the sign of what it is sized by, (n_dates, n_tickers)."""
    acts = schedule(inputs, "monthly")
    rows = np.flatnonzero(acts)
    by_return = size_by == "expected_return"
    return until_next(acts, proportional(
        inputs.known("expected_return")[rows] if by_return else expected_sharpe(inputs, rows)
    ))  # fmt: skip


def explain(
    inputs: StrategyInputs,
    column: int,
    rows: np.ndarray,
    *,
    threshold: int,
    votes: tuple[str, ...],
    size_by: str,
    indicator_parameters: str = "",
) -> list[str]:
    """Return the votes and the share behind each decision."""
    said = explain_votes(inputs.panel, column, rows, votes=votes, indicator_parameters=indicator_parameters)
    share = _shares(inputs, size_by)[rows, column]
    return [f"{text}; {value:.1%} by {SIZES[size_by]}" for text, value in zip(said, share, strict=True)]


STRATEGY = Strategy(
    key="sized",
    label="Integrated: sized",
    description="Follows the technical vote with capital in proportion to expected return or Sharpe ratio.",
    parameters=(
        THRESHOLD,
        *VOTERS,
        Parameter(
            "size_by", "Size by", "expected_return", "what the capital is in proportion to: the required return of "
            "the factor fit, or its excess over the risk-free rate by unit of volatility", one_of=tuple(SIZES),
        ),
    ),
    decide=decide,
    needs=("factors",),
    explain=explain,
    check=check_votes,
)  # fmt: skip
