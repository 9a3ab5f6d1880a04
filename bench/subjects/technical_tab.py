"""Changing the ticker on the Technical tab: the real callback over HTTP, against the naive way to draw the same."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.measure import Benchmark, Clock, Row, Times
from bench.stores import built, scratch

TICKERS, YEARS = 20, 30
REQUESTS = {"2y": (100, 25), "max": (40, 10)}  # range: requests of ours, of the peer
USERS, VISITS = 5, 20
CHART, VOTES = "technical-content.children", "technical-votes.children"
AIMS = {"2y": 0.040, "max": 0.120}  # p95


def run() -> list[Row]:
    from bench.browser import Browser

    with scratch() as folder:
        settings = built(folder, "simulated", simulated_tickers=TICKERS, simulated_years=YEARS)
        browser = Browser(settings)
        rows = [_row(browser, Path(settings.db), span) for span in REQUESTS]
        return [*rows, *(_five_users(browser, pause) for pause in (1.0, 0.0))]


def _row(browser: Any, db: Path, span: str) -> Row:
    from bench.peers import technical_figure_json
    from dashapp.pages.technical.export import start_of
    from pipeline.sources.simulated import LAST_DATE

    start = start_of(span, LAST_DATE) or ""
    clock, (ours, theirs) = Clock(), REQUESTS[span]
    size = 0
    for number in range(-TICKERS, ours):
        ticker, name = f"SIM{number % TICKERS + 1:03d}", "warm-up" if number < 0 else "ours"
        size = len(clock.take(name, lambda: _ask(browser, ticker, span)))  # noqa: B023  called at once
        if number < 0 or number % (ours // theirs) == 0:
            clock.take("warm-up" if number < 0 else "peer", lambda: technical_figure_json(db, ticker, start))  # noqa: B023
    return Row(
        f"Technical tab, other ticker, {span}", clock.of("ours"), "pandas.read_sql + plotly.graph_objects",
        clock.of("peer"), AIMS[span], "p95", f"server side, {size / 1024:.0f} kB an answer; the peer draws no votes, records and cards.",
    )  # fmt: skip


def _five_users(browser: Any, pause: float) -> Row:
    """Five visitors change the ticker again and again, each after a pause of its own, `pause` seconds on average."""
    import numpy as np

    def visit(first: int) -> list[float]:
        visitor, rng, taken = browser.another(), np.random.default_rng(first), []
        for number in range(VISITS):
            time.sleep(rng.exponential(pause) if pause else 0)
            for output in (CHART, VOTES):
                begin = time.perf_counter()
                values = values_of(f"SIM{(first + number) % TICKERS + 1:03d}", "2y")
                visitor.send(output, changed="shell-view.data", values=values)
                taken.append(time.perf_counter() - begin)
        return taken

    with ThreadPoolExecutor(USERS) as pool:
        taken = [seconds for own in pool.map(visit, range(0, USERS * 4, 4)) for seconds in own]
    looks = f"a ticker every {pause:g} s each" if pause else "without a pause"
    return Row(f"Technical tab, {USERS} users, {looks}", Times(tuple(taken)), aim=0.100 if pause else None, judged="p95",
               note="each request, of chart or votes, timed for itself.")  # fmt: skip


def values_of(ticker: str, span: str) -> dict[str, Any]:
    """Return what the page sends with a change of ticker."""
    return {
        "shell-view.data": {"ticker": ticker, "range": span}, "shell-theme-name.data": "light",
        "technical-style.value": "candles", "technical-overlays.value": ["sma"], "technical-scale.value": "linear",
        "technical-panes.value": ["volume", "rsi", "macd"], "technical-ribbon.value": "none",
        "technical-scope.value": "ticker", "technical-horizon.value": "21", "technical-live.data": {},
    }  # fmt: skip


def _ask(browser: Any, ticker: str, span: str) -> bytes:
    """Both answers that a change of ticker asks for, one after the other: the chart with its head, and the votes."""
    chart, votes = (
        browser.send(output, changed="shell-view.data", values=values_of(ticker, span)) for output in (CHART, VOTES)
    )
    if b'"candlestick"' not in chart or b"Votes on" not in votes:
        raise RuntimeError(f"no chart of {ticker}: {chart[:300]!r}")
    return bytes(chart + votes)


BENCHMARK = Benchmark("technical_tab", "change the ticker on the Technical tab", run)
