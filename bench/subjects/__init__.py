"""What is measured, one file per subject: a module exports BENCHMARK and needs no edit elsewhere.

Modules import what they measure inside their functions: only the process that measures it should pay.
"""

import sys

from analytics.registry import collect
from bench.measure import Benchmark

__all__ = ["BENCHMARKS"]

BENCHMARKS = collect(sys.modules[__name__], "BENCHMARK", Benchmark)
