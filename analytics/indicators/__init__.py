"""Technical indicators, one file each: a module exports INDICATOR and needs no edit elsewhere."""

import sys

from analytics.indicators._indicator import Indicator, compute_indicator, compute_vote
from analytics.registry import collect

__all__ = ["INDICATORS", "Indicator", "compute_indicator", "compute_vote"]

INDICATORS = collect(sys.modules[__name__], "INDICATOR", Indicator)
