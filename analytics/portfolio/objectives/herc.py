"""Hierarchical equal risk contribution: risk is split along the tree between clusters, then within each."""

from typing import Any, Final

import numpy as np

from analytics.conventions import FloatArray
from analytics.portfolio.objectives._clusters import IntArray, correlation_distance, inverse_variance, ward_tree
from analytics.portfolio.objectives._objective import Objective, Task

MOST_CLUSTERS: Final = 8  # considered at least, if there are as many assets; √n of more than 64


def solve(task: Task) -> FloatArray:
    """Return the weights, (n,): from the root down each branch is given money in inverse proportion to the sum of
    the variances of its clusters, and each cluster is held at inverse variance.

    Ward's tree on √(½ (1 − ρ)); the number of clusters is where the dispersion within them bends most.
    """
    covariance, n = task.covariance, len(task.expected_returns)
    if n == 1:
        return np.ones(1)
    from scipy.cluster import hierarchy

    distance = correlation_distance(task.correlation)
    tree = ward_tree(distance, ordered=False)
    labels = hierarchy.fcluster(tree, t=_cluster_count(distance, tree), criterion="maxclust") - 1
    inside = [inverse_variance(covariance, np.flatnonzero(labels == label)) for label in range(labels.max() + 1)]
    variances, weights = np.array([variance for _, variance in inside]), np.zeros(n)

    def share_out(node: Any, share: float) -> None:
        clusters = np.unique(labels[node.pre_order()])
        if len(clusters) == 1:
            weights[labels == clusters[0]] = share * inside[clusters[0]][0]
            return
        left, right = (variances[np.unique(labels[side.pre_order()])].sum() for side in (node.left, node.right))
        share_out(node.left, share * right / (left + right))
        share_out(node.right, share * left / (left + right))

    share_out(hierarchy.to_tree(tree), 1.0)
    return weights


def _cluster_count(distance: FloatArray, tree: FloatArray) -> int:
    """The k ≥ 2 after which the dispersion W bends most: the largest Wₖ₋₁ − 2 Wₖ + Wₖ₊₁ (Yue, Wang and Wei 2009).

    W is the sum over clusters of the mean distance between two members.
    """
    from scipy.cluster.hierarchy import cut_tree

    n = len(distance)
    if n == 2:
        return 2
    levels = np.arange(1, min(n, max(MOST_CLUSTERS, round(np.sqrt(n)))) + 1)
    dispersion = np.array([_dispersion(distance, labels) for labels in cut_tree(tree, n_clusters=levels).T])
    return int(np.argmax(np.diff(dispersion, 2))) + 2


def _dispersion(distance: FloatArray, labels: IntArray) -> float:
    members = np.eye(labels.max() + 1)[labels]
    sizes = members.sum(axis=0)
    totals = (members * (distance @ members)).sum(axis=0)
    return float((totals / np.maximum(sizes * (sizes - 1), 1)).sum())


OBJECTIVE = Objective(
    key="herc",
    label="Hierarchical equal risk contribution",
    description="Risk shared equally between clusters of assets that move together, then within each.",
    reference="Raffinot (2018)",
    respects_limits=False,
    solve=solve,
)
