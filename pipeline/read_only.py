"""How a database file is opened by those who only read it."""

import os
from pathlib import Path


def read_only_uri(path: Path) -> str:
    """Return the URI that opens `path` for reading alone.

    A database with a write-ahead log is opened through an index file beside it. Where that is missing and the folder
    cannot be written, nobody can write the database either, and SQLite is told so.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    log, index = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    needed = index.exists() or (log.exists() and log.stat().st_size)
    return uri if needed or os.access(path.resolve().parent, os.W_OK) else f"{uri}&immutable=1"
