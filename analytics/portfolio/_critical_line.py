"""The critical-line algorithm, compiled: one path of optimal portfolios, followed exactly from corner to corner.

minimise ½ x′Σx + g(t)′x  subject to  l ≤ x ≤ u,  a(t) ≤ Gx ≤ b(t), while t moves g, a and b along straight lines.
Between two corners the solution is linear in t; at a corner a weight meets a bound, a row a limit, or one of them stops
binding. Markowitz (1956) moves g along the expected returns; moving a and b as well (Best 1996, An algorithm for the
solution of the parametric quadratic programming problem; Ferreau, Bock and Diehl 2008, An online active set strategy)
leads to the first portfolio from anywhere, and says so where there is none. The basis is what may move: free weights
and binding rows. The inverse of its first-order conditions changes by a row and a column a corner: O(n · basis).
"""

import numpy as np

from analytics.compiled import compiled
from analytics.conventions import FloatArray
from analytics.portfolio._path import AT_LOWER, AT_UPPER, INSIDE, Basis, BoolArray, Path, Point

ARRIVED, NO_PORTFOLIO, LOST = 0, 1, 2  # how a path ends; LOST: more corners than a path can have, rounding won
STILL = 1e-12  # speed in the scaled problem below which nothing moves
AT_END = 1e-10  # of the way; nearer than this it has been gone
EXACT, ROUNDS = 1e-15, 5  # of the first-order conditions: solved well enough, and how often to try
DEPENDENT = 1e-10  # pivot below which a row depends on those that bind already


@compiled
def _set(target: FloatArray, source: FloatArray) -> None:
    """Copy in place: a slice would take numba seconds to compile."""
    for j in range(target.size):
        target[j] = source[j]


@compiled
def _add(target: FloatArray, source: FloatArray, weight: float) -> None:
    """Add weight · source in place: an array expression would make arrays that only cost time."""
    for j in range(target.size):
        target[j] += weight * source[j]


@compiled
def follow(path: Path, start: Point, end: float, corners: FloatArray) -> tuple[int, int]:
    """Follow the optimum from t = 0 to `end`, moving `start` along; return (how it ended, corners written).

    corners (k, 1 + n + m) receives t, x and multipliers at t = 0 and at each corner, as far as it has room.
    """
    n, m = path.lower.size, path.rows.shape[0]
    basis, count = _first_basis(path, start)
    speed = Point(start.state, np.empty(n), np.empty(m), np.empty(n), np.empty(m))
    banned = np.zeros(n + m, np.bool_)
    t, written = 0.0, 1
    for _ in range(100 * (n + m + 1)):
        if written <= len(corners):
            corner = corners[written - 1]
            corner[0] = t
            _set(corner[1 : n + 1], start.x)
            _set(corner[n + 1 :], start.multipliers)
        _move(path, basis, count, speed)
        item, side, step = _next_event(path, t, start, speed, banned)
        last = item < 0 or t + step >= end
        if not last or end < np.inf:
            for target, source in zip(start[1:], speed[1:]):  # noqa: B905  numba knows no strict
                _add(target, source, min(step, end - t))
        if last:
            return ARRIVED, written
        t += step
        count = _change(path, basis, count, start, banned, item, side)
        if count < 0:  # at the very end only rounding is infeasible: the limits leave a single portfolio
            return (ARRIVED if end - t <= AT_END else NO_PORTFOLIO), written
        written += 1 if step > 0 else 0
    return LOST, written


@compiled
def _first_basis(path: Path, start: Point) -> tuple[Basis, int]:
    """The basis, gradient and rows of a point that knows its state, weights and multipliers."""
    n, m = path.lower.size, path.rows.shape[0]
    size = n + m + 1
    basis = Basis(np.zeros(size, np.int64), np.full(n + m, -1), np.zeros((size, size)), np.zeros((size, size)))
    _set(start.gradient, path.gradient[0])
    start.reached[:] = 0
    for i in range(n):
        if start.x[i] != 0:
            _add(start.gradient, path.sigma[i], start.x[i])
            _add(start.reached, path.rows[:, i], start.x[i])
    for row in range(m):
        _add(start.gradient, path.rows[row], start.multipliers[row])
    count = 0
    for item in range(n + m):  # weights first: rows bind independently only where free weights carry them
        if (item < n) == (start.state[item] == INSIDE):
            count = _enter(path, basis, count, item)
    return basis, count


