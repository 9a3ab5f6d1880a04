"""Headless Chromium against the real server; any console error, HTTP error, off-site request or Dash error fails."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from browser_tab import Tab
from dash import _callback
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_socket import enable_socket
from scratch import settings_in
from waitress.server import create_server

from dashapp.app import create_app
from dashapp.jobs import slot

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next(
        (path for name in (os.environ.get("PLUMBLINE_CHROMIUM", ""), *NAMES) if name and (path := shutil.which(name))),
        None,
    )


@pytest.fixture(scope="session")
def app_settings(sample: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sample's market store with a workspace of its own."""
    return settings_in(tmp_path_factory.mktemp("browser"), db=sample.db, jobs_per_minute=10_000)


@pytest.fixture(scope="session")
def base_url(app_settings: Any) -> Iterator[str]:
    assert _callback.GLOBAL_CALLBACK_LIST, "another app of this process took Dash's callbacks (dashapp/conftest.py)"
    app = create_app(app_settings)
    app.enable_dev_tools(  # checks the properties of every component, and shows callback errors as cards
        debug=True, dev_tools_hot_reload=False, dev_tools_prune_errors=False, dev_tools_disable_version_check=True
    )
    server = create_server(app.server, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()


@pytest.fixture(scope="module")  # not longer: it keeps an event loop running in this thread, where others need theirs
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("NO CHROMIUM: browser tests are skipped; install chromium or set PLUMBLINE_CHROMIUM")
    enable_socket()
    expect.set_options(timeout=60_000)  # a machine that other tests share
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def tab(browser: Browser, base_url: str) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    opened = Tab(context.new_page(), base_url)
    yield opened
    opened.settle()
    opened.check()
    context.close()


@pytest.fixture
def slow_engine(app_settings: Any) -> Any:
    """Return a context in which every worker place is taken, so that a job stays in line until it ends."""

    @contextmanager
    def occupy() -> Iterator[None]:
        folder = app_settings.cache_dir / "jobs"
        with ExitStack() as stack:
            for _ in range(app_settings.workers):
                stack.enter_context(slot(folder, app_settings.workers))
            yield

    return occupy
