"""What weights may be: limits, one by one with their names, and the arrays that a solver is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import InputError

Kind = Literal["each", "sum", "turnover", "positions", "min_position"]
Side = Literal["min", "max"]
SPLIT: Final = ("positions", "min_position")  # limits that make the set of weights fall into pieces
HELD: Final = 1e-9  # a smaller weight is rounding, not a position
JUST_MISSED: Final = (
    1e-6  # a ten-thousandth of a percent: less is below what anybody types or a linear program tells apart
)


@dataclass(frozen=True, eq=False)
class Limit:
    """One limit on the weights w of n assets.

    kind: `each` (wᵢ ≥ or ≤ value where coefficients are not 0), `sum` (coefficients · w ≥ or ≤ value),
    `turnover` (½ Σ|w − coefficients| ≤ value; the coefficients are the weights held today), `positions` (at
    most value weights differ from 0) and `min_position` (a weight is 0 or at least value).
    coefficients: (n,). relaxable: whether a conflict may be mended by moving this limit.
    """

    key: str
    label: str
    kind: Kind
    side: Side
    value: float
    coefficients: FloatArray = field(repr=False)
    relaxable: bool = True

    def excess(self, weights: FloatArray) -> float:
        """Return how far weights (n,) are beyond the limit, in its own units; negative where there is room."""
        sign, held = 1 if self.side == "max" else -1, weights[weights > HELD]
        if self.kind == "positions":
            return len(held) - self.value
        if self.kind == "min_position":
            return float(self.value - held.min()) if len(held) else -self.value
        if self.kind == "turnover":
            return float(np.abs(weights - self.coefficients).sum() / 2 - self.value)
        reached = weights[self.coefficients != 0] if self.kind == "each" else np.array([self.coefficients @ weights])
        return float((sign * (reached - self.value)).max(initial=-np.inf))


@dataclass(frozen=True, eq=False)
class FeasibleSet:
    """The weights that obey every limit, as limits and as arrays.

    lower, upper: (n,) bounds of each weight. rows (m, n), row_lower, row_upper (m,): row_lower ≤ rows @ w ≤
    row_upper, −inf and inf where a side is open, one row per set of coefficients. holdings (n,) and turnover:
    ½ Σ|w − holdings| ≤ turnover, inf without such a limit. max_positions: n without such a limit.
    """

    limits: tuple[Limit, ...]
    lower: FloatArray
    upper: FloatArray
    rows: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    holdings: FloatArray
    turnover: float
    max_positions: int
    min_position: float

    @property
    def n_assets(self) -> int:
        """Number of assets."""
        return len(self.lower)

    @property
    def is_split(self) -> bool:
        """Whether a count of positions or a smallest position makes the set fall into pieces."""
        return self.max_positions < self.n_assets or self.min_position > 0

    def without(self, *keys: str) -> "FeasibleSet":
        """Return the set without the limits of these keys."""
        return feasible_set([limit for limit in self.limits if limit.key not in keys])

    def with_value(self, key: str, value: float) -> "FeasibleSet":
        """Return the set with another value of one limit."""
        return feasible_set([replace(limit, value=value) if limit.key == key else limit for limit in self.limits])


def feasible_set(limits: Sequence[Limit]) -> FeasibleSet:
    """Return the weights that obey every limit; whether there are any is not looked at.

    Raises InputError where there is no limit, two have one key, or their coefficients differ in length.
    """
    sizes = {len(limit.coefficients) for limit in limits}
    if len(sizes) != 1:
        raise InputError("limits", got=f"coefficients of {sorted(sizes)} assets", allowed="limits on the same assets")
    if len({limit.key for limit in limits}) < len(limits):
        raise InputError("limits", got=sorted(limit.key for limit in limits), allowed="one limit a key")
    n = sizes.pop()
    lower, upper = np.zeros(n), np.ones(n)  # whatever else is said, nothing is sold short or borrowed
    for limit in limits:
        if limit.kind == "each":
            members = limit.coefficients != 0
            if limit.side == "min":
                lower[members] = np.maximum(lower[members], limit.value)
            else:
                upper[members] = np.minimum(upper[members], limit.value)
    rows, row_lower, row_upper = _rows([limit for limit in limits if limit.kind == "sum"], n)
    turnover = min((limit for limit in limits if limit.kind == "turnover"), key=lambda limit: limit.value, default=None)
    counts = [limit.value for limit in limits if limit.kind == "positions"]
    least = [limit.value for limit in limits if limit.kind == "min_position"]
    return FeasibleSet(
        tuple(limits), lower, upper, rows, row_lower, row_upper,
        holdings=turnover.coefficients if turnover else np.zeros(n),
        turnover=turnover.value if turnover else np.inf,
        max_positions=int(min([*counts, n])), min_position=float(max([*least, 0.0])),
    )  # fmt: skip


def loosened(feasible: FeasibleSet, by: float = JUST_MISSED) -> FeasibleSet:
    """Return the set with every limit that may be moved a hair wider; counts of positions stay."""
    return feasible_set([
        replace(limit, value=limit.value + (by if limit.side == "max" else -by))
        if limit.relaxable and limit.kind not in SPLIT else limit
        for limit in feasible.limits
    ])  # fmt: skip


def long_only(n_assets: int, *, upper: float | FloatArray = 1.0) -> FeasibleSet:
    """Return the fully invested weights from 0 to upper, one number or (n_assets,)."""
    return feasible_set([fully_invested(n_assets), *no_short_sales(n_assets), *_caps(n_assets, upper)])


def fully_invested(n_assets: int) -> Limit:
    """Return the limit that the weights add up to 1 at least; `no_short_sales` has the other side."""
    return Limit("cash:max", "fully invested", "sum", "min", 1.0, np.ones(n_assets))


def no_short_sales(n_assets: int) -> tuple[Limit, Limit]:
    """Return the two limits that no analysis moves: nothing sold short, nothing borrowed."""
    return (
        Limit("short", "no short sales", "each", "min", 0.0, np.ones(n_assets), relaxable=False),
        Limit("cash:min", "no borrowing", "sum", "max", 1.0, np.ones(n_assets), relaxable=False),
    )


def _caps(n_assets: int, upper: float | FloatArray) -> list[Limit]:
    if np.ndim(upper) == 0:
        return [Limit("each:max", f"at most {float(upper):.4g} each", "each", "max", float(upper), np.ones(n_assets))]
    bounds = np.asarray(upper, dtype=float)
    if bounds.shape != (n_assets,):
        raise InputError("upper", got=f"shape {bounds.shape}", allowed=f"one number, or {n_assets}")
    return [
        Limit(f"each:{number}:max", f"asset {number} at most {bound:.4g}", "each", "max", float(bound), mask)
        for number, (bound, mask) in enumerate(zip(bounds, np.eye(n_assets), strict=True))
    ]  # fmt: skip


def _rows(limits: Sequence[Limit], n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """One row per set of coefficients: the two sides of one sum must not be two dependent rows."""
    found: dict[bytes, list[Limit]] = {}
    for limit in limits:
        found.setdefault(limit.coefficients.astype(float).tobytes(), []).append(limit)
    rows = np.array([group[0].coefficients for group in found.values()], dtype=float).reshape(-1, n)
    low = [max([limit.value for limit in group if limit.side == "min"], default=-np.inf) for group in found.values()]
    high = [min([limit.value for limit in group if limit.side == "max"], default=np.inf) for group in found.values()]
    return rows, np.array(low), np.array(high)
