"""One score of both views: the technical rating, strengthened or weakened by the fundamental outlook."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._fundamental import outlook_text
from analytics.backtest.strategies._positions import decisions, equal_share, sides
from analytics.backtest.strategies._strategy import Strategy
from analytics.backtest.strategies._technical import RATING_BOUNDS, rating_at, ratings
from analytics.conventions import FloatArray
from analytics.parameters import Parameter


def integrated_score(rating: FloatArray, outlook: FloatArray, modulation: float) -> FloatArray:
    """Return rating × (1 + modulation × outlook × sign of the rating), of any one shape; from −2 to 2.

    NaN when: one of them is unknown.
    """
    return np.asarray(rating * (1.0 + modulation * outlook * np.sign(rating)))


def decide(inputs: StrategyInputs, *, buy_above: float, sell_below: float, modulation: float) -> FloatArray:
    """Return 1 / n_tickers where the score rises above one bound, the negative where it falls below the other.

    Shape of the panel. NaN when: nothing changes; between the bounds, or without a score, a position stays.
    """
    score = integrated_score(ratings(inputs.panel), inputs.known("outlook"), modulation)
    return decisions(inputs, sides(inputs, score > buy_above, score < sell_below) * equal_share(inputs))


def explain(
    inputs: StrategyInputs, column: int, rows: np.ndarray, *, buy_above: float, sell_below: float, modulation: float
) -> list[str]:
    """Return the score behind each decision, and its two parts."""
    rating, outlook = rating_at(inputs.panel, column, rows), inputs.known("outlook")[rows, column]
    return [
        f"score {s:.2f}: rating {r:.2f}, {outlook_text(o)}"
        for s, r, o in zip(integrated_score(rating, outlook, modulation), rating, outlook, strict=True)
    ]


STRATEGY = Strategy(
    key="score",
    label="Integrated: score",
    description="Trades on the technical rating, raised where the fundamental outlook agrees and lowered where it does not.",
    parameters=(
        *RATING_BOUNDS,
        Parameter(
            "modulation", "Modulation", 0.5, "share by which the outlook strengthens or weakens the rating",
            minimum=0, maximum=1, step=0.1,
        ),
    ),
    decide=decide,
    needs=("factors",),
    explain=explain,
)  # fmt: skip
