"""The Backtest tab, driven."""

import re

from browser_tab import Tab
from playwright.sync_api import expect


class Backtest:
    """The Backtest tab, driven."""

    def __init__(self, tab: Tab, ticker: str = "JPM") -> None:
        self.tab, self.page = tab, tab.page
        tab.open(f"/backtest?ticker={ticker}")

    def run(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"#backtest-{name}", value)
        self.page.click("#backtest-run")

    def cost(self, name: str, value: str) -> None:
        field = self.page.locator(f'input[id*=\'"name":"{name}"\']')
        if not field.is_visible():
            self.page.click(".accordion-button >> nth=0")
        field.fill(value)

    def audited(self) -> None:
        expect(self.page.locator("#backtest-verdict")).to_contain_text(re.compile(r"\d of 9 gates green"))
        self.tab.settle()

    def result(self) -> str:
        expect(self.page.locator("#backtest-content")).to_contain_text("Equity and drawdown")
        self.tab.settle()
        row = self.page.locator("#backtest-record tr", has=self.page.locator("td", has_text=re.compile("^Result$")))
        cell = row.locator("td").nth(1)
        return cell.inner_text()
