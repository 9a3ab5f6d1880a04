"""How much the answer moves with the choice of estimators: the same question under every pair of them."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.conventions import FloatArray
from analytics.errors import PlumblineError
from analytics.portfolio.covariance import COVARIANCES
from analytics.portfolio.estimators import ESTIMATORS
from analytics.portfolio.frontier import efficient_frontier
from analytics.portfolio.limits import FeasibleSet
from analytics.portfolio.market_data import MarketData
from analytics.portfolio.portfolios import evaluate

COLUMNS: Final = (
    "expected_returns", "covariance", "min_variance_volatility", "min_variance_moved", "max_sharpe_return",
    "max_sharpe_volatility", "max_sharpe_ratio", "max_sharpe_moved", "note",
)  # fmt: skip


def choices(data: MarketData, *, feasible: FeasibleSet, base: str, risk_free_rate: float) -> pd.DataFrame:
    """Return what minimum variance and maximum Sharpe become under each pair of estimators, a row a pair.

    base: key of the pair that the others are compared with; *_moved is ½ Σ|w − w of the base|, the share of the
    portfolio that changes. Returns, volatilities and ratios are annual, by the pair's own estimates. note says why
    a pair has no answer; its numbers are NaN. Columns: COLUMNS. Counts of positions are not looked at.
    """
    covariances = _covariances(data)
    found: dict[str, tuple[FloatArray, FloatArray, list[float]]] = {}
    notes: dict[str, str] = {}
    for key, pair in ESTIMATORS.items():
        sigma = covariances[pair.covariance.key]
        try:
            if isinstance(sigma, PlumblineError):
                raise sigma
            mu = pair.expected_returns.estimate(data, sigma)
            frontier = efficient_frontier(mu, sigma, risk_free_rate=risk_free_rate, feasible=feasible, points=2)
        except PlumblineError as error:
            notes[key] = str(error)
            continue
        marked = np.vstack([frontier.min_variance, frontier.max_sharpe])
        row = evaluate(marked, mu, sigma, risk_free_rate=risk_free_rate)
        found[key] = (*marked, [row.volatility[0], row.expected_return[1], row.volatility[1], row.sharpe_ratio[1]])
    rows = []
    for key, pair in ESTIMATORS.items():
        names = (pair.expected_returns.key, pair.covariance.key)
        if key not in found or base not in found:
            rows.append((*names, *[np.nan] * (len(COLUMNS) - 3), notes.get(key, "")))
            continue
        least, best, figures = found[key]
        moved = [
            float(np.abs(one - other).sum() / 2) for one, other in zip((least, best), found[base][:2], strict=True)
        ]
        rows.append((*names, figures[0], moved[0], *figures[1:], moved[1], ""))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _covariances(data: MarketData) -> dict[str, FloatArray | PlumblineError]:
    """Each covariance, estimated once for all returns that it is paired with, or why there is none."""
    found: dict[str, FloatArray | PlumblineError] = {}
    for key, covariance in COVARIANCES.items():
        try:
            found[key] = covariance.estimate(data)
        except PlumblineError as error:
            found[key] = error
    return found
