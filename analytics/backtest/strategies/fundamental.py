"""Hold the tickers whose factor fit says that they earn more than they owe to risk."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._fundamental import known_median, outlook_text
from analytics.backtest.strategies._positions import decisions, equal_share
from analytics.backtest.strategies._strategy import Strategy
from analytics.conventions import FloatArray


def decide(inputs: StrategyInputs) -> FloatArray:
    """Return outlook / n_tickers where the known outlook changes, shape of the panel: a neutral one closes.

    NaN when: nothing changes or nothing is known.
    """
    return decisions(inputs, inputs.known("outlook") * equal_share(inputs))


def explain(inputs: StrategyInputs, column: int, rows: np.ndarray) -> list[str]:
    """Return the outlook behind each decision, and what it rests on."""
    outlook, alpha, expected = (inputs.known(name)[rows, column] for name in ("outlook", "alpha", "expected_return"))
    median = known_median(inputs)[rows, 0]
    return [
        f"{outlook_text(o)}: alpha {a:.1%}, expected return {e:.1%}, median {m:.1%}"
        for o, a, e, m in zip(outlook, alpha, expected, median, strict=True)
    ]


STRATEGY = Strategy(
    key="fundamental",
    label="Fundamental outlook",
    description="Holds the tickers with a positive fundamental outlook and sells those with a negative one.",
    parameters=(),
    decide=decide,
    needs=("factors",),
    explain=explain,
)