@compiled
def _move(path: Path, basis: Basis, count: int, speed: Point) -> None:
    """How everything moves with t while the basis stays."""
    n = path.lower.size
    right = np.empty(count)
    for a in range(count):
        item = basis.items[a]
        right[a] = -path.gradient[1, item] if item < n else path.limits[2 if speed.state[item] < 0 else 3, item - n]
    solution = np.zeros(count)
    for _ in range(
        ROUNDS if count else 0
    ):  # from the second on they take out what rounding left in the updated inverse
        left = right.copy()
        for b in range(count):
            _add(left, basis.matrix[b], -solution[b])
        if np.abs(left).max() <= EXACT:
            break
        for b in range(count):
            _add(solution, basis.inverse[b], left[b])
    speed.x[:], speed.multipliers[:], speed.reached[:] = 0, 0, 0
    _set(speed.gradient, path.gradient[1])
    for a in range(count):
        item = basis.items[a]
        _add(speed.gradient, path.sigma[item] if item < n else path.rows[item - n], solution[a])
        if item < n:
            speed.x[item] = solution[a]
            _add(speed.reached, path.rows[:, item], solution[a])
        else:
            speed.multipliers[item - n] = solution[a]


@compiled
def _next_event(path: Path, t: float, start: Point, speed: Point, banned: BoolArray) -> tuple[int, int, float]:
    """The next item to enter or leave the basis: (item, where it is then, how far away); −1 if there is none.

    Only what moves towards its limit counts: what has just crossed moves away, and what rounding left beyond
    its limit crosses at once. Of equal distances the fastest wins. No calls in the loop: each would count anew
    who holds which array.
    """
    n, found, side, least, fastest = path.lower.size, -1, INSIDE, np.inf, 0.0
    for item in range(len(start.state)):
        row, at = item - n, start.state[item]
        if row < 0:
            value, pace, dual, dual_pace = start.x[item], speed.x[item], -start.gradient[item], -speed.gradient[item]
            low, high, low_pace, high_pace = path.lower[item], path.upper[item], 0.0, 0.0
        else:
            value, pace, dual, dual_pace = (
                start.reached[row],
                speed.reached[row],
                start.multipliers[row],
                speed.multipliers[row],
            )
            low_pace, high_pace = path.limits[2, row], path.limits[3, row]
            low, high = path.limits[0, row] + t * low_pace, path.limits[1, row] + t * high_pace
        if at != INSIDE:  # a multiplier that may come to 0
            gap, pace, end = max(dual * at, 0.0), -dual_pace * at, INSIDE
            if low == high and low_pace == high_pace:
                continue
        else:  # a limit that it may meet
            down, up = low_pace - pace, pace - high_pace
            to_low, to_high = max(value - low, 0.0), max(high - value, 0.0)
            lower = down > STILL and (up <= STILL or to_low * up < to_high * down)
            gap, pace, end = (to_low, down, AT_LOWER) if lower else (to_high, up, AT_UPPER)
        nearer = pace > STILL and (gap < least * pace or (gap == least * pace and pace > fastest))
        if nearer and not banned[item] and gap < np.inf:
            found, side, least, fastest = item, end, gap / pace, pace
    return found, side, least


@compiled
def _multiplier(path: Path, start: Point, speed: Point, item: int) -> tuple[float, float]:
    """(How far the multiplier of an item at its limit is from 0, how fast it comes nearer); (0, 0) if it is fixed."""
    n, side = path.lower.size, start.state[item]
    if item < n:
        if path.lower[item] == path.upper[item]:
            return 0.0, 0.0
        return -start.gradient[item] * side, speed.gradient[item] * side
    row = item - n
    if path.limits[0, row] == path.limits[1, row] and path.limits[2, row] == path.limits[3, row]:
        return 0.0, 0.0
    return start.multipliers[row] * side, -speed.multipliers[row] * side


@compiled
def _change(path: Path, basis: Basis, count: int, start: Point, banned: BoolArray, item: int, side: int) -> int:
    """Put an item where it now is and the basis in order; return the basis' size, −1 where no portfolio is left."""
    n = path.lower.size
    enters = basis.place[item] < 0
    if item < n and not enters:
        start.x[item] = path.lower[item] if side == AT_LOWER else path.upper[item]
    pivot = _pivot(path, basis, count, item)[0] if enters else basis.inverse[basis.place[item], basis.place[item]]
    if item < n and enters and pivot <= DEPENDENT:  # the mirror image of a free weight: it has nothing to add
        banned[item] = True
        return count
    if side != INSIDE and abs(pivot) <= DEPENDENT:
        other = _exchanged(path, basis, count, start, item, side)
        if other < 0:
            return -1
        start.state[other] = INSIDE
        if other < n and _pivot(path, basis, count, other)[0] <= DEPENDENT:
            start.state[item], banned[:] = side, False
            return _reflect(basis, count, item, other)
        count = _enter(path, basis, count, other) if other < n else _leave(basis, count, other)
        if other >= n:
            start.multipliers[other - n] = 0.0
    start.state[item] = side
    count = _enter(path, basis, count, item) if enters else _leave(basis, count, item)
    if item >= n and not enters:
        start.multipliers[item - n] = 0.0
    banned[:] = False
    return count


