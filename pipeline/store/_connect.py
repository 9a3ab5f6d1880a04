"""Connections that write, whose file a database is, and transactions."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import MetaData

from pipeline import schema
from pipeline.errors import StoreError
from pipeline.read_only import read_only_uri

BUSY_SECONDS = 30.0
_STORED_TABLES = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"


def open_writer(path: Path, metadata: MetaData, *, checkpoints: bool = True) -> sqlite3.Connection:
    """Open `path` for writing, creating the file and the tables of `metadata` where they are missing.

    checkpoints: whether a commit may put a long write-ahead log back, or leaves that to a later writer.

    Raises StoreError where the file is not a database, cannot be written, or has other tables than `metadata`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path} cannot be opened for writing: {error}") from error
    try:
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        if not checkpoints:
            connection.execute("PRAGMA wal_autocheckpoint=0")
        _ensure_tables(connection, metadata)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreError(f"{path} cannot be used: {error}. Restore a backup or move the file away.") from error
    except StoreError:
        connection.close()
        raise
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch a new file over; SQLite does not wait by itself for another connection that does so at this moment."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def open_idle(path: Path) -> sqlite3.Connection:
    """Return a connection that reads nothing more but has joined the write-ahead log; raises StoreError."""
    try:
        connection = sqlite3.connect(read_only_uri(path), uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error
    try:
        connection.execute(_STORED_TABLES).fetchall()
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{path} cannot be read: {error}") from error
    return connection


def _ensure_tables(connection: sqlite3.Connection, metadata: MetaData) -> None:
    """Create what is missing and bring older tables to the present version, in one transaction."""
    if is_current(connection, metadata):
        return
    with transaction(connection):  # a second opener waits here and finds the tables made
        stored = dict(connection.execute(_STORED_TABLES))
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        if stored and owner != schema.APPLICATION_IDS[metadata]:
            raise StoreError("the database holds other tables than these: it was left alone. Name another file.")
        found = schema.version_of(_user_version(connection))
        if found > schema.VERSIONS[metadata] or (stored and not found):
            raise StoreError(
                f"the database has tables of version {found}; this program knows those up to version "
                f"{schema.VERSIONS[metadata]}. Use a newer program, or name another file."
            )
        for statement in schema.migrations(metadata, found) if stored else ():
            connection.execute(statement)
        made = schema.outdated(metadata, stored)
        for table in made:
            connection.execute(f"DROP TABLE IF EXISTS {table.name}")
            for statement in schema.ddl(table):
                connection.execute(statement)
        for statement in schema.fillings(metadata, found) if stored else ():
            connection.execute(statement)
        if metadata is schema.MARKET:  # what was made anew is empty
            names = [(table.name,) for table in made]
            connection.executemany("DELETE FROM partition_checksums WHERE table_name = ?", names)
        connection.execute(f"PRAGMA application_id={schema.APPLICATION_IDS[metadata]:d}")
        connection.execute(f"PRAGMA user_version={schema.VERSIONS[metadata]:d}")


def is_current(connection: sqlite3.Connection, metadata: MetaData) -> bool:
    """Whether the open database has the tables of this version."""
    if schema.version_of(_user_version(connection)) != schema.VERSIONS[metadata]:
        return False
    return not schema.outdated(metadata, dict(connection.execute(_STORED_TABLES)))


def _user_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def schema_version(path: Path) -> int | None:
    """Return the version of the tables in `path`, 0 where it has none; None where there is no readable database."""
    found = _pragma(path, "user_version")
    return None if found is None else schema.version_of(found)


def is_ours(path: Path, metadata: MetaData) -> bool:
    """Whether `path` is a database that this project made with these tables, of whatever version."""
    return _pragma(path, "application_id") == schema.APPLICATION_IDS[metadata]


def lacks_tables(path: Path, metadata: MetaData) -> bool:
    """Whether a database has not all the tables of this version; who opens it to write makes those anew, empty."""
    with closing(sqlite3.connect(read_only_uri(path), uri=True)) as connection:
        return not is_current(connection, metadata)


def has_tables(path: Path, metadata: MetaData) -> bool:
    """Whether a database has every table of this version that cannot be computed anew."""
    with closing(sqlite3.connect(read_only_uri(path), uri=True)) as connection:
        stored = dict(connection.execute(_STORED_TABLES))
    return all(table.name in stored or table.info["derived"] for table in metadata.sorted_tables)


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
        with closing(sqlite3.connect(read_only_uri(path), uri=True)) as connection:
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
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
