"""The elastic program: every limit may give way, at a price; its matrix is built once and asked often."""

from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray
from analytics.portfolio.limits import SPLIT, FeasibleSet, Limit

UNIT: Final = 1e3  # weights are in thousandths: HiGHS keeps to rows within 1e-7 of its own units, so within 1e-10
WIDEST: Final = 10.0  # largest weight considered where positions are counted but borrowing is not ruled out
SEARCHED: Final = 2000  # nodes of a search for positions; a bound by time would not give the same answer twice
INFINITE: Final = np.inf


class ElasticProgram:
    """min Σ priceₗ sₗ over the weights that obey every limit l moved by its sₗ ≥ 0.

    Columns: weights (n), then n parts |w − holdings| for each turnover limit and n binaries (held or not) where
    positions are counted, then one s a limit. A limit is hard where its s is held at 0, elastic where s costs
    its price, and absent where s is free, so that only costs and bounds change from one question to the next.
    strict: every question keeps the limits that may not be moved, which saves most of the search for positions.
    """

    def __init__(self, feasible: FeasibleSet, *, strict: bool) -> None:
        self.limits, n = feasible.limits, feasible.n_assets
        self.split = np.array([limit.kind in SPLIT for limit in self.limits])
        self.n, turnovers = n, sum(limit.kind == "turnover" for limit in self.limits)
        self.binaries = n * (1 + turnovers) + np.arange(n * bool(self.split.any()))
        self.first = n * (1 + turnovers) + len(self.binaries)
        self.prices = np.array([price(limit) for limit in self.limits])
        self.box = _box(self.limits, strict=strict)
        self.most = np.array([_most(limit) for limit in self.limits]) * UNIT
        self._entries: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]] = []
        self._sides: list[tuple[FloatArray, FloatArray]] = []
        self._height, self._next_parts = 0, n
        for number, limit in enumerate(self.limits):
            self._add(limit, self.first + number)
        if len(self.binaries):
            self._hold()
        self._finish()

    def _hold(self) -> None:
        """Tie weights to the binaries: a weight that is not held is 0."""
        one, wide = np.ones(self.n), np.full(self.n, self._widest() * UNIT)
        self._rows([(np.arange(self.n), one), (self.binaries, -wide)], -INFINITE, 0.0)
        self._rows([(np.arange(self.n), one), (self.binaries, wide)], 0.0, INFINITE)
        if self.box == (0.0, 1.0):
            for number, limit in enumerate(self.limits):
                if limit.side == "max" and limit.kind in ("each", "sum") and set(limit.coefficients) <= {0.0, 1.0}:
                    self._cut(limit, self.first + number)

    def _widest(self) -> float:
        return 1.0 if self.box == (0.0, 1.0) else WIDEST

    def _cut(self, limit: Limit, slack: int) -> None:
        """Add what follows from a maximum, so that fractions of positions are cut off before any search.

        A weight is at most value + s, and 0 unless held; K positions of such weights are at most K (value + s).
        """
        members = np.flatnonzero(limit.coefficients)
        if not 0 <= limit.value < 1:
            return
        most = np.full(len(members), -limit.value * UNIT)
        self._rows([(members, np.ones(len(members))), (self.binaries[members], most), (slack, -1.0)], -INFINITE, 0.0)
        for number, count in enumerate(self.limits):
            if count.kind == "positions" and limit.kind == "each":
                columns, more = np.append(members, self.first + number), np.append(np.ones(len(members)), -1.0)
                self._row(columns, more, slack, -count.value, -INFINITE, count.value * limit.value * UNIT)

    def _add(self, limit: Limit, slack: int) -> None:
        """Add the rows of one limit; s lets a maximum rise and a minimum fall."""
        n, value, up = self.n, limit.value * UNIT, limit.side == "max"
        low, high, give = (-INFINITE, value, -1.0) if up else (value, INFINITE, 1.0)
        if limit.kind == "each":
            members = np.flatnonzero(limit.coefficients)
            self._rows([(members, np.ones(len(members))), (slack, give)], low, high)
        elif limit.kind == "sum":
            self._row(np.arange(n), limit.coefficients, slack, give, low, high)
        elif limit.kind == "turnover":
            weights, parts, one = np.arange(n), self._next_parts + np.arange(n), np.ones(n)
            self._next_parts += n
            self._rows([(parts, one), (weights, -one)], -limit.coefficients * UNIT, INFINITE)
            self._rows([(parts, one), (weights, one)], limit.coefficients * UNIT, INFINITE)
            self._row(parts, np.full(n, 0.5), slack, give, low, high)
        elif limit.kind == "positions":
            self._row(self.binaries, np.ones(n), slack, -1 / UNIT, -INFINITE, limit.value)
        else:
            self._rows([(np.arange(n), np.ones(n)), (self.binaries, np.full(n, -value)), (slack, 1.0)], 0.0, INFINITE)

    def _row(
        self, columns: npt.NDArray[np.int64], values: FloatArray, slack: int, give: float, low: float, high: float
    ) -> None:
        columns, values = np.append(columns, slack), np.append(values, give)
        self._entries.append((np.full(len(columns), self._height), columns, values))
        self._sides.append((np.array([low]), np.array([high])))
        self._height += 1

    def _rows(self, terms: list[tuple[npt.ArrayLike, npt.ArrayLike]], low: npt.ArrayLike, high: npt.ArrayLike) -> None:
        """Add one row for each element of the first term's columns."""
        count = len(np.asarray(terms[0][0]))
        rows = self._height + np.arange(count)
        for columns, values in terms:
            self._entries.append((rows, np.broadcast_to(columns, count), np.broadcast_to(values, count)))
        self._sides.append((np.broadcast_to(low, count), np.broadcast_to(high, count)))
        self._height += count

    def _finish(self) -> None:
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csc_array

        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        below, above = (np.concatenate(part) for part in zip(*self._sides, strict=True))
        shape = (self._height, self.first + len(self.limits))
        self._constraints = LinearConstraint(csc_array((values, (rows, columns)), shape=shape), below, above)
        widest = self._widest() if len(self.binaries) else INFINITE
        low, high = max(self.box[0], -widest) * UNIT, min(self.box[1], widest) * UNIT
        self._lower = np.concatenate([np.full(self.n, low), np.zeros(shape[1] - self.n)])
        self._upper = np.concatenate([np.full(self.n, high), np.full(shape[1] - self.n, INFINITE)])
        self._upper[self.binaries] = 1
        self._whole = np.zeros(shape[1])
        self._whole[self.binaries] = 1

    def least(self, hard: Collection[int], elastic: Collection[int] = ()) -> FloatArray | None:
        """Return the cheapest movement of each limit, 0 for the hard ones; None where no weights obey those.

        hard and elastic are numbers of limits; all others are absent.
        """
        strict, priced = list(hard), list(elastic)
        cost, upper = np.zeros(len(self._upper)), self._upper.copy()
        upper[self.first :] = self.most
        upper[[self.first + number for number in strict]] = 0
        cost[[self.first + number for number in priced]] = self.prices[priced]
        answer = self._solve(cost, upper, whole=bool(self.split[strict + priced].any()))
        if answer is None:
            return None
        moved = np.zeros(len(self.limits))
        moved[priced] = answer[self.first :][priced] / UNIT
        return moved

    def held(self, preferred: FloatArray) -> npt.NDArray[np.int64] | None:
        """Return the assets of a portfolio that obeys every limit, of the most in preferred (n,); None without one."""
        cost, upper = np.zeros(len(self._upper)), self._upper.copy()
        cost[self.binaries] = -preferred[: len(self.binaries)]
        upper[self.first :] = 0
        answer = self._solve(cost, upper, whole=True)
        return None if answer is None else np.flatnonzero(answer[self.binaries] > 0.5)

    def _solve(self, cost: FloatArray, upper: FloatArray, *, whole: bool) -> FloatArray | None:
        from scipy.optimize import Bounds, milp

        integrality = self._whole if whole and len(self.binaries) else None
        # Whether there are weights at all is answered to the end; of what is cheapest, the best so far is good enough.
        options = {"mip_rel_gap": 0.0} | ({"node_limit": SEARCHED} if cost.any() else {})
        bounds = Bounds(self._lower, upper)
        return milp(cost, integrality=integrality, bounds=bounds, constraints=self._constraints, options=options).x


