"""From a strategy's decisions to orders: the rules of risk change what it wants before anything is ordered."""

from dataclasses import replace

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import Orders, schedule_orders
from analytics.backtest.scaling import scale_decisions
from analytics.backtest.spec import BacktestSpec
from analytics.backtest.strategies import STRATEGIES, first_decision_rows
from analytics.backtest.terms import LONG_ONLY, Rules
from analytics.conventions import FloatArray
from analytics.errors import MissingDataError


def decide_orders(inputs: StrategyInputs, spec: BacktestSpec, *, first: int, last: int) -> Orders:
    """Return the orders of the rows from `first` to before `last`, those still pending at its end included.

    Raises InputError (parameters that do not go together) and MissingDataError (the strategy needs what is not there).
    """
    panel = inputs.panel
    start, end = panel.dates[first], panel.dates[last - 1]
    begun = begin(inputs, start)
    strategy = STRATEGIES[spec.strategy]
    if "factors" in strategy.needs and inputs.factors is None:
        raise MissingDataError(
            f"{strategy.label} needs factor fits, and the store has none of these tickers: they take 24 months of prices "
            "and of factor returns. Run: make update, or choose another strategy."
        )
    wanted = _allowed(strategy.decide(begun, **spec.parameters), spec.rules)
    decisions = scale_decisions(wanted, panel, inputs.risk_free, begun.first_rows, spec.rules)
    return schedule_orders(panel, decisions, start=start, end=end)


def begin(inputs: StrategyInputs, start: np.datetime64) -> StrategyInputs:
    """Return the inputs with the first rows of a test that starts on a date."""
    return replace(inputs, first_rows=first_decision_rows(inputs.panel, start))


def _allowed(decisions: FloatArray, rules: Rules) -> FloatArray:
    """The decisions within direction and position limit; NaN stays NaN."""
    limit = rules.position_limit(decisions.shape[1])
    return np.clip(decisions, 0.0 if rules.direction == LONG_ONLY else -limit, limit)
