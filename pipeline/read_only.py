"""How a database file is opened by those who only read it."""

import os
from pathlib import Path


def read_only_uri(path: Path) -> str:
    """Return the URI that opens `path` for reading alone.

    A database with a write-ahead log is opened through an index file beside it. Where that is missing and the folder
    cannot be written, nobody can write the database either, and SQLite is told so.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    log, index = (file_state(path.with_name(path.name + suffix)) for suffix in ("-wal", "-shm"))
    needed = index is not None or (log is not None and log.st_size)
    return uri if needed or os.access(path.resolve().parent, os.W_OK) else f"{uri}&immutable=1"


def file_state(path: Path) -> os.stat_result | None:
    """Return size and times of a file, None where there is none: a log comes and goes between two looks."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
