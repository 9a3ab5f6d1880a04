"""One browser page that remembers everything that went wrong in it."""

import os
import re
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page


class Tab:
    """One browser page that remembers everything that went wrong in it."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page, self.base_url, self.problems = page, base_url, []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on(
            "response",
            lambda item: self.problems.append(f"HTTP {item.status} {item.url}") if item.status >= 400 else None,
        )
        page.on("request", self._check_site)

    def _note(self, message: Any) -> None:
        """Remember an error. What React warns the authors of Dash's Markdown of, in the bundles of developers, is not ours."""
        theirs = message.text.startswith("Warning: ") and re.search("async-markdown.js|defaultProps", message.text)
        if message.type == "error" and not theirs:
            self.problems.append(f"console: {message.text}")

    def _check_site(self, request: Any) -> None:
        if not request.url.startswith((self.base_url, "data:", "blob:", "about:")):
            self.problems.append(f"off-site request {request.url}")

    def open(self, path: str) -> None:
        """Go to a path of the app and wait until it is quiet."""
        self.page.goto(self.base_url + path)
        self.page.wait_for_selector("#react-entry-point > :not(._dash-loading)")
        self.settle()

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until no callback has been pending for a while."""
        end, calm = time.monotonic() + seconds, 0
        while calm < 4:
            assert time.monotonic() < end, "callbacks are still pending"
            pending = self.page.evaluate(
                "() => { const s = window.store && window.store.getState(); return !s || s.isLoading }"
            )
            calm = 0 if pending else calm + 1
            self.page.wait_for_timeout(40)

    def check(self) -> None:
        """Assert that nothing went wrong."""
        cards = self.page.locator(".dash-error-card").all_inner_texts()
        assert not self.problems + cards, "\n".join(self.problems + cards)

    def shot(self, name: str) -> None:
        """Save a screenshot where PLUMBLINE_SCREENSHOTS names a folder."""
        if folder := os.environ.get("PLUMBLINE_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)
