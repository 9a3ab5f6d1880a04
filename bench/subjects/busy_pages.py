"""What other visitors wait for while twenty backtests run, and whether every one of the twenty is answered."""

import json
import time
from typing import Any

from bench.measure import Benchmark, Row, Times
from bench.stores import built, scratch
from bench.subjects.backtest_tab import CAPITAL, form_of
from bench.subjects.technical_tab import CHART, values_of

RUNS, IDLE_VISITS, PAUSE, LONGEST = 20, 60, 0.05, 600.0
AIM = 0.500  # p95


def run() -> list[Row]:
    from bench.browser import Browser

    with scratch() as folder:
        browser = Browser(built(folder, "sample", jobs_per_minute=10_000))
        _visit(browser)  # what is loaded once
        idle = tuple(_visit(browser) for _ in range(IDLE_VISITS))
        visitors = [browser.another() for _ in range(RUNS)]
        jobs = [_press(visitor, CAPITAL + number) for number, visitor in enumerate(visitors)]
        busy, begin = [], time.monotonic()
        while time.monotonic() - begin < LONGEST and (states := _states(visitors, jobs)) != {"done"}:
            if states - {"done", "queued", "running"}:
                raise RuntimeError(f"lost: {states}")
            busy.append(_visit(browser))
            time.sleep(PAUSE)
    return [Row(
        f"Technical tab while {RUNS} backtests run", Times(tuple(busy)), "the same while none runs", Times(idle), AIM, "p95",
        f"page and chart; {RUNS} browsers asked the 20 stocks of the sample over their whole history; all answered after {time.monotonic() - begin:.0f} s.",
    )]  # fmt: skip


def _visit(browser: Any) -> float:
    begin = time.perf_counter()
    browser.client.get("/technical?ticker=MSFT")
    browser.send(CHART, changed="shell-view.data", values=values_of("MSFT", "2y"))
    return time.perf_counter() - begin


def _press(browser: Any, capital: float) -> str:
    browser.client.get("/backtest")  # brings the cookie that tells one browser from another
    written = browser.call("shell-backtest-job.data", changed="backtest-run.n_clicks", values=form_of(capital))
    if alert := written.get("backtest-error", {}).get("children"):
        raise RuntimeError(json.dumps(alert)[:300])
    return str(written["shell-backtest-job"]["data"]["job_id"])


def _states(visitors: list[Any], jobs: list[str]) -> set[str]:
    from dashapp.data import SETTINGS_KEY
    from pipeline import workspace

    path = visitors[0].client.application.config[SETTINGS_KEY].workspace
    return {(workspace.job_state(path, job) or {"state": "gone"})["state"] for job in jobs}


BENCHMARK = Benchmark("busy_pages", "pages while twenty backtests run", run)
