"""Backups of both databases, what restore brings back, and what the check of a published store finds."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scratch import settings_in

from pipeline import maintenance, schema, store, workspace
from pipeline.__main__ import main
from pipeline.errors import LockedError, StoreError
from pipeline.queries import connect, results, runs
from pipeline.runner import UpdateRequest, update


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "workspace.db"
    workspace.create_job(made, job_id="one", kind="backtest", owner="me", seconds=10)
    return made


def jobs(path: Path) -> list[str]:
    with workspace.reading(path) as reader:
        return [name for name in ("one", "two") if results.job(reader, name)]


def test_a_backup_comes_back(path: Path) -> None:
    kept = maintenance.backup(maintenance.workspace(path))
    workspace.create_job(path, job_id="two", kind="backtest", owner="me", seconds=10)
    assert jobs(path) == ["one", "two"]
    assert maintenance.restore(maintenance.workspace(path)) == kept
    assert jobs(path) == ["one"]


def test_what_is_overwritten_is_itself_kept(path: Path) -> None:
    mine = maintenance.workspace(path)
    kept = maintenance.backup(mine)
    workspace.create_job(path, job_id="two", kind="backtest", owner="me", seconds=10)
    maintenance.restore(mine, kept)
    maintenance.restore(mine, mine.backups[-1])
    assert jobs(path) == ["one", "two"]


def test_t17_seven_backups_are_kept_and_the_oldest_can_be_restored(path: Path) -> None:
    mine = maintenance.workspace(path)
    made = [maintenance.backup(mine) for _ in range(maintenance.KEEP + 2)]
    assert mine.backups == made[2:]
    assert maintenance.restore(mine, made[2]) == made[2]
    assert made[2].exists()
    assert jobs(path) == ["one"]


def test_a_damaged_workspace_is_set_aside_and_restored(path: Path) -> None:
    mine = maintenance.workspace(path)
    maintenance.backup(mine)
    path.write_bytes(b"not a database any more" * 400)
    with pytest.raises(StoreError, match="nothing was backed up"):
        maintenance.backup(mine)
    maintenance.restore(mine)
    assert jobs(path) == ["one"]
    assert next(path.parent.glob("workspace.db.damaged-*")).read_bytes().startswith(b"not a database")


def test_a_damaged_backup_is_passed_over(path: Path) -> None:
    mine = maintenance.workspace(path)
    good, bad = maintenance.backup(mine), maintenance.backup(mine)
    bad.write_bytes(bad.read_bytes()[:5000])
    assert maintenance.restore(mine) == good
    with pytest.raises(StoreError, match="nothing was changed"):
        maintenance.restore(mine, bad)


def test_t17_a_damaged_copy_is_no_backup(path: Path) -> None:
    """A page that nobody reads is copied as it is: the copy is read whole before it counts."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE filler (x)")
        connection.execute(
            "INSERT INTO filler SELECT zeroblob(2000) FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8))"
        )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    zero_a_page(path)
    with pytest.raises(StoreError, match=r"is damaged.*nothing was backed up"):
        maintenance.backup(maintenance.workspace(path))
    assert not list((path.parent / "backups").glob("*.db"))


def test_each_database_takes_its_own_backups_only(path: Path, tmp_path: Path) -> None:
    market = tmp_path / "data.db"
    store.open_writer(market, schema.MARKET).close()
    with pytest.raises(StoreError, match="is not a workspace"):
        maintenance.backup(maintenance.workspace(market))
    for wrong in (market, tmp_path / "missing.db"):
        with pytest.raises(StoreError, match="nothing was changed"):
            maintenance.restore(maintenance.workspace(path), wrong)
    assert not (tmp_path / "missing.db").exists()
    assert jobs(path) == ["one"]


def test_a_backup_of_a_missing_file_makes_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="unable to open"):
        store.backup(tmp_path / "missing.db", tmp_path / "copy.db")
    assert not (tmp_path / "missing.db").exists()


def test_the_owner_of_a_file_is_told_by_its_mark(tmp_path: Path, path: Path) -> None:
    market = tmp_path / "data.db"
    with closing(store.open_writer(market, schema.MARKET)):
        assert store.is_ours(market, schema.MARKET)
    assert not store.is_ours(market, schema.WORKSPACE)
    assert not store.is_ours(path, schema.MARKET)
    store.check_replaceable(market, schema.MARKET)
    store.check_replaceable(tmp_path / "new.db", schema.MARKET)
    for foreign in (path, tmp_path):
        with pytest.raises(StoreError, match=r"nothing was changed|is a folder"):
            store.check_replaceable(foreign, schema.MARKET)


# ---- the market store, through the command line ----------------------------------------------------------------


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    size = {"simulated_tickers": 2, "simulated_years": 2}
    for name, value in size.items():
        monkeypatch.setenv(f"PLUMBLINE_{name.upper()}", str(value))  # the next update is of the same market
    made = settings_in(tmp_path, **size)
    update(UpdateRequest(source="simulated"), settings=made)
    return made


