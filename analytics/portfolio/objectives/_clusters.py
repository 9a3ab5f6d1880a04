"""Assets as a tree of those that move together, for the hierarchical methods."""

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray

IntArray = npt.NDArray[np.int64]


def correlation_distance(correlation: FloatArray) -> FloatArray:
    """Return √(½ (1 − ρ)) of each pair, (n, n): 0 for assets that move as one, 1 for opposites."""
    distance = np.sqrt((1 - np.clip(correlation, -1, 1)) / 2)
    np.fill_diagonal(distance, 0)
    return distance


def ward_tree(distance: FloatArray, *, ordered: bool) -> FloatArray:
    """Return the merges, (n − 1, 4), of Ward's clustering; ordered puts similar leaves beside each other."""
    from scipy.cluster import hierarchy  # 0.2 s, and only two objectives need it

    return hierarchy.linkage(distance[np.triu_indices(len(distance), 1)], method="ward", optimal_ordering=ordered)


def inverse_variance(covariance: FloatArray, members: IntArray) -> tuple[FloatArray, float]:
    """Return the weights in proportion to 1 / variance within a cluster, and the variance of that portfolio."""
    inside = covariance[np.ix_(members, members)]
    weights = 1 / np.diagonal(inside)
    weights = weights / weights.sum()
    return weights, float(weights @ inside @ weights)
