"""Means, hit rates and excesses with their intervals, from a bootstrap that draws blocks of calendar quarters."""

from functools import cache

import numpy as np
import pandas as pd

from analytics.conventions import FloatArray
from analytics.inference import t_interval, two_sided_p
from analytics.scorecard._buckets import BUCKETS
from analytics.scorecard._quarterly import SUMS, QuarterlySums

BLOCK_QUARTERS = {
    5: 1,
    21: 2,
    63: 4,
}  # each several times the horizon, because windows that overlap are not independent
SESSIONS_PER_QUARTER = 63
MIN_BLOCKS = 8  # blocks that must hold the bucket: with fewer, no interval can be trusted
DRAWS = 500
SEED = 20_240_101
_SIDES = np.array([bucket.side for bucket in BUCKETS])
_NUMERATORS = ("r", "hits", "excess")


def scorecard(sums: QuarterlySums, horizon: int) -> pd.DataFrame:
    """Return a row per bucket that occurred: signal, bucket, n and the estimates.

    mean_forward_return (ci_low, ci_high), excess_return over the ticker's own average (excess_low, excess_high,
    p_value: that it is 0), hit_rate (hit_low, hit_high): the share of returns that went the bucket's way, base_rate:
    the share of all the ticker's returns that did; both NaN for neutral. base_return: the average of all its returns.
    n_effective: the number of independent returns whose mean would be as uncertain. Fractions; intervals 95 %, of a hit rate
    cut to 0 and 1.
    NaN when: an interval or p value rests on fewer than MIN_BLOCKS blocks; n_effective and p of returns that never vary.
    """
    blocks = _blocks(sums, BLOCK_QUARTERS[horizon])
    n = blocks["n"].sum(axis=0)
    seen = n > 0
    n = n[seen]
    values = {name: blocks[name][:, seen] for name in blocks}
    mean, hit, excess = (values[name].sum(axis=0) / n for name in _NUMERATORS)
    degrees = _degrees(values["n"])
    # What a bootstrap of few blocks lacks, and what is lost where windows reach over the end of a block.
    lost = horizon / (3 * BLOCK_QUARTERS[horizon] * SESSIONS_PER_QUARTER)
    wider = np.sqrt((degrees + 1) / degrees / (1 - lost))
    mean_se, hit_se, excess_se = (error * wider for error in _standard_errors(values))
    variance = np.maximum(values["squares"].sum(axis=0) / n - mean**2, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(variance > 0, np.minimum(variance / mean_se**2, n), np.nan)
        t_stat = excess / excess_se
    rows = {
        "signal": [bucket.signal for bucket, is_seen in zip(BUCKETS, seen, strict=True) if is_seen],
        "bucket": [bucket.name for bucket, is_seen in zip(BUCKETS, seen, strict=True) if is_seen],
        "horizon_days": horizon, "n": n.astype(int), "n_effective": effective,
        "hit_rate": hit, "base_rate": values["base_hits"].sum(axis=0) / n,
        "mean_forward_return": mean, "base_return": values["base"].sum(axis=0) / n, "excess_return": excess,
        "p_value": two_sided_p(np.where(variance > 0, t_stat, np.nan), degrees=degrees),
    }  # fmt: skip
    for name, estimate, error in (("ci", mean, mean_se), ("hit", hit, hit_se), ("excess", excess, excess_se)):
        rows[f"{name}_low"], rows[f"{name}_high"] = t_interval(estimate, error, degrees=degrees)
    rows["hit_low"], rows["hit_high"] = (np.clip(rows[f"hit_{end}"], 0.0, 1.0) for end in ("low", "high"))
    return pd.DataFrame(rows)


def _degrees(n: FloatArray) -> FloatArray:
    """The degrees of freedom of a mean over unequal blocks (Kish). NaN when: fewer than MIN_BLOCKS hold the bucket."""
    enough = np.count_nonzero(n, axis=0) >= MIN_BLOCKS
    return np.where(enough, n.sum(axis=0) ** 2 / (n**2).sum(axis=0) - 1, np.nan)


def _blocks(sums: QuarterlySums, quarters: int) -> dict[str, FloatArray]:
    """The sums over blocks of calendar quarters, shape (n_blocks, n_buckets); hits are on the bucket's own side."""
    number = (sums.first_quarter + np.arange(len(sums.n))) // quarters
    first = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    found = {name: np.add.reduceat(getattr(sums, name), first, axis=0) for name in SUMS}
    for hits, up, down in (("hits", "up", "down"), ("base_hits", "base_up", "base_down")):
        found[hits] = np.select([_SIDES > 0, _SIDES < 0], [found[up], found[down]], np.nan)
    return found


def _standard_errors(values: dict[str, FloatArray]) -> list[FloatArray]:
    """The spread of each ratio to n over draws of as many blocks as there are, with replacement."""
    weights = _draws(len(values["n"]))
    drawn = weights @ np.hstack([values["n"], *(values[name] for name in _NUMERATORS)])
    counts, *sums = np.hsplit(drawn, 1 + len(_NUMERATORS))
    drawn_at_all = counts > 0
    known = np.maximum(drawn_at_all.sum(axis=0), 2)
    divisor = np.where(drawn_at_all, counts, 1.0)
    return [_spread(np.where(drawn_at_all, numbers / divisor, 0.0), drawn_at_all, known) for numbers in sums]


def _spread(ratios: FloatArray, drawn: np.ndarray, known: np.ndarray) -> FloatArray:
    """The standard deviation of each column over the `known` draws in which it occurs; elsewhere it is 0."""
    centred = np.where(drawn, ratios - ratios.sum(axis=0) / known, 0.0)
    return np.sqrt(np.einsum("ij,ij->j", centred, centred) / (known - 1))


@cache
def _draws(blocks: int) -> FloatArray:
    """How often each draw takes each block, shape (DRAWS, n_blocks): the same for all, so the same bytes twice."""
    rng = np.random.default_rng([SEED, blocks])
    return rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS).astype(float)
