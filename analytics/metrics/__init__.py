"""The metric registry: one definition for every performance number; a module exports METRICS."""

import sys

from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance, Trades
from analytics.registry import collect

__all__ = ["METRICS", "Metric", "Performance", "Trades", "compute_metrics"]

METRICS = collect(sys.modules[__name__], "METRICS", Metric)


def compute_metrics(performance: Performance) -> dict[str, float]:
    """Return {key: value} of every metric, in the registry's units. NaN when: undefined or not known."""
    return {key: float(metric.func(performance)) for key, metric in METRICS.items()}
