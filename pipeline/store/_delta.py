"""Publish a night's changes: one transaction that copies the parts of a built store that differ from the shown one."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Table

from pipeline import schema
from pipeline.store._connect import BUSY_SECONDS, is_current, transaction
from pipeline.store._files import checkpoint
from pipeline.store._parts import WHOLE, part_columns

# The account of the runs, kept by run and not in parts.
RUN_TABLES = (schema.runs, schema.step_runs, schema.fetch_log, schema.rejects, schema.table_checksums)
ACCOUNTS = (*RUN_TABLES, schema.published, schema.partition_checksums, schema.step_inputs)
CONTENT = tuple(table for table in schema.MARKET.sorted_tables if table not in ACCOUNTS)

_CHANGED = (
    "SELECT table_name, part FROM ("
    "SELECT table_name, part, checksum FROM built.partition_checksums "
    "EXCEPT SELECT table_name, part, checksum FROM main.partition_checksums) "
    "UNION SELECT table_name, part FROM ("
    "SELECT table_name, part FROM main.partition_checksums EXCEPT SELECT table_name, part FROM built.partition_checksums)"
)


def publish_changes(build: Path, db: Path, *, base_run: str) -> bool:
    """Bring `db`, which shows the run that `build` started from, to the content of `build`: all of it or nothing.

    Readers see the old or the new run. False, and nothing done, where `db` shows another run or has other tables.
    """
    with closing(sqlite3.connect(db, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("ATTACH ? AS built", (str(build),))  # references were checked there, as rows came in
        if not is_current(connection, schema.MARKET):
            return False
        with transaction(connection):
            if connection.execute("SELECT run_id FROM main.published").fetchall() != [(base_run,)]:
                return False
            for name, part in connection.execute(_CHANGED).fetchall():
                _copy_part(connection, schema.MARKET.tables[name], part)
            for table in RUN_TABLES:
                _copy_runs(connection, table)
            for table in (schema.published, schema.partition_checksums, schema.step_inputs):
                _copy(connection, table, "", ())
        checkpoint(connection)
    return True


def _copy_part(connection: sqlite3.Connection, table: Table, part: str) -> None:
    keys = part_columns(table)
    if keys is None or part == WHOLE:
        _copy(connection, table, "", ())
        return
    owner, year = part.rsplit("/", 1)
    _copy(connection, table, f"WHERE {keys[0]} = ? AND {keys[1]} >= ? AND {keys[1]} < ?", (owner, year, f"{year}\x7f"))


def _copy_runs(connection: sqlite3.Connection, table: Table) -> None:
    """Copy what is new since the shown run, and forget the runs that the build no longer keeps."""
    connection.execute(f"DELETE FROM main.{table.name} WHERE run_id NOT IN (SELECT run_id FROM built.runs)")
    columns = ", ".join(column.name for column in table.columns)
    connection.execute(
        f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM built.{table.name} "
        f"WHERE run_id NOT IN (SELECT run_id FROM main.{table.name})"
    )


def _copy(connection: sqlite3.Connection, table: Table, where: str, parameters: tuple[str, ...]) -> None:
    columns = ", ".join(column.name for column in table.columns)
    connection.execute(f"DELETE FROM main.{table.name} {where}", parameters)
    connection.execute(
        f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM built.{table.name} {where}", parameters
    )
