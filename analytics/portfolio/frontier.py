"""The efficient frontier, exact: corners, evenly spaced points, the two marked portfolios, and any point between."""

from dataclasses import dataclass

import numpy as np

from analytics.conventions import FRONTIER_POINTS, FloatArray
from analytics.errors import InputError
from analytics.portfolio._checks import at_least, expected_returns_and_covariance, finite
from analytics.portfolio._parametric import corners_of, positive_definite
from analytics.portfolio.limits import FeasibleSet, long_only
from analytics.portfolio.portfolios import Portfolios, evaluate

SAME_RETURN = 1e-10  # of the spread of expected returns: corners closer than this are one
BEYOND = 1e-9  # how far outside the frontier a target may lie and still mean its end


@dataclass(frozen=True, eq=False)
class Frontier(Portfolios):
    """Portfolios from minimum variance to maximum expected return, evenly spaced in expected return.

    corners: (n_corners, n_assets), rising in expected return; between two neighbours the frontier is linear in
    the weights. tolerance (n_corners,) is λ of ½ w′Σw − λ μ′w at each. min_variance, max_sharpe: weights
    (n_assets,). exact: found on the critical line; else by an interior-point solver, point by point. residual:
    the largest violation of the scaled first-order conditions.
    """

    corners: FloatArray
    tolerance: FloatArray
    min_variance: FloatArray
    max_sharpe: FloatArray
    exact: bool
    residual: float
    problem: tuple[FloatArray, FloatArray, float, FeasibleSet]

    def at_return(self, target: float) -> FloatArray:
        """Return the weights (n_assets,) of least variance for an expected return; raises InputError outside."""
        mu, _, rate, _ = self.problem
        reached = _returns(self.corners, mu, rate)
        slack = BEYOND * max(1.0, abs(target))
        if not reached[0] - slack <= target <= reached[-1] + slack:
            allowed = f"an expected return from {reached[0]:.6g} to {reached[-1]:.6g}"
            raise InputError("target", got=target, allowed=allowed)
        return _between(self.corners, reached, np.array([target]))[0]

    def at_volatility(self, target: float) -> FloatArray:
        """Return the weights (n_assets,) of the largest expected return at a volatility; raises InputError outside."""
        _, sigma, _, _ = self.problem
        volatility = np.sqrt(_quadratic(self.corners, self.corners, sigma))
        if not volatility[0] - BEYOND <= target <= volatility[-1] + BEYOND:
            allowed = f"a volatility from {volatility[0]:.6g} to {volatility[-1]:.6g}"
            raise InputError("target", got=target, allowed=allowed)
        piece = int(np.clip(np.searchsorted(volatility, target) - 1, 0, max(len(volatility) - 2, 0)))
        if len(self.corners) == 1:
            return self.corners[0]
        start, step = self.corners[piece], self.corners[piece + 1] - self.corners[piece]
        a, b, c = step @ sigma @ step, start @ sigma @ step, start @ sigma @ start - target**2
        root = np.sqrt(max(b * b - a * c, 0.0))
        share = float(np.clip((root - b) / a, 0, 1))
        return _lerp(start, self.corners[piece + 1], share)


