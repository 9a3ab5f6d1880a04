"""Two hundred kills at random moments over all steps: the store is never damaged or partial, and mends itself."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from killing import check_whole, die, start
from scratch import settings_in
from test_runner import contents, run_of

from pipeline.queries import connect
from pipeline.queries import runs as run_queries
from pipeline.runner import UpdateRequest, update
from pipeline.steps import ordered_steps

KILLS, NIGHTS = 200, 5
ANYWHERE = "anywhere, preparing and publishing included"
PLACES = [*(step.label for step in ordered_steps()), ANYWHERE, ANYWHERE]


def test_two_hundred_kills(tmp_path: Path) -> None:
    rng, where = random.Random(20260105), Counter[str]()
    killed, twin = (
        settings_in(tmp_path / name, simulated_tickers=20, simulated_years=3) for name in ("killed", "twin")
    )
    for settings in (killed, twin):
        update(UpdateRequest(source="simulated"), settings=settings)
    for night in range(1, NIGHTS + 1):  # another seed: every row changes
        killed, twin = replace(killed, simulated_seed=night), replace(twin, simulated_seed=night)
        update(UpdateRequest(), settings=twin)
        seconds = _durations(twin.db)
        for number in range(KILLS // NIGHTS):
            place = PLACES[number % len(PLACES)]
            delay = rng.uniform(0.0, 1.1 * seconds[place])
            request = UpdateRequest(full=number % 3 == 0)
            where[place] += _killed(killed, request, place, delay)
            check_whole(Path(killed.db))
        update(UpdateRequest(), settings=killed)
        check_whole(Path(killed.db))
        assert contents(killed.db) == contents(twin.db)
    print(f"{where.total()} of {KILLS} updates killed, 0 damaged, 0 partial; killed in: {dict(where)}")
    assert set(where) == set(PLACES)
    assert where.total() >= 0.8 * KILLS  # the others had ended before their moment came


def _durations(db: Path) -> dict[str, float]:
    """Seconds of each place of the shown run."""
    labels = {step.key: step.label for step in ordered_steps()}
    with connect(db) as reader:
        steps = run_queries.run_steps(reader, run_of(db)["run_id"])
    found = {labels[row.step]: row.seconds for row in steps.itertuples()}
    return found | {ANYWHERE: sum(found.values())}


def _timer(place: str, delay: float) -> Callable[[str, float, str], None]:
    """A watcher of progress that ends the process some time after a step has begun."""
    armed: list[Any] = []

    def progress(label: str, _fraction: float, _message: str) -> None:
        if label == place and not armed:
            armed.append(threading.Timer(delay, die))
            armed[0].daemon = True
            armed[0].start()

    return progress


def _killed(settings: Any, request: UpdateRequest, place: str, delay: float) -> bool:
    """Run an update that is killed; from outside, where any moment will do. False where it had ended before."""
    process = start(lambda: update(request, settings=settings, progress=_timer(place, delay)))
    if place == ANYWHERE:
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return bool(process.exitcode == -signal.SIGKILL)
