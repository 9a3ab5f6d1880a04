"""Make a built database the one that readers see: all of it or nothing."""

import sqlite3
from pathlib import Path

from pipeline import schema, store


def build_path(db: Path) -> Path:
    """Return where the database of `db` is built: build.db beside data.db, NAME.build.db beside NAME.db."""
    return db.with_name("build.db" if db.name == "data.db" else f"{db.stem}.build.db")


def publish(connection: sqlite3.Connection, *, db: Path, run_id: str, source: str, code_version: str) -> None:
    """Mark the run as published and copy the built database over `db` in one atomic step."""
    with store.transaction(connection):
        store.delete(connection, schema.published)
        store.insert(connection, schema.published, {
            "run_id": [run_id], "source": [source], "published_at": [store.utc_now()], "code_version": [code_version],
        })  # fmt: skip
    connection.execute("PRAGMA optimize")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.backup(build_path(db), db)
