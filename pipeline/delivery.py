"""How an alert leaves this machine: by webhook and by mail, within a time limit, and without telling a secret."""

import json
import smtplib
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import urlsplit

from analytics.errors import InputError
from config import CONTROL, one_line

SECONDS = 10.0  # for each way
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Way:
    """One configured way: its name, whom it reaches (no secret), and the function that does it."""

    name: str
    to: str
    deliver: Callable[[str, Payload, Any, float], None]


def ways(settings: Any) -> tuple[Way, ...]:
    """Return the ways that the settings name; none is the default."""
    found = []
    if settings.alert_webhook:
        found.append(Way("webhook", _host(settings.alert_webhook), _post))
    if settings.alert_to:
        found.append(Way("mail", one_line(settings.alert_to), _mail))
    return tuple(found)


def send(way: Way, title: str, payload: Payload, *, settings: Any, seconds: float = SECONDS) -> str:
    """Send within `seconds` and return why that failed, or nothing; never raises.

    In a thread, because a socket's own limit begins anew with every byte and does not bound the look-up of a name.
    """
    reasons: list[str] = []

    def attempt() -> None:
        try:
            way.deliver(title, payload, settings, seconds)
            reasons.append("")
        except Exception as error:  # whatever it is, the update that is told about must not fail of it
            reasons.append(_reason(error, seconds))

    thread = threading.Thread(target=attempt, name=f"alert by {way.name}", daemon=True)
    thread.start()
    thread.join(seconds)
    return reasons[0] if reasons else _late(seconds)


def _late(seconds: float) -> str:
    return f"no answer within {seconds:g} s"


def _reason(error: Exception, seconds: float) -> str:
    """Why sending failed; not the text of a library's error, which may quote the address or the password."""
    if isinstance(error, InputError):
        return str(error).rstrip(".")
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"it answered {error.code}" + (", and redirects are not followed" if 300 <= error.code < 400 else "")
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    cause: object = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(error, smtplib.SMTPServerDisconnected):  # smtplib's word for every fault of the socket
        cause = error.__context__ or error
    if isinstance(cause, TimeoutError):
        return _late(seconds)
    return (isinstance(cause, OSError) and cause.strerror) or type(error).__name__


def _host(address: str) -> str:
    try:
        return one_line(urlsplit(address).hostname or "(no host)")
    except ValueError:
        return "(no host)"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: an alert goes where it was told to go."""


def _post(_title: str, payload: Payload, settings: Any, seconds: float) -> None:
    parts = urlsplit(settings.alert_webhook)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("alert_webhook", got=parts.scheme, allowed="an address that begins with https:// or http://")
    headers = {"Content-Type": "application/json", "User-Agent": "Plumbline"}
    request = urllib.request.Request(settings.alert_webhook, json.dumps(payload).encode("ascii"), headers)
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds):
        pass


def _mail(title: str, payload: Payload, settings: Any, seconds: float) -> None:
    if not settings.smtp_host:
        raise InputError("smtp_host", got="", allowed="the name of a mail server", fix="Or leave alert_to empty.")
    if settings.smtp_password and not settings.smtp_starttls and settings.smtp_host not in LOOPBACK:
        raise InputError("smtp_starttls", got=False, allowed="true where a password crosses a network")
    message = _message(title, payload, settings)
    with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=seconds) as server:
        if settings.smtp_starttls:
            server.starttls(context=ssl.create_default_context())  # without a context no certificate is checked
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
        server.send_message(message)


def _message(title: str, payload: Payload, settings: Any) -> EmailMessage:
    if CONTROL.search(settings.alert_to + settings.alert_from):
        raise InputError("alert_to or alert_from", got="a control character", allowed="addresses, with commas between")
    message = EmailMessage()
    message["Subject"] = one_line(title)
    message["From"] = settings.alert_from or settings.alert_to.split(",")[0].strip()
    message["To"] = settings.alert_to
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="plumbline.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(f"{key}: {value}" for key, value in payload.items() if value not in (None, "")))
    return message
