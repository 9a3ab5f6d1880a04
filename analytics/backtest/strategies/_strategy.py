"""What a strategy declares, and what each needs: where it begins and how it says a thing only once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analytics.conventions import FloatArray
from analytics.market import Panel
from analytics.parameters import Parameter


@dataclass(frozen=True)
class Strategy:
    """A rule that decides target weights.

    decide(inputs, **parameters) returns the weight of the account that each ticker should have, decided at the
    close of each date from what was known up to and including that date, shape (n_dates, n_tickers): −1 to 1,
    below 0 sells short, 0 closes the position, NaN leaves it alone. inputs.first_rows, shape (n_tickers,), is the
    row of the first bar whose decision can be acted on: a strategy that remembers what it holds begins flat there.
    Earlier decisions are ignored. needs: the parts of the inputs, beside prices, that must be there ("factors").
    check(**parameters) raises InputError where they do not go together.
    explain(inputs, column, rows, **parameters) returns a few words for each decision at `rows` of one ticker.
    """

    key: str
    label: str
    description: str  # one sentence an analyst would use
    parameters: tuple[Parameter, ...]
    decide: Callable[..., FloatArray]
    needs: tuple[str, ...] = ()
    explain: Callable[..., list[str]] | None = None
    check: Callable[..., None] = lambda **_: None


def first_decision_rows(panel: Panel, start: np.datetime64) -> np.ndarray:
    """Return the row of each ticker's last bar before `start`, shape (n_tickers,).

    Where there is none, the row of its first bar; n_dates where it has no bar at all.
    """
    before = int(np.searchsorted(panel.dates, start))
    rows = []
    for present in panel.has_bar.T:
        bars = np.flatnonzero(present)
        earlier = int(np.searchsorted(bars, before))
        rows.append(bars[max(earlier - 1, 0)] if len(bars) else len(panel.dates))
    return np.asarray(rows, dtype=np.int64)


def changes_only(targets: FloatArray, first_rows: np.ndarray) -> FloatArray:
    """Return the decisions that differ from the one in force, from flat at each first row on; else NaN."""
    changes = np.full(targets.shape, np.nan)
    for column, first in enumerate(first_rows):
        rows = first + np.flatnonzero(np.isfinite(targets[first:, column]))
        decided = targets[rows, column]
        rows = rows[decided != np.concatenate([[0.0], decided[:-1]])]
        changes[rows, column] = targets[rows, column]
    return changes
