"""The marked portfolios of a frontier, with or without a count of positions."""

from analytics.conventions import FloatArray
from analytics.portfolio.frontier import Frontier, efficient_frontier
from analytics.portfolio.objectives._objective import Task
from analytics.portfolio.positions import PositionsFrontier, frontier_of_positions


def frontier_of(task: Task, expected_returns: FloatArray, *, risk_free_rate: float) -> Frontier | PositionsFrontier:
    """Return the ends and the best ratio of a frontier within the task's limits, its points left out."""
    find = frontier_of_positions if task.feasible.is_split else efficient_frontier
    return find(expected_returns, task.covariance, risk_free_rate=risk_free_rate, feasible=task.feasible, points=2)
