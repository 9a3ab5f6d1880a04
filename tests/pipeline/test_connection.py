import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline import schema, store
from pipeline.errors import StoreError
from pipeline.queries import connect

COUNT_TO = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < {0}) SELECT {1} FROM c"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "data.db"
    store.open_writer(made, schema.MARKET).close()
    return made


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match=r"There is no database no\.db yet. Build it with: make update"),
        connect(tmp_path / "no.db"),
    ):
        pass
    assert not (tmp_path / "no.db").exists()


def test_a_reader_cannot_write_or_attach(path: Path) -> None:
    with connect(path) as reader:
        with pytest.raises(StoreError, match="readonly"):
            reader.rows("DELETE FROM prices")
        with pytest.raises(StoreError, match="attached"):
            reader.rows("ATTACH ? AS other", (str(path.with_name("other.db")),))
    assert not path.with_name("other.db").exists()


def test_a_slow_query_is_stopped(path: Path) -> None:
    with connect(path, seconds=0.1) as reader, pytest.raises(StoreError, match=r"longer than 0\.1 s"):
        reader.rows(COUNT_TO.format(10**9, "count(*)"))


def test_too_many_rows_are_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.queries._connection.ROW_CAP", 10)
    with connect(path) as reader:
        assert len(reader.rows(COUNT_TO.format(10, "x"))) == 10
        with pytest.raises(StoreError, match="more than 10 rows"):
            reader.rows(COUNT_TO.format(11, "x"))


def test_one_response_sees_one_snapshot(path: Path) -> None:
    with connect(path) as reader:
        assert reader.one("SELECT count(*) FROM rates") == (0,)
        with closing(store.open_writer(path, schema.MARKET)) as writer:
            store.insert(writer, schema.rates, {"series": ["^IRX"], "date": ["2024-01-02"], "value": [0.05]})
        assert reader.one("SELECT count(*) FROM rates") == (0,)
    with connect(path) as reader:
        assert reader.one("SELECT count(*) FROM rates") == (1,)


def test_another_schema_is_refused_with_the_remedy(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=1")
    with pytest.raises(StoreError, match=r"another version.*make update"), connect(path):
        pass


def test_a_damaged_database_is_named(path: Path) -> None:
    with closing(store.open_writer(path, schema.MARKET)) as writer:
        dates = [f"{year}-01-{day:02d}" for year in range(1900, 2020) for day in range(1, 29)]
        store.insert(
            writer, schema.rates, {"series": ["^IRX"] * len(dates), "date": dates, "value": [0.01] * len(dates)}
        )
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    page = 4096
    content = bytearray(path.read_bytes())
    content[-4 * page :] = b"\xff" * (4 * page)
    path.write_bytes(content)
    with connect(path) as reader, pytest.raises(StoreError, match=r"damaged|could not be read"):
        reader.rows("SELECT sum(value) FROM rates")
