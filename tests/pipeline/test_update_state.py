"""What build.db and the update lock tell of the newest update."""

import fcntl
from pathlib import Path
from typing import Any

import pytest

from pipeline import schema, store
from pipeline.publish import build_path
from pipeline.queries import connect, runs

PUBLISHED = {"run_id": "shown", "published_at": "2024-01-02T00:00:00.000Z"}
BEFORE, AFTER = "2024-01-01T00:00:00.000Z", "2024-01-03T00:00:00.000Z"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


def note(
    db: Path, status: str, *, run_id: str = "new", started_at: str = AFTER, steps: tuple[str, ...] = ("prices",)
) -> None:
    connection = store.open_writer(build_path(db), schema.MARKET)
    store.insert(connection, schema.runs, {
        "run_id": [run_id], "source": ["sample"], "status": [status], "code_version": ["x"], "started_at": [started_at],
        "parameters": ["{}"], "message": ["why"],
    })  # fmt: skip
    for number, step in enumerate(steps):
        store.insert(connection, schema.step_runs, {
            "run_id": [run_id], "step": [step], "status": [status], "started_at": [f"{started_at[:-1]}{number}Z"],
        })  # fmt: skip
    connection.close()


def state(db: Path, published: Any = PUBLISHED) -> dict[str, Any]:
    return runs.update_state(db, published=published)


def test_without_a_build_there_is_no_update(db: Path) -> None:
    assert state(db) == state(db, None) == runs.NO_UPDATE


@pytest.mark.parametrize("status", ["complete", "partial", "running", "failed"])
def test_the_run_that_is_shown_is_no_news(db: Path, status: str) -> None:
    note(db, status, run_id="shown")
    assert state(db) == runs.NO_UPDATE


def test_a_run_before_the_one_shown_is_no_news(db: Path) -> None:
    note(db, "failed", started_at=BEFORE)
    assert state(db) == runs.NO_UPDATE
    assert state(db, None)["state"] == "failed"


def test_a_failed_run_is_told_with_its_last_step_and_reason(db: Path) -> None:
    note(db, "failed", steps=("prices", "factor_models"))
    found = state(db)
    assert (found["state"], found["step"], found["message"], found["started_at"]) == (
        "failed",
        "factor_models",
        "why",
        AFTER,
    )


def test_a_run_that_failed_before_its_first_step_failed_at_the_start(db: Path) -> None:
    note(db, "failed", steps=())
    assert state(db)["step"] == "start"


@pytest.mark.parametrize(("status", "step"), [("running", "prices"), ("complete", "publish"), ("partial", "publish")])
def test_a_run_is_running_while_its_lock_is_held_and_was_stopped_when_it_is_not(
    db: Path, status: str, step: str
) -> None:
    note(db, status)
    assert (state(db)["state"], state(db)["step"]) == ("stopped", step)
    with store.exclusive(db):
        found = state(db)
    assert (found["state"], found["step"]) == ("running", step)
    assert found["holder"]
    assert state(db)["state"] == "stopped"


def test_a_build_that_cannot_be_read_is_being_prepared_while_the_lock_is_held(db: Path) -> None:
    build_path(db).write_bytes(b"garbage" * 100)
    assert state(db) == runs.NO_UPDATE
    with store.exclusive(db):
        assert (state(db)["state"], state(db)["step"]) == ("running", "start")


def test_the_lock_is_not_touched_where_the_build_answers(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask is to hold it for an instant: an update that begins just then would be refused."""
    note(db, "failed")
    monkeypatch.setattr(fcntl, "flock", lambda *_: pytest.fail("the lock was taken"))
    assert state(db)["state"] == "failed"


def test_the_history_is_told_newest_first_with_reasons(simulated: Any) -> None:
    with connect(simulated.db) as reader:
        found = runs.history(reader)
        run_id = reader.one("SELECT run_id FROM published")
    assert run_id
    assert found.loc[0, "run_id"] == run_id[0]
    assert found.loc[0, "rows"] > 0
    assert found.loc[0, "message"] == ""


def test_the_history_holds_failed_runs_with_the_reason_of_their_step(db: Path) -> None:
    note(db, "complete", run_id="older", started_at=BEFORE)
    note(db, "failed", steps=("prices", "checks"))
    with connect(build_path(db)) as reader:
        found = runs.history(reader, limit=5)
        assert len(runs.history(reader, limit=1)) == 1
    assert list(found["run_id"]) == ["new", "older"]
    assert list(found["status"]) == ["failed", "complete"]
    assert list(found["steps"]) == [2, 1]
    assert found.loc[0, "message"] == "why"