def elastic_program(feasible: FeasibleSet) -> ElasticProgram:
    """Return the program of a set for questions that always keep the limits that may not be moved."""
    return ElasticProgram(feasible, strict=True)


def _box(limits: tuple[Limit, ...], *, strict: bool) -> tuple[float, float]:
    """Bounds of every weight: 0 and 1, which every set has, unless limits say it and a question may lack them."""
    every = [limit for limit in limits if not limit.relaxable and limit.coefficients.min() > 0]
    long = any(limit.kind == "each" and limit.side == "min" and limit.value >= 0 for limit in every)
    whole = any(
        limit.kind == "sum" and limit.side == "max" and limit.value <= limit.coefficients.min() for limit in every
    )
    return -INFINITE if long and not strict else 0.0, INFINITE if whole and not strict else 1.0


def price(limit: Limit) -> float:
    """What a movement of 1 costs, so that limits of all kinds compare as shares of the portfolio.

    A bound of a weight, of a sum of weights and of turnover is such a share already. A sum with other
    coefficients (a yield) is divided by the largest: the least weight that has to move for it. A position
    more counts as an average position.
    """
    if limit.kind == "sum" and limit.coefficients.any():
        return 1 / float(np.abs(limit.coefficients).max())
    return 1 / max(limit.value, 1.0) if limit.kind == "positions" else 1.0


def _most(limit: Limit) -> float:
    """Movement beyond which a limit limits nothing."""
    if limit.kind == "positions":
        return max(len(limit.coefficients) - limit.value, 0.0)
    return max(limit.value, 0.0) if limit.kind == "min_position" else INFINITE
