"""Databases of every earlier version come to the present one: with their rows, whole or not at all."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scratch import settings_in
from sqlalchemy import MetaData
from test_runner import write_folder

from pipeline import schema, store
from pipeline.errors import StoreError
from pipeline.ledger import hypothesis_of
from pipeline.queries import connect, results, trials
from pipeline.queries import prices as price_queries
from pipeline.runner import UpdateRequest, update
from pipeline.workspace import reading, save_checks, save_result

SCHEMAS = Path(__file__).parent / "schemas"  # the tables of each version, as it created them
USER_VERSION = {"market_1": 298158358, "workspace_1": 1438413354}  # the first release wrote a fingerprint
DATABASES = {"market": schema.MARKET, "workspace": schema.WORKSPACE}
OLDER = [path.stem for path in sorted(SCHEMAS.glob("*.sql"))]


def make(name: str, path: Path) -> sqlite3.Connection:
    """Create an empty database of an earlier version."""
    metadata = DATABASES[name.split("_")[0]]
    connection = sqlite3.connect(path)
    connection.executescript((SCHEMAS / f"{name}.sql").read_text())
    connection.execute(f"PRAGMA application_id={schema.APPLICATION_IDS[metadata]}")
    connection.execute(f"PRAGMA user_version={USER_VERSION.get(name, name.split('_')[1])}")
    connection.commit()
    return connection


def shape(connection: sqlite3.Connection, metadata: MetaData) -> dict[str, Any]:
    """Columns, keys and checks of every table: what a statement says without its spacing."""
    found = {}
    for table in metadata.sorted_tables:
        columns = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
        sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table.name,)).fetchone()[0]
        checks = sorted(re.findall(r"CHECK \((?:[^()]|\([^()]*\))*\)", sql))
        found[table.name] = [column[1:] for column in columns], checks, "STRICT" in sql, "WITHOUT ROWID" in sql
    return found


@pytest.mark.parametrize("name", OLDER)
def test_an_older_database_gets_the_tables_of_today(name: str, tmp_path: Path) -> None:
    metadata = DATABASES[name.split("_")[0]]
    make(name, tmp_path / "old.db").close()
    with (
        closing(store.open_writer(tmp_path / "old.db", metadata)) as old,
        closing(store.open_writer(tmp_path / "new.db", metadata)) as new,
    ):
        assert shape(old, metadata) == shape(new, metadata)
        assert schema.version_of(old.execute("PRAGMA user_version").fetchone()[0]) == schema.VERSIONS[metadata]
        assert old.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_there_is_a_database_of_every_earlier_version() -> None:
    for kind, metadata in DATABASES.items():
        wanted = {f"{kind}_{number}" for number in range(1, max(schema.VERSIONS[metadata], 2))}
        assert wanted <= set(OLDER), f"save the tables of {kind} as they were before the new version"


def test_a_changed_table_needs_a_new_number() -> None:
    """The first release's tables and the statements since must add up to what is declared: else this is red."""
    for kind, metadata in DATABASES.items():
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript((SCHEMAS / f"{kind}_1.sql").read_text())
            for statement in schema.migrations(metadata, 1):
                connection.execute(statement)
            there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in metadata.sorted_tables:
                if table.info["derived"] or table.name not in there:
                    continue
                columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")]
                assert columns == [column.name for column in table.columns], f"{table.name} changed without a migration"


