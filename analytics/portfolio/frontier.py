"""The long-only efficient frontier, exact: corners, evenly spaced points, and the two marked portfolios."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.conventions import FRONTIER_POINTS, FloatArray
from analytics.portfolio._checks import at_least, expected_returns_and_covariance, finite, upper_bounds
from analytics.portfolio._critical_line import corner_portfolios
from analytics.portfolio.portfolios import Portfolios, evaluate

SAME_RETURN = 1e-10  # of the spread of expected returns: corners closer than this are one


@dataclass(frozen=True)
class Frontier(Portfolios):
    """Portfolios from minimum variance to maximum expected return, evenly spaced in expected return.

    corners: (n_corners, n_assets), rising in expected return; between two neighbours the frontier is linear
    in the weights. min_variance and max_sharpe: weights, shape (n_assets,).
    """

    corners: FloatArray
    min_variance: FloatArray
    max_sharpe: FloatArray


def efficient_frontier(
    expected_returns: FloatArray,
    covariance: FloatArray,
    *,
    risk_free_rate: float,
    points: int = FRONTIER_POINTS,
    upper_bound: npt.ArrayLike = 1.0,
) -> Frontier:
    """Return the frontier of fully invested portfolios with weights from 0 to upper_bound.

    expected_returns (n,), covariance (n, n) and risk_free_rate are annual fractions; upper_bound is one
    number or (n,). Where no portfolio of the frontier beats the risk-free rate, max_sharpe is still its
    largest Sharpe ratio, a negative one. Where there is one efficient portfolio only (one asset, equal
    expected returns), every point is that one. Raises InputError on missing values, a covariance that is not
    positive definite, or bounds that cannot add up to 1.
    """
    mu, sigma = expected_returns_and_covariance(expected_returns, covariance)
    upper, rate = upper_bounds(upper_bound, len(mu)), finite("risk_free_rate", risk_free_rate)
    count = at_least("points", points, 2)
    corners = _distinct(corner_portfolios(mu, sigma, upper), mu)
    reached = corners @ mu
    targets = np.linspace(reached[0], reached[-1], count)
    weights = np.column_stack([np.interp(targets, reached, column) for column in corners.T])
    row = evaluate(weights, mu, sigma, risk_free_rate=rate)
    return Frontier(
        row.weights, row.expected_return, row.volatility, row.sharpe_ratio,
        corners, corners[0], _max_sharpe(corners, mu, sigma, rate),
    )  # fmt: skip


def _distinct(corners: FloatArray, expected_returns: FloatArray) -> FloatArray:
    """Drop corners that do not raise the expected return (assets that change places at the same λ)."""
    least = SAME_RETURN * np.ptp(expected_returns)
    kept = [corners[0]]
    for corner in corners[1:]:
        if (corner - kept[-1]) @ expected_returns > least:
            kept.append(corner)
    return np.array(kept)


def _max_sharpe(corners: FloatArray, mu: FloatArray, sigma: FloatArray, risk_free_rate: float) -> FloatArray:
    """The best weights: on each piece the ratio (e₀ + t e₁) / √(a + 2bt + ct²) has one stationary point."""
    start, step = corners[:-1], np.diff(corners, axis=0)
    excess, gain = start @ mu - risk_free_rate, step @ mu
    a, b, c = ((left @ sigma * right).sum(axis=1) for left, right in ((start, start), (start, step), (step, step)))
    denominator = gain * b - excess * c
    t = (excess * b - gain * a) / np.where(denominator == 0, np.nan, denominator)
    inside = (t > 0) & (t < 1)
    candidates = np.vstack([corners, (start + t[:, None] * step)[inside]])
    ratios = evaluate(candidates, mu, sigma, risk_free_rate=risk_free_rate).sharpe_ratio
    return candidates[int(np.argmax(ratios))]
