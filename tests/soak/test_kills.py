"""Two hundred kills at random moments: never a damaged or a partial store, and the rerun equals a never-killed run."""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from killing import check_whole, start
from scratch import settings_in
from test_runner import contents, write_folder

from pipeline.queries import connect
from pipeline.runner import UpdateRequest, update

KILLS, NIGHTS = 200, 10
SESSIONS = 800


def test_two_hundred_kills(tmp_path: Path) -> None:
    rng = random.Random(20260105)
    killed, twin = settings_in(tmp_path / "killed"), settings_in(tmp_path / "twin")
    folder = write_folder(tmp_path / "folder", sessions=SESSIONS)
    for settings in (killed, twin):
        update(UpdateRequest(source="csv", path=folder), settings=settings)
    begin = time.monotonic()
    update(UpdateRequest(full=True), settings=killed)
    seconds = time.monotonic() - begin
    where: Counter[str] = Counter()
    for night in range(1, NIGHTS + 1):
        write_folder(folder, sessions=SESSIONS + 3 * night)
        for number in range(KILLS // NIGHTS):
            process = start(lambda: update(UpdateRequest(full=number % 3 == 0), settings=killed))  # noqa: B023  at once
            time.sleep(rng.uniform(0.0, 1.1 * seconds))
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            where[_step(killed.db) if process.exitcode == -9 else "had ended"] += 1
            check_whole(Path(killed.db))
        for settings in (killed, twin):
            update(UpdateRequest(), settings=settings)
        check_whole(Path(killed.db))
        assert contents(killed.db) == contents(twin.db)
    print(f"{KILLS} kills, 0 damaged, 0 partial; killed in: {dict(where)}")
    assert sum(count for step, count in where.items() if step != "had ended") >= KILLS / 2


def _step(db: Path) -> str:
    """The step that was running when the update was killed."""
    build = Path(db).with_name("build.db")
    try:
        with connect(build) as reader:
            row = reader.one("SELECT step FROM step_runs WHERE status = 'running' LIMIT 1")
    except Exception:
        return "preparing"
    return row[0] if row else "preparing or publishing"
