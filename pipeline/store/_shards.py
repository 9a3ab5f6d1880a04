"""Databases that helper processes write: a few tables, without references, merged into the build and deleted."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Table

from pipeline import schema
from pipeline.store._connect import transaction
from pipeline.store._files import remove
from pipeline.store._parts import drop


@contextmanager
def shard(path: Path, tables: Sequence[Table]) -> Iterator[sqlite3.Connection]:
    """Open a new shard for the rows of some tables. Nobody else reads it, and it does not outlive the update."""
    remove(path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        for part in (*tables, schema.partition_checksums):
            connection.execute(schema.ddl(part)[0])
        yield connection
    finally:
        connection.close()


def merge_shard(connection: sqlite3.Connection, path: Path, tables: Sequence[Table], since: Mapping[str, str]) -> int:
    """Bring the rows of a shard into the open database and delete the shard; return their count.

    since: {owner: the year from which its rows are replaced}. Every owner must exist where the table refers to it:
    references are not looked up row by row here.
    """
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("ATTACH ? AS shard", (str(path),))
    try:
        with transaction(connection):
            for table in tables:
                for owner, year in since.items():
                    drop(connection, table, owner, since=year)
            _copy(connection, schema.partition_checksums)
            rows = sum(_copy(connection, table) for table in tables)
    finally:
        connection.execute("DETACH shard")
        connection.execute("PRAGMA foreign_keys=ON")
    remove(path)
    return rows


def _copy(connection: sqlite3.Connection, table: Table) -> int:
    columns = ", ".join(column.name for column in table.columns)
    return connection.execute(
        f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM shard.{table.name}"
    ).rowcount
