"""Benchmark tracking: the portfolio that strays least from the benchmark."""

import numpy as np

from analytics.conventions import STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import MissingDataError
from analytics.portfolio.objectives._objective import Objective, Task
from analytics.portfolio.quadratic import minimise_quadratic


def solve(task: Task) -> FloatArray:
    """Return the weights of least tracking error s(w′r − b) within the limits, (n,).

    The covariances are those of the sample, whatever the task's estimate: a shrunk one would not be that of the
    benchmark. Raises MissingDataError without a benchmark.
    """
    if task.benchmark_returns is None:
        raise MissingDataError("Tracking needs the returns of a benchmark over the same sessions.")
    joint = TRADING_DAYS * np.cov(np.column_stack([task.returns, task.benchmark_returns]), rowvar=False, ddof=STD_DDOF)
    return minimise_quadratic(joint[:-1, :-1], joint[:-1, -1], task.feasible)


OBJECTIVE = Objective(
    key="tracking",
    label="Benchmark tracking",
    description="The least tracking error against the benchmark.",
    reference="Roll (1992)",
    respects_limits=True,
    solve=solve,
)
