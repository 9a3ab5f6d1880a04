"""Run Backtest when several want something at once, and when something is killed: two browsers, a worker, the server."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from backtest_tab import Backtest
from browser_tab import Tab
from playwright.sync_api import Browser, expect

from config import ROOT
from dashapp.jobs import slot
from pipeline import workspace

pytestmark = pytest.mark.browser


@contextmanager
def visitor(browser: Browser, base_url: str) -> Iterator[Backtest]:
    """Another analyst: a browser with a session of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = Tab(context.new_page(), base_url)
    yield Backtest(tab)
    tab.check()
    context.close()


def message(backtest: Backtest) -> Any:
    return expect(backtest.page.locator("#backtest-message"))


def test_two_who_ask_the_same_share_one_job_and_one_may_leave(
    browser: Browser, base_url: str, app_settings: Any, slow_engine: Any
) -> None:
    with visitor(browser, base_url) as first, visitor(browser, base_url) as second:
        before = started(app_settings)
        with slow_engine():
            for analyst in (first, second):
                analyst.run(start="2003-01-01", end="2008-12-31")
                expect(analyst.page.locator("#backtest-cancel")).to_be_enabled()
            assert started(app_settings) == before + 1
            first.page.click("#backtest-cancel")
            message(first).to_contain_text("Cancelled")
        assert second.result()
        second.audited()
        message(first).to_contain_text("Cancelled")
        expect(first.page.locator("#runs-summary")).to_contain_text("1 cancelled")
        expect(second.page.locator("#runs-summary")).to_contain_text("1 done")


def row(backtest: Backtest, number: int) -> Any:
    """A row of the list of my runs, from the top."""
    return backtest.page.locator(f'details:has(#runs-summary) .ag-center-cols-container .ag-row[row-index="{number}"]')


def started(settings: Any) -> int:
    """How many jobs there have been."""
    with workspace.reading(settings.workspace) as reader:
        return int(reader.rows("SELECT count(*) FROM jobs")[0][0])


def test_two_who_ask_different_things_get_their_own_answers(browser: Browser, base_url: str) -> None:
    with visitor(browser, base_url) as first, visitor(browser, base_url) as second:
        first.run(start="2004-01-01", end="2007-12-31")
        second.run(start="2005-01-01", end="2009-12-31")
        assert first.result() != second.result()
        expect(first.page.locator("#backtest-verdict")).to_contain_text("2004-01-02 to 2007-12-31")
        expect(second.page.locator("#backtest-verdict")).to_contain_text("2005-01-03 to 2009-12-31")
        for analyst in (first, second):
            analyst.audited()
            expect(analyst.page.locator("#runs-summary")).to_have_text("My runs: 1 done")


def test_the_next_question_need_not_wait_for_the_last_one(tab: Tab, slow_engine: Any) -> None:
    backtest = Backtest(tab)
    with slow_engine():
        for waiting, end in enumerate(("2011-12-30", "2012-12-31", "2013-12-31"), start=1):
            backtest.run(start="2009-01-01", end=end)
            expect(backtest.page.locator("#runs-summary")).to_have_text(f"My runs: {waiting} waiting")
        message(backtest).to_contain_text("Waiting for a free worker, 2 ahead")
        backtest.page.click("#runs-summary")
        expect(backtest.page.locator("details:has(#runs-summary) .ag-center-cols-container .ag-row")).to_have_count(3)
        expect(row(backtest, 0)).to_contain_text("waiting, 2 ahead")
        row(backtest, 0).locator('[col-id="stop"]').click()
        expect(row(backtest, 0)).to_contain_text("cancelled")
    expect(backtest.page.locator("#runs-summary")).to_have_text("My runs: 2 done, 1 cancelled")
    row(backtest, 2).locator('[col-id="strategy"]').click()
    expect(backtest.page.locator("#backtest-verdict")).to_contain_text("2009-01-02 to 2011-12-30")
    expect(backtest.page.locator("#backtest-beside")).to_contain_text("A difference is not yet a finding")
    tab.shot("backtest-my-runs")


def test_a_worker_that_is_killed_is_reported_and_the_question_can_be_asked_again(
    tab: Tab, app_settings: Any, slow_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "LOST_AFTER_SECONDS", 4.0)
    backtest = Backtest(tab)
    with slow_engine():
        backtest.run(start="2006-01-01", end="2010-12-31")
        message(backtest).to_contain_text("Next in line for a worker")
        os.kill(newest_worker(), signal.SIGKILL)
        message(backtest).to_contain_text("Lost: The worker ended without an answer")
    expect(backtest.page.locator("#runs-summary")).to_have_text("My runs: 1 lost")
    backtest.run()
    assert backtest.result()
    expect(backtest.page.locator("#runs-summary")).to_contain_text("1 done")


def newest_worker(seconds: float = 20.0) -> int:
    """The process of the pool that was started last: a child of the fork server, which is a child of ours."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = [child for server in children(os.getpid()) for child in children(server) if os.getpgid(child) == child]
        if found:
            return max(found)
        time.sleep(0.05)
    raise AssertionError("no worker was started")


def children(pid: int) -> list[int]:
    """The processes that a process has started and not buried."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def test_answers_and_the_list_outlive_the_server(browser: Browser, app_settings: Any, tmp_path: Path) -> None:
    """The server is killed with one question answered and one in line, and started again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, context = f"http://127.0.0.1:{port}", browser.new_context(viewport={"width": 1440, "height": 900})
    with ExitStack() as stack:
        killed = stack.enter_context(server(app_settings, tmp_path, port))
        backtest = Backtest(Tab(context.new_page(), url))
        backtest.run(start="2012-01-01", end="2014-12-31")
        first = backtest.result()
        backtest.audited()
        with slot(tmp_path / "cache" / "jobs", 1):
            backtest.run(start="2012-01-01", end="2015-12-31")
            message(backtest).to_contain_text("Next in line for a worker")
            backtest.page.wait_for_timeout(1_000)  # its worker has begun to wait
            killed.kill()
            killed.wait()
        stack.enter_context(server(app_settings, tmp_path, port))
        backtest.page.reload()
        message(backtest).to_contain_text("Lost: The worker ended without an answer")
        backtest.tab.problems.clear()  # the browser met a server that was not there
        summary = expect(backtest.page.locator("#runs-summary"))
        summary.to_have_text("My runs: 1 done, 1 lost")
        backtest.page.click("#runs-summary")
        row(backtest, 1).locator('[col-id="strategy"]').click()
        assert backtest.result() == first
        backtest.run()
        expect(backtest.page.locator("#backtest-verdict")).to_contain_text("2012-01-03 to 2015-12-31")
        backtest.audited()
        backtest.tab.check()
        context.close()


@contextmanager
def server(settings: Any, folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """The app as a user starts it, with one worker; ready when it answers."""
    environment = os.environ | {"PLUMBLINE_CACHE_DIR": str(folder / "cache"), "PLUMBLINE_WORKERS": "1"}
    command = [
        sys.executable,
        "-m",
        "dashapp",
        "--db",
        str(settings.db),
        "--workspace",
        str(folder / "workspace.db"),
        "--port",
        str(port),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield process
        finally:
            process.kill()


def wait_for(url: str, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5.0)
        except OSError:
            assert time.monotonic() < end, f"{url} does not answer"
            time.sleep(0.1)
        else:
            return
