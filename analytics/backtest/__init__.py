"""Backtests: what a rule would have earned, filled on the bar after the decision and net of costs."""

from analytics.backtest.result import BacktestResult
from analytics.backtest.simulate import run_backtest
from analytics.backtest.spec import BacktestSpec, Costs

__all__ = ["BacktestResult", "BacktestSpec", "Costs", "run_backtest"]