@compiled
def _exchanged(path: Path, basis: Basis, count: int, start: Point, item: int, side: int) -> int:
    """What stops binding so that an item that depends on the binding rows can bind; −1 if nothing can.

    Its multiplier rises from 0, those of the binding rows make up for it, and the first to come to 0 gives in.
    """
    n = path.lower.size
    turn = Point(start.state, start.x, np.zeros(path.rows.shape[0]), np.zeros(n), start.reached)
    if item < n:
        share = basis.inverse[basis.place[item], :count].copy()
    else:
        share = _pivot(path, basis, count, item)[1]
        turn.multipliers[item - n] = side
        _add(turn.gradient, path.rows[item - n], side)
    for a in range(count):
        if basis.items[a] >= n:
            turn.multipliers[basis.items[a] - n] = -side * share[a]
            _add(turn.gradient, path.rows[basis.items[a] - n], -side * share[a])
    found, least = -1, np.inf
    for other in range(len(start.state)):
        if start.state[other] != INSIDE and other != item:
            gap, pace = _multiplier(path, start, turn, other)
            near = pace > STILL and max(gap, 0.0) / pace < least
            # The mirror image of a free weight has nothing to add; that of the item itself takes its place.
            mirror = max(item, other) < n and path.sigma[item, other] == -path.sigma[item, item]
            if near and (other >= n or mirror or _pivot(path, basis, count, other)[0] > DEPENDENT):
                found, least = other, max(gap, 0.0) / pace
    if found >= 0:
        _add(start.multipliers, turn.multipliers, least)
        _add(start.gradient, turn.gradient, least)
    return found


@compiled
def _reflect(basis: Basis, count: int, item: int, other: int) -> int:
    """Put an item's mirror image into its place: its row and column change their signs."""
    place = basis.place[item]
    for array in (basis.matrix, basis.inverse):
        for a in range(count):
            if a != place:
                array[place, a] = array[a, place] = -array[a, place]
    basis.items[place], basis.place[other], basis.place[item] = other, place, -1
    return count


@compiled
def _pivot(path: Path, basis: Basis, count: int, item: int) -> tuple[float, FloatArray, FloatArray]:
    """What an item would add to the basis: (its Schur complement, its column times the inverse, its column)."""
    n = path.lower.size
    column, product = np.zeros(count), np.zeros(count)
    for a in range(count):
        other = basis.items[a]
        if item < n:
            column[a] = path.sigma[item, other] if other < n else path.rows[other - n, item]
        elif other < n:
            column[a] = path.rows[item - n, other]
    for b in range(count):
        _add(product, basis.inverse[b], column[b])
    pivot = path.sigma[item, item] if item < n else 0.0
    for a in range(count):
        pivot -= column[a] * product[a]
    return pivot, product, column


@compiled
def _enter(path: Path, basis: Basis, count: int, item: int) -> int:
    """Border the matrix and the inverse by an item; return the new size."""
    pivot, product, column = _pivot(path, basis, count, item)
    for b in range(count):
        _add(basis.inverse[b, :count], product, product[b] / pivot)
        basis.inverse[count, b] = basis.inverse[b, count] = -product[b] / pivot
        basis.matrix[count, b] = basis.matrix[b, count] = column[b]
    basis.inverse[count, count] = 1 / pivot
    basis.matrix[count, count] = path.sigma[item, item] if item < path.lower.size else 0.0
    basis.items[count], basis.place[item] = item, count
    return count + 1


@compiled
def _leave(basis: Basis, count: int, item: int) -> int:
    """Take an item out of the matrix and the inverse, the last one into its place; return the new size."""
    place, last = basis.place[item], count - 1
    for array in (basis.matrix, basis.inverse):
        for a in range(count):
            array[place, a], array[last, a] = array[last, a], array[place, a]
        for a in range(count):
            array[a, place], array[a, last] = array[a, last], array[a, place]
    basis.items[place] = basis.items[last]
    basis.place[basis.items[place]], basis.place[item] = place, -1
    row = basis.inverse[last, :last].copy()
    for b in range(last):
        _add(basis.inverse[b, :last], row, -row[b] / basis.inverse[last, last])
    return last