def efficient_frontier(
    expected_returns: FloatArray,
    covariance: FloatArray,
    *,
    risk_free_rate: float,
    feasible: FeasibleSet | None = None,
    points: int = FRONTIER_POINTS,
) -> Frontier:
    """Return the frontier of the weights that obey the limits: fully invested and long-only unless told.

    expected_returns (n,), covariance (n, n) and risk_free_rate are annual fractions; what is not invested earns
    the risk-free rate. Where no portfolio of the frontier beats that rate, max_sharpe is still its largest Sharpe
    ratio, a negative one. Where there is one efficient portfolio only (one asset, equal expected returns), every
    point is that one. A singular covariance gets a ridge of 1e-7 of its mean variance; which of several equal
    portfolios is taken is arbitrary but always the same. Counts of positions are for `positions`. Raises
    NoPortfolioError where the limits contradict each other, InputError on missing values or an indefinite
    covariance.
    """
    mu, sigma = expected_returns_and_covariance(expected_returns, covariance)
    rate, count = finite("risk_free_rate", risk_free_rate), at_least("points", points, 2)
    allowed = long_only(len(mu)) if feasible is None else feasible
    if allowed.n_assets != len(mu):
        raise InputError("feasible", got=f"limits on {allowed.n_assets} assets", allowed=f"limits on {len(mu)}")
    definite = positive_definite(sigma)
    found = corners_of(mu - rate, definite, allowed)
    kept = _distinct(_returns(found.weights, mu, rate), SAME_RETURN * np.ptp(np.append(mu, rate)))
    corners = found.weights[kept]
    reached = _returns(corners, mu, rate)
    targets = np.linspace(reached[0], reached[-1], count)
    weights = _between(corners, reached, targets)
    product = corners @ sigma
    row = evaluate(weights, mu, sigma, risk_free_rate=rate, product=_between(product, reached, targets))
    return Frontier(
        row.weights, row.expected_return, row.volatility, row.sharpe_ratio,
        corners, found.tolerance[kept], corners[0], _max_sharpe(corners, corners @ (mu - rate), product),
        found.exact, found.residual, (mu, sigma, rate, allowed),
    )  # fmt: skip


def _returns(weights: FloatArray, mu: FloatArray, rate: float) -> FloatArray:
    return weights @ mu + (1 - weights.sum(axis=-1)) * rate


def _quadratic(left: FloatArray, right: FloatArray, sigma: FloatArray) -> FloatArray:
    return np.maximum((left @ sigma * right).sum(axis=1), 0.0)


def _distinct(reached: FloatArray, least: float) -> list[int]:
    """Leave out corners that do not raise the expected return (assets that change places at the same λ)."""
    kept = [0]
    for number in range(1, len(reached)):
        if reached[number] - reached[kept[-1]] > least:
            kept.append(number)
    return kept


def _between(corners: FloatArray, reached: FloatArray, targets: FloatArray) -> FloatArray:
    """Weights at target returns: linear between the two corners on either side."""
    if len(corners) == 1:
        return np.repeat(corners, len(targets), axis=0)
    right = np.clip(np.searchsorted(reached, targets), 1, len(corners) - 1)
    share = np.clip((targets - reached[right - 1]) / (reached[right] - reached[right - 1]), 0, 1)[:, None]
    return _lerp(corners[right - 1], corners[right], share)


def _lerp(left: FloatArray, right: FloatArray, share: FloatArray | float) -> FloatArray:
    """Between two, without the last bit that rounding may put beyond the one or the other."""
    return np.clip(left + share * (right - left), np.minimum(left, right), np.maximum(left, right))


def _max_sharpe(corners: FloatArray, excess: FloatArray, product: FloatArray) -> FloatArray:
    """The best weights: on each piece the ratio (e₀ + t e₁) / √(a + 2bt + ct²) has one stationary point.

    excess: returns of the corners over the risk-free rate; product: corners times the covariance.
    """
    gain, step, turn = np.diff(excess), np.diff(corners, axis=0), np.diff(product, axis=0)
    a = (product * corners).sum(axis=1)
    b, c = (product[:-1] * step).sum(axis=1), (turn * step).sum(axis=1)
    denominator = gain * b - excess[:-1] * c
    t = (excess[:-1] * b - gain * a[:-1]) / np.where(denominator == 0, np.nan, denominator)
    inside = np.flatnonzero((t > 0) & (t < 1))
    share = np.append(np.zeros(len(corners)), t[inside])
    start = np.append(np.arange(len(corners)), inside)
    piece = np.minimum(start, max(len(gain) - 1, 0))
    if not len(gain):
        return corners[0]
    variance = a[start] + share * (2 * b[piece] + share * c[piece])
    ratio = (excess[start] + share * gain[piece]) / np.sqrt(np.where(variance > 0, variance, np.nan))
    if not np.isfinite(ratio).any():
        return corners[-1]
    best = int(np.nanargmax(ratio))
    return corners[start[best]] + share[best] * step[piece[best]]
