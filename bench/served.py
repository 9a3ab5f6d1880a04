"""A store served by a process of its own, as `make run` does, and the Chromium that looks at it."""

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

PORT = 8971
ADDRESS = f"http://127.0.0.1:{PORT}"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def page_of(settings: Any) -> Iterator[Any]:
    """Serve a store and open a browser's page beside it; None where there is no Chromium."""
    from playwright.sync_api import sync_playwright

    wanted = (os.environ.get("PLUMBLINE_CHROMIUM", ""), *NAMES)
    path = next((found for name in wanted if name and (found := shutil.which(name))), None)
    if path is None:
        yield None
        return
    with served(settings), sync_playwright() as playwright:
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser.new_page(viewport={"width": 1440, "height": 1000})
        browser.close()


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
