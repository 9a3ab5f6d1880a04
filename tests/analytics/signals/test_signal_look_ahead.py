"""No vote, signal or rating depends on a later bar, and the check that says so finds a vote that does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from signal_bars import cuts_of, looked_ahead, walk, without

from analytics.indicators import VOTES, compute_indicator, compute_vote
from analytics.market import Bars
from analytics.signals import technical_signals

N = 320
CUTS = cuts_of(N)


def test_no_stored_column_depends_on_a_later_bar() -> None:
    assert len(CUTS) >= 25
    assert looked_ahead(technical_signals, walk(51, N), CUTS) == set()


def test_nor_does_one_of_closes_alone() -> None:
    bars = without(walk(52, N), "open", "high", "low", "volume")
    assert looked_ahead(technical_signals, bars, CUTS) == set()


def test_nor_one_with_gaps_and_a_halt() -> None:
    bars, rng = walk(53, N), np.random.default_rng(53)
    gaps = rng.random(N) < 0.1
    halted = (np.arange(N) > 150) & (np.arange(N) < 180)
    bars = replace(
        bars,
        close=np.where(halted, bars.close[150], bars.close),
        **{name: np.where(gaps | halted, np.nan, getattr(bars, name)) for name in ("open", "high", "low", "volume")},
    )
    assert looked_ahead(technical_signals, bars, CUTS) == set()


def centred(bars: Bars) -> np.ndarray:
    close = pd.Series(bars.close)
    return np.sign(close - close.rolling(11, center=True, min_periods=1).mean()).to_numpy()


def next_close(bars: Bars) -> np.ndarray:
    return np.sign(np.append(np.diff(bars.close), 0.0))


def against_the_whole_mean(bars: Bars) -> np.ndarray:
    return np.sign(bars.close - np.nanmean(bars.close))


def share_of_the_highest(bars: Bars) -> np.ndarray:
    return np.where(bars.close > 0.9 * np.nanmax(bars.close), 1.0, 0.0)


def filled_back(bars: Bars) -> np.ndarray:
    indicator, vote = VOTES["rsi"]
    outputs = compute_indicator(indicator, bars)
    return pd.Series(compute_vote(indicator, vote, bars, outputs)).bfill().to_numpy()


@pytest.mark.parametrize("leak", [centred, next_close, against_the_whole_mean, share_of_the_highest, filled_back])
def test_a_vote_that_sees_the_future_is_caught(leak: object) -> None:
    found = looked_ahead(lambda bars: technical_signals(bars) | {"vote_leak": leak(bars)}, walk(54, N), CUTS)
    assert found == {"vote_leak"}
