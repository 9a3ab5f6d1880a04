"""From opinions to decisions: how long a position is held, what is said of it, and never more than the account."""

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.orders import WEIGHT_SLACK, released
from analytics.backtest.strategies._strategy import changes_only
from analytics.conventions import DELISTED_AFTER, FloatArray


def sides(
    inputs: StrategyInputs,
    buy: np.ndarray,
    sell: np.ndarray,
    *,
    leave_long: np.ndarray | None = None,
    leave_short: np.ndarray | None = None,
) -> FloatArray:
    """Return 1 while a ticker is held long, −1 while short, 0 while flat, shape (n_dates, n_tickers).

    All arguments say where, of that shape. A buy opens a long position, which ends where leave_long (the sells where
    None) or where a short one begins; the mirror for shorts. Flat before the first row of each ticker.
    """
    long = _held(buy, sell if leave_long is None else leave_long | sell, inputs.first_rows)
    short = _held(sell, buy if leave_short is None else leave_short | buy, inputs.first_rows)
    return long.astype(float) - short.astype(float)


def _held(enter: np.ndarray, leave: np.ndarray, first_rows: np.ndarray) -> np.ndarray:
    """Where the latest event since the first row was an entry."""
    rows = np.arange(len(enter))[:, None]
    newest = np.maximum.accumulate(np.where((rows >= first_rows) & (enter | leave), rows, -1), axis=0)
    entered = np.take_along_axis(enter, np.maximum(newest, 0), axis=0)
    return np.asarray((newest >= 0) & entered)


def equal_share(inputs: StrategyInputs) -> float:
    """Return the weight of one ticker where each has the same."""
    return 1.0 / len(inputs.panel.tickers)


def decisions(inputs: StrategyInputs, targets: FloatArray, *, again: np.ndarray | None = None) -> FloatArray:
    """Return what is decided so that each ticker has the weight wanted at each close, shape (n_dates, n_tickers).

    targets: NaN leaves alone. A weight is said on the ticker's first bar on which it is wanted, and once more on the
    rows where `again`, shape (n_dates,), is True: there the position is brought back to it. A ticker that is suspended
    when the test opens begins with its first bar after that; one that has ended has none. What would exceed the account
    beside tickers without a bar that day is scaled down.
    """
    has_bar = inputs.panel.has_bar
    rows, opening = np.arange(len(has_bar))[:, None], opening_row(inputs)
    later = has_bar & (rows > opening)
    returned = np.where(later.any(axis=0), later.argmax(axis=0), len(has_bar))
    first = np.where(inputs.first_rows > opening - DELISTED_AFTER, inputs.first_rows, returned)
    wanted = np.where(has_bar, targets, np.nan)
    said = changes_only(wanted, first)
    if again is not None:
        repeated = again[:, None] & (rows >= first) & (np.abs(wanted) > 0.0)
        said = np.where(repeated, wanted, said)
    return _within_account(said, has_bar)


def opening_row(inputs: StrategyInputs) -> int:
    """Return the row of the first decision of the test: the last session before it, else the first there is."""
    listed = [
        int(row) for column, row in enumerate(inputs.first_rows) if inputs.panel.has_bar[:row, column].any()
    ]  # those with earlier bars; the others are not listed yet
    return max(listed) if listed else int(inputs.first_rows.min())


def _within_account(said: FloatArray, has_bar: np.ndarray) -> FloatArray:
    """Scale down the decisions of a day that would bring the sizes in force together above 1; what is delisted has none."""
    if np.nan_to_num(np.abs(said)).max(axis=0, initial=0.0).sum() <= 1.0:
        return said  # not even if every ticker held its most at once
    scaled, in_force, gone = said.copy(), np.zeros(said.shape[1]), released(has_bar)
    for row in np.flatnonzero((np.isfinite(said) | gone).any(axis=1)):
        in_force[gone[row]] = 0.0
        decided = np.isfinite(said[row])
        kept, wanted = np.abs(in_force[~decided]).sum(), np.abs(said[row, decided]).sum()
        if wanted > 0.0 and kept + wanted > 1.0 + WEIGHT_SLACK / 2:
            scaled[row, decided] *= max(1.0 - kept, 0.0) / wanted
        in_force[decided] = scaled[row, decided]
    return scaled


def last_bar_rows(has_bar: np.ndarray) -> np.ndarray:
    """Return the row of each ticker's newest bar at each date, shape (n_dates, n_tickers); −1 before the first."""
    rows = np.arange(len(has_bar))[:, None]
    return np.maximum.accumulate(np.where(has_bar, rows, -1), axis=0)


def traded(has_bar: np.ndarray) -> np.ndarray:
    """Return where a ticker has had a bar within the last sessions, so that it does not count as delisted."""
    newest = last_bar_rows(has_bar)
    return np.asarray((newest >= 0) & (np.arange(len(has_bar))[:, None] - newest < DELISTED_AFTER))


def known_prices(inputs: StrategyInputs) -> FloatArray:
    """Return each ticker's newest adjusted close at each date, USD, shape (n_dates, n_tickers).

    NaN when: there is none yet, or the ticker counts as delisted.
    """
    has_bar = inputs.panel.has_bar
    newest = np.take_along_axis(inputs.panel.adj_close, np.maximum(last_bar_rows(has_bar), 0), axis=0)
    return np.where(traded(has_bar), newest, np.nan)
