"""Maximum Sharpe ratio: the portfolio where the capital market line touches the frontier."""

from analytics.conventions import FloatArray
from analytics.portfolio.objectives._mean_variance import frontier_of
from analytics.portfolio.objectives._objective import Objective, Task


def solve(task: Task) -> FloatArray:
    """Return the weights of the largest (μ′w − f) / √(w′Σw) within the limits, (n,)."""
    return frontier_of(task, task.expected_returns, risk_free_rate=task.risk_free_rate).max_sharpe


OBJECTIVE = Objective(
    key="max_sharpe",
    label="Maximum Sharpe ratio",
    description="The most expected return above the risk-free rate per unit of volatility.",
    reference="Tobin (1958); Sharpe (1966)",
    respects_limits=True,
    solve=solve,
)
