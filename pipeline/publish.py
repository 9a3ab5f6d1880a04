"""Make a built database the one that readers see: all of it or nothing.

build.db stays after that, with the same content as data.db: the next update goes on in it without a copy. A mark
beside it says so. The mark is taken away before build.db is touched, and does not fit any more once another hand has
written either file; then build.db is made anew from data.db.
"""

import logging
import os
import sqlite3
from pathlib import Path

from pipeline import schema, store

log = logging.getLogger(__name__)

LOG_ALARM = 2.0  # a write-ahead log this many times the size of its database: some reader never ends


def build_path(db: Path) -> Path:
    """Return where the database of `db` is built: build.db beside data.db, NAME.build.db beside NAME.db."""
    return db.with_name("build.db" if db.name == "data.db" else f"{db.stem}.build.db")


def publish(
    connection: sqlite3.Connection, *, db: Path, run_id: str, source: str, code_version: str, base_run: str | None
) -> None:
    """Mark the run as published and bring its content to `db` in one atomic step; readers see the old or the new.

    base_run: the published run that the build started from; what differs from it is copied. None: all is copied.
    """
    build = build_path(db)
    with store.transaction(connection):
        store.delete(connection, schema.published)
        store.insert(connection, schema.published, {
            "run_id": [run_id], "source": [source], "published_at": [store.utc_now()], "code_version": [code_version],
        })  # fmt: skip
    store.checkpoint(connection)
    if base_run is None or not store.publish_changes(build, db, base_run=base_run):
        store.backup(build, db)
    wal = db.with_name(db.name + "-wal")
    if wal.exists() and wal.stat().st_size > LOG_ALARM * db.stat().st_size:
        log.warning("%s is %.0f MB large: a reader holds it open. Restart the app.", wal.name, wal.stat().st_size / 1e6)


def mark_mirror(db: Path) -> None:
    """Note that build.db holds what `db` shows; both must be closed."""
    build = build_path(db)
    descriptor = os.open(build, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _mark(db).write_text(_state(db), encoding="ascii")


def take_mirror(db: Path) -> bool:
    """Whether build.db still holds what `db` shows; the mark is taken away, because build.db will now change."""
    mark = _mark(db)
    try:
        found = mark.read_text(encoding="ascii")
    except (OSError, ValueError):
        return False
    mark.unlink()
    return found == _state(db)


def _mark(db: Path) -> Path:
    return build_path(db).with_suffix(".mirror")


def _state(db: Path) -> str:
    return f"{store.stamp(db)} {store.stamp(build_path(db))}\n"
