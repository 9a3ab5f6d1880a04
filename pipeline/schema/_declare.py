"""How a table is declared: three column types, a key, checks. STRICT and WITHOUT ROWID."""

from typing import Any

from sqlalchemy import REAL, CheckConstraint, Column, Double, Integer, MetaData, PrimaryKeyConstraint, Table, Text


def real(name: str, **options: Any) -> Column[Any]:
    """A column of floats."""
    return Column(name, Double().with_variant(REAL(), "sqlite"), **options)


def integer(name: str, **options: Any) -> Column[Any]:
    """A column of whole numbers."""
    return Column(name, Integer, **options)


def text(name: str, *constraints: Any, **options: Any) -> Column[Any]:
    """A column of text."""
    return Column(name, Text, *constraints, **options)


def table(metadata: MetaData, name: str, key: tuple[str, ...], *columns: Any, derived: bool = False) -> Table:
    """A table with its key. What is `derived` is computed by a step, so another shape of it is made anew, empty."""
    return Table(
        name, metadata, *columns, PrimaryKeyConstraint(*key), sqlite_with_rowid=False, sqlite_strict=True,
        info={"derived": derived},
    )  # fmt: skip


def is_date(column: str) -> CheckConstraint:
    """The column holds an existing day written YYYY-MM-DD."""
    return CheckConstraint(f"date({column}, '+0 days') IS {column}")  # without '+0 days' 2024-02-30 passes


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """The column holds one of these words."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})")


def one_of_by_rows(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """The same for tables of many rows: SQLite builds the list of an IN anew for every row, which doubles its cost."""
    return CheckConstraint(" OR ".join(f"{column} = {value!r}" for value in values))
