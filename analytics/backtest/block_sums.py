"""What is kept of many return series: sums over consecutive blocks, from which the Sharpe ratio of any of them follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import STD_DDOF, TRADING_DAYS, FloatArray
from analytics.errors import InputError

BLOCKS: Final = 16  # Bailey, Borwein, López de Prado and Zhu (2017): 12,870 ways to take half of them
CONSTANT: Final = 1e-12  # a deviation smaller than this, per session, is what rounding leaves of a zero
CANCELLED: Final = 1e-13  # share of Σe² that rounding leaves of Σe² − (Σe)² / n where e is constant


@dataclass(frozen=True, eq=False)
class BlockSums:
    """Sums of the excess returns e of n_cells series over consecutive blocks of the same sessions.

    n (n_blocks,): sessions that count. total (n_cells, n_blocks): Σe; squares, the same shape: Σe². NaN where a series
    has no value in the block: its account was ruined before. Raises InputError on arrays that do not go together.
    """

    n: np.ndarray
    total: FloatArray
    squares: FloatArray

    def __post_init__(self) -> None:
        """Check the shapes."""
        for name in ("total", "squares"):
            shape = np.shape(getattr(self, name))
            if len(shape) != 2 or shape[1:] != np.shape(self.n) or shape != np.shape(self.total):
                raise InputError(name, got=shape, allowed=f"a row per series, {np.size(self.n)} blocks")

    def __len__(self) -> int:
        """Return the number of series."""
        return len(self.total)

    @property
    def n_blocks(self) -> int:
        """The number of blocks."""
        return len(self.n)

    def take(self, cells: npt.ArrayLike) -> "BlockSums":
        """Return the series at the given positions, or where a mask is True."""
        return BlockSums(self.n, self.total[np.asarray(cells)], self.squares[np.asarray(cells)])

    def sharpe(self, blocks: npt.ArrayLike | slice | None = None) -> FloatArray:
        """Return the Sharpe ratio per session over the union of some blocks, shape (n_cells,), not annualised.

        blocks: positions, a slice, or a mask; all of them where None. NaN when: fewer than two sessions are known, e is
        constant, or the series has no value in one of the blocks.
        """
        chosen = slice(None) if blocks is None else blocks if isinstance(blocks, slice) else np.asarray(blocks)
        return sharpe_of_sums(
            self.n[chosen].sum(), self.total[:, chosen].sum(axis=1), self.squares[:, chosen].sum(axis=1)
        )

    def sharpe_ratio(self, blocks: npt.ArrayLike | slice | None = None) -> FloatArray:
        """Return the same per year, × √252."""
        return self.sharpe(blocks) * np.sqrt(TRADING_DAYS)


def sharpe_of_sums(n: npt.ArrayLike, total: FloatArray, squares: FloatArray) -> FloatArray:
    """Return mean / standard deviation (ddof 1) per session of series of n values with sums Σe and Σe².

    The arguments broadcast. NaN when: n is below 2, a sum is unknown, or the values are constant.
    """
    count = np.asarray(n, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        within = squares - mean * total
        deviation = np.sqrt(np.where(within > CANCELLED * squares, within, 0.0) / (count - STD_DDOF))
        return np.asarray(np.where((count > STD_DDOF) & (deviation > CONSTANT), mean / deviation, np.nan))


def block_numbers(n_sessions: int, blocks: int = BLOCKS) -> np.ndarray:
    """Return the block of each session, shape (n_sessions,): consecutive, none longer than another by more than one.

    Raises InputError where there are fewer sessions than blocks, or fewer than two blocks.
    """
    if not 2 <= blocks <= n_sessions:
        raise InputError(
            "blocks", got=blocks, allowed=f"2 to the number of sessions, {n_sessions}", fix="Test a longer period."
        )
    return np.arange(n_sessions) * blocks // n_sessions


def of_returns(excess: npt.ArrayLike, *, blocks: int = BLOCKS, known: npt.ArrayLike | None = None) -> BlockSums:
    """Return the sums of excess returns per session, shape (n_cells, n_sessions) or a single row of them.

    The sessions are cut into equal blocks first; then only those count that are `known`, shape (n_sessions,), where
    None those on which any of the series has a value. A series that ends within a block earns nothing in the rest of
    it. Raises InputError on another shape and fewer sessions than blocks.
    """
    given = np.asarray(excess, dtype=float)
    values = given[None, :] if given.ndim == 1 else given
    counted = np.isfinite(values).any(axis=0) if known is None else np.asarray(known, dtype=bool)
    if values.ndim != 2 or counted.shape != values.shape[1:]:
        raise InputError("excess", got=given.shape, allowed="a row of excess returns per series")
    starts = np.searchsorted(block_numbers(len(counted), blocks), np.arange(blocks))
    there = counted & np.isfinite(values)
    kept = np.where(there, values, 0.0)
    n = np.add.reduceat(counted.astype(np.int64), starts)
    gone = (n > 0) & ~np.logical_or.reduceat(there, starts, axis=1)
    total, squares = (np.add.reduceat(sums, starts, axis=1) for sums in (kept, kept * kept))
    return BlockSums(n, np.where(gone, np.nan, total), np.where(gone, np.nan, squares))


def stacked(parts: Sequence[BlockSums]) -> BlockSums:
    """Return the series of several parts, one under the other; raises InputError where their blocks differ."""
    if not parts or any(not np.array_equal(part.n, parts[0].n) for part in parts):
        raise InputError("parts", got=len(parts), allowed="sums over the same blocks")
    return BlockSums(
        parts[0].n, np.concatenate([part.total for part in parts]), np.concatenate([part.squares for part in parts])
    )
