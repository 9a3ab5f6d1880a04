"""Records of signals for the tests: bars to codes and returns, and the same record worked out slowly."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.market import Bars
from analytics.scorecard import BUCKETS, HORIZONS, QuarterlySums, bucket_codes, forward_returns, quarterly_sums
from analytics.signals import technical_signals

BLOCK_MONTHS = {5: 3, 21: 6, 63: 12}
DRAWS, SEED = 500, 20_240_101
SIDES = np.array([bucket.side for bucket in BUCKETS])
NUMBER = {(bucket.signal, bucket.name): number for number, bucket in enumerate(BUCKETS)}


def returns_of(bars: Bars) -> dict[int, np.ndarray]:
    return {horizon: forward_returns(bars, horizon) for horizon in HORIZONS}


def sums_of(bars: Bars) -> dict[int, QuarterlySums]:
    return quarterly_sums(bars.dates, returns_of(bars), bucket_codes(technical_signals(bars)))


def one_signal(states: np.ndarray, signal: str = "overall_signal") -> np.ndarray:
    """Codes of one signal whose state is 1, 0 or −1 per day; every other signal is unknown."""
    numbers = np.array([NUMBER[signal, "sell"], NUMBER[signal, "neutral"], NUMBER[signal, "buy"]])
    return numbers[np.asarray(states, dtype=int) + 1][:, np.newaxis]


def days_of(bars: Bars, horizon: int) -> pd.DataFrame:
    """A row per day and signal with a known return: date, bucket, r, and the ticker's averages of all days."""
    r = pd.Series(forward_returns(bars, horizon))
    known = r.notna()
    codes = pd.DataFrame(bucket_codes(technical_signals(bars)))
    rows = codes[known].melt(ignore_index=False, value_name="bucket").query("bucket >= 0")
    day = rows.index
    return pd.DataFrame({
        "date": pd.DatetimeIndex(bars.dates)[day], "bucket": rows["bucket"].to_numpy(), "r": r[day].to_numpy(),
        "mean": r.mean(), "up": (r[known] > 0).mean(), "down": (r[known] < 0).mean(),
    }).assign(ticker=bars.ticker)  # fmt: skip


def estimates(days: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """What a reader of METHODS.md would compute from the days: the columns that need no error."""
    rows = []
    for number, group in days.groupby("bucket"):
        side = BUCKETS[number].side
        went = {1: group["r"] > 0, -1: group["r"] < 0}.get(side, pd.Series([np.nan]))
        base = {1: group["up"], -1: group["down"]}.get(side, pd.Series([np.nan]))
        rows.append({
            "signal": BUCKETS[number].signal, "bucket": BUCKETS[number].name, "horizon_days": horizon, "n": len(group),
            "hit_rate": went.astype(float).mean(), "base_rate": base.mean(), "mean_forward_return": group["r"].mean(),
            "base_return": group["mean"].mean(), "excess_return": (group["r"] - group["mean"]).mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def block_sums(bars: Bars, number: int, horizon: int) -> pd.DataFrame:
    """Per block of calendar quarters of one ticker's days with a known return: n, Σr, hits and Σexcess of a bucket."""
    r = pd.Series(forward_returns(bars, horizon), index=pd.DatetimeIndex(bars.dates)).dropna()
    codes = bucket_codes(technical_signals(bars))[: len(bars)]
    held = pd.Series((codes == number).any(axis=1), index=pd.DatetimeIndex(bars.dates))[r.index]
    share = held.sum() / len(r)
    side = BUCKETS[number].side
    days = pd.DataFrame({
        "n": held.astype(float), "r": r.where(held, 0.0),
        "hits": (held & (side * r > 0)).astype(float), "excess": (r - r.mean()) * (held.astype(float) - share),
    })  # fmt: skip
    months = BLOCK_MONTHS[horizon]
    return days.groupby((days.index.year * 12 + days.index.month - 1) // months).sum()


def drawn_error(blocks: pd.DataFrame, name: str) -> float:
    """The spread of Σname / Σn over the draws of as many blocks as there are, with replacement; one draw at a time."""
    rng = np.random.default_rng([SEED, len(blocks)])
    found = []
    for times in rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), size=DRAWS):
        n = float((times * blocks["n"]).sum())
        if n > 0:
            found.append(float((times * blocks[name]).sum()) / n)
    return float(np.std(found, ddof=1))


def delta_error(blocks: pd.DataFrame, name: str) -> float:
    """The same spread by the formula of a ratio of two sums, without a draw."""
    ratio = blocks[name].sum() / blocks["n"].sum()
    return float(np.sqrt(((blocks[name] - ratio * blocks["n"]) ** 2).sum()) / blocks["n"].sum())


def row_of(card: pd.DataFrame, signal: str, bucket: str) -> Any:
    found = card[(card["signal"] == signal) & (card["bucket"] == bucket)]
    assert len(found) == 1
    return next(found.itertuples())
