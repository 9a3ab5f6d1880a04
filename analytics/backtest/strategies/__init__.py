"""Trading strategies, one file each: a module exports STRATEGY and needs no edit elsewhere."""

import sys

from analytics.backtest.strategies._strategy import Strategy, changes_only, first_decision_rows
from analytics.registry import collect

__all__ = ["STRATEGIES", "Strategy", "changes_only", "first_decision_rows"]

STRATEGIES = collect(sys.modules[__name__], "STRATEGY", Strategy)
