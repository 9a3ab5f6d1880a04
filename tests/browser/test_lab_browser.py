"""The backtest lab in headless Chromium: Compare and Sensitivity. The tab fixture fails each test on any error in the page."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_tab import Tab
from playwright.sync_api import Locator, expect

from pipeline import backtests, workspace
from pipeline.queries import sweeps as sweep_queries

pytestmark = pytest.mark.browser
CHOSEN = ("technical_vote", "rating", "mean_reversion", "buy_and_hold")
PANELS = {
    "Skill or luck": "Probabilistic", "Is one better?": "Common sessions", "Blend": "What they hold", "Monte-Carlo": "Deepest drawdown",
}  # fmt: skip


REMEMBER = """() => {  // every text of the message, however short it was there
  const place = document.querySelector("#sensitivity-message");
  window.told = [];
  new MutationObserver(() => window.told.push(place.innerText)).observe(place, {childList: true, subtree: true, characterData: true});
}"""


def ran(settings: Any, strategy: str, **parameters: Any) -> str:
    """The result_id of a backtest that is stored."""
    asked: dict[str, Any] = {
        "tickers": ["AAPL", "MSFT"],
        "start": "2014-01-02",
        "end": "2018-12-31",
        "parameters": parameters,
    }
    request = backtests.BacktestRequest.of(strategy=strategy, **asked)
    return backtests.run(request, db=settings.db, workspace=settings.workspace)


# ---- Compare ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(app_settings: Any) -> list[str]:
    return [ran(app_settings, strategy) for strategy in CHOSEN]


def row(tab: Tab, result_id: str) -> Locator:
    return tab.page.locator(f'.ag-row[row-id="{result_id}"]').first


def expect_legend(tab: Tab, *names: str) -> None:
    """The chart is drawn, with these curves."""
    expect(tab.page.locator("#compare-content .js-plotly-plot >> nth=0 >> .legendtext")).to_have_text(names)


def test_every_panel_of_the_chosen_runs_opens(tab: Tab, runs: list[str]) -> None:
    tab.open(f"/compare?runs={','.join(runs)}")
    expect_legend(tab, "Technical vote", "Technical rating", "Mean reversion", "Buy and hold")
    for panel, words in PANELS.items():
        tab.page.locator("#compare-panels .nav-link", has_text=panel).click()
        expect(tab.page.locator("#compare-panel")).to_contain_text(words)
        tab.settle()
        expect(tab.page.locator(".empty-state:visible")).to_have_count(0)
        tab.shot(f"compare-{panel}")
    stat = tab.page.locator("#compare-panel .stat").first
    before = stat.inner_text()
    tab.page.locator("#compare-premium [role=slider]").first.focus()
    for _ in range(5):
        tab.page.keyboard.press("ArrowLeft")
    expect(stat).not_to_have_text(before)


def test_a_choice_in_the_table_becomes_a_link_and_a_name_is_kept(tab: Tab, runs: list[str]) -> None:
    tab.open(f"/compare?runs={','.join('abcdefghijklm')}")
    expect(tab.page.locator("#compare-told")).to_contain_text("up to 12")  # a link that cannot be used leaves the table
    expect(tab.page.locator(".empty-state:visible")).to_contain_text("Choose 2 to 12 runs")
    expect(tab.page.locator("#compare-delete")).to_be_disabled()
    for result_id in runs[:2]:
        row(tab, result_id).locator("input[type=checkbox]").click()
    expect(tab.page.locator("#compare-content")).to_contain_text("Correlation of returns")
    tab.settle()
    expect_legend(tab, "Technical vote", "Technical rating", "Buy and hold")
    row(tab, runs[1]).locator('[col-id="name"]').dblclick()
    tab.page.keyboard.type("Mine <b>")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("#compare-told")).to_have_text("Kept.")
    assert tab.page.url.endswith(f"runs={runs[0]},{runs[1]}")
    tab.page.reload()
    tab.settle()
    expect_legend(tab, "Technical vote", "Mine <b>", "Buy and hold")
    expect(row(tab, runs[1]).locator('[col-id="name"]')).to_have_text("Mine <b>")
    expect(tab.page.locator(".ag-row-selected")).to_have_count(2)


def test_a_run_is_deleted_once_that_is_confirmed(tab: Tab, app_settings: Any) -> None:
    doomed = ran(app_settings, "technical_vote", threshold=5)
    tab.open(f"/compare?runs={doomed}")
    tab.page.once("dialog", lambda dialog: dialog.dismiss())
    tab.page.click("#compare-delete")
    tab.settle()
    expect(row(tab, doomed)).to_have_count(1)
    tab.page.once("dialog", lambda dialog: dialog.accept())
    tab.page.click("#compare-delete")
    expect(tab.page.locator("#compare-told")).to_have_text("1 deleted.")
    expect(row(tab, doomed)).to_have_count(0)


# ---- Sensitivity --------------------------------------------------------------------------------------------


class Sensitivity:
    """The Sensitivity tab, driven."""

    def __init__(self, tab: Tab) -> None:
        self.tab, self.page = tab, tab.page
        tab.open("/sensitivity?ticker=JPM")
        self.page.fill("#sensitivity-start", "2010-01-04")

    def axis(self, place: int, *values: float, name: str | None = None) -> None:
        if name is not None:
            self.page.click(f"#sensitivity-axis-{place}")
            self.page.locator(".dash-dropdown-option", has_text=name).first.click()
            self.page.keyboard.press("Escape")
            self.tab.settle()
        for part, value in zip(("low", "high", "step"), values, strict=True):
            self.page.fill(f"#sensitivity-{part}-{place}", f"{value:g}")

    def run(self) -> None:
        self.page.click("#sensitivity-run")

    def drawn(self) -> None:
        expect(self.page.locator("#sensitivity-map .heatmaplayer image")).to_be_visible()
        self.tab.settle()

    def says(self, words: str) -> None:
        expect(self.page.locator("#sensitivity-content")).to_contain_text(words)


@pytest.fixture
def sensitivity(tab: Tab) -> Sensitivity:
    return Sensitivity(tab)


def stored(path: Path) -> int:
    """How many cells of the newest sweep are stored."""
    with workspace.reading(path) as reader:
        return int(sweep_queries.sweeps(reader, count=1)["stored"].iloc[0])


def refused(sensitivity: Sensitivity, says: str) -> None:
    sensitivity.run()
    expect(sensitivity.page.locator("#sensitivity-error")).to_contain_text(says)
    expect(sensitivity.page.locator("#sensitivity-run")).to_be_enabled()


def test_nonsense_is_refused_and_a_sweep_is_drawn_and_found_again(sensitivity: Sensitivity) -> None:
    page = sensitivity.page
    page.fill("#sensitivity-end", "2009-01-01")
    refused(sensitivity, "Swap the two dates")
    page.fill("#sensitivity-end", "")
    sensitivity.axis(2, 2, 200, 1)
    sensitivity.axis(3, 2, 150, 1, name="SMA 50")
    refused(sensitivity, "148,255'; allowed: 1 to 10,000 combinations")
    sensitivity.axis(2, 10, 20, 5)
    sensitivity.axis(3, 50, 50, 1)
    for values, says in (
        ((2, 1e9, 1), "a number from 1 to 37"),
        ((4, 2, 1), "Swap the two"),
        ((2, 4, 0), "Votes needed step"),
    ):
        sensitivity.axis(1, *values)
        refused(sensitivity, says)
    sensitivity.axis(1, 1, 4, 1)
    expect(page.locator("#sensitivity-error")).to_be_empty()  # what was mended is not complained of any longer
    expect(page.locator("#sensitivity-count")).to_have_text("12 parameter sets of at most 10,000.")
    sensitivity.run()
    sensitivity.drawn()
    sensitivity.says(
        "12 sets of RSI: window 10 to 20, SMA 50: window 50 to 50, Votes needed 1 to 4; Technical vote on JPM, 2010-01-04"
    )
    sensitivity.tab.shot("sensitivity-drawn")
    found = page.inner_text("#sensitivity-content")
    page.click('.nav-link[href^="/data?"]')
    sensitivity.tab.settle()
    page.click('.nav-link[href^="/sensitivity?"]')
    for again in (lambda: None, page.reload):
        again()
        sensitivity.drawn()
        assert page.inner_text("#sensitivity-content") == found
        assert [page.input_value(f"#sensitivity-{part}-1") for part in ("low", "high", "step")] == ["10", "20", "5"]
    page.locator("#sensitivity-body .ag-row").first.click()
    page.wait_for_url(re.compile(r"/backtest\?.*start=2010-01-04"))
    sensitivity.tab.settle()


def test_a_sweep_is_cancelled_and_resumed_where_it_stopped(sensitivity: Sensitivity, app_settings: Any) -> None:
    page, path = sensitivity.page, app_settings.workspace
    sensitivity.axis(1, 1, 5, 1)
    sensitivity.axis(2, 5, 44, 1)
    sensitivity.axis(3, 10, 59, 1, name="SMA 50")  # so many that a quick machine does not do the rest between two looks
    sensitivity.run()
    message = page.locator("#sensitivity-message")
    expect(message).to_contain_text("of 10,000 parameter sets")
    expect(page.locator("#sensitivity-run")).to_be_disabled()
    while not stored(path):
        page.wait_for_timeout(50)
    page.click("#sensitivity-cancel")
    expect(message).to_have_text("Cancelled.")
    sensitivity.says("of 10,000 sets are stored")
    before = stored(path)
    assert 0 < before < 10_000
    page.evaluate(REMEMBER)
    page.click("#sensitivity-resume")
    expect(page.locator("#sensitivity-content")).not_to_contain_text("are stored")
    assert stored(path) == 10_000
    told = re.findall(r"([\d,]+) of 10,000", " ".join(page.evaluate("window.told")))
    assert told
    assert min(int(count.replace(",", "")) for count in told) >= before
