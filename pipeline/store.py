"""The only module that opens a database for writing: connections, transactions, bulk writes, lock and backup.

All writers use WAL, BEGIN IMMEDIATE, a 30 s busy timeout and foreign keys. A live database is never copied,
moved or replaced as a file: the backup API does it, because a left-over -wal beside a new file corrupts it.
"""

import fcntl
import hashlib
import marshal
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import MetaData, Table

from pipeline.errors import LockedError, StoreError
from pipeline.schema import MARKET, WORKSPACE, ddl, fingerprint

BUSY_SECONDS = 30.0
APPLICATION_IDS = {id(MARKET): 0x504C4D4B, id(WORKSPACE): 0x504C5753}  # "PLMK", "PLWS": whose file it is


def utc_now() -> str:
    """Return the time as UTC text with milliseconds, ending in Z."""
    return utc_text(datetime.now(UTC))


def utc_text(moment: datetime) -> str:
    """Return a moment in UTC as every timestamp is stored: text with milliseconds, ending in Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def open_writer(path: Path, metadata: MetaData) -> sqlite3.Connection:
    """Open `path` for writing, creating the file and the tables of `metadata` where they are missing.

    Raises StoreError where the file is not a database, cannot be written, or has other tables than `metadata`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path} cannot be opened for writing: {error}") from error
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        _ensure_tables(connection, metadata)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreError(f"{path} cannot be used: {error}. Restore a backup or move the file away.") from error
    except StoreError:
        connection.close()
        raise
    return connection


def _ensure_tables(connection: sqlite3.Connection, metadata: MetaData) -> None:
    expected, found = fingerprint(metadata), connection.execute("PRAGMA user_version").fetchone()[0]
    if found == expected:
        return
    with transaction(connection):  # a second opener waits here and finds the tables made
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found == expected:
            return
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            raise StoreError(
                f"the database has schema {found}, this version needs {expected}. "
                "A market store is rebuilt by: make update FULL=1. A workspace is left alone: name another file for it."
            )
        for statement in ddl(metadata):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id={APPLICATION_IDS[id(metadata)]:d}")
        connection.execute(f"PRAGMA user_version={expected:d}")


def schema_version(path: Path) -> int | None:
    """Return the schema fingerprint stored in `path`; None where there is no readable database."""
    return _pragma(path, "user_version")


def is_ours(path: Path, metadata: MetaData) -> bool:
    """Whether `path` is a database that this project made with these tables, of whatever version."""
    return _pragma(path, "application_id") == APPLICATION_IDS[id(metadata)]


def check_replaceable(path: Path, metadata: MetaData) -> None:
    """Raise StoreError where writing `path` would destroy a file that is not a store of this project.

    A missing or empty file may be written, and so may a store that is ours. A damaged file is not touched: whose it
    was cannot be told any more.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a folder; name a file for the database.")
    if path.exists() and path.stat().st_size and not is_ours(path, metadata):
        raise StoreError(
            f"{path} is not a store made by Plumbline, or it is damaged: nothing was changed. "
            "Name another file, or move this one away and update again."
        )


def _pragma(path: Path, name: str) -> int | None:
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
    except sqlite3.Error:
        return None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run the block in one IMMEDIATE transaction: committed whole, or rolled back and the error re-raised.

    Inside a transaction already open it joins that one.
    """
    if connection.in_transaction:
        yield connection
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def insert(connection: sqlite3.Connection, table: Table, rows: pd.DataFrame | Mapping[str, Any]) -> int:
    """Insert the rows of a frame (or {column: list}); columns it lacks become NULL, as NaN does. Return the count."""
    return _execute_many(connection, table, rows, "")