def test_a_store_of_the_first_release_keeps_its_prices_and_goes_on(settings: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder")
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    old = settings_in(tmp_path / "old")
    Path(old.db).parent.mkdir(exist_ok=True)
    with closing(make("market_1", Path(old.db))) as connection, connection:
        connection.execute("ATTACH ? AS fresh", (str(settings.db),))
        for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({name})"))
            connection.execute(f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM fresh.{name}")
    with pytest.raises(StoreError, match="made by another version"), connect(old.db):
        pass
    night = update(UpdateRequest(), settings=old)
    assert night.source == "csv"
    assert night.steps[0].outcome.rows == 0  # its prices are those of the folder
    with connect(old.db) as reader, connect(settings.db) as fresh:
        assert price_queries.last_dates(reader) == price_queries.last_dates(fresh)
        assert len(reader.rows("SELECT run_id FROM runs")) == 2
    assert store.faults(Path(old.db)) == []


def test_a_workspace_of_the_first_release_is_read(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    with closing(make("workspace_1", path)) as connection, connection:
        connection.execute("INSERT INTO backtesting_questions VALUES ('q', 'r', 'd')")
    with reading(path) as reader:
        assert reader.rows("SELECT question_id FROM backtesting_questions") == [("q",)]


# One row of each table as version 2 had it.
ROWS: dict[str, tuple[Any, ...]] = {
    "backtesting_results": (
        "r", "2024-01-02T00:00:00Z", "technical_vote", "{}", '["A"]', "2020-01-01", "2020-01-02", "d", "c", 0.5, 1.0, -0.1,
        "{}", "{}",
    ),
    "backtesting_questions": ("q", "r", "d"),
    "backtesting_equity": ("r", "2020-01-02", 101.0, 100.0, -0.1, 0.5, 0.4),
    "backtesting_trades": (
        "r", 1, "A", "long", "2020-01-01", 10.0, "2020-01-02", 11.0, 5.0, 0.1, 0.2, 0.0, 4.7, 0.09, "signal",
    ),
    "jobs": ("j", "backtest", "done", 1.0, "", "o", "t", "t", "t", "r"),
    "portfolios": ("p", "t", "t", "stocks", "", "{}", "d", "2020-01-02"),
    "portfolio_weights": ("p", "A", 1.0),
}  # fmt: skip


@pytest.fixture
def version_2(tmp_path: Path) -> Path:
    """A workspace of version 2 with a row in every table."""
    path = tmp_path / "workspace.db"
    with closing(make("workspace_2", path)) as connection, connection:
        for name, row in ROWS.items():
            connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    return path


def test_a_workspace_of_version_2_keeps_every_row(version_2: Path) -> None:
    with reading(version_2) as reader:
        for name, row in ROWS.items():
            new = 3 if name in ("backtesting_equity", "backtesting_trades") else 0  # columns, unknown of old rows
            assert reader.rows(f"SELECT * FROM {name}") == [(*row, *(None,) * new)], name
        assert results.trades(reader, "r")["spread"].isna().all()
        assert results.equity(reader, "r")["equity"].tolist() == [101.0]
        assert not results.is_checked(reader, "r")
        assert len(results.tickers(reader, "r")) == 0
    assert store.faults(version_2) == []


def test_results_older_than_the_ledger_are_counted(version_2: Path) -> None:
    with closing(sqlite3.connect(version_2)) as connection, connection:
        connection.execute(
            "UPDATE backtesting_results SET tickers = ?, metrics = ?",
            ('["B","A"]', '{"kurtosis":1.5,"sharpe_ratio":1.0,"skewness":-0.5}'),
        )
    with reading(version_2) as reader:
        counted = trials.trials(reader, hypothesis_of("technical_vote", ["A", "B"])).drop(columns="created_at")
        assert counted.to_dict("records") == [
            {"id": "r", "result_id": "r", "sharpe_ratio": 1.0, "n_obs": 1.0, "skewness": -0.5, "kurtosis": 1.5}
        ]


def test_a_workspace_of_version_2_takes_the_results_of_today(version_2: Path) -> None:
    row = dict(zip(results.RESULT_COLUMNS, ("s", *ROWS["backtesting_results"][1:]), strict=True))
    account = {"date": ["2020-01-03"], "equity": [100.0], "cash": [40.0], "turnover": [0.1], "risk_free": [0.0001]}
    told = {"spread": [0.1], "impact": [0.2], "entry_reason": ["why"]}
    trade = {"trade_id": [1], "ticker": ["A"], "direction": ["short"], "entry_date": ["2020-01-03"]} | told
    save_result(version_2, row, equity=pd.DataFrame(account), trades=pd.DataFrame(trade))
    alone = pd.DataFrame({"ticker": ["A"], "total_return": [0.5]})
    save_checks(version_2, "s", audit='{"verdict":"green"}', tickers=alone)
    with reading(version_2) as reader:
        assert results.equity(reader, "s")[list(account)].to_dict("list") == account
        assert results.trades(reader, "s")[list(told)].to_dict("list") == told
        assert results.tickers(reader, "s")["total_return"].tolist() == [0.5]
        assert results.is_checked(reader, "s")
        assert not results.is_checked(reader, "r")


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("market_1", tmp_path / "old.db").close()
    before = (tmp_path / "old.db").read_bytes()
    statements = ["ALTER TABLE fetch_log ADD COLUMN attempts INTEGER", "ALTER TABLE nowhere ADD COLUMN x INTEGER"]
    monkeypatch.setattr(schema, "migrations", lambda *_: statements)
    with pytest.raises(StoreError, match="cannot be used"):
        store.open_writer(tmp_path / "old.db", schema.MARKET)
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == USER_VERSION["market_1"]
        assert (
            "attempts" not in connection.execute("SELECT sql FROM sqlite_master WHERE name = 'fetch_log'").fetchone()[0]
        )
    assert len((tmp_path / "old.db").read_bytes()) == len(before)


@pytest.mark.parametrize(("metadata", "name"), [(schema.MARKET, "data.db"), (schema.WORKSPACE, "workspace.db")])
def test_a_newer_database_is_left_alone(metadata: MetaData, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    store.open_writer(path, metadata).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match=r"version 99.*newer program"):
        store.open_writer(path, metadata)
    if metadata is schema.MARKET:
        with pytest.raises(StoreError, match="newer version"):
            update(UpdateRequest(source="simulated", full=True), settings=settings_in(tmp_path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 99


def test_a_derived_table_of_another_shape_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    with closing(store.open_writer(path, schema.MARKET)) as connection:
        connection.execute("INSERT INTO partition_checksums VALUES ('quality_flags', 'A/2024', 1, 'x')")
        connection.execute("INSERT INTO partition_checksums VALUES ('prices', 'A/2024', 1, 'y')")
        connection.execute("ALTER TABLE quality_flags ADD COLUMN surplus TEXT")
    with closing(store.open_writer(path, schema.MARKET)) as connection:
        assert "surplus" not in [row[1] for row in connection.execute("PRAGMA table_info(quality_flags)")]
        assert connection.execute("SELECT table_name FROM partition_checksums").fetchall() == [("prices",)]
