"""The real command in a real browser, over a store whose names are hostile: nothing runs, nothing leaves, nothing breaks."""

import csv
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from browser_tab import Tab
from playwright.sync_api import Browser, expect

from config import ROOT
from pipeline import schema, store

pytestmark = pytest.mark.browser
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
FORMULAS = {
    "SIM002": '=HYPERLINK("http://evil.example","x")',
    "SIM003": "+1+1",
    "SIM004": "-2+3",
    "SIM005": "@SUM(1)",
    "SIM006": "\t=1",
    "SIM007": "\tx",
    "SIM008": "＝1+1",
}
PATHS = {
    "/": "Universe", "/technical": "Votes on", "/fundamentals": "Loadings", "/frontier": "Efficient frontier",
    "/backtest": "Run Backtest", "/data": "Coverage",
}  # fmt: skip


def hostile_store(simulated: Any, path: Path) -> Path:
    shutil.copyfile(simulated.db, path)
    with closing(store.open_writer(path, schema.MARKET)) as connection:
        run_id = connection.execute("SELECT run_id FROM published").fetchone()[0]
        store.update(
            connection,
            schema.instruments,
            {"ticker": "SIM001"},
            name=MARKUP,
            sector='<a href="javascript:alert(3)">x</a>',
        )
        for ticker, name in FORMULAS.items():
            store.update(connection, schema.instruments, {"ticker": ticker}, name=name)
        store.update(connection, schema.fetch_log, {"run_id": run_id, "ticker": "SIM001"}, status="odd", message=MARKUP)
        store.update(connection, schema.step_runs, {"run_id": run_id, "step": "prices"}, message=MARKUP)
        store.insert(connection, schema.rejects, {
            "run_id": [run_id], "number": [99_999], "ticker": ["=1"], "reason": [MARKUP], "payload": ["@x"],
        })  # fmt: skip
    return path


@pytest.fixture(scope="module")
def command_url(simulated: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as `python -m dashapp` serves it, without developer tools."""
    folder = tmp_path_factory.mktemp("command")
    hostile_store(simulated, folder / "data.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLUMBLINE_", "DASH_", "FLASK_"))}
    log = folder / "server.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashapp", "--port", str(port), "--db", str(folder / "data.db"), "--workspace", str(folder / "workspace.db")],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors,
            env=kept | {"PLUMBLINE_CACHE_DIR": str(folder / ".cache"), "PLUMBLINE_SIMULATED_TICKERS": "6", "PLUMBLINE_SIMULATED_YEARS": "3", "PLUMBLINE_STANDARD_SECONDS": "0"},
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_served(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in (said := log.read_text(encoding="utf-8")), said


def _wait_until_served(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the app did not start")


@pytest.fixture
def watched(browser: Browser, command_url: str) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    opened = Tab(context.new_page(), command_url)
    opened.page.on("dialog", lambda dialog: (opened.problems.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    opened.page.add_init_script(
        "document.addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
    )
    yield opened
    opened.settle()
    opened.check()
    context.close()


def test_t33_t36_every_tab_obeys_the_policy_and_shows_hostile_names_as_text(watched: Tab) -> None:
    watched.open("/?ticker=SIM001")
    for path, words in PATHS.items():
        watched.page.click(f'.nav-link[href^="{path}?"]')
        expect(watched.page.locator("main")).to_contain_text(words)
        for theme in ("dark", "light"):
            watched.page.click("#shell-theme")
            watched.settle()
            expect(watched.page.locator("html")).to_have_attribute("data-bs-theme", theme)
        if path not in ("/frontier", "/backtest"):
            expect(watched.page.locator("main")).to_contain_text("<img src=x onerror=alert(1)>")
        assert watched.page.locator('img[src="x"], a[href^="javascript"], main script').count() == 0


def test_t36_tips_hovers_and_lists_show_hostile_names_as_text(watched: Tab) -> None:
    watched.open("/?ticker=SIM001")
    watched.page.locator('.ag-cell[col-id="name"]', has_text="<img").hover()
    expect(watched.page.locator(".ag-tooltip")).to_contain_text("<img src=x")
    watched.page.click('.nav-link[href^="/technical?"]')
    watched.settle()
    watched.page.click("#shell-ticker")
    expect(watched.page.locator(".dash-dropdown-option", has_text="<img").first).to_be_visible()
    watched.page.keyboard.press("Escape")
    watched.page.locator(".js-plotly-plot .nsewdrag").first.hover()
    watched.page.click('.nav-link[href^="/frontier?"]')
    watched.settle()
    watched.page.locator(".js-plotly-plot .nsewdrag").first.hover()
    assert watched.page.locator('img[src="x"], a[href^="javascript"]').count() == 0


def downloaded(tab: Tab, name: str) -> list[dict[str, str]]:
    button = tab.page.locator("[id='" + f'{{"name":"{name}","type":"csv"}}' + "']")
    with tab.page.expect_download() as download:
        button.click()
    return list(csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))


def test_t39_a_downloaded_table_holds_no_formula(watched: Tab) -> None:
    watched.open("/")
    rows = {row["Ticker"]: row for row in downloaded(watched, "overview")}
    assert {ticker: rows[ticker]["Name"] for ticker in FORMULAS} == {
        ticker: f"'{name}" for ticker, name in FORMULAS.items()
    }
    assert rows["SIM001"]["Name"] == MARKUP  # not a formula: as it is
    returns = [row["1 month"] for row in rows.values() if row["1 month"]]
    assert any(value.startswith("-") for value in returns)
    assert all(re.fullmatch(r"-?\d*\.?\d+(e-?\d+)?", value) for value in returns)  # numbers stay numbers
    watched.open("/data")
    (reject,) = [row for row in downloaded(watched, "data-rejects") if row["Reason"] == MARKUP]
    assert (reject["Ticker"], reject["Row as it came"]) == ("'=1", "'@x")


def test_refresh_data_shows_its_progress_and_the_new_run_without_a_reload(watched: Tab, browser: Browser) -> None:
    """The last test of this store: the update takes the hostile names away."""
    other = Tab(browser.new_context().new_page(), watched.base_url)
    other.open("/technical?ticker=SIM001")
    watched.open("/data")
    before = watched.page.locator("#shell-badge").inner_text()
    watched.page.click("#data-refresh")
    expect(watched.page.locator("#data-refresh")).to_be_disabled()
    expect(watched.page.locator("#data-progress")).to_contain_text("Updating")
    expect(watched.page.locator("#data-progress")).to_contain_text("The update is complete.")
    expect(watched.page.locator("#data-refresh")).to_be_enabled()
    run_id = re.search(r"run (\S+)", watched.page.locator("#shell-badge").inner_text())
    assert run_id
    assert run_id[1] not in before
    expect(watched.page.locator("main")).to_contain_text(run_id[1])
    expect(other.page.locator("#shell-badge")).to_contain_text(run_id[1])
    expect(other.page.locator("main")).not_to_contain_text("<img")  # its page is of the new run too
    other.check()
    other.page.context.close()
    watched.page.reload()
    watched.settle()
    watched.page.click("#data-refresh")
    expect(watched.page.locator("#data-progress")).to_contain_text("less than a minute ago")
