"""How much history a strategy needs before the start: the same test with less of it, order by order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import Orders
from analytics.conventions import TRADING_DAYS
from analytics.market import FIELDS

WindowedOrders = Callable[[StrategyInputs, int, int], Orders]  # (inputs, first row, row after the last)

HISTORIES: Final = (1, 50, 100, 250, 500, 1_000)  # sessions before the start; with 1 there is only the bar that decides
SPAN: Final = 2 * TRADING_DAYS  # sessions whose orders are compared: what history does wears off
DRIFT: Final = 0.001  # share of orders, and of a weight, that less history may change


@dataclass(frozen=True)
class WarmUp:
    """drift: {sessions of history: share of the orders of both tests that only one has}, NaN where there is none.

    n_orders: of the test with all the history, over the sessions compared.
    """

    drift: dict[int, float]
    n_orders: int

    @property
    def needed(self) -> int | None:
        """Sessions of history from which on the orders stay the same; None where the longest one is too short."""
        needed = None
        for history in sorted(self.drift, reverse=True):
            if not self.drift[history] < DRIFT:
                break
            needed = history
        return needed


def measure_warm_up(orders_of: WindowedOrders, inputs: StrategyInputs, *, first: int, last: int) -> WarmUp:
    """Return what a shorter history changes in the orders of SPAN sessions.

    The sessions are those from the start; where fewer than the longest of HISTORIES lie before it, later ones, up to
    the second half of a short test.
    """
    span = min(SPAN, (last - first) // 2)
    if not span:
        return WarmUp({}, 0)
    start = max(first, min(HISTORIES[-1] + 1, last - span))
    end = min(start + span, last)
    known = inputs.cut_at(end) if end < len(inputs.panel.dates) else inputs
    whole = _weights(orders_of(known, start, end), 0)
    drift = {}
    for history in (sessions for sessions in HISTORIES if sessions < start):
        skipped = start - history
        shorter = orders_of(_without_first(known, skipped), history, end - skipped)
        drift[history] = _drift(whole, _weights(shorter, skipped))
    return WarmUp(drift, len(whole))


def _without_first(inputs: StrategyInputs, rows: int) -> StrategyInputs:
    """The inputs without their first rows; what the fits said is known by date and stays."""
    panel = inputs.panel
    later = replace(panel, dates=panel.dates[rows:], **{field: getattr(panel, field)[rows:] for field in FIELDS})
    first_rows = np.maximum(inputs.first_rows - rows, 0)
    carried = None if inputs.carried is None else inputs.carried[rows:]
    return replace(inputs, panel=later, first_rows=first_rows, risk_free=inputs.risk_free[rows:], carried=carried)


def _weights(orders: Orders, skipped: int) -> dict[tuple[int, int], float]:
    """{(row of the decision in the whole history, column): target weight}."""
    keys = zip((orders.decided + skipped).tolist(), orders.column.tolist(), strict=True)
    return dict(zip(keys, orders.target_weight.tolist(), strict=True))


def _drift(one: dict[tuple[int, int], float], other: dict[tuple[int, int], float]) -> float:
    either = one.keys() | other.keys()
    same = sum(abs(one[key] - other[key]) <= DRIFT * abs(one[key]) for key in one.keys() & other.keys())
    return 1.0 - same / len(either) if either else float("nan")
