"""What stops an update, and what must be true after that: the bar T11 to T14 and T18 to T20."""

import logging
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from killing import check_whole, die, exit_code, start, update_dying_in
from scratch import settings_in
from test_runner import contents, run_of, write_folder

from config import ROOT
from pipeline import runner, steps, store
from pipeline.errors import StoreError
from pipeline.publish import build_path
from pipeline.queries import connect
from pipeline.runner import UpdateRequest, update


@pytest.fixture
def night(settings: Any, tmp_path: Path) -> Any:
    """A store of yesterday, and a source that has news."""
    folder = write_folder(tmp_path / "folder", sessions=290)
    update(UpdateRequest(source="csv", path=folder), settings=settings)
    write_folder(folder, sessions=300)
    return settings


@pytest.fixture
def wanted(night: Any, tmp_path: Path) -> dict[str, tuple[int, str]]:
    """What a never-killed run makes of the same nights."""
    twin = settings_in(tmp_path / "twin")
    write_folder(tmp_path / "folder", sessions=290)
    update(UpdateRequest(source="csv", path=tmp_path / "folder"), settings=twin)
    write_folder(tmp_path / "folder", sessions=300)
    update(UpdateRequest(), settings=twin)
    return contents(twin.db)


@pytest.mark.parametrize("calls", [1, 2])
@pytest.mark.parametrize("label", [step.label for step in steps.STEPS.values()])
def test_t11_killed_in_a_step(night: Any, wanted: Any, label: str, calls: int) -> None:
    before = Path(night.db).read_bytes()
    assert update_dying_in(label, calls, night) in (-9, 0)  # 0: the step reports less often
    if calls == 1:
        assert Path(night.db).read_bytes() == before
    check_whole(Path(night.db))
    update(UpdateRequest(), settings=night)
    check_whole(Path(night.db))
    assert contents(night.db) == wanted


@pytest.mark.parametrize(("function", "calls"), [
    ("pipeline.store._delta._copy_part", 1), ("pipeline.store._delta._copy_part", 3), ("pipeline.store._delta._copy_runs", 2),
    ("pipeline.store._delta.checkpoint", 1), ("pipeline.runner.mark_mirror", 1), ("pipeline.store.backup", 1),
])  # fmt: skip
def test_t11_killed_while_publishing(
    night: Any, wanted: Any, function: str, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [calls]
    with monkeypatch.context() as patch:

        def dying(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                die()
            return real(*arguments, **named)

        module, name = function.rsplit(".", 1)
        real = getattr(sys.modules[module], name)
        patch.setattr(function, dying)
        full = function.endswith("backup")
        assert exit_code(lambda: update(UpdateRequest(full=full), settings=night)) == -9
    check_whole(Path(night.db))
    update(UpdateRequest(), settings=night)
    check_whole(Path(night.db))
    assert contents(night.db) == wanted


def test_t11_a_killed_update_leaves_no_helper_and_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path, simulated_tickers=20, simulated_years=3)
    request = UpdateRequest(source="simulated")
    test, real = os.getpid(), steps.technical_signals._of_ticker

    def slow(reader: Any, ticker: str, year: str) -> Any:
        if os.getppid() != test and os.getpid() != test:  # a helper of the update, which would go on for seconds
            time.sleep(0.3)
        return real(reader, ticker, year)

    monkeypatch.setattr(steps.technical_signals, "_of_ticker", slow)

    def progress(label: str, fraction: float, _message: str) -> None:
        if label == "Technical signals" and fraction > 0:
            die()

    assert exit_code(lambda: update(request, settings=settings, progress=progress)) == -9
    time.sleep(0.7)
    monkeypatch.undo()
    assert update(request, settings=settings).run_id  # the lock went with its owner
    assert not list(tmp_path.glob("*.shard*"))


def test_processes_share_the_work_and_store_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for processes in (1, 3):
        settings = settings_in(
            tmp_path / str(processes), simulated_tickers=30, simulated_years=2, update_processes=processes
        )
        update(UpdateRequest(source="simulated"), settings=settings)
        update(UpdateRequest(), settings=replace(settings, simulated_seed=8))  # in place of what is stored
        made.append(contents(settings.db))
    assert made[0] == made[1]


def test_a_helper_that_fails_fails_the_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path, simulated_tickers=20, simulated_years=2)
    parent, real = os.getpid(), steps.technical_signals._of_ticker

    def fail(reader: Any, ticker: str, year: str) -> Any:
        if os.getpid() != parent:
            raise ValueError("planted")
        return real(reader, ticker, year)

    monkeypatch.setattr(steps.technical_signals, "_of_ticker", fail)
    with pytest.raises(StoreError, match="helper process of the update failed: ValueError: planted"):
        update(UpdateRequest(source="simulated"), settings=settings)
    assert not Path(settings.db).exists()
    assert not list(tmp_path.glob("*.shard*"))


