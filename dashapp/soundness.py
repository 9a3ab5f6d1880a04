"""What SQLite finds wrong with the pages of the store, found once per state of the file and remembered."""

import threading
import time
from pathlib import Path
from typing import Any

from analytics.errors import PlumblineError
from pipeline.queries import connect
from pipeline.queries import runs as run_queries

LOOK_AGAIN_SECONDS = 600  # the whole file is read when it has changed, and this often
LONGEST_LOOK_SECONDS = 120.0  # on a busy machine a sound file of 100 MB took more than the seconds of a query


class Soundness:
    """The faults of one database file."""

    def __init__(self, db: Path) -> None:
        self._db, self._lock = db, threading.Lock()
        self._seen: tuple[Any, ...] = ()
        self._fault = ""

    def fault(self) -> str:
        """Return what is wrong with the file, "" where it is sound; reads all of it where it has changed."""
        with self._lock:
            seen = _stamp(self._db)
            if seen != self._seen:
                self._fault, self._seen = _look(self._db), seen
            return self._fault

    def known_fault(self) -> str:
        """Return what was found last, without waiting; a look at a changed file is begun."""
        if self._seen != _stamp(self._db) and not self._lock.locked():
            threading.Thread(target=self.fault, daemon=True).start()
        return self._fault


def _look(db: Path) -> str:
    try:
        with connect(db, seconds=LONGEST_LOOK_SECONDS) as reader:
            found = run_queries.damage(reader)
    except PlumblineError as error:
        return str(error)
    return f"{db.name} is damaged: {' '.join(found.split())}. Bring back the last backup: make restore" if found else ""


def _stamp(db: Path) -> tuple[Any, ...]:
    """What changes when the store was written."""
    files = [path for path in (db, db.with_name(db.name + "-wal")) if path.exists()]
    return (
        db,
        int(time.monotonic() // LOOK_AGAIN_SECONDS),
        *((path.stat().st_size, path.stat().st_mtime_ns) for path in files),
    )
