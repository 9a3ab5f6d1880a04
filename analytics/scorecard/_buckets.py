"""The states of each signal that are judged apart: buy, neutral and sell of a vote, every label of the rating."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.indicators import VOTES
from analytics.signals import RATING_LABELS

VOTED = {1: "buy", 0: "neutral", -1: "sell"}


@dataclass(frozen=True)
class Bucket:
    """One state of one signal; `side` is 1 where it promises a rise, −1 a fall, 0 neither."""

    signal: str  # a column of technical_signals
    name: str
    side: int


def _buckets() -> tuple[Bucket, ...]:
    signals = (*(voter.vote.column for voter in VOTES.values()), "overall_signal")
    voted = [Bucket(signal, name, side) for signal in signals for side, name in VOTED.items()]
    sides = {name: -1 if "sell" in name else 1 if "buy" in name else 0 for name in RATING_LABELS}
    return (*voted, *(Bucket("rating_label", name, side) for name, side in sides.items()))


BUCKETS = _buckets()


def bucket_codes(columns: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    """Return the number of the bucket that each signal is in, shape (n_sessions, n_signals); −1 where it is unknown.

    columns: {column of technical_signals: values of shape (n_sessions,)}.
    """
    of_signal: dict[str, dict[Any, int]] = {}
    for number, bucket in enumerate(BUCKETS):
        state = bucket.name if bucket.signal == "rating_label" else bucket.side
        of_signal.setdefault(bucket.signal, {})[state] = number
    codes = [_codes(columns[signal], numbers) for signal, numbers in of_signal.items()]
    return np.stack(codes, axis=1)


def _codes(values: Any, numbers: Mapping[Any, int]) -> npt.NDArray[np.int64]:
    if isinstance(next(iter(numbers)), str):
        return np.array([numbers.get(value, -1) for value in values], dtype=np.int64)
    table = np.array([numbers[-1], numbers[0], numbers[1], -1])
    given = np.asarray(values, dtype=float)
    return table[np.where(np.isfinite(given), given + 1, 3).astype(np.int64)]
