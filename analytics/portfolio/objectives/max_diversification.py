"""Maximum diversification: the portfolio whose parts offset each other most."""

from analytics.conventions import FloatArray
from analytics.portfolio.objectives._mean_variance import frontier_of
from analytics.portfolio.objectives._objective import Objective, Task


def solve(task: Task) -> FloatArray:
    """Return the weights of the largest w′σ / √(w′Σw) within the limits, (n,).

    That ratio is the Sharpe ratio of assets whose excess returns are their volatilities.
    """
    return frontier_of(task, task.volatility, risk_free_rate=0.0).max_sharpe


OBJECTIVE = Objective(
    key="max_diversification",
    label="Maximum diversification",
    description="The largest average volatility of the parts per unit of volatility of the whole.",
    reference="Choueifaty and Coignard (2008)",
    respects_limits=True,
    solve=solve,
)
