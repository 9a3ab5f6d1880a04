"""Updates as build.db and the update lock tell of them, without running one."""

import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline import schema, store
from pipeline.publish import build_path


def note_update(
    db: Path, status: str, *, step: str = "prices", message: str = "", run_id: str = "planted", hours_ago: float = 0.0
) -> None:
    """Write one update beside `db`, as it stands in build.db while it is in that state."""
    started = store.utc_text(datetime.now(UTC) - timedelta(hours=hours_ago))
    with closing(store.open_writer(build_path(db), schema.MARKET)) as connection:
        for table in (schema.step_runs, schema.runs):
            store.delete(connection, table)
        store.insert(connection, schema.runs, {
            "run_id": [run_id], "source": ["simulated"], "status": [status], "code_version": ["x"],
            "started_at": [started], "parameters": ["{}"], "message": [message],
        })  # fmt: skip
        store.insert(connection, schema.step_runs, {
            "run_id": [run_id], "step": [step], "status": [status], "started_at": [started], "message": [message],
        })  # fmt: skip


@contextmanager
def lock_held(db: Path, words: str = "process 4711, since 2024-01-02 03:04:05") -> Iterator[None]:
    """Hold the update lock of `db`, as an update of another process does."""
    with open(db.with_name(db.name + ".lock"), "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        handle.write(words)
        handle.flush()
        yield


def publish_time(db: Path, *, hours_ago: float) -> None:
    """Let the published run be as old as that."""
    moment = store.utc_text(datetime.now(UTC) - timedelta(hours=hours_ago))
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        run_id = connection.execute("SELECT run_id FROM published").fetchone()[0]
        store.update(connection, schema.published, {"run_id": run_id}, published_at=moment)
        store.update(connection, schema.runs, {"run_id": run_id}, started_at=moment)
