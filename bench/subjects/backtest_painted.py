"""Run Backtest in headless Chromium, from the click on a new question to the painted answer, on a warm worker."""

from typing import Any

from bench.measure import Benchmark, Row, Times
from bench.served import ADDRESS, page_of
from bench.stores import built, scratch

RUNS, FIRST, CAPITAL = 13, 3, 100_000
AIMS = {"chosen": (0.300, "one ticker"), "all": (0.800, "20 tickers")}
# From the click to the frame in which the key figures stand there, and to that in which the equity is drawn.
PAINTED = """() => new Promise(done => {
  const begin = performance.now(), taken = [null, null];
  const verdict = document.querySelector("#backtest-verdict"), before = verdict.innerText;
  const content = document.querySelector("#backtest-content"), seen = new Set();
  const painted = place => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      taken[place] = taken[place] || performance.now() - begin;
      if (taken[0] && taken[1]) { watcher.disconnect(); done(taken); }
    };
    channel.port2.postMessage(0);
  });
  const listen = () => {
    const chart = content.querySelector(".js-plotly-plot");
    if (chart && chart.on && !seen.has(chart)) { seen.add(chart); chart.on("plotly_afterplot", () => painted(1)); }
  };
  const watcher = new MutationObserver(() => {
    if (!taken[0] && verdict.innerText.length > 20 && verdict.innerText !== before) painted(0);
    listen();
  });
  watcher.observe(document.querySelector("main"), { childList: true, subtree: true, characterData: true });
  listen();
  document.querySelector("#backtest-run").click();
})"""


def run() -> list[Row]:
    rows = []
    with scratch() as folder, page_of(built(folder, "sample")) as page:
        if page is None:
            return [Row("Run Backtest, click to painted", note="skipped: no Chromium")]
        for scope, (aim, words) in AIMS.items():
            page.goto(f"{ADDRESS}/backtest?ticker=JPM")
            page.wait_for_selector("#backtest-scope")
            page.wait_for_timeout(3_000)
            if scope != "chosen":
                page.evaluate("scope => dash_clientside.set_props('backtest-scope', { value: scope })", scope)
            taken = [_ask(page, CAPITAL + number) for number in range(1, RUNS + 1)][FIRST:]
            note = f"whole history of the sample, software rendering; the first {FIRST} of {RUNS} runs are left out."
            rows += [
                Row(f"Run Backtest on {words}, click to key figures", Times(tuple(item[0] for item in taken)), aim=aim, note=note),
                Row(f"Run Backtest on {words}, click to chart", Times(tuple(item[1] for item in taken)), aim=aim, note=note),
            ]  # fmt: skip
    return rows


def _ask(page: Any, capital: int) -> list[float]:
    page.evaluate("capital => dash_clientside.set_props('backtest-capital', { value: capital })", capital)
    page.wait_for_timeout(500)
    seconds = [taken / 1000 for taken in page.evaluate(PAINTED)]
    page.locator("#backtest-verdict", has_text="gates green").wait_for(
        timeout=60_000
    )  # the next one finds a free processor
    page.wait_for_timeout(1_500)
    return seconds


BENCHMARK = Benchmark("backtest_painted", "press Run Backtest in a browser: key figures and chart", run)
