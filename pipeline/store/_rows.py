"""Rows into tables and out of them again: bulk inserts, upserts, updates and deletes."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Table

from pipeline.store._connect import transaction


def insert(connection: sqlite3.Connection, table: Table, rows: pd.DataFrame | Mapping[str, Any]) -> int:
    """Insert the rows of a frame (or {column: list}); columns it lacks become NULL, as NaN does. Return the count."""
    return _execute_many(connection, table, rows, "")


def insert_missing(connection: sqlite3.Connection, table: Table, rows: pd.DataFrame | Mapping[str, Any]) -> int:
    """Insert the rows whose key is not there yet; the others are left as they are. Return the number of rows given."""
    key = ", ".join(column.name for column in table.primary_key)
    return _execute_many(connection, table, rows, f" ON CONFLICT ({key}) DO NOTHING")


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
    values = [as_list(rows[name]) for name in columns]
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}){conflict}"
    with transaction(connection):
        connection.executemany(statement, zip(*values, strict=True))
    return len(values[0]) if values else 0


def as_list(column: Any) -> list[Any]:
    """Return a column of any kind as Python objects; pandas' own tolist() of text takes an item at a time."""
    if isinstance(getattr(column, "dtype", None), pd.StringDtype):
        column = column.to_numpy(dtype=object)
    return column.tolist() if hasattr(column, "tolist") else list(column)


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
