"""What a step declares, what it is given and what it answers."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipeline.queries import Reader
from pipeline.sources import FetchRequest, Report, Source


@dataclass
class Context:
    """One run under way, as its steps see it."""

    connection: sqlite3.Connection  # the only writer of build.db
    run_id: str
    source: Source
    request: FetchRequest
    settings: Any
    report: Report
    recompute_all: bool  # the code or the store changed: nothing stored may be kept
    changed: set[str] = field(default_factory=set)  # tickers whose prices differ from the published run

    @property
    def reader(self) -> Reader:
        """Queries on the database being built, without the app's time limit."""
        return Reader(self.connection, seconds=600.0)


@dataclass(frozen=True)
class Outcome:
    """What a step did. `partial` makes the whole run partial: published, but not everything came."""

    rows: int
    rejected: int = 0
    message: str = ""
    partial: bool = False


@dataclass(frozen=True)
class Step:
    """One step of an update. The order of steps follows from the tables they read and write."""

    key: str
    label: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    run: Callable[[Context], Outcome]
