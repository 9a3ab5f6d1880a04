"""What keeps the app safe: who may reach it, the session key, and the headers of every response."""

import contextlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any

from dash import Dash
from flask import Flask, Response, request, session

LOOPBACK = ("127.0.0.1", "localhost", "::1")
USER_NAME = "analyst"
MAX_BODY = 2 * 1024 * 1024  # bytes of a request

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class UnsafeSettingsError(ValueError):
    """Settings under which the app refuses to start."""


def check_settings(settings: Any) -> None:
    """Raise UnsafeSettingsError where other machines could reach an app without a password and a key."""
    if settings.host in LOOPBACK:
        return
    missing = [f"PLUMBLINE_{name.upper()}" for name in ("secret_key", "password") if not getattr(settings, name)]
    if missing:
        raise UnsafeSettingsError(
            f"host {settings.host!r} can be reached from other machines, so {' and '.join(missing)} must be set. "
            "Or serve this machine alone: --host 127.0.0.1"
        )


def secret_key(settings: Any) -> str:
    """Return the configured key, or one made once and kept in the cache folder, readable by its owner alone."""
    if settings.secret_key:
        return str(settings.secret_key)
    folder = Path(settings.cache_dir)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "secret_key"
    try:
        return _kept_key(path)
    except FileNotFoundError:
        made = path.with_name(f"secret_key.{os.getpid()}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(made, path)  # whole or not at all: a stop half-way leaves no empty key, and the first one wins
        made.unlink()
        return _kept_key(path)


def _kept_key(path: Path) -> str:
    return path.read_text(encoding="ascii")


def protect(app: Dash, settings: Any) -> None:
    """Add the session owner, the password and the headers to an app."""
    server: Flask = app.server
    server.secret_key = secret_key(settings)
    server.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="plumbline",
    )  # fmt: skip

    @server.before_request
    def admit() -> Response | None:
        if settings.password and not _has_password(settings.password):
            return Response("Password needed.", 401, {"WWW-Authenticate": 'Basic realm="Plumbline"'})
        if "owner" not in session:
            session["owner"] = secrets.token_hex(16)  # whose jobs are whose
        return None

    @server.after_request
    def harden(response: Response) -> Response:
        response.headers.update(_HEADERS)
        if response.mimetype == "text/html":  # hashes are complete only once the first page was made
            response.headers["Content-Security-Policy"] = _content_security_policy(app)
        if request.path.endswith("plotly.min.js"):  # the only large file that Dash leaves without a long life
            response.headers["Cache-Control"] = "public, max-age=86400"
        return response


def _has_password(password: str) -> bool:
    given = request.authorization
    return bool(
        given and given.type == "basic" and given.username == USER_NAME
        and hmac.compare_digest(str(given.password).encode(), password.encode())
    )  # fmt: skip


def _content_security_policy(app: Dash) -> str:
    scripts = " ".join(f"'{item.strip(chr(39))}'" for item in app.csp_hashes())
    return (
        f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
