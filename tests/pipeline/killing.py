"""An update in a process of its own, killed at a chosen moment; what must be true of the store after that."""

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline import store
from pipeline.errors import PlumblineError
from pipeline.runner import UpdateRequest, update

FORK = multiprocessing.get_context("fork")  # everything is imported already, and an update takes a moment


def die() -> None:
    """End this process as a power switch would: nothing is closed, nothing is rolled back."""
    os.kill(os.getpid(), signal.SIGKILL)


def start(work: Callable[[], Any]) -> Any:
    """Run `work` in a child; its exit code is 0, 1 after an error of ours, 2 after any other, −9 where it was killed."""

    def run() -> None:
        try:
            work()
        except PlumblineError as error:
            os.write(2, f"{error}\n".encode())
            os._exit(1)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(2)
        os._exit(0)

    process = FORK.Process(target=run)
    process.start()
    return process


def exit_code(work: Callable[[], Any]) -> int:
    process = start(work)
    process.join()
    return int(process.exitcode)


def update_dying_in(step: str, calls: int, settings: Any) -> int:
    """Run an update that is killed at the `calls`-th report of a step (by its label)."""
    left = [calls]

    def progress(label: str, _fraction: float, _message: str) -> None:
        left[0] -= label == step
        if left[0] == 0:
            die()

    return exit_code(lambda: update(UpdateRequest(), settings=settings, progress=progress))


def check_whole(db: Path) -> None:
    """INV: the file is sound, its references hold, and every row is as its run published it."""
    with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        (run_id,) = connection.execute("SELECT run_id FROM published").fetchone()
        assert connection.execute("SELECT status FROM runs WHERE run_id = ?", (run_id,)).fetchone()[0] == "complete"
        for table in store.CONTENT:
            stored = {part: (rows, word) for part, rows, word in store.stored_digests(connection, table)}
            assert store.noted_digests(connection, table) == stored, table.name
            published = connection.execute(
                "SELECT rows, checksum FROM table_checksums WHERE run_id = ? AND table_name = ?", (run_id, table.name)
            ).fetchone()
            assert store.table_checksum(connection, table) == published, table.name
