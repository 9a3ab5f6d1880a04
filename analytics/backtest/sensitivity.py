"""How far to believe the best of many parameter sets: its neighbours, and what choosing on the past would have earned."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from analytics.backtest.block_sums import BlockSums, sharpe_of_sums
from analytics.backtest.parameter_sets import Grid
from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError, MissingDataError
from analytics.registry import lookup

FIRST_TRAIN: Final = 4  # blocks that the first choice of a walk-forward knows: a quarter of the sessions
OTHERS: Final[dict[str, Any]] = {"best": np.nanmax, "median": np.nanmedian}  # what a heat map shows of the other axes


@dataclass(frozen=True, eq=False)
class Plateau:
    """How the cells of a grid stand among their neighbours.

    scores (n_cells,): the median of the neighbourhood, of the cells up to one step away on every axis, the cell
    included. peak: the cell of the highest value; plateau: that of the highest score; the first of equals.
    """

    scores: FloatArray
    peak: int
    plateau: int


def plateau_scores(values: FloatArray, grid: Grid) -> Plateau:
    """Return how much of each cell's value its neighbourhood shares; values (n_cells,), NaN where undefined.

    An axis of selections has no neighbours; undefined neighbours do not count. scores NaN when: the value itself is.
    Raises MissingDataError where no cell has a value.
    """
    shaped = grid.shaped(values)
    if not np.isfinite(shaped).any():
        raise MissingDataError("No parameter set has a value: none of them traded, or none of them could be run.")
    reach = [1 if ordered else 0 for ordered in grid.ordered]
    padded = np.pad(shaped, [(r, r) for r in reach], constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, tuple(2 * r + 1 for r in reach))
    around = windows.reshape(shaped.size, -1)
    scores, there = np.full(shaped.size, np.nan), np.isfinite(shaped).ravel()
    scores[there] = np.nanmedian(around[there], axis=1)
    return Plateau(scores, int(np.nanargmax(shaped)), int(np.nanargmax(scores)))


def heat_map(values: FloatArray, grid: Grid, *, x: str, y: str, others: str = "best") -> FloatArray:
    """Return the values over two axes, shape (n_y, n_x); of the other axes the best ("best") or the median ("median").

    values: (n_cells,). NaN when: no cell there has a value. Raises InputError where both axes are one, UnknownKeyError
    on an axis that the grid does not have.
    """
    reduce = lookup(OTHERS, others, "others")
    if x == y:
        raise InputError("y", got=y, allowed="another axis than x")
    planes = np.moveaxis(grid.shaped(values), (grid.position(y), grid.position(x)), (0, 1))
    rows = planes.reshape(*planes.shape[:2], -1)
    found, there = np.full(rows.shape[:2], np.nan), np.isfinite(rows).any(axis=2)
    found[there] = reduce(rows[there], axis=1)
    return found


@dataclass(frozen=True, eq=False)
class WalkForward:
    """The path of choices, an entry a block from the first that was not trained on, and what came of it.

    blocks: the block in which each choice was held. chosen: the cell that was best on all blocks before it, −1 where
    none had a ratio. promised: its Sharpe ratio there; earned: the one in the block; both per year. in_sample: the mean
    of what was promised, by sessions. out_of_sample: the Sharpe ratio of all the blocks held, one after the other.
    hindsight: that of the cell that was best over the same blocks, which nobody could have known. All NaN where
    undefined.
    """

    blocks: np.ndarray
    chosen: np.ndarray
    promised: FloatArray
    earned: FloatArray
    in_sample: float
    out_of_sample: float
    hindsight: float


def walk_forward(sums: BlockSums, *, first_train: int = FIRST_TRAIN) -> WalkForward:
    """Return what choosing the best cell on the past, block after block, would have earned.

    Each choice is made on every block before it (an anchored walk-forward), from `first_train` blocks on; the first of
    equals is taken. Raises InputError where no block is left to hold a choice in.
    """
    if not 1 <= first_train < sums.n_blocks:
        raise InputError("first_train", got=first_train, allowed=f"1 to {sums.n_blocks - 1} of {sums.n_blocks} blocks")
    blocks = np.arange(first_train, sums.n_blocks)
    known = [sums.sharpe(slice(0, block)) for block in blocks]
    chosen = np.array([np.nanargmax(ratio) if np.isfinite(ratio).any() else -1 for ratio in known])
    made = chosen >= 0
    n = np.where(made, sums.n[blocks], 0)
    total, squares = (np.where(made, part[chosen, blocks], 0.0) for part in (sums.total, sums.squares))
    promised = np.array([ratio[cell] if cell >= 0 else np.nan for ratio, cell in zip(known, chosen, strict=True)])
    later = sums.sharpe(blocks[made]) if made.any() else np.full(len(sums), np.nan)
    year = math.sqrt(TRADING_DAYS)
    return WalkForward(
        blocks, chosen, promised * year, sharpe_of_sums(n, total, squares) * year,
        in_sample=year * float(np.average(promised[made], weights=n[made])) if n.any() else math.nan,
        out_of_sample=year * float(sharpe_of_sums(n.sum(), total.sum(), squares.sum())),
        hindsight=year * float(np.nanmax(later)) if np.isfinite(later).any() else math.nan,
    )  # fmt: skip
