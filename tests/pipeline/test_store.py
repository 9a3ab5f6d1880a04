import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import schema, store
from pipeline.errors import LockedError, StoreError


@pytest.fixture
def connection(tmp_path: Path):
    with closing(store.open_writer(tmp_path / "data.db", schema.MARKET)) as opened:
        store.insert(opened, schema.instruments, {"ticker": ["A"], "name": ["Alpha"], "kind": ["stock"], "active": [1]})
        yield opened


def price(**changes: object) -> dict[str, list[object]]:
    row = {
        "ticker": "A",
        "date": "2024-01-02",
        "open": 10.0,
        "high": 11.0,
        "low": 9.0,
        "close": 10.5,
        "adj_close": 10.0,
        "volume": 5.0,
    }
    return {name: [value] for name, value in (row | changes).items()}


def test_a_writer_uses_wal_and_foreign_keys(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


@pytest.mark.parametrize("changes", [
    {"close": -1.0}, {"close": 0.0}, {"close": float("nan")}, {"close": float("inf")}, {"close": "abc"}, {"close": 1e8},
    {"high": 10.0}, {"low": 10.2}, {"volume": -1.0}, {"date": "2024-02-30"}, {"date": "02.01.2024"}, {"date": None}, {"ticker": "NOBODY"},
])  # fmt: skip
def test_the_database_itself_refuses_nonsense(connection: sqlite3.Connection, changes: dict[str, object]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.insert(connection, schema.prices, price(**changes))
    assert connection.execute("SELECT count(*) FROM prices").fetchone()[0] == 0


def test_nan_is_stored_as_null_and_whole_floats_as_integers(connection: sqlite3.Connection) -> None:
    store.insert(connection, schema.prices, price(open=np.nan, high=np.nan, low=np.nan, volume=np.nan))
    store.insert(connection, schema.technical_signals, {
        "ticker": ["A", "A"], "date": ["2024-01-02", "2024-01-03"], "vote_rsi": np.array([1.0, np.nan])})  # fmt: skip
    assert connection.execute("SELECT open, volume FROM prices").fetchone() == (None, None)
    votes = connection.execute("SELECT vote_rsi, typeof(vote_rsi) FROM technical_signals ORDER BY date").fetchall()
    assert votes == [(1, "integer"), (None, "null")]


def test_upsert_replaces_the_row_of_the_same_key(connection: sqlite3.Connection) -> None:
    store.upsert(connection, schema.prices, price())
    store.upsert(connection, schema.prices, price(close=10.6))
    assert connection.execute("SELECT close FROM prices").fetchall() == [(10.6,)]


def test_a_frame_with_an_unknown_column_is_refused(connection: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="prices has no column"):
        store.insert(connection, schema.prices, pd.DataFrame(price() | {"colour": ["red"]}))


def test_a_failed_transaction_leaves_nothing(connection: sqlite3.Connection) -> None:
    def insert_and_stop() -> None:
        with store.transaction(connection):
            store.insert(connection, schema.prices, price())
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        insert_and_stop()
    assert connection.execute("SELECT count(*) FROM prices").fetchone()[0] == 0


def test_delete_and_update_touch_only_their_key(connection: sqlite3.Connection) -> None:
    store.insert(connection, schema.prices, price())
    store.insert(connection, schema.prices, price(date="2024-01-03"))
    assert store.update(connection, schema.prices, {"date": "2024-01-03"}, volume=7.0) == 1
    assert store.delete(connection, schema.prices, date="2024-01-02") == 1
    assert connection.execute("SELECT date, volume FROM prices").fetchall() == [("2024-01-03", 7.0)]


def test_checksum_depends_on_content_alone(tmp_path: Path) -> None:
    sums = []
    for name, order in (("a", (0, 1)), ("b", (1, 0)), ("c", (0,))):
        with closing(store.open_writer(tmp_path / f"{name}.db", schema.MARKET)) as connection:
            rows = [("X", "2024-01-02", 0.01), ("X", "2024-01-03", 0.02)]
            for i in order:
                store.insert(
                    connection,
                    schema.rates,
                    dict(zip(("series", "date", "value"), ([v] for v in rows[i]), strict=True)),
                )
            store.seal(connection, schema.rates)
            sums.append(store.table_checksum(connection, schema.rates))
    assert sums[0] == sums[1]
    assert sums[0][0] == 2
    assert sums[2] != sums[0]


def test_faults_name_a_missing_reference(connection: sqlite3.Connection, tmp_path: Path) -> None:
    assert store.faults(tmp_path / "data.db") == []
    connection.execute("PRAGMA foreign_keys=OFF")
    store.insert(connection, schema.prices, price(ticker="GHOST"))
    assert store.faults(tmp_path / "data.db") == ["prices refers to a missing instruments"]


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    path.write_text("this is not a database, but it is long enough to look at" * 40)
    with pytest.raises(StoreError, match=r"data\.db cannot be used"):
        store.open_writer(path, schema.MARKET)
    assert path.read_text().startswith("this is not")


def test_a_new_database_can_be_opened_by_many_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def opened(name: str) -> None:
        together.wait()
        store.open_writer(tmp_path / name, schema.WORKSPACE).close()

    with ThreadPoolExecutor(8) as threads:
        for number in range(30):
            list(threads.map(opened, [f"{number}.db"] * 8))
    assert len(list(tmp_path.glob("*.db"))) == 30


def test_a_database_of_another_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    store.open_writer(path, schema.MARKET).close()
    with pytest.raises(StoreError, match="holds other tables"):
        store.open_writer(path, schema.WORKSPACE)
    assert store.schema_version(path) == schema.VERSIONS[schema.MARKET]


def test_only_one_update_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    script = f"import pathlib; from pipeline import store\nwith store.exclusive(pathlib.Path({str(path)!r})): pass"
    with store.exclusive(path):
        with (
            pytest.raises(LockedError, match=r"Another update of data\.db is running \(process \d+, since"),
            store.exclusive(path),
        ):
            pass
        other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "LockedError" in other.stderr
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_backup_is_whole_and_readers_keep_reading(tmp_path: Path, connection: sqlite3.Connection) -> None:
    store.insert(connection, schema.prices, price())
    target = tmp_path / "copy.db"
    store.backup(tmp_path / "data.db", target)
    with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM prices").fetchone() == (1,)
        store.insert(connection, schema.prices, price(date="2024-01-03"))
        reader.execute("COMMIT")
        store.backup(tmp_path / "data.db", target)
        assert reader.execute("SELECT count(*) FROM prices").fetchone() == (2,)


def test_noted_checksums_are_those_of_the_stored_rows_whatever_the_order_of_the_key(
    connection: sqlite3.Connection,
) -> None:
    """The date of a fit is the last part of its key, so its rows do not come year by year."""
    rows = pd.DataFrame(
        [("A", model, "M", 60, as_of) for model in ("capm", "ff3") for as_of in ("2022-12-31", "2023-12-31")],
        columns=["ticker", "model", "frequency", "window_months", "as_of"],
    ).assign(sample_start="2020-01-31", sample_end="2022-10-31", n_obs=30, alpha=[0.1, 0.2, 0.3, 0.4])
    store.replace(connection, schema.factor_model_fits, rows, owner="A")
    noted = store.noted_digests(connection, schema.factor_model_fits)
    assert sorted(noted) == ["A/2022", "A/2023"]
    store.seal(connection, schema.factor_model_fits, {"A/2022", "A/2023"})
    assert store.noted_digests(connection, schema.factor_model_fits) == noted
    assert {
        part: (count, word) for part, count, word in store.stored_digests(connection, schema.factor_model_fits)
    } == noted
