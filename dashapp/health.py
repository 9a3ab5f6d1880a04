"""/health: which run is shown and whether the store is sound, for whatever watches over the app.

It is asked for behind the password too, as everything is.
"""

import threading
import time
from pathlib import Path
from typing import Any

from dash import Dash
from flask import Flask, jsonify
from werkzeug.wrappers import Response

from analytics.errors import PlumblineError
from dashapp.data import market, settings
from dashapp.status import status
from pipeline.queries import runs as run_queries

LOOK_AGAIN_SECONDS = 600  # the whole file is read when it has changed, and this often


def serve_health(app: Dash) -> None:
    """Serve /health: 200 while a complete run is shown, else 503 with the reason."""
    server: Flask = app.server
    soundness = _Soundness()

    @server.route("/health")
    def health() -> tuple[Response, int]:
        now = status()
        reason = now.problem or soundness.fault()
        update = {name: now.update[name] for name in ("state", "step", "started_at", "message")}
        answer: dict[str, Any] = {
            "status": "unavailable" if reason else "ok",
            "run_id": now.run["run_id"] if now.run else None,
            "source": now.run["source"] if now.run else None,
            "published_at": now.run["published_at"] if now.run else None,
            "age_hours": round(now.age_hours, 2) if now.age_hours is not None else None,
            "stale": now.stale,
            "last_update": update if now.update["state"] != "none" else None,
        }
        return jsonify(answer | ({"reason": reason} if reason else {})), 503 if reason else 200


class _Soundness:
    """What SQLite finds wrong with the pages of the store, remembered until the file changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: tuple[Any, ...] = ()
        self._fault = ""

    def fault(self) -> str:
        with self._lock:
            seen = _stamp(Path(settings().db))
            if seen != self._seen:
                self._fault, self._seen = _look(), seen
            return self._fault


def _look() -> str:
    try:
        with market() as reader:
            found = run_queries.damage(reader)
    except PlumblineError as error:
        return str(error)
    return f"The database is damaged: {found}. Bring back the last backup: make restore" if found else ""


def _stamp(db: Path) -> tuple[Any, ...]:
    """What changes when the store was written."""
    files = [path for path in (db, db.with_name(db.name + "-wal")) if path.exists()]
    return (
        db,
        int(time.monotonic() // LOOK_AGAIN_SECONDS),
        *((path.stat().st_size, path.stat().st_mtime_ns) for path in files),
    )
