"""/health: which run is shown and whether the store is sound, for whatever watches over the app.

It is asked for behind the password too, as everything is.
"""

from typing import Any

from dash import Dash
from flask import Flask, jsonify
from werkzeug.wrappers import Response

from dashapp.data import soundness
from dashapp.status import status


def serve_health(app: Dash) -> None:
    """Serve /health: 200 while a complete run is shown, else 503 with the reason."""
    server: Flask = app.server

    @server.route("/health")
    def health() -> tuple[Response, int]:
        now = status()
        reason = now.problem or soundness().fault()
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
