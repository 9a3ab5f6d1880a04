"""Inverse volatility: the calmer an asset, the more of it."""

from analytics.conventions import FloatArray
from analytics.portfolio.objectives._objective import Objective, Task


def solve(task: Task) -> FloatArray:
    """Return weights in proportion to 1 / volatility, (n,)."""
    inverse: FloatArray = 1 / task.volatility
    return inverse / inverse.sum()


OBJECTIVE = Objective(
    key="inverse_volatility",
    label="Inverse volatility",
    description="Weights in proportion to 1 / volatility; correlations play no part.",
    reference="Maillard, Roncalli and Teïletche (2010)",
    respects_limits=False,
    solve=solve,
)
