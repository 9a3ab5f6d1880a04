"""The app as an analyst uses it, in headless Chromium. The tab fixture fails each test on any error in the page."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from backtest_tab import Backtest
from browser_tab import Tab
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser
PATHS = {
    "/": "Universe", "/technical": "Votes on", "/fundamentals": "Loadings", "/frontier": "Efficient frontier",
    "/backtest": "Run Backtest", "/compare": "Choose 2 to 12", "/sensitivity": "Run sweep", "/data": "Coverage",
}  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tab_fits_wide_and_narrow(browser: Browser, base_url: str, theme: Any) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme)
    tab = Tab(context.new_page(), base_url)
    tab.open("/?ticker=AAPL")
    expect(tab.page.locator("html")).to_have_attribute("data-bs-theme", theme)
    too_wide = {}
    for path, words in PATHS.items():
        tab.page.click(f'.nav-link[href^="{path}?"]')
        for width in (1440, 400):
            tab.page.set_viewport_size({"width": width, "height": 900})
            expect(tab.page.locator("main")).to_contain_text(words)
            expect(tab.page.locator(f'.nav-link.active[href^="{path}?"]')).to_have_count(1)
            tab.settle()
            tab.shot(f"{path.strip('/') or 'overview'}-{theme}-{width}")
            excess = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            too_wide[path, width] = tab.page.evaluate(excess)
    tab.check()
    context.close()
    assert {place: excess for place, excess in too_wide.items() if excess > 0} == {}


def test_the_ticker_lives_in_the_url(tab: Tab) -> None:
    tab.open("/technical?ticker=MSFT")
    expect(tab.page.locator("main")).to_contain_text("Microsoft (MSFT)")
    choose_ticker(tab, "KO")
    expect(tab.page.locator("main")).to_contain_text("Coca-Cola (KO)")
    assert "ticker=KO" in tab.page.url
    tab.page.go_back()
    tab.settle()
    expect(tab.page.locator("main")).to_contain_text("Microsoft (MSFT)")


def choose_ticker(tab: Tab, ticker: str) -> None:
    tab.page.click("#shell-ticker")
    search = tab.page.locator(".dash-dropdown-search")
    search.press_sequentially(ticker, delay=20)  # a busy page may take the focus away
    expect(tab.page.locator(".dash-dropdown-option")).not_to_have_count(22)  # what is typed filters the list
    tab.page.locator(".dash-dropdown-option", has_text=re.compile(rf"^\s*{ticker} ·")).first.click()
    tab.settle()


def test_the_universe_of_fundamentals_leads_to_a_ticker_and_back(tab: Tab) -> None:
    tab.open("/fundamentals?ticker=AAPL")
    main = tab.page.locator("main")
    expect(main).to_contain_text("Does alpha survive?")
    tab.page.click(".view-switch >> text=Universe")
    expect(main).to_contain_text("Are all alphas zero together?")
    tab.settle()
    choose_ticker(tab, "KO")
    tab.page.click(".view-switch >> text=One ticker")
    expect(main).to_contain_text("Coca-Cola (KO)")
    tab.page.click(".view-switch >> text=Universe")
    tab.page.locator(".ag-row >> text=MSFT").first.click()
    expect(main).to_contain_text("Microsoft (MSFT)")
    tab.page.click("#fundamentals-premiums")
    tab.page.locator(".dash-dropdown-option", has_text="My own numbers").click()
    expect(main).to_contain_text("Type the premium of each factor")
    tab.page.locator(".own-premiums input").first.fill("5")
    tab.page.keyboard.press("Tab")
    expect(main).to_contain_text("Premiums: your own, taken as known.")
    tab.shot("fundamentals-own-premiums")


def test_the_way_back_from_an_index_is_open(tab: Tab) -> None:
    tab.open("/data")
    tab.page.goto(tab.base_url + "/technical?ticker=^GSPC&range=2y")
    tab.settle()
    expect(tab.page.locator("main")).to_contain_text("(^GSPC)")
    tab.page.go_back()
    tab.settle()
    assert tab.page.url.endswith("/data")
    expect(tab.page.locator("main")).to_contain_text("Coverage")


def test_no_chart_offers_to_leave_this_machine(tab: Tab) -> None:
    tab.open("/technical?ticker=^IXIC")
    titles = tab.page.locator(".modebar-btn").evaluate_all("items => items.map((item) => item.dataset.title)")
    assert any("Zoom" in str(title) for title in titles)
    assert not [title for title in titles if re.search("cloud|share|edit", str(title), re.IGNORECASE)]


def test_the_range_and_the_theme_change_the_chart(tab: Tab) -> None:
    tab.open("/technical?ticker=^GSPC&range=5y")
    tab.page.locator("label", has_text="1y").click()
    tab.settle()
    assert "range=1y" in tab.page.url
    tab.page.click("#shell-theme")
    tab.settle()
    expect(tab.page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_row_of_the_overview_opens_the_ticker(tab: Tab) -> None:
    tab.open("/")
    tab.page.locator('.ag-cell[col-id="name"]', has_text="Pfizer").click()
    tab.settle()
    expect(tab.page.locator("main")).to_contain_text("Pfizer (PFE)")
    assert "/technical?ticker=PFE" in tab.page.url


def test_a_table_downloads_as_csv(tab: Tab) -> None:
    tab.open("/")
    with tab.page.expect_download() as download:
        tab.page.locator(".grid-download").click()
    assert download.value.suggested_filename == "plumbline-overview.csv"
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith('"Ticker","Name"')
    assert len(lines) == 23  # twenty stocks, two indices and the header


@pytest.mark.parametrize("path", ["/technical", "/fundamentals"])
def test_an_unknown_ticker_is_explained(tab: Tab, path: str) -> None:
    tab.open(f"{path}?ticker=APPL")
    expect(tab.page.locator(".empty-state:visible")).to_contain_text("Did you mean 'AAPL'")


def test_script_in_the_url_is_text(tab: Tab) -> None:
    tab.page.on("dialog", lambda _dialog: tab.problems.append("a dialog opened"))
    tab.open("/technical?ticker=%3Cimg%20src=x%20onerror=alert(1)%3E")
    expect(tab.page.locator(".empty-state:visible")).to_contain_text("<IMG SRC=X")


@pytest.fixture
def backtest(tab: Tab) -> Iterator[Backtest]:
    return Backtest(tab)


def test_a_backtest_runs_and_the_same_question_comes_back_at_once(backtest: Backtest) -> None:
    backtest.run(start="2015-01-01", end="2018-12-31")
    first = backtest.result()
    expect(backtest.page.locator("#backtest-verdict")).to_contain_text("2015-01-02 to 2018-12-31")
    backtest.page.locator(
        "#backtest-record .plumbline-grid"
    ).first.scroll_into_view_if_needed()  # drawn where it is seen
    expect(backtest.page.locator("#backtest-record .ag-row").first).to_be_visible()
    backtest.audited()
    backtest.cost("fee_rate", "0.5")
    backtest.run()
    expect(backtest.page.locator("#backtest-record")).not_to_contain_text(first)
    second = backtest.result()
    assert second != first
    backtest.audited()
    backtest.cost("fee_rate", "0.05")
    backtest.run()
    expect(backtest.page.locator("#backtest-record")).to_contain_text(first)


def test_a_basket_is_kept_over_a_reload(backtest: Backtest) -> None:
    box = backtest.page.locator("#backtest-tickers")
    box.click()
    backtest.page.locator(".dash-dropdown-option", has_text="KO ·").first.click()
    backtest.page.keyboard.press("Escape")
    backtest.tab.settle()
    backtest.page.reload()
    backtest.tab.settle()
    expect(box).to_contain_text("JPM")
    expect(box).to_contain_text("KO")


def test_a_backtest_survives_leaving_the_tab_and_a_reload(backtest: Backtest) -> None:
    backtest.run(start="2010-01-01")
    backtest.tab.page.click('.nav-link[href^="/data?"]')
    backtest.tab.settle()
    backtest.tab.page.click('.nav-link[href^="/backtest?"]')
    first = backtest.result()
    backtest.page.reload()
    backtest.tab.settle()
    assert backtest.result() == first


def test_a_backtest_can_be_cancelled_and_run_again(backtest: Backtest, slow_engine: Any) -> None:
    with slow_engine():
        backtest.run(start="2001-01-01")
        expect(backtest.page.locator("#backtest-cancel")).to_be_enabled()
        backtest.page.click("#backtest-cancel")
        expect(backtest.page.locator("#backtest-message")).to_contain_text("Cancelled")
    backtest.run(start="2001-01-01")
    assert backtest.result()


def test_bad_input_is_explained_and_starts_nothing(backtest: Backtest) -> None:
    """Each is another message, so that none is taken for the next."""
    good, error = {"capital": "100000", "start": "", "end": ""}, expect(backtest.page.locator("#backtest-error"))
    for fields, says in (
        ({"capital": "-1"}, "Initial capital, $: got -1"), ({"capital": "0"}, "Initial capital, $: got 0"), ({"capital": ""}, "Fill in"),
        ({"start": "2020-01-01", "end": "2019-01-01"}, "Swap the two dates"), ({"start": "2090-01-01"}, "No prices"),
    ):  # fmt: skip
        backtest.run(**(good | fields))
        error.to_contain_text(says)
        expect(backtest.page.locator("#backtest-run")).to_be_enabled()
    backtest.page.locator("#backtest-tickers").locator("..").locator(".dash-dropdown-clear").first.click()
    backtest.tab.settle()
    backtest.run(**good)
    error.to_contain_text("at least one ticker")


def test_an_address_without_a_page_shows_the_way_back(tab: Tab) -> None:
    tab.open("/nowhere")
    expect(tab.page.locator(".empty-state:visible")).to_contain_text("There is no such page")
    tab.page.click('.nav-link[href^="/data?"]')
    tab.settle()
    expect(tab.page.locator("main")).to_contain_text("Coverage")


def test_live_parameters_are_marked_and_go_to_a_backtest(tab: Tab) -> None:
    tab.open("/technical?ticker=^GSPC&range=2y")
    tab.page.click("summary")
    field = tab.page.locator('input[id*="rsi.window"]')
    field.fill("21")
    field.press("Enter")
    tab.settle()
    assert "RSI 14, window 21 (stored 14)" in tab.page.inner_text("#technical-notes")
    names = tab.page.evaluate("document.querySelector('#technical-chart .js-plotly-plot').data.map(item => item.name)")
    assert "RSI 14 (live: window 21)" in names
    tab.page.click("#technical-notes a")
    tab.settle()
    assert tab.page.input_value('input[id*="indicator_parameters"]') == "rsi.window=21"
    tab.open("/technical?ticker=^GSPC&range=2y")
    tab.page.click("summary")
    tab.page.click("#technical-reset")
    tab.settle()
    assert "Live:" not in tab.page.inner_text("#technical-notes")
    tab.check()


def test_a_drawing_stays_with_its_ticker(tab: Tab) -> None:
    tab.open("/technical?ticker=MSFT&range=2y")
    tab.page.locator("#technical-chart").hover()
    tab.page.click('.modebar-btn[data-title="Draw line"]')
    box = tab.page.locator("#technical-chart .nsewdrag").first.bounding_box()
    assert box is not None
    tab.page.mouse.move(box["x"] + 100, box["y"] + 100)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 300, box["y"] + 200, steps=5)
    tab.page.mouse.up()
    tab.settle()
    assert drawn(tab) == 1
    tab.open("/technical?ticker=AAPL&range=2y")
    assert drawn(tab) == 0
    tab.open("/technical?ticker=MSFT&range=1y")
    assert drawn(tab) == 1
    tab.check()


def drawn(tab: Tab) -> int:
    """Shapes on the chart that are not guide lines of a pane."""
    return int(tab.page.evaluate(
        "document.querySelector('#technical-chart .js-plotly-plot').layout.shapes.filter(item => item.name !== 'level').length"
    ))  # fmt: skip


def test_an_explanation_shows_on_hover_and_goes_on_escape(tab: Tab) -> None:
    tab.open("/technical?ticker=MSFT")
    icon = tab.page.locator("#technical-content [data-tip]").first
    icon.scroll_into_view_if_needed()
    icon.hover()
    tip = tab.page.locator(".page-tip")
    assert tip.inner_text() == icon.get_attribute("data-tip")
    box = tip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    tab.page.keyboard.press("Escape")
    assert tip.is_hidden()
    tab.check()
