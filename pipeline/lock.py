"""The update lock: one process at a time writes the market store. Light to import, so that a second one ends at once."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import LockedError, StoreError

TRIES, PAUSE = 6, 0.05  # seconds; whoever only looks whether an update runs holds the lock for an instant


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the update lock of the database at `path`; raises LockedError where another process has it.

    A kernel lock, not a file of a process id: it goes with its owner, however that ends.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}. Name another place for the database.") from error
    with open(opened, "r+", encoding="utf-8") as handle:
        if not _taken(handle.fileno()):
            raise LockedError(f"Another update of {path.name} is running ({handle.read().strip()}).")
        handle.truncate(0)
        handle.write(f"process {os.getpid()}, since {datetime.now(UTC).isoformat(timespec='seconds')[:19]}Z")
        handle.flush()
        yield


def _taken(descriptor: int) -> bool:
    for _ in range(TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return True
    return False
