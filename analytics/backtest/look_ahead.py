"""Whether orders depend on what was not known yet: the future is changed, and the orders before it must stay.

A change is made from a date on, in every input: prices, volume, risk-free rate, factor fits and factor months. It is
followed by HORIZON dates and then by the end of the data: what lies beyond is changed by being left out, and each run is
as short as it can be.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import PENDING, Orders

OrdersOf = Callable[[StrategyInputs], Orders]
Tell = Callable[[float, str], None]

HORIZON: Final = 63  # dates that are left after a change
SEED: Final = 20_240_101
SAME: Final = 1e-12  # what two runs over arrays of other lengths may differ by in a weight


@dataclass(frozen=True)
class Leaks:
    """Rows from which a change of the inputs changed an order that had been decided before.

    multiplied, unknown: the inputs × 10, or NaN. cut: without them. same_bar: × 10 changed what was ordered for the
    row itself or for one before it.
    """

    multiplied: tuple[int, ...]
    unknown: tuple[int, ...]
    cut: tuple[int, ...]
    same_bar: tuple[int, ...]


def cut_rows(orders: Orders, *, first: int, last: int, cuts: int) -> list[int]:
    """Return `cuts` rows spread over first..last−1, one in each of as many equal parts; every row where there are fewer.

    Every other one follows a decision of its part, where there is one: what the next bar had to do with it shows there.
    """
    if last - first <= cuts:
        return list(range(first, last))
    rng = np.random.default_rng(SEED)
    edges = np.linspace(first, last, cuts + 1).astype(int)
    rows = []
    for number, (start, end) in enumerate(pairwise(edges)):
        after = np.unique(orders.decided[(orders.decided >= start - 1) & (orders.decided < end - 1)]) + 1
        rows += [int(rng.choice(after if number % 2 and len(after) else np.arange(start, end)))]
    return rows


def find_leaks(
    orders_of: OrdersOf, inputs: StrategyInputs, rows: Iterable[int], *, before: Orders | None = None, tell: Tell | None = None
) -> Leaks:  # fmt: skip
    """Return the rows from which a change of the inputs changed an earlier order.

    orders_of: the orders that inputs lead to, the same test whatever the length of the inputs. before: those of the
    unchanged inputs. tell(fraction, message) is told how far it is.
    """
    before, rows = orders_of(inputs) if before is None else before, list(rows)
    found: dict[str, list[int]] = {"multiplied": [], "unknown": [], "cut": [], "same_bar": []}
    for number, row in enumerate(rows):
        if tell is not None:
            tell(number / len(rows), f"checking for look-ahead at {inputs.panel.dates[row]}")
        near = inputs.cut_at(row + HORIZON) if row + HORIZON < len(inputs.panel.dates) else inputs
        multiplied = orders_of(near.changed_from(row, 10.0))
        after = {"multiplied": multiplied, "unknown": orders_of(near.changed_from(row, np.nan))}
        if row > 0:
            after["cut"] = orders_of(inputs.cut_at(row))
        for name, orders in after.items():
            found[name] += [] if same_decisions(before, orders, row) else [row]
        found["same_bar"] += [] if same_orders_due(before, multiplied, row) else [row]
    return Leaks(**{name: tuple(at) for name, at in found.items()})


def same_decisions(before: Orders, after: Orders, row: int) -> bool:
    """Return whether two runs decided the same before a row; the dates of their fills may be unknown yet."""
    return _agree(before.take(np.flatnonzero(before.decided < row)), after.take(np.flatnonzero(after.decided < row)))


def same_orders_due(before: Orders, after: Orders, row: int) -> bool:
    """Return whether two runs ordered the same for every row up to one, so that they hold the same during it."""
    due = [orders.take(np.flatnonzero((orders.row != PENDING) & (orders.row <= row))) for orders in (before, after)]
    return _agree(*due) and np.array_equal(due[0].row, due[1].row)


def _agree(one: Orders, other: Orders) -> bool:
    return (
        np.array_equal(one.decided, other.decided)
        and np.array_equal(one.column, other.column)
        and np.allclose(one.target_weight, other.target_weight, rtol=SAME, atol=SAME)
        and np.allclose(one.change, other.change, rtol=SAME, atol=SAME)
    )
