"""Whether choosing the best cell of a sweep pays: combinatorially symmetric cross-validation over blocks of sessions."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from analytics.backtest.block_sums import CANCELLED, CONSTANT, BlockSums, sharpe_of_sums
from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError

MOST_BLOCKS: Final = 20  # 184,756 ways to take half of them
CHUNK: Final = 50_000  # numbers at a time: less than half a megabyte, which the processor keeps at hand
NAN: Final = float("nan")


@dataclass(frozen=True, eq=False)
class Overfitting:
    """What became of the best cell of one half of the blocks in the other half, over all ways to halve them.

    pbo: share of the splits in which it ranks at or below the median, the probability of backtest overfitting. logits
    (n_splits,): of its relative rank, above 0 where it beat the median. in_sample, out_of_sample (n_splits,): its Sharpe
    ratio per year in both halves; slope: of the regression of the second on the first, 1 where nothing is lost;
    loss_probability: share of the splits with the second below 0. n_cells: those judged. NaN when: fewer than two are.
    """

    pbo: float
    logits: FloatArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    slope: float
    loss_probability: float
    n_cells: int


def probability_of_backtest_overfitting(sums: BlockSums) -> Overfitting:
    """Return how the best of many cells in half of the blocks does in the other half, over all such halves.

    A cell that stood still in half of the blocks or more is left out: in some half it has no Sharpe ratio. Splits are in
    the order of itertools.combinations of the blocks in sample; ties in sample take the first cell, those out of sample
    the mean rank. Raises InputError on an odd number of blocks, or more than 20. Source: Bailey, Borwein, López de
    Prado and Zhu (2017).
    """
    if sums.n_blocks % 2 or sums.n_blocks > MOST_BLOCKS:
        raise InputError("sums", got=f"{sums.n_blocks} blocks", allowed=f"an even number, at most {MOST_BLOCKS}")
    judged = sums.take(_moving(sums))
    if len(judged) < 2:
        return Overfitting(NAN, np.empty(0), np.empty(0), np.empty(0), NAN, NAN, len(judged))
    halves = [(_chosen(first, second), _chosen(second, first)) for first, second in _halves(judged)]
    here, there = (np.concatenate([pair[side] for pair in halves], axis=1) for side in (0, 1))
    # the other half of a split stands as far from the end as the split from the start
    rank, in_sample, out_of_sample = np.concatenate([here, there[:, ::-1]], axis=1)
    logits = np.log(rank / (len(judged) + 1.0 - rank))
    year = np.sqrt(TRADING_DAYS)
    return Overfitting(
        float((logits <= 0.0).mean()), logits, in_sample * year, out_of_sample * year,
        slope=_slope(in_sample, out_of_sample), loss_probability=float((out_of_sample < 0.0).mean()),
        n_cells=len(judged),
    )  # fmt: skip


def _moving(sums: BlockSums) -> np.ndarray:
    """Which cells have known returns that vary within more than half of the blocks."""
    with np.errstate(divide="ignore", invalid="ignore"):
        within = sums.squares - sums.total**2 / sums.n
    known = np.isfinite(sums.total).all(axis=1) & np.isfinite(sums.squares).all(axis=1)
    least = np.maximum(
        CANCELLED * sums.squares, CONSTANT**2 * sums.n.sum()
    )  # cash earns the risk-free rate but for rounding
    return known & ((within > least).sum(axis=1) > sums.n_blocks // 2)


def _halves(sums: BlockSums) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Sharpe ratios per session of both halves, (splits, n_cells) each; every pair of halves once, in chunks."""
    rest = combinations(range(1, sums.n_blocks), sums.n_blocks // 2 - 1)
    blocks = np.array([(0, *others) for others in rest])
    inside = np.zeros((len(blocks), sums.n_blocks))
    np.put_along_axis(inside, blocks, 1.0, axis=1)
    step = max(1, CHUNK // len(sums))
    for start in range(0, len(inside), step):
        part = inside[start : start + step]
        yield _sharpe(sums, part), _sharpe(sums, 1.0 - part)


def _sharpe(sums: BlockSums, inside: FloatArray) -> FloatArray:
    return sharpe_of_sums((inside @ sums.n)[:, None], inside @ sums.total.T, inside @ sums.squares.T)


def _chosen(inside: FloatArray, outside: FloatArray) -> FloatArray:
    """Rank outside (1 the lowest), Sharpe ratio inside and outside of the cell that is best inside, (3, splits)."""
    splits = np.arange(len(inside))
    best = inside.argmax(axis=1)
    own = outside[splits, best]
    below, level = (outside < own[:, None]).sum(axis=1), (outside == own[:, None]).sum(axis=1)
    return np.array([below + (level + 1) / 2.0, inside[splits, best], own])


def _slope(values: FloatArray, responses: FloatArray) -> float:
    deviations = values - values.mean()
    spread = float(deviations @ deviations)
    return float(deviations @ responses / spread) if spread > 0.0 else NAN