def upsert(connection: sqlite3.Connection, table: Table, rows: pd.DataFrame | Mapping[str, Any]) -> int:
    """Insert rows, or update the row of the same key. Return the number of rows given."""
    columns = [column.name for column in table.columns if column.name in rows]
    key = [column.name for column in table.primary_key]
    values = [name for name in columns if name not in key]
    action = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in values)}" if values else "NOTHING"
    return _execute_many(connection, table, rows, f" ON CONFLICT ({', '.join(key)}) DO {action}")


def _execute_many(
    connection: sqlite3.Connection, table: Table, rows: pd.DataFrame | Mapping[str, Any], conflict: str
) -> int:
    columns = [column.name for column in table.columns if column.name in rows]
    unknown = set(rows) - set(columns)
    if unknown:
        raise ValueError(f"{table.name} has no column {sorted(unknown)}")
    # Python objects in columns, zipped into rows: sqlite3 binds NaN as NULL, and STRICT makes 1.0 an INTEGER.
    values = [rows[name].tolist() if hasattr(rows[name], "tolist") else list(rows[name]) for name in columns]
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}){conflict}"
    with transaction(connection):
        connection.executemany(statement, zip(*values, strict=True))
    return len(values[0]) if values else 0


def delete(connection: sqlite3.Connection, table: Table, **key: Any) -> int:
    """Delete the rows whose columns equal `key` (all rows where no key is given). Return the count."""
    where = " AND ".join(f"{table.c[name].name} = ?" for name in key) or "1"
    with transaction(connection):
        return connection.execute(f"DELETE FROM {table.name} WHERE {where}", tuple(key.values())).rowcount


def update(connection: sqlite3.Connection, table: Table, key: Mapping[str, Any], **values: Any) -> int:
    """Set `values` in the rows whose columns equal `key`. Return the count of rows changed."""
    assignments = ", ".join(f"{table.c[name].name} = ?" for name in values)
    where = " AND ".join(f"{table.c[name].name} = ?" for name in key)
    statement = f"UPDATE {table.name} SET {assignments} WHERE {where}"
    with transaction(connection):
        return connection.execute(statement, (*values.values(), *key.values())).rowcount


def table_checksum(connection: sqlite3.Connection, table: Table) -> tuple[int, str]:
    """Return (rows, sha256) of a table read in key order: the same content gives the same checksum."""
    key = ", ".join(column.name for column in table.primary_key)
    columns = ", ".join(column.name for column in table.columns)
    digest, rows = hashlib.sha256(), 0
    cursor = connection.execute(f"SELECT {columns} FROM {table.name} ORDER BY {key}")
    while batch := cursor.fetchmany(10_000):
        digest.update(marshal.dumps(batch, 2))  # version 2 keeps no references: equal rows give equal bytes
        rows += len(batch)
    return rows, digest.hexdigest()


def violations(connection: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with the file or its references; empty where all is well."""
    faults = [row[0] for row in connection.execute("PRAGMA quick_check") if row[0] != "ok"]
    faults += [f"{row[0]} refers to a missing {row[2]}" for row in connection.execute("PRAGMA foreign_key_check")]
    return faults


def backup(source: Path, target: Path) -> None:
    """Copy one database over another through SQLite's backup API: readers see the old or the new whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    origin = f"{source.resolve().as_uri()}?mode=rw"  # a missing source is an error, not an empty database
    with (
        closing(sqlite3.connect(origin, uri=True, timeout=BUSY_SECONDS)) as from_,
        closing(sqlite3.connect(target, timeout=BUSY_SECONDS)) as to,
    ):
        from_.backup(to)
        to.execute("PRAGMA journal_mode=WAL")
        to.execute("PRAGMA wal_checkpoint(TRUNCATE)")


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


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the update lock of the database at `path`; raises LockedError at once where another process has it.

    A kernel lock, not a file of a process id: it goes with its owner, however that ends.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}. Name another place for the database.") from error
    with open(opened, "r+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(f"Another update of {path.name} is running ({handle.read().strip()}).") from None
        handle.truncate(0)
        handle.write(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}")
        handle.flush()
        yield
