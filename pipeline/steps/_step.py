"""What a step declares, what it is given and what it answers."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import schema, store
from pipeline.queries import Reader, accounts
from pipeline.sources import FetchRequest, Report, Source


@dataclass
class Context:
    """One run under way, as its steps see it."""

    connection: sqlite3.Connection  # the only writer of build.db
    build: Path
    run_id: str
    source: Source
    request: FetchRequest
    settings: Any
    report: Report
    recompute_all: bool  # the code or the store changed: nothing stored may be kept
    # Tickers whose prices differ from the published run, and from which day (or year) on.
    changed: dict[str, str] = field(default_factory=dict)

    @property
    def reader(self) -> Reader:
        """Queries on the database being built, without the app's time limit."""
        return Reader(self.connection, seconds=600.0)

    def input_changed(self, step: str, digests: Mapping[str, str]) -> list[str]:
        """Return the owners whose input differs from the one their stored result was computed from, and note the new.

        digests: {owner: word for its input}.
        """
        known = accounts.input_digests(self.reader, step)
        stale = [owner for owner, digest in digests.items() if self.recompute_all or known.get(owner) != digest]
        self.note_inputs(step, {owner: digests[owner] for owner in stale})
        return stale

    def note_inputs(self, step: str, digests: Mapping[str, str]) -> None:
        """Note what the stored results of a step were computed from. A failed run leaves no note."""
        store.upsert(self.connection, schema.step_inputs, {
            "step": [step] * len(digests), "owner": list(digests), "digest": list(digests.values()),
        })  # fmt: skip


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
