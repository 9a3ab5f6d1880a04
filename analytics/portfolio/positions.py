"""The frontier with a count of positions or a smallest position: not one set of weights any more but many pieces.

Which assets to hold is searched for; given them, the frontier is exact. Nothing proves that the search finds the
best assets, so each portfolio stands beside a bound that none can beat: the frontier without the counts.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import FRONTIER_POINTS, FloatArray
from analytics.errors import NoPortfolioError
from analytics.portfolio._checks import at_least, expected_returns_and_covariance, finite
from analytics.portfolio._elastic import elastic_program
from analytics.portfolio._parametric import corners_of, positive_definite
from analytics.portfolio.frontier import efficient_frontier
from analytics.portfolio.limits import HELD, FeasibleSet
from analytics.portfolio.portfolios import Portfolios, evaluate

WIDER: Final = 2  # the search begins with this many times the positions allowed
SHRINK: Final = 0.75  # share of the assets that stay from one round of the search to the next
STARTS: Final = 20  # points of the frontier without counts that the search sets out from
EXCHANGED: Final = 5  # expected returns at which single assets are exchanged
TRIED: Final = 4  # assets that enter and that leave there
ALL_TRIED: Final = 200  # choices of assets: with no more all are solved, and the answer is proved
REPAIRS: Final = 3  # points at which assets are looked for by integer programming where dropping the smallest failed

Support = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PositionsFrontier(Portfolios):
    """The efficient portfolios found, rising in expected return; no more than the points asked for.

    bound (n_points,): the volatility without counts of positions at the same expected return, which no
    portfolio can beat. min_variance, max_sharpe: weights (n_assets,).
    """

    bound: FloatArray
    min_variance: FloatArray
    max_sharpe: FloatArray

    @property
    def gap(self) -> FloatArray:
        """How far each volatility is above its bound, as a fraction of the bound; NaN when the bound is 0."""
        return self.volatility / np.where(self.bound > 0, self.bound, np.nan) - 1


def frontier_of_positions(
    expected_returns: FloatArray,
    covariance: FloatArray,
    *,
    risk_free_rate: float,
    feasible: FeasibleSet,
    points: int = FRONTIER_POINTS,
) -> PositionsFrontier:
    """Return a frontier on which at most max_positions assets are held, each at min_position or more.

    expected_returns (n,), covariance (n, n) and risk_free_rate are annual fractions. From every point of the
    frontier without counts the smallest positions are dropped and the rest is solved again, until few enough are
    left; of the exact frontiers of all assets so found, the least volatility at each expected return is kept.
    Raises NoPortfolioError where no portfolio obeys the limits, InputError as `efficient_frontier` does.
    """
    mu, sigma = expected_returns_and_covariance(expected_returns, covariance)
    count, search = (
        at_least("points", points, 2),
        _Search(mu, sigma, finite("risk_free_rate", risk_free_rate), feasible),
    )
    found = search.run()
    lowest = min(found, key=lambda piece: float(piece.variance[0]))
    targets = np.linspace(lowest.reached[0], max(piece.reached[-1] for piece in found), count)
    weights, owners = _envelope(found, targets, sigma)
    row = evaluate(weights, mu, sigma, risk_free_rate=risk_free_rate)
    rising = np.diff(row.expected_return, prepend=-np.inf) > HELD  # where assets change, one portfolio answers several
    near = int(np.argmax(np.nan_to_num(row.sharpe_ratio, nan=-np.inf)))  # all cash has no ratio
    tried = np.array(
        [weights[near], *(search.max_sharpe(found[one]) for one in set(owners[max(near - 1, 0) : near + 2]))]
    )
    ratios = evaluate(tried, mu, sigma, risk_free_rate=risk_free_rate).sharpe_ratio
    best = tried[int(np.argmax(np.nan_to_num(ratios, nan=-np.inf)))]
    row = evaluate(row.weights[rising], mu, sigma, risk_free_rate=risk_free_rate)
    bound = np.sqrt(_variance(search.relaxed.at(row.expected_return), sigma))
    return PositionsFrontier(
        row.weights, row.expected_return, row.volatility, row.sharpe_ratio, bound, lowest.corners[0], best
    )


@dataclass(frozen=True, eq=False)
class _Piece:
    """The exact frontier of some assets: corners (k, n) over all assets, with returns, variances and λ (k,)."""

    support: Support
    corners: FloatArray
    reached: FloatArray
    variance: FloatArray
    tolerance: FloatArray

    def at(self, targets: FloatArray) -> FloatArray:
        """Weights (n_targets, n) at expected returns, at the nearer end for those beyond it."""
        if len(self.corners) == 1:
            return np.repeat(self.corners, len(targets), axis=0)
        right = np.clip(np.searchsorted(self.reached, targets), 1, len(self.corners) - 1)
        width = self.reached[right] - self.reached[right - 1]
        share = np.clip((targets - self.reached[right - 1]) / width, 0, 1)[:, None]
        return (1 - share) * self.corners[right - 1] + share * self.corners[right]


class _Search:
    """Frontiers of chosen assets, each computed once."""

    def __init__(self, mu: FloatArray, sigma: FloatArray, rate: float, feasible: FeasibleSet) -> None:
        self.mu, self.sigma, self.rate, self.feasible = mu, sigma, rate, feasible
        self.definite = positive_definite(sigma)
        self.least = feasible.min_position
        # More than 1 / min_position positions would be more than the whole portfolio.
        self.most = min(feasible.max_positions, int(1 / self.least + HELD) if self.least > 0 else feasible.n_assets)
        self.known: dict[tuple[Support, float], _Piece | None] = {}
        whole = self.piece(tuple(range(feasible.n_assets)), 0.0)
        if whole is None:
            raise NoPortfolioError
        self.relaxed = whole

    def run(self) -> list[_Piece]:
        """Return the frontiers of every choice of assets that the search ends at, or of all where those are few."""
        choices = sum(comb(self.feasible.n_assets, size) for size in range(1, self.most + 1))
        if choices <= ALL_TRIED:
            for size in range(1, self.most + 1):
                for support in combinations(range(self.feasible.n_assets), size):
                    self.piece(support, self.least)
            if not self.found():
                raise NoPortfolioError
            return self.found()
        targets = np.linspace(self.relaxed.reached[0], self.relaxed.reached[-1], STARTS)
        starts = self.relaxed.at(targets)
        failed = [
            number
            for number in range(STARTS)
            if not self.hold(self.narrow(starts[number], targets[number]), targets[number])
        ]
        if failed:
            self.repair(starts[failed], targets[failed])
        if not self.found():
            raise NoPortfolioError
        for target in np.linspace(targets[0], targets[-1], EXCHANGED):
            self.exchange(target)
        return self.found()

    def found(self) -> list[_Piece]:
        """The frontiers of the choices of assets that obey the counts."""
        return [
            piece for (support, least), piece in self.known.items()
            if piece is not None and least == self.least and len(support) <= self.most
        ]  # fmt: skip

    def exchange(self, target: float) -> None:
        """Try the assets that would lower the risk most at this expected return in place of the smallest held."""
        at = np.array([target])
        reaching = [piece for piece in self.found() if target <= piece.reached[-1] + HELD]
        best = min(reaching, key=lambda piece: float(_variance(piece.at(at), self.sigma)[0]), default=None)
        if best is None:
            return
        weights = best.at(at)[0]
        # The gradient of ½ w′Σw − λ μ′w, with the λ at which the frontier of these assets is.
        gradient = self.sigma @ weights - np.interp(target, best.reached, best.tolerance) * (self.mu - self.rate)
        outside = [asset for asset in np.argsort(gradient, kind="stable").tolist() if asset not in best.support]
        smallest = sorted(best.support, key=lambda asset: weights[asset])[:TRIED]
        for entering in outside[:TRIED]:
            if len(best.support) < self.most:
                self.piece(tuple(sorted((*best.support, entering))), self.least)
            for leaving in smallest:
                self.piece(tuple(sorted({*best.support, entering} - {leaving})), self.least)

    def narrow(self, weights: FloatArray, target: float) -> Support:
        """The assets left when the smallest positions at this expected return are dropped, round by round."""
        order = [asset for asset in np.argsort(-weights, kind="stable").tolist() if weights[asset] > HELD]
        size = min(len(order), WIDER * self.most)
        while size > self.most:
            piece = self.piece(tuple(sorted(order[:size])), 0.0)
            if piece is not None:
                order = _by_weight(order[:size], piece, target)
            size = max(self.most, int(SHRINK * size))
        return tuple(sorted(order[:size]))

    def hold(self, support: Support, target: float) -> bool:
        """Whether these assets have a frontier; where one is held at no more than min_position, fewer are tried too."""
        some, free = not support and self.piece(support, self.least) is not None, self.piece(support, 0.0)
        order = list(support) if free is None else _by_weight(list(support), free, target)
        while order:
            piece = self.piece(tuple(sorted(order)), self.least)
            some |= piece is not None
            stuck = 1 if piece is None else int((piece.at(np.array([target]))[0, order] <= self.least + HELD).sum())
            if self.least == 0 or stuck == 0:
                break
            order = order[: len(order) - max(1, stuck // 2)]
        return some

    def repair(self, starts: FloatArray, targets: FloatArray) -> None:
        """Choose assets by integer programming: a portfolio exists, and they have the most weight at the start."""
        program = elastic_program(self.feasible)
        for number in np.unique(np.linspace(0, len(starts) - 1, REPAIRS).astype(int)):
            support = program.held(starts[number])
            if support is not None:
                self.hold(tuple(support.tolist()), targets[number])

    def piece(self, support: Support, least: float) -> _Piece | None:
        """The frontier of these assets alone, none below `least`; None where they have none."""
        if (support, least) not in self.known:
            self.known[support, least] = self._piece(support, least)
        return self.known[support, least]

    def _piece(self, support: Support, least: float) -> _Piece | None:
        inside = np.array(support, dtype=int)
        limits = self._limits(inside, least)
        if limits is None or not support:
            return None if limits is None else self._cash(limits)
        gains, sigma = self.mu[inside] - self.rate, self.definite[np.ix_(inside, inside)]
        try:
            found = corners_of(gains, sigma, limits)
        except NoPortfolioError:
            return None
        reached = self.rate + found.weights @ gains
        kept = np.diff(reached, prepend=-np.inf) > HELD * np.ptp(np.append(gains, 0))
        wide = np.zeros((int(kept.sum()), len(self.mu)))
        wide[:, inside] = found.weights[kept]
        return _Piece(support, wide, reached[kept], _variance(found.weights[kept], sigma), found.tolerance[kept])

    def max_sharpe(self, piece: _Piece) -> FloatArray:
        """The weights (n,) of the largest Sharpe ratio with these assets."""
        inside, best = np.array(piece.support, dtype=int), np.zeros(len(self.mu))
        limits = self._limits(inside, self.least)
        if limits is not None and piece.support:
            sigma = self.sigma[np.ix_(inside, inside)]
            found = efficient_frontier(self.mu[inside], sigma, risk_free_rate=self.rate, feasible=limits, points=2)
            best[inside] = found.max_sharpe
        return best

    def _limits(self, inside: npt.NDArray[np.int64], least: float) -> FeasibleSet | None:
        """What the limits leave to these assets where the others are at 0; None where they may not be."""
        limits, outside = self.feasible, np.ones(len(self.mu), dtype=bool)
        outside[inside] = False
        turnover = limits.turnover - np.abs(limits.holdings[outside]).sum() / 2
        if (limits.lower[outside] > 0).any() or turnover < 0:
            return None
        return replace(
            limits, lower=np.maximum(limits.lower[inside], least), upper=limits.upper[inside],
            rows=limits.rows[:, inside], holdings=limits.holdings[inside], turnover=turnover,
            max_positions=len(inside), min_position=0.0,
        )  # fmt: skip

    def _cash(self, limits: FeasibleSet) -> _Piece | None:
        """Nothing held, where that is allowed."""
        nothing = np.zeros(len(self.mu))
        allowed = (limits.row_lower <= 0).all() and (limits.row_upper >= 0).all()
        return _Piece((), nothing[None], np.array([self.rate]), np.zeros(1), np.zeros(1)) if allowed else None


def _by_weight(assets: list[int], piece: _Piece, target: float) -> list[int]:
    weights = piece.at(np.array([target]))[0]
    return sorted(assets, key=lambda asset: -weights[asset])


def _variance(weights: FloatArray, sigma: FloatArray) -> FloatArray:
    return np.maximum((weights @ sigma * weights).sum(axis=1), 0.0)


def _envelope(found: list[_Piece], targets: FloatArray, sigma: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The weights (n_targets, n) of least variance that reach each expected return or more, and of which piece."""
    owners = np.zeros(len(targets), dtype=int)
    best, least = np.zeros((len(targets), len(sigma))), np.full(len(targets), np.inf)
    for number, piece in enumerate(found):
        reach = targets <= piece.reached[-1] + HELD
        weights = piece.at(targets[reach])
        variance = _variance(weights, sigma)
        better = variance < least[reach] * (1 - HELD)
        chosen = np.flatnonzero(reach)[better]
        best[chosen], least[chosen], owners[chosen] = weights[better], variance[better], number
    return best, owners
