"""Mean-variance portfolios: estimates of return and risk, the exact efficient frontier, random portfolios."""

from analytics.portfolio.estimators import DEFAULT_ESTIMATOR, ESTIMATORS, Estimator
from analytics.portfolio.frontier import Frontier, efficient_frontier
from analytics.portfolio.monte_carlo import random_portfolios
from analytics.portfolio.portfolios import Portfolios, evaluate

__all__ = [
    "DEFAULT_ESTIMATOR",
    "ESTIMATORS",
    "Estimator",
    "Frontier",
    "Portfolios",
    "efficient_frontier",
    "evaluate",
    "random_portfolios",
]
