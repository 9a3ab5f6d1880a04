"""Tables in parts of one owner and one year, each with its checksum: what changed is known without reading it.

A part is "AAPL/2024" of a table whose key begins with an owner (ticker, series, universe …) and holds a date; a table
without a date is one part, "". The checksums of a finished store say which parts an update has to publish, and
whether a row was changed by anything else than an update.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Table, Text

from pipeline.store._connect import transaction
from pipeline.store._rows import as_list, insert

WHOLE = ""
UNKNOWN = "\x00"
_DATES = ("date", "as_of")
Digests = dict[str, tuple[int, str]]  # part: (rows, checksum)

_LAST_DAY = "\x7f"  # after every date of a year: "2024-12-31" < "2024\x7f"


def part_columns(table: Table) -> tuple[str, str] | None:
    """Return (owner column, date column) of a table that is kept in parts, None of one that is kept whole."""
    key = [column.name for column in table.primary_key]
    date = next((name for name in key[1:] if name in _DATES), None)
    return (key[0], date) if date else None


def replace(
    connection: sqlite3.Connection,
    table: Table,
    rows: pd.DataFrame | Mapping[str, Any],
    *,
    owner: str,
    since: str = "",
    digests: Digests | None = None,
) -> int:
    """Store all rows of one owner from the year of `since` on in place of what it has there. Return their count.

    rows: columns by name, in the order of the key, none before that year; `since` is by default the beginning.
    digests: those of the rows, where they are known already.
    """
    with transaction(connection):
        drop(connection, table, owner, since=since)
        count = insert(connection, table, rows)
        found = _digests(table, rows) if digests is None else ((part, *digest) for part, digest in digests.items())
        _note(connection, table, found)
    return count


def drop(connection: sqlite3.Connection, table: Table, owner: str, *, since: str = "") -> int:
    """Delete what one owner has in the year of `since` and after (everything by default). Return the rows deleted."""
    column, date = _columns(table)
    with transaction(connection):
        deleted = connection.execute(
            f"DELETE FROM {table.name} WHERE {column} = ? AND {date} >= ?", (owner, since[:4])
        ).rowcount
        connection.execute(
            "DELETE FROM partition_checksums WHERE table_name = ? AND part >= ? AND part < ?",
            (table.name, f"{owner}/{since[:4]}", f"{owner}/{_LAST_DAY}"),
        )
    return int(deleted)


def seal(connection: sqlite3.Connection, table: Table, parts: Iterable[str] | None = None) -> None:
    """Read the named parts of a table (all of it by default) and note their checksums; empty ones are forgotten."""
    with transaction(connection):
        if parts is None or part_columns(table) is None:
            connection.execute("DELETE FROM partition_checksums WHERE table_name = ?", (table.name,))
            _note(connection, table, stored_digests(connection, table))
            return
        for part in sorted(set(parts)):
            connection.execute("DELETE FROM partition_checksums WHERE table_name = ? AND part = ?", (table.name, part))
            _note(connection, table, _digests(table, _read_part(connection, table, part)))


def parts_of(table: Table, rows: pd.DataFrame) -> set[str]:
    """Return the parts that rows of a table fall in."""
    if part_columns(table) is None:
        return {WHOLE}
    owner, date = _columns(table)
    return set(rows[owner].astype(str).str.cat(rows[date].astype(str).str[:4], sep="/")) if len(rows) else set()


def stored_digests(connection: sqlite3.Connection, table: Table) -> Iterator[tuple[str, int, str]]:
    """Yield (part, rows, checksum) of every part of a table as it is stored now, reading all of it."""
    if part_columns(table) is None:
        yield from _digests(table, _read(connection, table, "", ()))
        return
    owner, _ = _columns(table)
    for (name,) in connection.execute(f"SELECT DISTINCT {owner} FROM {table.name}").fetchall():
        yield from _digests(table, _read(connection, table, f"WHERE {owner} = ?", (name,)))


def noted_digests(connection: sqlite3.Connection, table: Table) -> Digests:
    """Return {part: (rows, checksum)} as noted when the parts were written."""
    found = connection.execute(
        "SELECT part, rows, checksum FROM partition_checksums WHERE table_name = ? ORDER BY part", (table.name,)
    )
    return {part: (rows, checksum) for part, rows, checksum in found}


def fetched_digests(table: Table, rows: pd.DataFrame) -> Digests:
    """Return {part: (rows, checksum)} of rows that hold whole parts of one owner, as if they were stored."""
    return {part: (count, checksum) for part, count, checksum in _digests(table, rows)}


def table_checksum(connection: sqlite3.Connection, table: Table) -> tuple[int, str]:
    """Return (rows, sha256) of a table from its noted parts: the same content gives the same checksum."""
    parts = noted_digests(connection, table)
    text = "".join(f"{part}\n{rows}\n{checksum}\n" for part, (rows, checksum) in parts.items())
    return sum(rows for rows, _ in parts.values()), hashlib.sha256(text.encode()).hexdigest()


def _columns(table: Table) -> tuple[str, str]:
    found = part_columns(table)
    if found is None:
        raise ValueError(f"{table.name} is not kept in parts")
    return found


def _note(connection: sqlite3.Connection, table: Table, digests: Iterable[tuple[str, int, str]]) -> None:
    connection.executemany(
        "INSERT INTO partition_checksums (table_name, part, rows, checksum) VALUES (?, ?, ?, ?)",
        [(table.name, *digest) for digest in digests],
    )


def _read_part(connection: sqlite3.Connection, table: Table, part: str) -> dict[str, Any]:
    owner, date = _columns(table)
    name, year = part.rsplit("/", 1)
    return _read(connection, table, f"WHERE {owner} = ? AND {date} BETWEEN ? AND ?", (name, year, year + _LAST_DAY))


def _read(connection: sqlite3.Connection, table: Table, where: str, parameters: tuple[str, ...]) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    order = ", ".join(column.name for column in table.primary_key)
    rows = connection.execute(
        f"SELECT {', '.join(names)} FROM {table.name} {where} ORDER BY {order}", parameters
    ).fetchall()
    return dict(zip(names, zip(*rows, strict=True) if rows else ((),) * len(names), strict=True))


def _digests(table: Table, columns: Mapping[str, Any] | pd.DataFrame) -> Iterator[tuple[str, int, str]]:
    """Yield (part, rows, checksum) of one owner's rows, or of a table that is kept whole, given in the order of the key."""
    keys = part_columns(table)
    count = len(columns[next(iter(columns))])
    if not count:
        return
    names = [column.name for column in table.columns if isinstance(column.type, Text)]
    texts = [_texts(columns[name]) if name in columns else [UNKNOWN] * count for name in names]
    numbers = _numbers(table, columns, count)
    if keys is None:
        yield WHOLE, count, _digest(texts, numbers)
        return
    owner, years = texts[names.index(keys[0])][0], np.asarray(texts[names.index(keys[1])], dtype="U4")
    if (years[1:] < years[:-1]).any():  # the date is not the second column of the key
        order = np.argsort(years, kind="stable")
        texts, numbers, years = [[text[row] for row in order] for text in texts], numbers[order], years[order]
    edges = [0, *(np.flatnonzero(years[1:] != years[:-1]) + 1).tolist(), count]
    for first, last in pairwise(edges):
        yield (
            f"{owner}/{years[first]}",
            last - first,
            _digest([text[first:last] for text in texts], numbers[first:last]),
        )


def _numbers(table: Table, columns: Mapping[str, Any] | pd.DataFrame, count: int) -> np.ndarray:
    """The columns of numbers, shape (n_rows, n_columns); unknown is one NaN, and −0.0 is 0.0 as SQLite keeps it."""
    names = [column.name for column in table.columns if not isinstance(column.type, Text)]
    numbers = np.full((count, len(names)), np.nan)
    for position, name in enumerate(names):
        if name in columns:
            numbers[:, position] = np.asarray(columns[name], dtype=float)
    numbers[np.isnan(numbers)] = np.nan
    return numbers + 0.0


def _texts(column: Any) -> list[str]:
    """A column of text for its checksum; unknown is a character that no text holds."""
    values = as_list(column)
    if getattr(getattr(column, "dtype", None), "kind", "") == "U":
        return values
    return [UNKNOWN if value is None or value != value else str(value) for value in values]


def _digest(texts: list[list[str]], numbers: np.ndarray) -> str:
    found = hashlib.sha256(np.ascontiguousarray(numbers).tobytes())
    for text in texts:
        found.update("\x1f".join(text).encode())
        found.update(b"\x1e")
    return found.hexdigest()
