"""Updates that ended before their database was there to note it: a full disk, a damaged store, a newer one.

A small file beside the store holds the last of them, so that the header and the Data tab can name it.
"""

import json
from contextlib import suppress
from pathlib import Path

from pipeline.publish import build_path


def note_failure(db: Path, started_at: str, message: str) -> None:
    """Keep when an update of `db` began, and why it ended; on a disk that takes no more, nothing is kept."""
    with suppress(OSError):
        _path(db).write_text(json.dumps({"started_at": started_at, "message": message}), encoding="utf-8")


def forget_failure(db: Path) -> None:
    """A later update has come as far as its database."""
    with suppress(OSError):
        _path(db).unlink(missing_ok=True)


def last_failure(db: Path) -> dict[str, str] | None:
    """Return started_at and message of the last update that ended so, None where a later one came further."""
    try:
        found = json.loads(_path(db).read_text(encoding="utf-8"))
        return {name: str(found[name]) for name in ("started_at", "message")}
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _path(db: Path) -> Path:
    return build_path(db).with_suffix(".failed")
