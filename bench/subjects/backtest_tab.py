"""Run Backtest from click to rendered answer: a question asked before, and a new one on a warm worker."""

import json
import time
from typing import Any

from bench.measure import Benchmark, Clock, Row
from bench.stores import built, scratch

CACHED, FRESH, WAIT = 20, 5, 120.0
CACHED_AIM, FRESH_AIM = 0.100, 2.0
CAPITAL = 100_000


def run() -> list[Row]:
    from bench.browser import Browser

    with scratch() as folder:
        browser, clock = Browser(built(folder, "sample")), Clock()
        click(browser, CAPITAL)  # starts the fork server and stores the answer asked again below
        for _ in range(3):
            click(browser, CAPITAL)
        for _ in range(CACHED):
            clock.take("cached", lambda: click(browser, CAPITAL))
        for number in range(FRESH):
            clock.take("fresh", lambda: click(browser, CAPITAL + 1 + number))  # noqa: B023  called at once
    return [
        Row("backtest, asked before", clock.of("cached"), "computing it again", clock.of("fresh"), CACHED_AIM,
            note="20 stocks of the sample, whole history; submit, look up, render."),
        Row("backtest, new question", clock.of("fresh"), aim=FRESH_AIM,
            note="the same in a warm worker; the page looks every 500 ms; cpu is the share of the web process."),
    ]  # fmt: skip


def click(browser: Any, capital: float) -> int:
    """Press Run Backtest, follow the job as the page does, render the answer, and return its size in bytes."""
    written = browser.call("shell-backtest-job.data", changed="backtest-run.n_clicks", values=form_of(capital))
    if alert := written.get("backtest-error", {}).get("children"):
        raise RuntimeError(json.dumps(alert)[:300])
    job = written["shell-backtest-job"]["data"]
    result_id = _follow(browser, job)
    shown = {"backtest-shown.data": result_id, "backtest-drawn.data": result_id, "shell-theme-name.data": "light"}
    parts = [
        browser.send(f"backtest-{part}.children", changed="backtest-shown.data", values=shown)
        for part in ("verdict", "content", "more", "each", "record")
    ]
    if b"Equity and drawdown" not in parts[1]:
        raise RuntimeError(f"no result: {parts[1][:300]!r}")
    return sum(map(len, parts))


def _follow(browser: Any, job: dict[str, str]) -> str:
    from dashapp.pages.backtest.layout import POLL_MILLISECONDS

    deadline, changed = time.monotonic() + WAIT, "shell-backtest-job.data"
    while time.monotonic() < deadline:
        seen = browser.call("backtest-shown.data", changed=changed, values={"shell-backtest-job.data": job})
        if shown := seen.get("backtest-shown", {}).get("data"):
            return str(shown)
        if seen["backtest-interval"]["disabled"]:
            raise RuntimeError(str(seen["backtest-message"]))
        time.sleep(POLL_MILLISECONDS / 1e3)
        changed = "backtest-interval.n_intervals"
    raise RuntimeError(f"no answer within {WAIT:g} s")


def form_of(capital: float) -> dict[str, Any]:
    """Return what the form sends for the default strategy on all stocks."""
    from analytics.conventions import CORE_VOTES, VOTE_THRESHOLD

    parameters = {"threshold": VOTE_THRESHOLD, "votes": list(CORE_VOTES)}
    pattern = '{"name":["ALL"],"type":"backtest-parameter"}.value'
    return {
        "backtest-run.n_clicks": 1, "backtest-strategy.value": "technical_vote", "backtest-scope.value": "all",
        "backtest-capital.value": capital, "backtest-engine.value": "kernel", '{"name":["ALL"],"type":"backtest-term"}.value': [],
        pattern: [({"type": "backtest-parameter", "name": name}, value) for name, value in parameters.items()],
    }  # fmt: skip


BENCHMARK = Benchmark("backtest_tab", "press Run Backtest: an old question, then new ones", run)
