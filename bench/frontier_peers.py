"""Frontiers as users of other libraries compute them."""

import numpy as np


def pyportfolioopt(mean: np.ndarray, covariance: np.ndarray, targets: np.ndarray, cap: float) -> np.ndarray:
    """Return the weights at each target return, the documented way: a new EfficientFrontier per point."""
    from pypfopt import EfficientFrontier

    rows = []
    for target in targets:
        optimiser = EfficientFrontier(mean, covariance, weight_bounds=(0, cap), solver="CLARABEL")
        optimiser.efficient_return(float(target))
        rows.append(optimiser.weights)
    return np.array(rows)


def skfolio_frontier(returns: np.ndarray, points: int, cap: float) -> np.ndarray:
    """Return the weights of skfolio's efficient frontier of `points` portfolios."""
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import MeanRisk
    from skfolio.prior import EmpiricalPrior

    prior = EmpiricalPrior(covariance_estimator=LedoitWolf())
    model = MeanRisk(efficient_frontier_size=points, prior_estimator=prior, min_weights=0, max_weights=cap)
    return np.asarray(model.fit(returns).weights_)
