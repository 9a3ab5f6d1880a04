"""Serving fake Yahoos to the download processes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fake_yahoo import FakeSite, serve

from pipeline.sources import _french_download, yahoo


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[[FakeSite], str]]:
    """Serve sites until the module's tests are over; every process then asks the one served last."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(_french_download, "PAUSE", 0.0)
        patch.setattr(yahoo, "CANARY_DAYS", 2000)  # the bars of the fake are old

        def begin(site: FakeSite) -> str:
            address = stack.enter_context(serve(site))
            patch.setenv("PLUMBLINE_YAHOO_URL", address)
            return address

        yield begin