def test_t12_readers_see_one_whole_run_and_no_error(night: Any) -> None:
    """Each response is a snapshot: the run it names, and the newest price of that run."""
    stop = Path(night.db).with_name("stop")
    newest = {run_of(night.db)["run_id"]: _newest(night.db)}

    def read() -> None:
        seen = set()
        while not stop.exists():
            with connect(Path(night.db)) as reader:
                run_id = reader.one("SELECT run_id FROM published")[0]
                reader.rows("SELECT * FROM technical_signals WHERE ticker = 'AAA' ORDER BY date DESC LIMIT 250")
                seen.add((run_id, *reader.one("SELECT max(date), sum(close) FROM prices")))
        stop.with_name(f"seen{os.getpid()}").write_text(repr(seen))

    readers = [start(read) for _ in range(4)]
    try:
        for sessions in (292, 294, 296):
            write_folder(Path(night.db).parent / "folder", sessions=sessions)
            update(UpdateRequest(full=sessions == 294), settings=night)
            newest[run_of(night.db)["run_id"]] = _newest(night.db)
    finally:
        stop.touch()
        for reader in readers:
            reader.join()
    assert [reader.exitcode for reader in readers] == [0] * 4
    seen = set().union(*(eval(path.read_text()) for path in stop.parent.glob("seen*")))
    assert {item[0] for item in seen} <= set(newest)
    assert all(item[1:] == newest[item[0]] for item in seen)


def _newest(db: Path) -> tuple[Any, ...]:
    with connect(db) as reader:
        return reader.one("SELECT max(date), sum(close) FROM prices")


def test_t13_the_second_update_says_who_holds_the_store_and_ends(night: Any) -> None:
    command = [sys.executable, "-m", "pipeline", "update", "--db", str(night.db)]
    with store.exclusive(Path(night.db)):
        begin = time.monotonic()
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begin
    assert second.returncode == 75
    assert f"process {os.getpid()}, since 20" in second.stderr
    assert seconds < 20  # it waits for nothing; the bar is one second on an idle machine
    with connect(night.db) as reader:
        assert len(reader.rows("SELECT * FROM runs")) == 1


@pytest.mark.parametrize("share", [0.3, 0.9, 1.02])
def test_t14_no_room(night: Any, wanted: Any, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that cannot grow any more, at several sizes: in the copy, in a step, while publishing."""
    before = run_of(night.db)
    size = Path(night.db).stat().st_size
    build_path(Path(night.db)).with_suffix(".mirror").unlink()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size * share),) * 2)
        update(UpdateRequest(full=True), settings=night)

    assert exit_code(limited) in (1, 2)
    said = capfd.readouterr().err
    assert "disk" in said
    assert "Error:" not in said.split("\n")[0]  # a sentence of ours, not the name of an exception
    assert run_of(night.db) == before
    check_whole(Path(night.db))
    update(UpdateRequest(), settings=night)
    assert contents(night.db) == wanted


def test_t14_too_little_room_is_said_before_anything_is_done(night: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Path(night.db).read_bytes()
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(StoreError, match=r"0 MB free and the update needs \d+ MB.*Make room"):
        update(UpdateRequest(), settings=night)
    assert Path(night.db).read_bytes() == before


def test_t18_a_stopped_update_is_kept_in_the_account_as_failed(night: Any) -> None:
    assert update_dying_in("Frontier", 1, night) == -9
    update(UpdateRequest(), settings=night)
    with connect(night.db) as reader:
        runs = reader.rows("SELECT status, message FROM runs ORDER BY started_at")
    assert [status for status, _ in runs] == ["complete", "failed", "complete"]
    assert runs[1][1] == "The update was stopped before its end."


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not write")
def test_t19_a_folder_that_cannot_be_written(night: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for folder in tmp_path.parents:
        if folder.stat().st_mode & 0o077 == 0:  # pytest's own
            folder.chmod(0o755)
    tmp_path.chmod(0o555)

    def as_nobody() -> None:
        os.setuid(65534)
        with connect(Path(night.db)) as reader:
            reader.rows("SELECT * FROM published")
        update(UpdateRequest(), settings=night)

    before = run_of(night.db)
    assert exit_code(as_nobody) == 1
    assert "cannot be written: Permission denied" in capfd.readouterr().err
    assert run_of(night.db) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not write")
def test_t19_a_store_without_its_index_file_is_read_in_a_folder_that_cannot_be_written(
    night: Any, tmp_path: Path
) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{night.db}{suffix}").unlink(missing_ok=True)  # as after a copy, or on a read-only medium
    for folder in tmp_path.parents:
        if folder.stat().st_mode & 0o077 == 0:  # pytest's own
            folder.chmod(0o755)
    tmp_path.chmod(0o555)

    def as_nobody() -> None:
        os.setuid(65534)
        with connect(Path(night.db)) as reader:
            assert reader.rows("SELECT * FROM published")

    assert exit_code(as_nobody) == 0


def test_t20_a_reader_that_never_ends_holds_up_no_update_and_is_named(
    night: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.store._files.CHECKPOINT_MILLISECONDS", 10)
    with connect(Path(night.db)) as reader:
        first = reader.one("SELECT run_id FROM published")
        with caplog.at_level(logging.WARNING):
            for _ in range(4):
                update(UpdateRequest(full=True), settings=night)
        assert reader.one("SELECT run_id FROM published") == first  # its own snapshot, all the time
        assert "a reader holds it open" in caplog.text
    update(UpdateRequest(full=True), settings=night)
    wal = Path(f"{night.db}-wal")
    assert not wal.exists() or wal.stat().st_size == 0


def test_an_unexpected_database_error_is_told_in_our_words(night: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_context: Any) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    broken = {key: steps.Step(step.key, step.label, step.reads, step.writes, fail) for key, step in steps.STEPS.items()}
    monkeypatch.setattr(runner, "ordered_steps", lambda: [broken["prices"]])
    with pytest.raises(StoreError, match=r"could not be written: disk I/O error.*still shown"):
        update(UpdateRequest(), settings=night)
    with closing(sqlite3.connect(build_path(Path(night.db)))) as build:
        assert build.execute("SELECT status FROM runs ORDER BY started_at DESC LIMIT 1").fetchone() == ("failed",)
