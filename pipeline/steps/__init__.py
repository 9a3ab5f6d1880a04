"""The steps of an update, one file each: a module exports STEP and needs no edit elsewhere."""

import sys
from graphlib import TopologicalSorter

from analytics.registry import collect
from pipeline.steps._step import Context, Outcome, Step

__all__ = ["STEPS", "Context", "Outcome", "Step", "ordered_steps"]

STEPS = collect(sys.modules[__name__], "STEP", Step)


def ordered_steps() -> list[Step]:
    """Return the steps so that each comes after the steps that write what it reads."""
    graph = {
        step.key: {other.key for other in STEPS.values() if other is not step and set(other.writes) & set(step.reads)}
        for step in STEPS.values()
    }
    return [STEPS[key] for key in TopologicalSorter(graph).static_order()]
