"""When a decision becomes an order: the one place where it moves from a ticker's bar to its next bar."""

from dataclasses import dataclass, fields

import numpy as np

from analytics.conventions import DELISTED_AFTER, FloatArray
from analytics.market import Panel

PENDING = -1  # the row of an order whose ticker has no later bar yet
WEIGHT_SLACK = 1e-9  # what rounding may add to weights that sum to 1


@dataclass(frozen=True)
class Orders:
    """Orders by date of decision, then ticker, each array of shape (n_orders,).

    decided: row of the bar at whose close it was decided. row: row of the next bar of the ticker, on which
    it is filled, PENDING where there is none. column: position of the ticker in the panel. change: the
    target weight less the one in force before.
    """

    decided: np.ndarray
    row: np.ndarray
    column: np.ndarray
    target_weight: FloatArray
    change: FloatArray

    def __len__(self) -> int:
        """Return the number of orders."""
        return len(self.decided)

    @property
    def side(self) -> np.ndarray:
        """ "buy" where the target rises, "sell" where it falls, "rebalance" where it is the one in force."""
        return np.select([self.change > 0.0, self.change < 0.0], ["buy", "sell"], "rebalance")

    def due(self) -> "Orders":
        """Return the orders that have a bar to be filled on, by that bar's date, then ticker."""
        dated = np.flatnonzero(self.row != PENDING)
        return self.take(dated[np.lexsort((self.column[dated], self.row[dated]))])

    def take(self, which: np.ndarray) -> "Orders":
        """Return the orders at the given positions."""
        return Orders(*(getattr(self, item.name)[which] for item in fields(self)))


def schedule_orders(panel: Panel, decisions: FloatArray, *, start: np.datetime64, end: np.datetime64) -> Orders:
    """Turn decisions at the close, shape (n_dates, n_tickers), into orders for each ticker's next bar.

    Only orders that fall due from `start` to `end`, or are still pending at `end`, are kept; closing what
    was never opened is dropped. What is ordered for a date depends on nothing from that date on. Raises
    ValueError on decisions that no strategy may make: another shape, a weight outside −1 to 1, a ticker
    without a bar, weights above 1 in all, shorts counted by their size.
    """
    if np.shape(decisions) != panel.close.shape:
        raise ValueError(f"decisions have shape {np.shape(decisions)}, not {panel.close.shape}")
    first = int(np.searchsorted(panel.dates, start))
    last = int(np.searchsorted(panel.dates, end, side="right"))
    columns = [
        _orders_of(column, np.flatnonzero(present[:last]), decisions[:last, column], first)
        for column, present in enumerate(panel.has_bar.T)
    ]
    joined = Orders(*(np.concatenate(parts) for parts in zip(*columns, strict=True)))
    orders = joined.take(np.lexsort((joined.column, joined.decided)))
    _check_weights(orders, panel.has_bar)
    return orders


def _orders_of(column: int, bars: np.ndarray, decisions: FloatArray, first: int) -> tuple[np.ndarray, ...]:
    """The orders of one ticker, in the order of the fields of Orders."""
    if np.isfinite(decisions).sum() != np.isfinite(decisions[bars]).sum():
        raise ValueError(f"column {column} decides on dates without a bar")
    next_bars = np.append(bars[1:], PENDING)
    wanted = np.isfinite(decisions[bars]) & ((next_bars >= first) | (next_bars == PENDING))
    decided, row = bars[wanted], next_bars[wanted]
    target = decisions[decided]
    change = np.diff(target, prepend=0.0)
    kept = (target != 0.0) | (change != 0.0)
    return decided[kept], row[kept], np.full(kept.sum(), column), target[kept], change[kept]


def released(has_bar: np.ndarray) -> np.ndarray:
    """Return where a ticker has been without a bar so long that the account settles it as delisted, (n_dates, n_tickers)."""
    rows = np.arange(len(has_bar))[:, None]
    newest = np.maximum.accumulate(np.where(has_bar, rows, -1), axis=0)
    return np.asarray((newest >= 0) & (rows - newest == DELISTED_AFTER))


def _check_weights(orders: Orders, has_bar: np.ndarray) -> None:
    """Raise ValueError where a weight is outside −1 to 1, or the sizes of those in force together are above 1."""
    size = np.abs(orders.target_weight)
    if (size > 1.0).any():
        raise ValueError("a target weight lies outside −1 to 1")
    if size.max(initial=0.0) * has_bar.shape[1] <= 1.0:
        return  # not even if every ticker held the most at once
    said = released(has_bar)
    sizes = np.zeros(has_bar.shape)
    said[orders.decided, orders.column] = True
    sizes[orders.decided, orders.column] = size
    newest = np.maximum.accumulate(np.where(said, np.arange(len(said))[:, None], -1), axis=0)
    in_force = np.where(newest >= 0, np.take_along_axis(sizes, np.maximum(newest, 0), axis=0), 0.0).sum(axis=1)
    if (in_force > 1.0 + WEIGHT_SLACK).any():
        raise ValueError(f"target weights in force together reach {in_force.max():g}, above 1")
