"""What keeps the app safe: who may reach it, the session key, and the headers and words of every response."""

import contextlib
import hmac
import logging
import os
import secrets
import time
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from dash import Dash
from dash.exceptions import DependencyException, InvalidResourceError
from flask import Flask, Response, g, request, session
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import HTTPException

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
USER_NAME = "analyst"
WRONG_PER_MINUTE = 30
COOKIE_LIFETIME = timedelta(weeks=52)
STATIC = ("/vendor/", "/assets/", "/_dash-component-suites/")  # the same for everybody, so without a cookie
MAX_BODY = 2 * 1024 * 1024  # bytes of a request
SHORTEST = {"secret_key": 16, "password": 8}  # characters
GUESSED = (  # what guessers try first, and what examples hold
    "changeme", "change-me", "change_me", "secret", "password", "passwort", "analyst", "plumbline", "default", "example",
    "admin", "letmein", "welcome", "qwerty", "12345", "iloveyou",
)  # fmt: skip
DEBUG_VARIABLES = ("DASH_DEBUG", "FLASK_DEBUG", "DASH_MCP_ENABLED")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"  # of an answer that is no page
_WORDS = {
    400: "This request is not one that the app's pages send.",
    401: "Password needed.",
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    413: f"The request is larger than {MAX_BODY // 1024**2} MB.",
    415: "The request must be JSON.",
    429: "Too many wrong passwords were given. Try again in a minute.",
}
_FAILED = "Something went wrong here; the log has the details."


class UnsafeSettingsError(ValueError):
    """Settings under which the app refuses to start."""


def check_settings(settings: Any, environment: Mapping[str, str] | None = None) -> None:
    """Raise UnsafeSettingsError where the app would show its insides, or others could reach it without a good password."""
    environment = os.environ if environment is None else environment
    for name in DEBUG_VARIABLES:
        if environment.get(name, "").lower() not in ("", "0", "false", "no", "off"):
            raise UnsafeSettingsError(
                f"{name}={environment[name]}: the app is not served in debug mode, which shows its insides to every "
                f"visitor. Start it without: unset {name}"
            )
    if settings.host in LOOPBACK:
        if settings.password and (fault := _weakness("password", settings.password)):
            raise UnsafeSettingsError(f"{fault}, or be left out: this machine alone is served.")
        return
    faults = [fault for name in SHORTEST if (fault := _weakness(name, str(getattr(settings, name))))]
    if faults:
        raise UnsafeSettingsError(
            f"host {settings.host!r} can be reached from other machines, so {' and '.join(faults)}. "
            "One is made by: python3 -c 'import secrets; print(secrets.token_hex(32))'. "
            "Or serve this machine alone: --host 127.0.0.1"
        )


def _weakness(name: str, value: str) -> str:
    """What is wrong with a secret, without repeating it."""
    variable, shortest = f"PLUMBLINE_{name.upper()}", SHORTEST[name]
    if not value:
        return f"{variable} must be set"
    if len(value) < shortest:
        return f"{variable} must have at least {shortest} characters"
    rest = value.lower()
    for word in GUESSED:
        rest = rest.replace(word, "")
    guessed = rest != value.lower() and len(rest.strip("0123456789!?.-_ ")) < 3
    if guessed or value.isdigit() or len(set(value)) < 5:
        return f"{variable} must not be one that is guessed first"
    return ""


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


class _Sessions(SecureCookieSessionInterface):
    def get_cookie_secure(self, app: Flask) -> bool:
        return _is_https()


def _is_https() -> bool:
    """Whether the browser came over TLS: here, or at the proxy before us. A forged header harms its sender alone."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"


def protect(app: Dash, settings: Any) -> None:
    """Add the session owner, the password, the headers and the words of errors to an app."""
    server: Flask = app.server
    server.secret_key, server.session_interface, server.debug = secret_key(settings), _Sessions(), False
    server.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="plumbline", PERMANENT_SESSION_LIFETIME=COOKIE_LIFETIME, SESSION_REFRESH_EACH_REQUEST=False,
    )  # fmt: skip

    if (
        not settings.password and settings.host in LOOPBACK[:2]
    ):  # else another site's page could take this machine's name in the browser, and read all
        server.config["TRUSTED_HOSTS"] = list(LOOPBACK[:2])
    guesses = _Guesses()
    server.before_request(lambda: _admit(settings.password, guesses))

    @server.after_request
    def harden(response: Response) -> Response:
        response.headers.update(_HEADERS)
        if _is_https():
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if response.mimetype == "text/html":  # hashes are complete only once the first page was made
            response.headers["Content-Security-Policy"] = _content_security_policy(app)
        elif response.mimetype in ("text/plain", "application/json"):
            response.headers["Content-Security-Policy"] = _NO_CONTENT_POLICY
        if request.path.endswith("plotly.min.js"):  # the only large file that Dash leaves without a long life
            response.headers["Cache-Control"] = "public, max-age=86400"
        return response

    for kind in (Exception, InvalidResourceError):  # Dash has words of its own for the second
        server.register_error_handler(kind, _explain)


def _admit(password: str, guesses: "_Guesses") -> Response | None:
    """Ask for the password where there is one, and mark every browser."""
    if password and not _has_password(password):
        if request.authorization:
            guesses.note()
        return _answer(429 if guesses.too_many() else 401, {"WWW-Authenticate": 'Basic realm="Plumbline"'})
    if password and guesses.too_many() and not session.get("admitted"):
        return _answer(429)
    g.newcomer = "owner" not in session
    if g.newcomer and not request.path.startswith(STATIC):
        session["owner"] = secrets.token_hex(16)  # whose jobs are whose
        session.permanent = True  # the list of one's runs outlives the browser window
        session["admitted"] = bool(password)
    return None


def _explain(error: Exception) -> Any:
    """Answer an error in a plain sentence: no traceback, path or statement leaves this machine."""
    if isinstance(error, (DependencyException, InvalidResourceError)):
        return _answer(404)
    if not isinstance(error, HTTPException):
        log.error("%s %s failed", request.method, request.path[:200].encode("unicode_escape").decode(), exc_info=error)
        return _answer(500)
    if error.code is None or error.code < 400:  # a redirect
        return error.get_response()
    return _answer(error.code)


def _answer(code: int, headers: Mapping[str, str] | None = None) -> Response:
    words = _WORDS.get(code, "The request cannot be answered." if code < 500 else _FAILED)
    return Response(words, code, dict(headers or {}), mimetype="text/plain")


class _Guesses:
    """Wrong passwords of the last minute, whoever sent them; beyond a bound only who was in already stays in."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=WRONG_PER_MINUTE)

    def note(self) -> None:
        log.warning("a wrong password was given")
        self._moments.append(time.monotonic())

    def too_many(self) -> bool:
        return len(self._moments) == WRONG_PER_MINUTE and time.monotonic() - self._moments[0] < 60


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
