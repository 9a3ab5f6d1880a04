"""The database that an update works in: a copy of what is shown, or an empty one."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, store
from pipeline.errors import StoreError
from pipeline.publish import build_path, take_mirror
from pipeline.queries import Reader, accounts, connect
from pipeline.queries import runs as run_queries

log = logging.getLogger(__name__)

SPACE = 3  # times the size of the database: the build, its log, and the log of what is published
SPACE_FOR_FIRST = 50_000_000  # bytes, for a first build
STOPPED = "The update was stopped before its end."


@dataclass
class Build:
    """build.db, open for writing. `previous` is the run it holds, None where it is empty."""

    connection: sqlite3.Connection
    previous: dict[str, Any] | None
    stopped: bool  # the update before this one was stopped, or failed
    altered: bool = False  # rows were changed by something else than an update: nothing computed may be kept

    @property
    def base_run(self) -> str | None:
        """The published run whose rows, by their noted checksums, need not be published again; None: all must be."""
        return self.previous["run_id"] if self.previous and not self.altered else None

    def start_empty(self, db: Path) -> None:
        """Begin anew without any data; the account of former runs is kept."""
        if self.previous is None:
            return
        self.connection.close()
        with _making(db):
            store.remove(build_path(db))
            self.connection, self.previous = store.open_writer(build_path(db), schema.MARKET), None
        with suppress(StoreError), connect(db):  # of this version, and readable
            store.copy_rows(db, self.connection, store.RUN_TABLES)


def check_build(db: Path) -> None:
    """Raise StoreError where the file at the place of the build is somebody else's.

    An update that was killed while it made the build leaves a file of which nobody can tell whose it is, and a mark
    that says so.
    """
    if not _mark(db).exists():
        store.check_replaceable(build_path(db), schema.MARKET)


@contextmanager
def _making(db: Path) -> Iterator[None]:
    """Mark the file at the place of the build as ours until it is made; the mark stays where that fails."""
    _mark(db).touch()
    yield
    _mark(db).unlink()


def _mark(db: Path) -> Path:
    return build_path(db).with_suffix(".making")


def prepare(db: Path, *, full: bool) -> Build:
    """Open the build database of `db`: as it is where it still equals `db`, else as a new copy of it.

    full: a damaged store may be rebuilt from empty. Raises StoreError where it may not, where the disk has no room or
    the folder cannot be written, and where `db` was made by a newer program.
    """
    path, size = build_path(db), db.stat().st_size if db.exists() else 0
    store.check_free_space(db.parent, max(SPACE * size, SPACE_FOR_FIRST))
    version = store.schema_version(db)
    if version is not None and version > schema.VERSIONS[schema.MARKET]:
        raise StoreError(f"{db.name} was made by a newer version of this program: use that, or name another file.")
    if take_mirror(db):
        with suppress(StoreError):
            return _open(path, {}, copied=False)
    unfinished = _unfinished(path)
    with _making(db):
        store.remove(path)
        return _made(db, path, unfinished, version=version, full=full)


def _made(db: Path, path: Path, unfinished: dict[str, pd.DataFrame], *, version: int | None, full: bool) -> Build:
    """A new build: a checked copy of the store, or an empty one."""
    if version:
        try:
            store.backup(db, path)
            store.check_sound(path)
            return _open(path, unfinished, copied=True)
        except (sqlite3.DatabaseError, StoreError) as error:
            store.remove(path)
            if not full:
                raise StoreError(
                    f"{db.name} is damaged ({error}). Bring back the last backup: make restore. "
                    "Or rebuild it from its source: make update FULL=1"
                ) from error
            log.warning("%s is damaged, it is rebuilt from empty: %s", db.name, error)
    return _open(path, unfinished, copied=False)


def _open(path: Path, unfinished: dict[str, pd.DataFrame], *, copied: bool) -> Build:
    """Open the build, and note the runs that never reached the store. A copy is read whole and its checksums renewed."""
    lacking = copied and store.lacks_tables(path, schema.MARKET)
    connection = store.open_writer(path, schema.MARKET)
    try:
        previous = run_queries.published_run(Reader(connection, seconds=600.0))
        altered = copied and (_seal_anew(connection) or lacking)
        for name, rows in unfinished.items():
            store.upsert(connection, schema.MARKET.tables[name], rows)
        return Build(connection, previous, stopped=bool(unfinished), altered=altered)
    except BaseException:
        connection.close()
        raise


def _seal_anew(connection: sqlite3.Connection) -> bool:
    """Whether any row is not as it was when its checksum was noted, or has none yet; all checksums are noted anew."""
    altered = False
    for table in store.CONTENT:
        noted = store.noted_digests(connection, table)
        stored = {part: (rows, checksum) for part, rows, checksum in store.stored_digests(connection, table)}
        if noted != stored:
            altered = True
            store.seal(connection, table)
    return altered


def _unfinished(path: Path) -> dict[str, pd.DataFrame]:
    """The account of the runs in this build that did not come to their end, to be kept as failed."""
    try:
        with connect(path) as reader:
            found = accounts.unfinished(reader)
    except StoreError:  # no build, or one that was being prepared
        return {}
    if found["runs"].empty:
        return {}
    for name in ("runs", "step_runs"):
        rows = found[name].astype({"message": object})
        rows.loc[rows["status"] == "running", ["status", "message"]] = ("failed", STOPPED)
        found[name] = rows
    return found
