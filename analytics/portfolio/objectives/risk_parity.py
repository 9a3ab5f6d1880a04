"""Risk parity: every asset contributes its budget of the risk, by default the same."""

from typing import Final

import numpy as np

from analytics.conventions import FloatArray
from analytics.portfolio.objectives._objective import Objective, Task

CLOSE: Final = 1e-13  # of the risk: contributions this near their budgets are met
MOST_STEPS: Final = 200  # about ten are needed


def solve(task: Task) -> FloatArray:
    """Return the long-only weights whose risk contributions wᵢ (Σw)ᵢ / w′Σw are the risk budgets, (n,).

    y′Cy / 2 − Σ bᵢ log yᵢ, with C the correlations, is least where yᵢ (Cy)ᵢ = bᵢ: damped Newton steps on it, a
    convex function, find the one solution; wᵢ is then in proportion to yᵢ / σᵢ.
    """
    n = len(task.expected_returns)
    budgets = np.ones(n) if task.risk_budgets is None else np.asarray(task.risk_budgets, dtype=float)
    weights = _scaled(task.correlation, budgets / budgets.sum()) / task.volatility
    return weights / weights.sum()


def _scaled(correlation: FloatArray, budgets: FloatArray) -> FloatArray:
    scaled: FloatArray = np.sqrt(budgets / (np.sqrt(budgets) @ correlation @ np.sqrt(budgets)))
    for _ in range(MOST_STEPS):
        gradient = correlation @ scaled - budgets / scaled
        if np.abs(scaled * gradient).max() <= CLOSE:
            break
        step = np.linalg.solve(correlation + np.diag(budgets / scaled**2), -gradient).astype(np.float64)
        scaled += _damped(scaled, step, correlation, budgets) * step
    return scaled


def _damped(scaled: FloatArray, step: FloatArray, correlation: FloatArray, budgets: FloatArray) -> float:
    """The largest of 1, ½, ¼ … that keeps the weights positive and does not raise the convex function."""
    length = 1.0
    while length > CLOSE:
        after = scaled + length * step
        if (after > 0).all():
            change = length * step @ correlation @ (scaled + after) / 2 - budgets @ np.log(after / scaled)
            if change <= CLOSE:
                break
        length /= 2
    return length


OBJECTIVE = Objective(
    key="risk_parity",
    label="Risk parity",
    description="Every asset adds the same share of the risk, or the share budgeted for it.",
    reference="Maillard, Roncalli and Teïletche (2010); Spinu (2013)",
    respects_limits=False,
    solve=solve,
)
