"""Expected returns, one file each: a module exports EXPECTED_RETURNS and needs no edit elsewhere."""

import sys

from analytics.portfolio.expected_returns._expected_returns import ExpectedReturns
from analytics.portfolio.expected_returns.historical_mean import mean_historical
from analytics.registry import collect

__all__ = ["EXPECTED_RETURNS", "ExpectedReturns", "mean_historical"]

EXPECTED_RETURNS = collect(sys.modules[__name__], "EXPECTED_RETURNS", ExpectedReturns)
