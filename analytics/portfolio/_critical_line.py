"""The critical-line algorithm: every solution of min ½ w′Σw − λ μ′w as λ moves, exactly, corner by corner."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray

FARTHEST = 1e8  # λ of the scaled problem; what crosses beyond is a tie but for rounding
STILL = 1e-12  # slope of the scaled problem below which nothing moves
AT_LOWER, FREE, AT_UPPER = -1, 0, 1


@dataclass(frozen=True)
class _Line:
    """Between two corners the weights are constant + λ slope; so are the multipliers of the bounds."""

    constant: FloatArray
    slope: FloatArray
    multiplier_constant: FloatArray
    multiplier_slope: FloatArray


def corner_portfolios(expected_returns: FloatArray, covariance: FloatArray, upper: FloatArray) -> FloatArray:
    """Return the corner portfolios, (n_corners, n_assets), from λ = 0 (minimum variance) up.

    upper: largest weight of each asset, together at least 1. The covariance must be positive definite. The
    last corner is the least volatile among the portfolios of maximum expected return. Between neighbours
    weights are linear. Source: Markowitz (1956); Niedermayer and Niedermayer (2010), Applying Markowitz's
    critical line algorithm.
    """
    sigma = covariance / np.diag(covariance).mean()
    # Any distinct numbers in place of μ lead from a portfolio known at λ = ∞ to minimum variance at λ = 0;
    # with the least volatile assets first the way is short. From there the real μ leads up, ties and all.
    order = np.argsort(-np.diag(sigma), kind="stable")
    ladder = np.empty(len(sigma))
    ladder[order] = np.linspace(0, 1, len(sigma))
    state = _greedy(ladder, upper)
    _walk(sigma, ladder, upper, state, start=np.inf, stop=0.0)
    spread = np.ptp(expected_returns)
    mu = (expected_returns - expected_returns.mean()) / (spread if spread > 0 else 1.0)
    # Going up in λ with μ is going down with −μ below zero.
    return _walk(sigma, -mu, upper, state, start=0.0, stop=-FARTHEST)


def _greedy(mu: FloatArray, upper: FloatArray) -> npt.NDArray[np.int64]:
    """The state of each asset at λ = ∞: the best ones at their bound, the last one bought free."""
    state = np.full(len(mu), AT_LOWER)
    left = 1.0
    for asset in np.argsort(-mu, kind="stable"):
        if upper[asset] == 0:
            continue
        state[asset], last = AT_UPPER, asset
        left -= upper[asset]
        if left <= 1e-12:
            break
    state[last] = FREE
    return state


def _walk(
    sigma: FloatArray,
    mu: FloatArray,
    upper: FloatArray,
    state: npt.NDArray[np.int64],
    *,
    start: float,
    stop: float,
) -> FloatArray:
    """Follow the optimum from λ = start down to stop, updating state in place; return the corners passed."""
    level, corners = start, []
    for _ in range(100 * (len(mu) + 1)):
        line = _line(sigma, mu, upper, state)
        if np.isfinite(level):
            corners.append(_weights(line, level, upper))
        asset, crossing = _next_crossing(line, upper, state, level)
        if asset < 0 or crossing <= stop:
            return np.array(corners)
        level = crossing
        state[asset] = _moved_to(line, asset, state)
    raise ArithmeticError(f"critical line: no end after {100 * (len(mu) + 1)} corners of {len(mu)} assets")


def _line(sigma: FloatArray, mu: FloatArray, upper: FloatArray, state: npt.NDArray[np.int64]) -> _Line:
    """Solve the first-order conditions of the free assets, the others held at their bounds."""
    free = np.flatnonzero(state == FREE)
    held = np.where(state == AT_UPPER, upper, 0.0)
    conditions = np.ones((len(free) + 1, len(free) + 1))
    conditions[:-1, :-1] = sigma[np.ix_(free, free)]
    conditions[-1, -1] = 0
    right = np.zeros((len(free) + 1, 2))
    right[:-1, 0], right[-1, 0] = -(sigma @ held)[free], 1 - held.sum()
    right[:-1, 1] = mu[free]
    solution = np.linalg.solve(conditions, right)
    constant, slope = held.copy(), np.zeros(len(mu))
    constant[free], slope[free] = solution[:-1].T
    gradient = sigma @ np.column_stack([constant, slope]) + solution[-1]
    return _Line(constant, slope, gradient[:, 0], gradient[:, 1] - mu)


def _next_crossing(line: _Line, upper: FloatArray, state: npt.NDArray[np.int64], level: float) -> tuple[int, float]:
    """The first asset, going down, whose weight meets a bound or whose bound stops binding; −1 if none.

    Only what moves towards its limit counts, and nothing above level: an asset that has just crossed moves
    away, and one that rounding left beyond its limit crosses at once.
    """
    free, falling = state == FREE, line.slope > 0
    room = np.where(free, np.where(falling, line.constant, line.constant - upper), line.multiplier_constant)
    pace = np.where(free, line.slope, line.multiplier_slope)
    towards = np.where(free, np.abs(pace), pace * -state) > STILL
    crossing = np.where(towards, np.minimum(-room / np.where(towards, pace, 1.0), level), -np.inf)
    asset = int(np.argmax(crossing))
    return (asset, float(crossing[asset])) if crossing[asset] > -np.inf else (-1, -np.inf)


def _moved_to(line: _Line, asset: int, state: npt.NDArray[np.int64]) -> int:
    if state[asset] != FREE:
        return FREE
    return AT_LOWER if line.slope[asset] > 0 else AT_UPPER


def _weights(line: _Line, level: float, upper: FloatArray) -> FloatArray:
    return np.clip(line.constant + level * line.slope, 0, upper)
