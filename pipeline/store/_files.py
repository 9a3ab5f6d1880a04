"""Database files as a whole: backup, removal, the update lock, and the time in the form in which it is stored."""

import shutil
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Table

from pipeline.errors import StoreError
from pipeline.read_only import read_only_uri
from pipeline.store._connect import BUSY_SECONDS, transaction

CHECKPOINT_MILLISECONDS = 1_000


def utc_now() -> str:
    """Return the time as UTC text with milliseconds, ending in Z."""
    return utc_text(datetime.now(UTC))


def utc_text(moment: datetime) -> str:
    """Return a moment in UTC as every timestamp is stored: text with milliseconds, ending in Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def backup(source: Path, target: Path) -> None:
    """Copy one database over another through SQLite's backup API: readers see the old or the new whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    origin = f"{source.resolve().as_uri()}?mode=rw"  # a missing source is an error, not an empty database
    with (
        closing(sqlite3.connect(origin, uri=True, timeout=BUSY_SECONDS)) as from_,
        closing(sqlite3.connect(target, timeout=BUSY_SECONDS)) as to,
    ):
        from_.backup(to)
        checkpoint(to)


def copy_rows(source: Path, connection: sqlite3.Connection, tables: Iterable[Table]) -> None:
    """Copy whole tables of another database into the open one."""
    connection.execute("ATTACH ? AS origin", (str(source),))
    try:
        with transaction(connection):
            for table in tables:
                columns = ", ".join(column.name for column in table.columns)
                connection.execute(
                    f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM origin.{table.name}"
                )
    finally:
        connection.execute("DETACH origin")


def checkpoint(connection: sqlite3.Connection) -> None:
    """Move the write-ahead log into the file; what a reader still needs stays in the log until the next time."""
    connection.execute(f"PRAGMA busy_timeout={CHECKPOINT_MILLISECONDS:d}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")


def vacuum(path: Path) -> tuple[int, int]:
    """Give back the space of deleted rows; return the file's size in bytes before and after."""
    before = path.stat().st_size
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("VACUUM")
        checkpoint(connection)
    return before, path.stat().st_size


def free_share(path: Path) -> float:
    """Return the share of a database file that deleted rows have left free, 0 to 1."""
    with closing(sqlite3.connect(read_only_uri(path), uri=True, timeout=BUSY_SECONDS)) as connection:
        free, pages = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
    return float(free / pages) if pages else 0.0


def faults(path: Path) -> list[str]:
    """Return what SQLite finds wrong with a database file or its references, reading all of it; empty where all is well."""
    try:
        with closing(sqlite3.connect(read_only_uri(path), uri=True, timeout=BUSY_SECONDS)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            missing = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        return [f"{path.name} cannot be read: {error}"]
    return found + [f"{row[0]} refers to a missing {row[2]}" for row in missing]


def check_sound(path: Path) -> None:
    """Raise StoreError with the first of the `faults` of a database file."""
    if found := faults(path):
        raise StoreError(found[0])


def stamp(path: Path) -> str:
    """Return a word that changes whenever a database file is written: size and time of the file and of its log."""
    found = []
    for file in (path, path.with_name(path.name + "-wal")):
        status = file.stat() if file.exists() else None
        found.append(f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}" if status and status.st_size else "-")
    return " ".join(found)


def check_free_space(folder: Path, needed: int) -> None:
    """Raise StoreError where the file system of `folder` has less than `needed` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"{folder} has {free / 1e6:,.0f} MB free and the update needs {needed / 1e6:,.0f} MB: nothing was changed. "
            "Make room, or name another place for the database."
        )


def remove(path: Path) -> None:
    """Delete a database that nobody reads, with its journal files."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Give a file that cannot be used another name, its journal files with it, and return the new one."""
    target = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}")
    for suffix in ("", "-wal", "-shm", "-journal"):
        found = path.with_name(path.name + suffix)
        if found.exists():
            found.rename(target.with_name(target.name + suffix))
    return target
