"""The weights of the efficient frontier, each ticker's only while the technical vote is not against it."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import decisions, sides
from analytics.backtest.strategies._rebalance import REBALANCE, schedule, until_next
from analytics.backtest.strategies._shares import WINDOW, frontier_weights
from analytics.backtest.strategies._strategy import Strategy
from analytics.backtest.strategies._technical import THRESHOLD, VOTERS, check_votes, vote_signals
from analytics.conventions import FloatArray
from analytics.parameters import Parameter

PORTFOLIOS = {"max_sharpe": "maximum-Sharpe", "min_variance": "minimum-variance"}


def decide(
    inputs: StrategyInputs, *, portfolio: str, window: int, rebalance: str, threshold: int, votes: tuple[str, ...],
    indicator_parameters: str = "",
) -> FloatArray:  # fmt: skip
    """Return the frontier weight on the schedule and where the votes turn back to buy, 0 where they turn to sell.

    Shape of the panel. The weights are estimated from the sessions up to the close that decides; what is sold stays
    in cash. NaN when: nothing changes. Raises InputError as technical_vote does.
    """
    buy, sell = vote_signals(inputs.panel, threshold=threshold, votes=votes, indicator_parameters=indicator_parameters)
    against = sides(inputs, buy, sell) < 0.0  # the last agreement was to sell
    acts = schedule(inputs, rebalance)
    weights = until_next(acts, frontier_weights(inputs, np.flatnonzero(acts), portfolio=portfolio, window=window))
    return decisions(inputs, np.where(against, 0.0, weights), again=acts)


def explain(
    _inputs: StrategyInputs, _column: int, rows: np.ndarray, *, portfolio: str, window: int, **_: object
) -> list[str]:
    """Return the same words for each decision."""
    return [f"{PORTFOLIOS[portfolio]} weight of {window} sessions, no vote to sell"] * len(rows)


STRATEGY = Strategy(
    key="frontier_timed",
    label="Frontier weights, timed",
    description="Holds the weights of an efficient portfolio, leaving out tickers that the technical vote has sold.",
    parameters=(
        Parameter(
            "portfolio", "Portfolio", "max_sharpe", "which portfolio of the long-only frontier", one_of=tuple(PORTFOLIOS)
        ),
        WINDOW,
        REBALANCE,
        THRESHOLD,
        *VOTERS,
    ),
    decide=decide,
    explain=explain,
    check=check_votes,
)  # fmt: skip
