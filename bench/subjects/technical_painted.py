"""Changing the ticker on the Technical tab in headless Chromium: from the choice to the painted chart."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.measure import Benchmark, Row, Times
from bench.stores import built, scratch

TICKERS, YEARS, PORT, CHANGES, FIRST = 8, 10, 8971, 24, 4
AIM = 0.500
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# From setting the ticker to the second frame after Plotly has drawn the new one.
PAINTED = """ticker => new Promise(done => {
  const begin = performance.now(), chart = document.querySelector("#technical-chart .js-plotly-plot");
  const title = document.querySelector("#technical-title");
  chart.on("plotly_afterplot", () => {
    if (title.textContent.includes("(" + ticker + ")"))
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begin)));
  });
  dash_clientside.set_props("shell-ticker", { value: ticker });
})"""


def run() -> list[Row]:
    from playwright.sync_api import sync_playwright

    name = "Technical tab, choice to painted, 2y"
    path = next(
        (
            found
            for name in (os.environ.get("PLUMBLINE_CHROMIUM", ""), *NAMES)
            if name and (found := shutil.which(name))
        ),
        None,
    )
    if path is None:
        return [Row(name, note="skipped: no Chromium")]
    with (
        scratch() as folder,
        served(built(folder, "simulated", simulated_tickers=TICKERS, simulated_years=YEARS)),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=path, args=["--headless=new", "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(f"http://127.0.0.1:{PORT}/technical?ticker=SIM001&range=2y")
        page.wait_for_selector("#technical-votes strong")
        taken = [_change(page, number) for number in range(CHANGES)]
        browser.close()
    note = f"software rendering; the first {FIRST} of {CHANGES} changes are left out."
    return [Row(name, Times(tuple(taken[FIRST:])), aim=AIM, note=note)]


def _change(page: Any, number: int) -> float:
    seconds = float(page.evaluate(PAINTED, f"SIM{(number + 1) % TICKERS + 1:03d}")) / 1000
    page.wait_for_timeout(800)  # an analyst looks before the next choice
    return seconds


@contextmanager
def served(settings: Any) -> Iterator[None]:
    """Serve a store by a process of its own, as `make run` does."""
    command = [
        sys.executable,
        "-m",
        "dashapp",
        "--db",
        str(settings.db),
        "--workspace",
        str(settings.workspace),
        "--port",
        str(PORT),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        time.sleep(8)  # the worker imports the engine: nothing should be timed beside it
        yield
    finally:
        process.terminate()
        process.wait()


BENCHMARK = Benchmark("technical_painted", "change the ticker on the Technical tab in a browser", run)
