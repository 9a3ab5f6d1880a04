from contextlib import closing
from pathlib import Path

import pytest

from pipeline import maintenance, schema, store, workspace
from pipeline.errors import StoreError
from pipeline.queries import results


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "workspace.db"
    workspace.create_job(made, job_id="one", kind="backtest", owner="me", seconds=10)
    return made


def jobs(path: Path) -> list[str]:
    with workspace.reading(path) as reader:
        return [name for name in ("one", "two") if results.job(reader, name)]


def test_a_backup_comes_back(path: Path) -> None:
    kept = maintenance.backup_workspace(path)
    workspace.create_job(path, job_id="two", kind="backtest", owner="me", seconds=10)
    assert jobs(path) == ["one", "two"]
    assert maintenance.restore_workspace(path, None) == kept
    assert jobs(path) == ["one"]


def test_what_is_overwritten_is_itself_kept(path: Path) -> None:
    kept = maintenance.backup_workspace(path)
    workspace.create_job(path, job_id="two", kind="backtest", owner="me", seconds=10)
    maintenance.restore_workspace(path, kept)
    newest = sorted((path.parent / "backups").glob("*.db"))[-1]
    maintenance.restore_workspace(path, newest)
    assert jobs(path) == ["one", "two"]


def test_seven_backups_are_kept_and_the_oldest_can_be_restored(path: Path) -> None:
    made = [maintenance.backup_workspace(path) for _ in range(maintenance.KEEP + 2)]
    assert sorted((path.parent / "backups").glob("*.db")) == made[2:]
    assert maintenance.restore_workspace(path, made[2]) == made[2]
    assert made[2].exists()
    assert jobs(path) == ["one"]


def test_a_damaged_workspace_is_set_aside_and_restored(path: Path) -> None:
    maintenance.backup_workspace(path)
    path.write_bytes(b"not a database any more" * 400)
    with pytest.raises(StoreError, match="nothing was backed up"):
        maintenance.backup_workspace(path)
    maintenance.restore_workspace(path, None)
    assert jobs(path) == ["one"]
    assert next(path.parent.glob("workspace.db.damaged-*")).read_bytes().startswith(b"not a database")


def test_only_a_workspace_is_backed_up_or_restored(path: Path, tmp_path: Path) -> None:
    market = tmp_path / "data.db"
    store.open_writer(market, schema.MARKET).close()
    with pytest.raises(StoreError, match="not a workspace"):
        maintenance.backup_workspace(market)
    with pytest.raises(StoreError, match="nothing was changed"):
        maintenance.restore_workspace(path, market)
    with pytest.raises(StoreError, match="nothing was changed"):
        maintenance.restore_workspace(path, tmp_path / "missing.db")
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
