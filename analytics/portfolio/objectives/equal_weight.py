"""Equal weights: what every estimate has to beat."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.portfolio.objectives._objective import Objective, Task


def solve(task: Task) -> FloatArray:
    """Return 1/n for each asset, (n,)."""
    n = len(task.expected_returns)
    return np.full(n, 1 / n)


OBJECTIVE = Objective(
    key="equal_weight",
    label="Equal weight",
    description="The same share of every asset; needs no estimate at all.",
    reference="DeMiguel, Garlappi and Uppal (2009)",
    respects_limits=False,
    solve=solve,
)
