"""Mean-variance portfolios: estimates of return and risk, limits, the exact efficient frontier, random portfolios."""

from analytics.portfolio.constraints import Constraints, Universe, feasible_weights
from analytics.portfolio.covariance import COVARIANCES, Covariance
from analytics.portfolio.estimators import DEFAULT_ESTIMATOR, ESTIMATORS, Estimator, estimator
from analytics.portfolio.expected_returns import EXPECTED_RETURNS, ExpectedReturns
from analytics.portfolio.frontier import Frontier, efficient_frontier
from analytics.portfolio.limits import FeasibleSet, Limit, long_only
from analytics.portfolio.market_data import MarketData, View
from analytics.portfolio.monte_carlo import random_portfolios
from analytics.portfolio.portfolios import Portfolios, evaluate

__all__ = [
    "COVARIANCES",
    "DEFAULT_ESTIMATOR",
    "ESTIMATORS",
    "EXPECTED_RETURNS",
    "Constraints",
    "Covariance",
    "Estimator",
    "ExpectedReturns",
    "FeasibleSet",
    "Frontier",
    "Limit",
    "MarketData",
    "Portfolios",
    "Universe",
    "View",
    "efficient_frontier",
    "estimator",
    "evaluate",
    "feasible_weights",
    "long_only",
    "random_portfolios",
]
