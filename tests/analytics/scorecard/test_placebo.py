"""Signals that know nothing are found to know nothing, as often as the interval says; one that knows is found."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from records import NUMBER, one_signal, returns_of, row_of
from signal_bars import sessions, walk

from analytics.indicators import VOTES
from analytics.inference import benjamini_hochberg
from analytics.market import FIELDS, Bars
from analytics.scorecard import HORIZONS, bucket_codes, pooled, quarterly_sums, scorecard
from analytics.signals import technical_signals

N, WALKS = 2_520, 120
LEVEL = 0.95
SIGMAS = 3.5  # of the binomial, the rows of one history counted as one draw


def bounds(draws: int) -> tuple[float, float]:
    """Between which the share of intervals that hold 0 must lie."""
    spread = SIGMAS * np.sqrt(LEVEL * (1 - LEVEL) / draws)
    return LEVEL - spread, min(1.0, LEVEL + spread)


def shifted(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every signal moved by one random number of days, the end put before the beginning."""
    return np.roll(codes, int(rng.integers(len(codes) // 10, len(codes) * 9 // 10)), axis=0)


def cards_of(bars: Bars, codes: np.ndarray, ticker: int | str) -> pd.DataFrame:
    sums = quarterly_sums(bars.dates, returns_of(bars), codes)
    return pd.concat([scorecard(sums[horizon], horizon) for horizon in HORIZONS]).assign(ticker=ticker)


def covered(rows: pd.DataFrame) -> float:
    """The share of intervals that hold 0, every history weighing the same."""
    known = rows[rows["excess_low"].notna()]
    holds = (known["excess_low"] <= 0) & (known["excess_high"] >= 0)
    return float(holds.groupby(known["ticker"]).mean().mean())


@pytest.fixture(scope="module")
def walks() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The records of random walks: of their own signals, and of these moved to other days."""
    own, moved = [], []
    for seed in range(WALKS):
        bars = walk(seed, N, drift=0.0003, step=0.015)
        codes = bucket_codes(technical_signals(bars))
        own.append(cards_of(bars, codes, seed))
        moved.append(cards_of(bars, shifted(codes, np.random.default_rng([7, seed])), seed))
    return pd.concat(own), pd.concat(moved)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_intervals_of_random_walks_hold_zero_as_often_as_they_say(
    walks: tuple[pd.DataFrame, pd.DataFrame], horizon: int
) -> None:
    for rows in walks:
        assert 0.91 <= covered(rows[rows["horizon_days"] == horizon]) <= 0.98


@pytest.mark.parametrize("horizon", HORIZONS)
def test_signals_of_other_days_have_no_excess(walks: tuple[pd.DataFrame, pd.DataFrame], horizon: int) -> None:
    moved = walks[1]
    rows = moved[moved["horizon_days"] == horizon]
    low, high = bounds(WALKS)
    assert low <= covered(rows) <= high
    for signal, bucket in (("vote_sma", "buy"), ("vote_rsi", "sell"), ("overall_signal", "buy"), ("vote_macd", "sell")):
        excess = rows[(rows["signal"] == signal) & (rows["bucket"] == bucket)]["excess_return"]
        assert abs(excess.mean()) <= SIGMAS * excess.sem()


def test_the_placebo_can_fail() -> None:
    """Errors that take every day for independent are far too small, and the same check finds it."""
    held = []
    for seed in range(60):
        bars = walk(seed, N, step=0.015)
        codes = shifted(bucket_codes(technical_signals(bars)), np.random.default_rng([8, seed]))
        r = returns_of(bars)[63]
        for signal in ("vote_sma", "vote_ema_50"):
            days = r[(codes == NUMBER[signal, "buy"]).any(axis=1) & np.isfinite(r)]
            held.append(abs(days.mean() - np.nanmean(r)) <= 1.96 * days.std(ddof=1) / np.sqrt(len(days)))
    assert np.mean(held) < bounds(60)[0]


def states_with_spells(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.repeat(rng.integers(-1, 2, n // 10 + 1), 10)[:n]


def drifting_after_buys(rng: np.random.Generator, states: np.ndarray, drift: float) -> Bars:
    """A walk that rises after each day of a buy and falls after each of a sell."""
    n = len(states)
    returns = rng.normal(0, 0.015, n) + drift * np.concatenate([[0], states[:-1]])
    close = 50 * np.cumprod(1 + returns)
    opening = np.concatenate([[50.0], close[:-1]])
    return Bars("TEST", sessions(n), opening, np.maximum(opening, close), np.minimum(opening, close), close, close,
                np.full(n, 1e6))  # fmt: skip


def many_signals(rng: np.random.Generator, states: np.ndarray) -> np.ndarray:
    """The planted signal, and every vote as a signal that knows nothing."""
    others = [one_signal(states_with_spells(rng, len(states)), voter.vote.column) for voter in VOTES.values()]
    return np.hstack([one_signal(states), *others])


def test_a_planted_edge_is_found_among_signals_that_know_nothing() -> None:
    rng = np.random.default_rng(11)
    states = states_with_spells(rng, N)
    codes = many_signals(rng, states)
    bars = drifting_after_buys(rng, states, 0.004)
    card = scorecard(quarterly_sums(bars.dates, returns_of(bars), codes)[5], 5)
    card["q_value"] = benjamini_hochberg(card["p_value"])
    for bucket, sign in (("buy", 1), ("sell", -1)):
        row = row_of(card, "overall_signal", bucket)
        assert row.q_value < 0.05
        assert sign * row.excess_return > 0.005
        assert row.hit_rate > row.base_rate
    others = card[card["signal"] != "overall_signal"]
    assert (others["q_value"] < 0.05).mean() <= 0.05


def test_many_tickers_show_what_one_cannot() -> None:
    rng = np.random.default_rng(12)
    parts, single = [], []
    for _ in range(40):
        states = states_with_spells(rng, N)
        bars = drifting_after_buys(rng, states, 0.0008)
        parts.append(quarterly_sums(bars.dates, returns_of(bars), one_signal(states))[5])
        single.append(row_of(scorecard(parts[-1], 5), "overall_signal", "buy").p_value)
    total = pooled(parts)
    assert total is not None
    row = row_of(scorecard(total, 5), "overall_signal", "buy")
    assert np.median(single) > 0.05
    assert row.p_value < 0.001
    assert row.excess_low <= 5 * 0.0008 * 0.75 <= row.excess_high  # a buy of ten days: 7.5 more of its days are in five


@pytest.mark.shared_data
@pytest.mark.skipif(not os.environ.get("PLUMBLINE_TEST_DATA"), reason="PLUMBLINE_TEST_DATA names no folder")
def test_signals_of_other_days_have_no_excess_on_real_stocks(shared_data: Path) -> None:
    rng, rows = np.random.default_rng(13), []
    files = sorted((shared_data / "prices").glob("*.csv.gz"))
    for path in files:
        frame = pd.read_csv(path).rename(columns=lambda name: name.lower().replace(" ", "_")).dropna(subset=["close"])
        dates = frame["date"].to_numpy().astype("datetime64[D]")
        bars = Bars(path.name, dates, *(frame[name].to_numpy(float) for name in FIELDS))
        codes = bucket_codes(technical_signals(bars))
        rows += [cards_of(bars, shifted(codes, rng), ticker=path.name) for _ in range(4)]
    found = pd.concat(rows)
    low, high = bounds(len(files))
    for horizon in HORIZONS:
        assert low <= covered(found[found["horizon_days"] == horizon]) <= high, horizon
