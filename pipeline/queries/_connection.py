"""Read-only connections: no write, no ATTACH, a time limit and a row cap on every query."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import MetaData

from pipeline import schema
from pipeline.errors import StoreError
from pipeline.read_only import read_only_uri

ROW_CAP = 2_000_000
_MEND = {
    schema.MARKET: "Bring it up to date with: make update. Or bring back the last backup: make restore",
    schema.WORKSPACE: "It was left alone. Bring back the last backup with make restore, or name another file.",
}
_DAMAGED = "See what is wrong: make check-data. Bring back the last backup: make restore"
_PROGRESS_STEPS = 20_000  # virtual-machine steps between looks at the clock, about a millisecond


class Reader:
    """One read-only connection inside one read transaction."""

    def __init__(self, connection: sqlite3.Connection, *, seconds: float = 5.0) -> None:
        self.connection, self.seconds = connection, seconds
        self._deadline = float("inf")
        connection.set_progress_handler(self._expired, _PROGRESS_STEPS)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows; raises StoreError past the time limit or the row cap."""
        return self._fetch(sql, parameters)[1]

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Return the rows as a frame with the query's column names."""
        names, rows = self._fetch(sql, parameters)
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        return pd.DataFrame(dict(zip(names, map(_typed, columns), strict=True)))

    def _fetch(self, sql: str, parameters: Sequence[Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        self._deadline = time.monotonic() + self.seconds
        try:
            cursor = self.connection.execute(sql, parameters)
            rows = cursor.fetchmany(ROW_CAP + 1)
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise StoreError(f"A query took longer than {self.seconds:g} s and was stopped.") from error
            raise StoreError(f"The database could not be read: {error}. {_DAMAGED}") from error
        except sqlite3.DatabaseError as error:
            raise StoreError(f"The database is damaged: {error}. {_DAMAGED}") from error
        finally:
            self._deadline = float("inf")
        if len(rows) > ROW_CAP:
            raise StoreError(f"A query returned more than {ROW_CAP:,} rows and was stopped.")
        return [item[0] for item in cursor.description or ()], rows

    def plan(self, sql: str, parameters: Sequence[Any] = ()) -> list[str]:
        """Return SQLite's plan of the query, a line per step."""
        return [row[3] for row in self.connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]

    def _expired(self) -> bool:
        return time.monotonic() > self._deadline


def _typed(values: tuple[Any, ...]) -> np.ndarray:
    """One column as an array: text stays text, numbers are floats where one is unknown, so that NULL is NaN."""
    known = next((value for value in values if value is not None), 0.0)
    if isinstance(known, str):
        return np.array(values, dtype=object)
    return np.array(values, dtype=float if None in values else None)


@contextmanager
def connect(path: Path, *, workspace: bool = False, seconds: float = 5.0) -> Iterator[Reader]:
    """Open `path` read-only for one response: all its queries see one snapshot, and so one run.

    Raises StoreError where the file is missing, unreadable or of another schema.
    """
    connection = _open(path, schema.WORKSPACE if workspace else schema.MARKET)
    try:
        yield Reader(connection, seconds=seconds)
    finally:
        connection.close()


def _open(path: Path, metadata: MetaData) -> sqlite3.Connection:
    if not path.exists():
        raise StoreError(f"There is no database {path.name} yet. Build it with: make update")
    try:
        connection = sqlite3.connect(read_only_uri(path), uri=True, timeout=5.0, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"{path.name} cannot be read: {error}. {_MEND[metadata]}") from error
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # mode=ro alone would still let ATTACH write elsewhere
        connection.execute("PRAGMA trusted_schema=0")
        connection.execute("BEGIN")
        found = schema.version_of(connection.execute("PRAGMA user_version").fetchone()[0])
        stored = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{path.name} is damaged or no database: {error}. {_MEND[metadata]}") from error
    if found != schema.VERSIONS[metadata] or schema.outdated(metadata, stored):
        connection.close()
        raise StoreError(f"{path.name} was made by another version, or lacks tables. {_MEND[metadata]}")
    return connection
