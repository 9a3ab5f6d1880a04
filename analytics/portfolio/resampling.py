"""The sampling spread of the efficient frontier: the same history with its blocks of dates drawn again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import CONFIDENCE, FRONTIER_POINTS, FRONTIER_SEED, TRADING_DAYS, FloatArray
from analytics.errors import InputError
from analytics.portfolio._checks import at_least, complete_returns
from analytics.portfolio.frontier import Frontier, efficient_frontier
from analytics.portfolio.intervals import CONSTANT
from analytics.portfolio.limits import FeasibleSet
from analytics.portfolio.portfolios import Portfolios, evaluate

Estimate = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

BLOCK_SESSIONS: Final = 63  # a quarter: volatility stays high or low for weeks, and so it must within a block
LABEL: Final = "sampling spread"
NOTE: Final = (
    "How far the frontier moves when the dates are drawn again. Not an interval of the true frontier: the best weights "
    "of any sample owe part of their return to luck, in the sample and once more in every draw of it."
)


@dataclass(frozen=True, eq=False)
class Resampled:
    """The frontier of a sample and how far it moves from draw to draw, rank by rank.

    frontier: of the sample itself. Bands (points,) and weights (points, n_assets) lie between the same two quantiles
    of the draws, whose portfolios have the return and volatility that the draw itself estimates. average:
    Michaud's portfolios, the mean weights of each rank, as the sample estimates them; they obey every limit that a
    mean of portfolios obeys, so not a number of positions. label and note say what the bands are.
    """

    frontier: Frontier
    return_low: FloatArray
    return_high: FloatArray
    volatility_low: FloatArray
    volatility_high: FloatArray
    weights_low: FloatArray
    weights_high: FloatArray
    average: Portfolios
    draws: int
    block_sessions: int
    label: str = LABEL
    note: str = NOTE


def resampled_frontier(
    returns: npt.ArrayLike,
    *,
    estimate: Estimate,
    risk_free_rate: float,
    feasible: FeasibleSet | None = None,
    draws: int = 100,
    seed: int = FRONTIER_SEED,
    points: int = FRONTIER_POINTS,
    block_sessions: int = BLOCK_SESSIONS,
    confidence: float = CONFIDENCE,
) -> Resampled:
    """Return the frontier of a sample with the spread of its frontiers over redrawn dates.

    returns: simple daily returns (n_sessions, n_assets), complete. estimate: from these to annual expected returns
    (n,) and covariance (n, n); what else it needs of the same dates, such as factor returns, goes into further columns.
    Each draw is a circular block bootstrap of the dates (Politis and Romano 1992), all assets together, estimated and
    optimised anew; draws are matched by rank along the frontier (Michaud 1998). The same seed gives the same draws. Raises InputError on missing values or numbers out of range, NoPortfolioError
    where no portfolio obeys the limits.
    """
    values = complete_returns(returns)
    at_least("draws", draws, 2)
    if not 1 <= block_sessions <= len(values):
        raise InputError("block_sessions", got=block_sessions, allowed=f"1 to the {len(values)} sessions given")
    if not 0 < confidence < 1:
        raise InputError("confidence", got=confidence, allowed="a probability between 0 and 1")

    def optimise(sample: FloatArray) -> Frontier:
        return efficient_frontier(*estimate(sample), risk_free_rate=risk_free_rate, feasible=feasible, points=points)

    rng = np.random.default_rng(seed)
    found = [optimise(values[block_dates(rng, len(values), block_sessions)]) for _ in range(draws)]
    weights = np.array([draw.weights for draw in found])
    average = evaluate(weights.mean(axis=0), *estimate(values), risk_free_rate=risk_free_rate)
    bands = [
        np.quantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2], axis=0)
        for drawn in ([draw.expected_return for draw in found], [draw.volatility for draw in found], weights)
    ]
    (low, high), (calm, wild), (least, most) = bands
    return Resampled(optimise(values), low, high, calm, wild, least, most, average, draws, block_sessions)


def block_dates(rng: np.random.Generator, n_sessions: int, block_sessions: int) -> npt.NDArray[np.intp]:
    """Return n_sessions row numbers: runs from random starts, the last cut short; the end is followed by the start."""
    starts = rng.integers(0, n_sessions, -(-n_sessions // block_sessions))
    rows = (starts[:, None] + np.arange(block_sessions)) % n_sessions
    return np.asarray(rows.ravel()[:n_sessions])


def sharpe_wins(
    returns: npt.ArrayLike,
    benchmark_returns: npt.ArrayLike,
    *,
    risk_free_rate: float,
    draws: int = 1_000,
    seed: int = FRONTIER_SEED,
    block_sessions: int = BLOCK_SESSIONS,
) -> float:
    """Return the share of redrawn histories in which the returns have the higher Sharpe ratio; a tie is half a win.

    returns, benchmark_returns: simple daily returns (n_sessions,) of two portfolios with constant weights, complete;
    their dates are drawn together, in the blocks of the resampled frontier. risk_free_rate: annual. NaN when: one
    of the two does not vary. Raises InputError on missing values or numbers out of range.
    """
    both = complete_returns(np.column_stack([returns, benchmark_returns])) - risk_free_rate / TRADING_DAYS
    at_least("draws", draws, 1)
    if not 1 <= block_sessions <= len(both):
        raise InputError("block_sessions", got=block_sessions, allowed=f"1 to the {len(both)} sessions given")
    if both.std(axis=0).min() <= CONSTANT:
        return float("nan")
    n, blocks = len(both), -(-len(both) // block_sessions)
    starts = np.random.default_rng(seed).integers(0, n, (draws, blocks))
    lengths = np.full(blocks, block_sessions)
    lengths[-1] = n - block_sessions * (blocks - 1)  # the last block is cut short, the end is followed by the start
    moments = np.hstack([both, both**2])
    total = np.vstack([np.zeros(4), np.cumsum(np.vstack([moments, moments[:block_sessions]]), axis=0)])
    drawn = (total[starts + lengths] - total[starts]).sum(axis=1) / n
    means, squares = drawn[:, :2], drawn[:, 2:]
    ratios = means / np.sqrt(squares - means**2)
    lead = ratios[:, 0] - ratios[:, 1]
    return float((lead > 0).mean() + (lead == 0).mean() / 2)
