"""Minimum variance: the left end of the frontier."""

from analytics.conventions import FloatArray
from analytics.portfolio.objectives._mean_variance import frontier_of
from analytics.portfolio.objectives._objective import Objective, Task


def solve(task: Task) -> FloatArray:
    """Return the weights of least variance within the limits, (n,)."""
    return frontier_of(task, task.expected_returns, risk_free_rate=task.risk_free_rate).min_variance


OBJECTIVE = Objective(
    key="min_variance",
    label="Minimum variance",
    description="The least volatile portfolio; needs no expected returns.",
    reference="Markowitz (1952)",
    respects_limits=True,
    solve=solve,
)
