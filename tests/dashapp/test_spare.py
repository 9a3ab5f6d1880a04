"""A process that is ready before it is asked: taken once, replaced, and never in the way of a job."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import multiprocess
import pytest
from analyst import PATIENCE

from dashapp import spare as spares
from dashapp.spare import Spare
from pipeline import backtests

CONTEXT = multiprocess.get_context("forkserver")


@pytest.fixture
def spare(simulated: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spare]:
    monkeypatch.setattr(spares, "PAUSE_SECONDS", 3_600.0)  # none follows, where a test does not ask for it
    made = Spare(CONTEXT, simulated.db)
    yield made
    if made.waiting is not None:
        made.waiting[0].kill()


def ready(spare: Spare) -> int:
    """The number of the process that waits, once it is ready."""
    spare.prepare()
    assert spare.waiting is not None
    assert spare.waiting[1].poll(PATIENCE)
    return int(spare.waiting[0].pid)


def done(process: Any, path: Path) -> str:
    process.join(PATIENCE)
    return path.read_text()


def test_who_waits_does_the_job_and_another_takes_its_place(
    spare: Spare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares, "PAUSE_SECONDS", 0.01)
    waiting, path = ready(spare), tmp_path / "done"
    process = spare.take(Path.write_text, (path, "by the spare"))
    assert (process.pid, done(process, path)) == (waiting, "by the spare")
    end = time.monotonic() + PATIENCE
    while spare.waiting is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert ready(spare) != waiting


def test_two_jobs_at_once_get_a_process_each(spare: Spare, tmp_path: Path) -> None:
    ready(spare)
    paths = [tmp_path / "one", tmp_path / "two"]
    processes = [spare.take(Path.write_text, (path, path.name)) for path in paths]
    assert len({process.pid for process in processes}) == 2
    assert [done(process, path) for process, path in zip(processes, paths, strict=True)] == ["one", "two"]


def test_one_that_was_killed_takes_no_job_with_it(spare: Spare, tmp_path: Path) -> None:
    waiting, path = ready(spare), tmp_path / "done"
    os.kill(waiting, signal.SIGKILL)
    assert spare.waiting is not None
    spare.waiting[0].join(PATIENCE)
    process = spare.take(Path.write_text, (path, "by another"))
    assert process.pid != waiting
    assert done(process, path) == "by another"


def test_a_job_does_not_wait_for_one_that_is_not_ready(spare: Spare, tmp_path: Path) -> None:
    ours, theirs = CONTEXT.Pipe()
    ready(spare)
    assert spare.waiting is not None
    real, spare.waiting = spare.waiting, (spare.waiting[0], ours)
    process = spare.take(Path.write_text, (tmp_path / "done", "by another"))
    assert process.pid != real[0].pid
    assert done(process, tmp_path / "done") == "by another"
    assert spare.waiting == (real[0], ours)  # the next job may find it ready
    theirs.close()


def test_ctrl_c_is_not_for_it(spare: Spare, tmp_path: Path) -> None:
    waiting, path = ready(spare), tmp_path / "done"
    os.kill(waiting, signal.SIGINT)
    process = spare.take(Path.write_text, (path, "by the spare"))
    assert (process.pid, done(process, path)) == (waiting, "by the spare")


def test_it_ends_once_nobody_can_ask_it(spare: Spare) -> None:
    ready(spare)
    assert spare.waiting is not None
    process, way = spare.waiting
    way.close()
    process.join(PATIENCE)
    assert process.exitcode == 0


def test_a_store_that_is_not_there_keeps_it_from_nothing(tmp_path: Path) -> None:
    spare, path = Spare(CONTEXT, tmp_path / "none.db"), tmp_path / "done"
    waiting = ready(spare)
    process = spare.take(Path.write_text, (path, "all the same"))
    assert (process.pid, done(process, path)) == (waiting, "all the same")
    assert not (tmp_path / "none.db").exists()


def test_practice_answers_a_question_and_leaves_nothing(
    simulated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stored, real = [], backtests._store
    monkeypatch.setattr(backtests, "_store", lambda *given: (stored.append(given[1]), real(*given)))
    before = Path(simulated.db).read_bytes()
    backtests.rehearse(db=simulated.db)
    assert [result.metrics["n_trades"] > 0 for result in stored] == [True]
    assert list(tmp_path.iterdir()) == []
    assert Path(simulated.db).read_bytes() == before
