"""Parts, their checksums, and the one transaction that publishes a night's changes."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_runner import contents, write_folder

from pipeline import publish, schema, store
from pipeline.publish import build_path
from pipeline.queries import connect, runs
from pipeline.runner import UpdateRequest, update

DAYS = [*pd.bdate_range("2022-12-28", periods=6).strftime("%Y-%m-%d"), "2024-02-29"]


@pytest.fixture
def connection(tmp_path: Path):
    with closing(store.open_writer(tmp_path / "data.db", schema.MARKET)) as opened:
        names = ["A", "B"]
        store.insert(
            opened, schema.instruments, {"ticker": names, "name": names, "kind": ["stock"] * 2, "active": [1, 1]}
        )
        yield opened


def bars(ticker: str, close: float = 10.0) -> pd.DataFrame:
    prices = pd.DataFrame({"ticker": ticker, "date": DAYS, "close": close, "adj_close": close / 2})
    return prices.assign(open=np.nan, high=np.nan, low=np.nan, volume=[np.nan, 0.0, -0.0, 1.0, 2.0, 3.0, 4.0])


def test_a_part_is_one_owner_and_one_year(connection: sqlite3.Connection) -> None:
    store.replace(connection, schema.prices, bars("A"), owner="A")
    noted = store.noted_digests(connection, schema.prices)
    assert {part: rows for part, (rows, _) in noted.items()} == {"A/2022": 3, "A/2023": 3, "A/2024": 1}
    assert store.table_checksum(connection, schema.prices)[0] == 7


def test_what_is_noted_on_writing_is_what_reading_finds(connection: sqlite3.Connection) -> None:
    store.replace(connection, schema.prices, bars("A"), owner="A")
    store.replace(connection, schema.prices, {name: column.to_numpy() for name, column in bars("B").items()}, owner="B")
    fits = pd.DataFrame({
        "ticker": "A", "model": ["capm", "capm", "ff3"], "frequency": "M", "window_months": [0, 60, 0],
        "as_of": ["2024-01-31", "2023-12-31", "2024-01-31"], "sample_start": "2020-01-31", "sample_end": "2023-11-30",
        "n_obs": 40, "alpha": [0.1, np.nan, -0.0],
    })  # fmt: skip
    store.replace(connection, schema.factor_model_fits, fits, owner="A")  # the date is not next to the owner in its key
    for table in (schema.prices, schema.factor_model_fits):
        noted = store.noted_digests(connection, table)
        assert noted == {part: (rows, word) for part, rows, word in store.stored_digests(connection, table)}
        store.seal(connection, table, list(noted))
        assert store.noted_digests(connection, table) == noted
    assert store.fetched_digests(schema.prices, bars("A")) == {
        part: digest for part, digest in store.noted_digests(connection, schema.prices).items() if part.startswith("A/")
    }


def test_replacing_from_a_year_leaves_the_years_before(connection: sqlite3.Connection) -> None:
    store.replace(connection, schema.prices, bars("A"), owner="A")
    before = store.noted_digests(connection, schema.prices)
    new = bars("A", close=11.0)
    store.replace(connection, schema.prices, new[new["date"] >= "2023"], owner="A", since="2023")
    after = store.noted_digests(connection, schema.prices)
    assert [part for part in before if after[part] == before[part]] == ["A/2022"]
    store.replace(connection, schema.prices, new[:3], owner="A")
    assert list(store.noted_digests(connection, schema.prices)) == ["A/2022"]
    assert connection.execute("SELECT count(*) FROM prices").fetchone() == (3,)


def test_a_night_is_published_by_parts_and_equals_a_whole_copy(settings: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", sessions=290)
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    write_folder(folder, sessions=300)
    called = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            store, "backup", lambda *paths: called.append(paths)
        )  # not needed: neither to build nor to publish
        update(UpdateRequest(), settings=settings)
    assert called == []
    published = contents(settings.db)
    with (
        closing(sqlite3.connect(build_path(Path(settings.db)))) as build,
        closing(sqlite3.connect(settings.db)) as shown,
    ):
        for table in schema.MARKET.sorted_tables:
            query = f"SELECT * FROM {table.name} ORDER BY {', '.join(column.name for column in table.primary_key)}"
            assert build.execute(query).fetchall() == shown.execute(query).fetchall(), table.name
    update(UpdateRequest(full=True), settings=settings)
    assert contents(settings.db) == published


def test_what_left_the_build_leaves_the_store(settings: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder")
    for day in ("2020-02-03", "2021-02-03"):
        (folder / "actions").mkdir(exist_ok=True)
        (folder / "actions" / "AAA_dividends.csv").write_text(f"Date,Dividends\n{day},0.1\n")
        update(UpdateRequest(source="csv", path=folder), settings=settings)
        with connect(settings.db) as reader:
            assert reader.rows("SELECT date FROM corporate_actions") == [(day,)]


def test_a_store_that_shows_another_run_is_not_patched(settings: Any, tmp_path: Path) -> None:
    update(UpdateRequest(source="simulated"), settings=settings)
    db = Path(settings.db)
    before = db.read_bytes()
    assert not store.publish_changes(build_path(db), db, base_run="another")
    assert db.read_bytes() == before


def test_the_build_is_used_again_only_while_both_files_are_as_they_were_left(settings: Any) -> None:
    db = Path(settings.db)
    update(UpdateRequest(source="simulated"), settings=settings)
    assert publish.take_mirror(db)
    assert not publish.take_mirror(db)  # taken away: the build is about to change
    publish.mark_mirror(db)
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE prices SET volume = 1 WHERE ticker = 'SIM001'")
    assert not publish.take_mirror(db)


def test_a_price_changed_by_another_hand_is_mended_by_the_next_update(settings: Any) -> None:
    update(UpdateRequest(source="simulated"), settings=settings)
    right = contents(settings.db)
    with closing(sqlite3.connect(settings.db)) as connection, connection:
        connection.execute("UPDATE prices SET adj_close = adj_close * 2 WHERE ticker = 'SIM001' AND date LIKE '2023%'")
        connection.execute("UPDATE technical_signals SET rsi_14 = 50 WHERE ticker = 'SIM002'")
    update(UpdateRequest(), settings=settings)
    assert contents(settings.db) == right


def test_old_runs_are_forgotten(settings: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    kept = replace(settings, keep_runs=2)
    made = [update(UpdateRequest(source="simulated"), settings=kept).run_id for _ in range(4)]
    with connect(settings.db) as reader:
        for table in ("runs", "step_runs", "fetch_log", "table_checksums"):
            assert {row[0] for row in reader.rows(f"SELECT DISTINCT run_id FROM {table}")} == set(made[2:]), table
        assert runs.published_run(reader)["run_id"] == made[-1]
