"""What a page declares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """One tab. layout(**query) takes the URL's query and does no heavy work: callbacks read the store."""

    key: str
    path: str
    name: str
    order: int
    description: str  # one sentence, shown as the tab's tooltip and required in the README
    layout: Callable[..., Any]
    uses: tuple[str, ...] = ()  # what of the top bar it listens to: ticker, range
