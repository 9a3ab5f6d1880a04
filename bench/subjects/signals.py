"""Every stored technical column of 100 tickers, against a pandas script; and how the time grows with the tickers."""

import time
from collections.abc import Iterator
from typing import Any

from bench.measure import Benchmark, Row, Times, agree, race
from bench.stores import as_bars, simulated

TICKERS, YEARS, ROUNDS = 100, 25, 3
GROWTH, GROWTH_SESSIONS = (100, 1_000, 3_000), 2_520
AIM_RATIO = 10.0
SETTLED = 1e-6  # relative: averages seeded differently have converged by the last bar
SETTLED_ROWS, SETTLED_PERIODS = 250, 50  # on which the votes are compared
ALIKE = 0.999  # of the votes and totals; in the rest two equal values differ in their last bits


def run() -> list[Row]:
    from bench.technical_peer import patterns_of_ticker, ratings_of_ticker, technical_of_ticker

    prices = simulated(TICKERS, YEARS).prices
    bars = as_bars(prices)
    frames = {ticker: rows.reset_index(drop=True) for ticker, rows in prices.groupby("ticker")}

    def ours() -> None:
        for item in bars.values():
            _columns(item)

    def peer(*, tuned: bool = False) -> None:
        for rows in frames.values():
            technical_of_ticker(rows, tuned=tuned)
            ratings_of_ticker(rows, tuned=tuned)

    columns = _compare(bars, frames)
    plain, tuned = race(ours, peer, rounds=ROUNDS), race(ours, lambda: peer(tuned=True), rounds=ROUNDS)
    both = race(
        lambda: [_patterns(item) for item in bars.values()],
        lambda: [patterns_of_ticker(rows) for rows in frames.values()],
        rounds=ROUNDS,
    )
    name = f"technical columns, {TICKERS} tickers × {len(next(iter(bars.values()))):,} sessions"
    return [
        Row(name, plain[0], "pandas, ticker after ticker", plain[1],
            note=f"both make the same {columns} columns and the weekly and monthly ratings; the peer with rolling.apply where pandas "
            f"has no such window. The ratio should be {AIM_RATIO:g} at least."),
        Row(f"{name}, tuned peer", tuned[0], "the same without rolling.apply", tuned[1]),
        Row(f"candlestick patterns, {TICKERS} tickers", both[0], "TA-Lib in a loop", both[1], note="TA-Lib finds them for both."),
        *(_growth(tickers) for tickers in GROWTH),
    ]  # fmt: skip


def _columns(bars: Any) -> Any:
    """The stored columns of a ticker, and its ratings."""
    from analytics.signals import TIMEFRAMES, technical_signals, timeframe_rating

    return technical_signals(bars), [timeframe_rating(bars, timeframe) for timeframe in TIMEFRAMES]


def _patterns(bars: Any) -> Any:
    from analytics.signals.candlesticks import candlestick_patterns

    return candlestick_patterns(bars)


def _compare(bars: Any, frames: Any) -> int:
    """Raise ValueError where the peer computes something else; return the number of columns."""
    import numpy as np

    from bench.technical_peer import TOTALS, ratings_of_ticker, technical_of_ticker

    names: set[str] = set()
    for ticker in list(bars)[:10]:
        (ours, ratings), theirs = _columns(bars[ticker]), technical_of_ticker(frames[ticker])
        names = set(ours)
        if names != set(theirs):
            raise ValueError(f"the peer lacks {sorted(names - set(theirs))}")
        counted = [
            name for name in sorted(names) if name.startswith("vote_") or (name in TOTALS and name != "rating_label")
        ]
        for name in names - {*counted, "rating_label"}:
            agree(name, ours[name][-1:], theirs[name].iloc[-1:], rtol=SETTLED)
        pairs = [(ours[name][-SETTLED_ROWS:], theirs[name].iloc[-SETTLED_ROWS:]) for name in counted]
        weekly, other = ratings[0], ratings_of_ticker(frames[ticker])["W"]  # an average of 200 months has not settled
        pairs += [(weekly[name][-SETTLED_PERIODS:], other[name].iloc[-SETTLED_PERIODS:]) for name in TOTALS[:-1]]
        same = np.concatenate([np.isclose(*pair, rtol=0, atol=SETTLED) for pair in pairs])
        if same.mean() < ALIKE:
            raise ValueError(f"{ticker}: the peer's votes and totals differ on {1 - same.mean():.2%} of the days")
    return len(names)


def _growth(tickers: int) -> Row:
    """Each ticker is made, computed and forgotten; its making is not counted."""
    seconds = 0.0
    for bars in _walks(tickers):
        begin = time.perf_counter()
        _columns(bars)
        _patterns(bars)
        seconds += time.perf_counter() - begin
    return Row(
        f"columns and patterns, {tickers:,} tickers × {GROWTH_SESSIONS:,} sessions", Times((seconds,), (seconds,)),
        note=f"{seconds / tickers * 1e3:.2f} ms a ticker.",
    )  # fmt: skip


def _walks(tickers: int) -> Iterator[Any]:
    import numpy as np

    from analytics.market import Bars

    dates = np.busday_offset("2010-01-01", np.arange(GROWTH_SESSIONS), roll="forward")
    for seed in range(tickers):
        rng = np.random.default_rng(seed)
        close = 50 * np.exp(np.cumsum(rng.normal(0, 0.015, GROWTH_SESSIONS)))
        opening = close * np.exp(rng.normal(0, 0.004, GROWTH_SESSIONS))
        reach = np.exp(np.abs(rng.normal(0, 0.006, GROWTH_SESSIONS)))
        high, low = np.maximum(opening, close) * reach, np.minimum(opening, close) / reach
        yield Bars("TEST", dates, opening, high, low, close, close, rng.uniform(1e5, 1e6, GROWTH_SESSIONS))


BENCHMARK = Benchmark("signals", "indicators, votes, signals and ratings of 100 tickers, and of up to 3,000", run)
