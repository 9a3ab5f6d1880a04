"""Hold a ticker while its technical rating says so."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import decisions, equal_share, sides
from analytics.backtest.strategies._strategy import Strategy
from analytics.backtest.strategies._technical import RATING_BOUNDS, rating_at, ratings
from analytics.conventions import FloatArray
from analytics.signals import rating_labels


def decide(inputs: StrategyInputs, *, buy_above: float, sell_below: float) -> FloatArray:
    """Return 1 / n_tickers where the rating rises above one bound, the negative where it falls below the other.

    Shape of the panel. NaN when: nothing changes; between the bounds a position stays.
    """
    score = ratings(inputs.panel)
    return decisions(inputs, sides(inputs, score > buy_above, score < sell_below) * equal_share(inputs))


def explain(inputs: StrategyInputs, column: int, rows: np.ndarray, *, buy_above: float, sell_below: float) -> list[str]:
    """Return the rating behind each decision, and its label."""
    score = rating_at(inputs.panel, column, rows)
    return [f"rating {value:.2f}: {label}" for value, label in zip(score, rating_labels(score), strict=True)]


STRATEGY = Strategy(
    key="rating",
    label="Technical rating",
    description="Buys a ticker when its technical rating rises above a bound and sells it when it falls below another.",
    parameters=RATING_BOUNDS,
    decide=decide,
    explain=explain,
)
