"""The nightly work without the download: a full build, one night on top of it, and how both grow with the tickers."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.measure import Benchmark, Row, Times
from bench.stores import scratch

TICKERS, YEARS, ROUNDS = 100, 25, 3
AIM_FULL, AIM_NIGHT, AIM_RATIO, AIM_MEMORY = 12.0, 2.0, 5.0, 1.5e9
AIM_WITH_PAST = 20.0  # with the factor fits of every month end: the step's own budget is the difference
OVERLAP = 12  # sessions fetched again each night
GROWTH, GROWTH_YEARS = (1_000, 2_000, 3_000), 10


class Nights:
    """A source that has what the simulated market had up to one session after another; its own time is not counted."""

    def __init__(self, tickers: int, years: int) -> None:
        import config
        from pipeline.sources import SOURCES, FetchRequest, no_report, simulated

        self.settings = config.load_settings({}, simulated_tickers=tickers, simulated_years=years)
        self.whole = simulated.fetch(FetchRequest(settings=self.settings), no_report)
        self.dates = sorted(self.whole.prices["date"].unique())
        self.last, self.seconds = self.dates[-1], 0.0
        self.source = replace(SOURCES["simulated"], key="nights", fetch=self._fetch, tickers=None, incremental=True)

    def _fetch(self, request: Any, _report: Any) -> Any:
        begin = time.perf_counter()
        data = self.whole
        if request.last_dates or self.last != self.dates[-1] or request.tickers:
            first = self.dates[max(0, self.dates.index(self.last) - OVERLAP)] if request.last_dates else ""
            prices = data.prices[data.prices["date"].between(first, self.last)]
            data = replace(
                data,
                prices=prices.reset_index(drop=True),
                rates=data.rates[data.rates["date"].between(first, self.last)],
            )
        self.seconds += time.perf_counter() - begin
        return data

    def update(self, folder: Path, source: Any = None, **changes: Any) -> float:
        """Bring the store in `folder` up to date and return the seconds it took besides the source's own."""
        from pipeline import runner
        from pipeline.sources import SOURCES

        runner.SOURCES = {**SOURCES, "nights": source or self.source}  # type: ignore[assignment]
        files = {"db": folder / "data.db", "workspace": folder / "workspace.db", "cache_dir": folder / "cache"}
        self.seconds, begin = 0.0, time.perf_counter()
        runner.update(runner.UpdateRequest("nights"), settings=replace(self.settings, **files, **changes))
        return time.perf_counter() - begin - self.seconds


def run() -> list[Row]:
    from bench.plain_pipeline import plain_update

    nights = Nights(TICKERS, YEARS)
    full, past, night, plain = [], [], [], []
    for _ in range(ROUNDS):
        with scratch() as folder:
            nights.last = nights.dates[-3]
            full.append(nights.update(folder, keep_fit_years=1))
        with scratch() as folder:
            nights.last = nights.dates[-3]
            past.append(nights.update(folder))
            for date in nights.dates[-2:]:
                nights.last = date
                night.append(nights.update(folder))
        with scratch() as folder:
            plain.append(_seconds(lambda folder=folder: plain_update(nights.whole, folder / "plain.db")))
    peer = "pandas loop, statsmodels loop, to_sql"
    size = f"{TICKERS} tickers, {YEARS} years"
    return [
        Row(f"full update, {size}", _times(full), peer, _times(plain), AIM_FULL,
            note=f"without the download; factor fits of the newest month ends; the ratio should be {AIM_RATIO:g} at least."),
        Row(f"the same with the factor fits of {YEARS} years of month ends", _times(past), peer, _times(plain), AIM_WITH_PAST),
        Row(f"one night, {size}", _times(night), f"{peer}, everything anew", _times(plain), AIM_NIGHT,
            note="one new session of each ticker."),
        *(_alone(tickers, years) for tickers, years in ((TICKERS, YEARS), *((count, GROWTH_YEARS) for count in GROWTH))),
    ]  # fmt: skip


def _alone(tickers: int, years: int) -> Row:
    """One full build in a process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        seconds, peak = pool.submit(build, tickers, years).result()
    return Row(
        f"full update in a process of its own, {tickers:,} tickers, {years} years", _times([seconds]),
        note=f"{seconds / tickers * 1e3:.1f} s for 1,000 tickers; peak memory {peak / 1e9:.2f} GB, source and helper included.",
    )  # fmt: skip


def build(tickers: int, years: int) -> tuple[float, float]:
    """Return the seconds of a full build without those of its source, and the peak memory in bytes."""
    import config
    from pipeline import runner
    from pipeline.sources import SOURCES

    fetching = 0.0
    source = SOURCES["simulated"]

    def fetch(request: Any, report: Any) -> Any:
        nonlocal fetching
        begin = time.perf_counter()
        data = source.fetch(request, report)
        fetching += time.perf_counter() - begin
        return data

    runner.SOURCES = {**SOURCES, "simulated": replace(source, fetch=fetch)}  # type: ignore[assignment]
    with scratch() as folder:
        files = {"db": folder / "data.db", "workspace": folder / "workspace.db", "cache_dir": folder / "cache"}
        settings = config.load_settings({}, simulated_tickers=tickers, simulated_years=years, **files)
        seconds = _seconds(lambda: runner.update(runner.UpdateRequest("simulated"), settings=settings))
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return seconds - fetching, sum(peaks) * 1024  # pages that both share count twice


def _seconds(action: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def _times(seconds: list[float]) -> Times:
    return Times(tuple(seconds), tuple(seconds))


BENCHMARK = Benchmark(
    "pipeline", "the nightly work without the download: full build, one night, growth, against a plain one", run
)