def command(settings: Any, *words: str) -> int:
    return main(
        [*words, "--db", str(settings.db), *(() if words[0] == "check" else ("--workspace", str(settings.workspace)))]
    )


def zero_a_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-4096 * 3 : -4096 * 2] = bytes(4096)
    path.write_bytes(content)


DAMAGES = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "zeroed page": zero_a_page,
    "truncated half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "512 bytes of noise": lambda path: path.write_bytes(path.read_bytes()[:20_000] + b"\xa5" * 512 + path.read_bytes()[20_512:]),
    "garbage header": lambda path: path.write_bytes(b"garbage!" * 16 + path.read_bytes()[128:]),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_t15_a_damaged_store_is_named_and_restored(
    published: Any, damage: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(published, "backup") == 0
    with connect(published.db) as reader:
        shown = runs.published_run(reader)
    damage(Path(published.db))
    assert command(published, "check") == 1
    said = "".join(capsys.readouterr())
    assert "Traceback" not in said
    assert "make" in said
    assert command(published, "restore") == 0
    assert command(published, "check") == 0
    with connect(published.db) as reader:
        assert runs.published_run(reader) == shown
    assert command(published, "update") == 0


def test_t15_one_changed_value_is_found_although_the_file_is_sound(
    published: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(published.db)) as connection, connection:
        connection.execute(
            "UPDATE technical_signals SET rsi_14 = rsi_14 + 1e-9 WHERE ticker = 'SIM001' AND date LIKE '2024-06-1%'"
        )
    assert store.faults(Path(published.db)) == []
    assert command(published, "check") == 1
    assert "technical_signals SIM001/2024: not as it was published" in capsys.readouterr().out
    assert command(published, "update") == 0  # it was written by another hand, so all of it is computed anew
    assert command(published, "check") == 0


def test_t15_a_missing_table_is_named(published: Any, capsys: pytest.CaptureFixture[str]) -> None:
    command(published, "backup")
    with closing(sqlite3.connect(published.db)) as connection, connection:
        connection.execute("DROP TABLE rates")
    assert command(published, "check") == 1
    assert "lacks tables" in capsys.readouterr().err
    assert command(published, "restore") == 0
    assert command(published, "check") == 0


def test_restore_leaves_a_sound_workspace_alone_when_the_store_is_damaged(published: Any) -> None:
    workspace.create_job(published.workspace, job_id="one", kind="backtest", owner="me", seconds=10)
    command(published, "backup")
    workspace.create_job(published.workspace, job_id="two", kind="backtest", owner="me", seconds=10)
    Path(published.db).write_bytes(b"x" * 9000)
    assert command(published, "restore") == 0
    assert jobs(published.workspace) == ["one", "two"]


def test_nothing_is_restored_while_an_update_runs(published: Any) -> None:
    command(published, "backup")
    with store.exclusive(Path(published.db)), pytest.raises(LockedError):
        maintenance.restore(maintenance.market(Path(published.db)))


def test_vacuum_gives_space_back_and_the_next_update_goes_on_in_its_build(published: Any) -> None:
    with closing(sqlite3.connect(published.db)) as connection:
        before = json.dumps(connection.execute("SELECT * FROM prices").fetchall())
        connection.execute("CREATE TABLE filler (x)")
        connection.execute("INSERT INTO filler SELECT zeroblob(1000000) FROM (VALUES (1), (2), (3))")
        connection.execute("DROP TABLE filler")
        connection.commit()
    assert store.free_share(Path(published.db)) > 0.3
    assert maintenance.vacuum(maintenance.market(Path(published.db)), only_if_it_pays=True) > 2_000_000
    assert maintenance.vacuum(maintenance.market(Path(published.db)), only_if_it_pays=True) == 0
    with closing(sqlite3.connect(published.db)) as connection:
        assert json.dumps(connection.execute("SELECT * FROM prices").fetchall()) == before
    assert command(published, "update") == 0


def test_a_backup_from_before_an_upgrade_is_restored_and_completed_by_the_next_update(published: Any) -> None:
    """An upgrade may change what an update computes: such a backup still holds all that cannot be computed."""
    with closing(sqlite3.connect(published.db)) as connection:
        connection.execute("DROP TABLE technical_signals")
    command(published, "backup")
    Path(published.db).write_bytes(b"garbage")
    assert command(published, "restore") == 0
    assert command(published, "update") == 0
    with connect(published.db) as reader:
        assert reader.one("SELECT count(*) FROM technical_signals") == reader.one("SELECT count(*) FROM prices")
    with closing(sqlite3.connect(published.db)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DROP TABLE prices")
    assert not maintenance.market(Path(published.db)).is_usable(Path(published.db))


def test_an_update_is_complete_although_its_space_could_not_be_given_back(
    published: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_arguments: Any, **_named: Any) -> int:
        raise StoreError("no room")

    monkeypatch.setattr("pipeline.runner.vacuum_unlocked", full)
    assert update(UpdateRequest(), settings=published).partial is False
    assert "not given back: no room" in caplog.text
