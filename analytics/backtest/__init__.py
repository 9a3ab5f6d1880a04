"""Backtests: what a rule would have earned, filled on the bar after the decision and net of costs."""

from analytics.backtest.inputs import FactorView, StrategyInputs
from analytics.backtest.result import BacktestResult
from analytics.backtest.simulate import each_alone, run_backtest
from analytics.backtest.spec import BacktestSpec
from analytics.backtest.terms import Costs, Rules

__all__ = [
    "BacktestResult",
    "BacktestSpec",
    "Costs",
    "FactorView",
    "Rules",
    "StrategyInputs",
    "each_alone",
    "run_backtest",
]
