"""Changing the ticker on the Technical tab in headless Chromium: from the choice to the painted chart."""

from typing import Any

from bench.measure import Benchmark, Row, Times
from bench.served import ADDRESS, page_of
from bench.stores import built, scratch

TICKERS, YEARS, CHANGES, FIRST = 8, 10, 24, 4
AIM = 0.500
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
    name = "Technical tab, choice to painted, 2y"
    with (
        scratch() as folder,
        page_of(built(folder, "simulated", simulated_tickers=TICKERS, simulated_years=YEARS)) as page,
    ):
        if page is None:
            return [Row(name, note="skipped: no Chromium")]
        page.goto(f"{ADDRESS}/technical?ticker=SIM001&range=2y")
        page.wait_for_selector("#technical-votes strong")
        taken = [_change(page, number) for number in range(CHANGES)]
    note = f"software rendering; the first {FIRST} of {CHANGES} changes are left out."
    return [Row(name, Times(tuple(taken[FIRST:])), aim=AIM, note=note)]


def _change(page: Any, number: int) -> float:
    seconds = float(page.evaluate(PAINTED, f"SIM{(number + 1) % TICKERS + 1:03d}")) / 1000
    page.wait_for_timeout(800)  # an analyst looks before the next choice
    return seconds


BENCHMARK = Benchmark("technical_painted", "change the ticker on the Technical tab in a browser", run)
