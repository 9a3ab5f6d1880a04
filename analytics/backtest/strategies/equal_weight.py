"""The same weight in every ticker, restored on a schedule."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import decisions, traded
from analytics.backtest.strategies._rebalance import REBALANCE, schedule, until_next
from analytics.backtest.strategies._strategy import Strategy
from analytics.conventions import FloatArray


def decide(inputs: StrategyInputs, *, rebalance: str) -> FloatArray:
    """Return 1 / number of tickers then traded, on the schedule and when one is listed, shape of the panel.

    NaN in between. A ticker without a bar that day is brought to its weight on its next bar.
    """
    trading = traded(inputs.panel.has_bar)
    acts = schedule(inputs, rebalance)
    joins = np.unique(inputs.first_rows)
    acts[joins[(joins > np.argmax(acts)) & (joins < len(acts))]] = True
    weights = trading[acts] / np.maximum(trading[acts].sum(axis=1, keepdims=True), 1)
    return decisions(inputs, until_next(acts, weights), again=acts)


def explain(_inputs: StrategyInputs, _column: int, rows: np.ndarray, *, rebalance: str) -> list[str]:
    """Return the same words for each decision."""
    return [f"equal weights, {rebalance}"] * len(rows)


STRATEGY = Strategy(
    key="equal_weight",
    label="Equal weight, rebalanced",
    description="Holds the same weight in every ticker and restores it on a schedule.",
    parameters=(REBALANCE,),
    decide=decide,
    explain=explain,
)
