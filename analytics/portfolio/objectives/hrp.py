"""Hierarchical risk parity: risk is split between halves of the assets, sorted so that neighbours are alike."""

import numpy as np

from analytics.conventions import FloatArray
from analytics.portfolio.objectives._clusters import correlation_distance, inverse_variance, ward_tree
from analytics.portfolio.objectives._objective import Objective, Task


def solve(task: Task) -> FloatArray:
    """Return the weights of recursive bisection, (n,).

    Each half is given money in inverse proportion to the variance of its inverse-variance portfolio. The order is
    that of Ward's tree with optimal leaf order, as in skfolio; the paper had single linkage, which chains.
    """
    covariance, n = task.covariance, len(task.expected_returns)
    if n == 1:
        return np.ones(1)
    from scipy.cluster.hierarchy import leaves_list

    weights = np.ones(n)
    halves = [leaves_list(ward_tree(correlation_distance(task.correlation), ordered=True))]
    while halves:
        items = halves.pop()
        if len(items) == 1:
            continue
        left, right = items[: len(items) // 2], items[len(items) // 2 :]
        _, left_variance = inverse_variance(covariance, left)
        _, right_variance = inverse_variance(covariance, right)
        weights[left] *= right_variance / (left_variance + right_variance)
        weights[right] *= left_variance / (left_variance + right_variance)
        halves += [left, right]
    return weights


OBJECTIVE = Objective(
    key="hrp",
    label="Hierarchical risk parity",
    description="Assets sorted by likeness, the risk split half by half; no inverse of the covariance.",
    reference="López de Prado (2016)",
    respects_limits=False,
    solve=solve,
)
