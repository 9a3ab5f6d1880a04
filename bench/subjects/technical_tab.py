"""Changing the ticker on the Technical tab: the real callback over HTTP, against the naive way to draw the same."""

from pathlib import Path
from typing import Any

from bench.measure import Benchmark, Clock, Row
from bench.stores import built, scratch

TICKERS, YEARS = 20, 30
REQUESTS = {"2y": (100, 25), "max": (40, 10)}  # range: requests of ours, of the peer
AIM = 0.040


def run() -> list[Row]:
    from bench.browser import Browser

    with scratch() as folder:
        settings = built(folder, "simulated", simulated_tickers=TICKERS, simulated_years=YEARS)
        browser = Browser(settings)
        return [_row(browser, Path(settings.db), span) for span in REQUESTS]


def _row(browser: Any, db: Path, span: str) -> Row:
    from bench.peers import technical_figure_json
    from dashapp.pages.technical import start_of
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
        clock.of("peer"), AIM, "p95", f"server side, {size / 1024:.0f} kB an answer; the peer draws no votes and cards.",
    )  # fmt: skip


def _ask(browser: Any, ticker: str, span: str) -> bytes:
    body = browser.send("technical-content.children", changed="shell-view.data", values={
        "shell-view.data": {"ticker": ticker, "range": span}, "shell-theme-name.data": "light",
        "technical-style.value": "candles", "technical-overlays.value": ["sma"],
        "technical-panes.value": ["volume", "rsi", "macd"],
    })  # fmt: skip
    if b'"candlestick"' not in body:
        raise RuntimeError(f"no chart of {ticker}: {body[:300]!r}")
    return bytes(body)


BENCHMARK = Benchmark("technical_tab", "change the ticker on the Technical tab", run)
