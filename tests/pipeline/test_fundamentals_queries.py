"""The fundamentals that are stored: the newest of each metric, by the primary key."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline import schema, store
from pipeline.queries import Reader, connect, fundamentals

ROWS = [
    ("AAA", "2026-01-05", "market_cap", 1e9), ("AAA", "2026-01-12", "market_cap", 2e9),
    ("AAA", "2026-01-05", "trailing_pe", 20.0), ("BBB", "2026-01-05", "market_cap", 5e9),
]  # fmt: skip


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    path = tmp_path / "data.db"
    with closing(store.open_writer(path, schema.MARKET)) as connection:
        store.insert(connection, schema.instruments, {
            "ticker": ["AAA", "BBB", "CCC"], "name": ["A", "B", "C"], "kind": ["stock"] * 3, "active": [1] * 3,
        })  # fmt: skip
        store.insert(connection, schema.company_fundamentals, {
            name: [row[number] for row in ROWS] for number, name in enumerate(("ticker", "as_of", "metric", "value"))
        } | {"fetched_at": [f"{row[1]}T23:00:00.000Z" for row in ROWS]})  # fmt: skip
    with connect(path) as opened:
        yield opened


def test_the_newest_value_of_each_metric(reader: Reader) -> None:
    found = fundamentals.company_fundamentals(reader, "AAA")
    assert found.to_numpy().tolist() == [
        ["market_cap", 2e9, "2026-01-12", "2026-01-12T23:00:00.000Z"],
        ["trailing_pe", 20.0, "2026-01-05", "2026-01-05T23:00:00.000Z"],
    ]
    assert fundamentals.company_fundamentals(reader, "CCC").empty


def test_the_newest_date_of_each_ticker(reader: Reader) -> None:
    assert fundamentals.newest(reader) == {"AAA": "2026-01-12", "BBB": "2026-01-05"}


@pytest.mark.parametrize("ask", [fundamentals.newest, lambda reader: fundamentals.company_fundamentals(reader, "AAA")])
def test_the_table_is_searched_by_its_key(reader: Reader, ask: Callable[[Reader], Any], monkeypatch: Any) -> None:
    asked: list[tuple[str, Any]] = []
    real = Reader._fetch
    monkeypatch.setattr(Reader, "_fetch", lambda self, *question: (asked.append(question), real(self, *question))[1])
    ask(reader)
    steps = [step for question in asked for step in reader.plan(*question)]
    ours = [step for step in steps if step.split()[1] in ("f", "company_fundamentals")]
    assert ours
    assert all(step.startswith("SEARCH") and "PRIMARY KEY (ticker=?" in step for step in ours), steps
