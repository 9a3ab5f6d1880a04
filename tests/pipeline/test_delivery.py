"""An alert reaches a webhook and a mailbox within its time; no secret leaves by another way."""

import email
import email.policy
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alert_servers import hook, mail_server
from scratch import settings_in

from config import JsonFormatter
from pipeline.alerts import Alert, notify
from pipeline.delivery import send, ways

SECRET = "s3cr3t"
FAILED = Alert(
    "failed", "Yahoo answered nothing.\r\nSecond line — ünd so weiter", run_id="r2", source="yahoo", step="prices",
    started_at="2026-01-05T03:30:00.000Z", shown_run="r1", shown_age_hours=24.1,
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_webhook_gets_every_field_and_a_line_for_chats(tmp_path: Path) -> None:
    with hook() as server:
        assert notify(FAILED, settings=settings_in(tmp_path, alert_webhook=server.address)) == ()
    ((path, content_type, payload),) = server.received
    assert (path, content_type) == (f"/hook/{SECRET}?key={SECRET}", "application/json")
    assert payload == {
        "text": r"Plumbline: failure in prices. Yahoo answered nothing.\r\nSecond line — ünd so weiter",
        "kind": "failed", "message": r"Yahoo answered nothing.\r\nSecond line — ünd so weiter", "run_id": "r2",
        "source": "yahoo", "step": "prices", "started_at": "2026-01-05T03:30:00.000Z", "shown_run": "r1",
        "shown_age_hours": 24.1,
    }  # fmt: skip


def test_an_endless_message_is_cut(tmp_path: Path) -> None:
    with hook() as server:
        notify(Alert("failed", "x" * 1_000_000), settings=settings_in(tmp_path, alert_webhook=server.address))
    assert len(server.received[0][2]["message"]) == 2_000


@pytest.mark.parametrize(("status", "says"), [
    (500, "it answered 500"), (403, "it answered 403"), (204, ""),
    (302, "it answered 302, and redirects are not followed"), (308, "it answered 308, and redirects are not followed"),
])  # fmt: skip
@pytest.mark.parametrize("target", ["file:///etc/passwd", "/elsewhere"])
def test_only_a_2xx_of_the_address_itself_counts(tmp_path: Path, status: int, says: str, target: str) -> None:
    with hook(status, {"Location": target}) as server:
        problems = notify(FAILED, settings=settings_in(tmp_path, alert_webhook=server.address))
    assert problems == ((f"The alert could not be sent by webhook to 127.0.0.1: {says}.",) if says else ())
    assert server.got == []


@pytest.mark.parametrize(("address", "says"), [
    ("file:///etc/passwd", "begins with https:// or http://"), ("ftp://127.0.0.1/x", "begins with https:// or http://"),
    ("https://", "begins with https:// or http://"), ("hooks.example/x", "begins with https:// or http://"),
    ("http://[s3cr3t", "ValueError"), ("http://user:s3cr3t@127.0.0.1:x/", "InvalidURL"),
    ("http://127.0.0.1/s3cr3t\r\nX-Evil: 1", "InvalidURL"),
])  # fmt: skip
def test_an_address_that_cannot_be_posted_to_is_explained(tmp_path: Path, address: str, says: str) -> None:
    (problem,) = notify(FAILED, settings=settings_in(tmp_path, alert_webhook=address))
    assert says in problem
    assert SECRET not in problem


def test_nobody_listening_is_explained(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path, alert_webhook=f"http://127.0.0.1:{free_port()}/{SECRET}",
        alert_to="a@example.org", smtp_host="127.0.0.1", smtp_port=free_port(),
    )  # fmt: skip
    by_hook, by_mail = notify(FAILED, settings=settings)
    assert by_hook == "The alert could not be sent by webhook to 127.0.0.1: Connection refused."
    assert by_mail == "The alert could not be sent by mail to a@example.org: Connection refused."


def test_a_silent_server_costs_no_more_than_the_limit(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        settings = settings_in(
            tmp_path, alert_webhook=f"http://127.0.0.1:{port}/", alert_to="a@example.org", smtp_host="127.0.0.1",
            smtp_port=port,
        )  # fmt: skip
        begin = time.monotonic()
        problems = notify(FAILED, settings=settings, seconds=0.2)
        assert [problem.endswith("no answer within 0.2 s.") for problem in problems] == [True, True]
        assert time.monotonic() - begin < 30.0
        while left := [thread for thread in threading.enumerate() if thread.name.startswith("alert by ")]:
            assert time.monotonic() - begin < 30.0, "the socket gives up too"
            left[0].join(0.1)


@pytest.mark.parametrize("name", ["webhook", "mail"])
def test_a_socket_that_gives_up_first_says_the_same(tmp_path: Path, name: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        settings = mail_settings(tmp_path, port, alert_webhook=f"http://127.0.0.1:{port}/")
        (way,) = [way for way in ways(settings) if way.name == name]
        impatient = replace(way, deliver=lambda *given: way.deliver(*given[:-1], 0.05))
        assert send(impatient, "title", {}, settings=settings, seconds=60.0) == "no answer within 60 s"


def test_a_server_that_drips_costs_no_more_than_the_limit(tmp_path: Path) -> None:
    with hook(pause=0.05) as server:  # each byte is in time for the socket, all of them take 1.5 s
        problems = notify(FAILED, settings=settings_in(tmp_path, alert_webhook=server.address), seconds=0.3)
    assert problems == ("The alert could not be sent by webhook to 127.0.0.1: no answer within 0.3 s.",)


def mail_settings(folder: Path, port: int, **overrides: Any) -> Any:
    given = {"alert_to": "ann@example.org, bob@example.org", "smtp_host": "127.0.0.1", "smtp_port": port}
    return settings_in(folder, **({"smtp_starttls": False} | given | overrides))


def test_a_mail_says_what_happened_to_everybody(tmp_path: Path) -> None:
    with mail_server() as server:
        assert notify(FAILED, settings=mail_settings(tmp_path, server.port)) == ()
    message = email.message_from_string(server.mails[0], policy=email.policy.default)
    assert message["Subject"] == "Plumbline: failure in prices"
    assert message["To"] == "ann@example.org, bob@example.org"
    assert message["From"] == "ann@example.org"
    assert [line for line in server.commands if line.startswith("rcpt")] == [
        "rcpt TO:<ann@example.org>", "rcpt TO:<bob@example.org>",
    ]  # fmt: skip
    body = message.get_content().splitlines()
    assert r"message: Yahoo answered nothing.\r\nSecond line — ünd so weiter" in body
    assert "shown_run: r1" in body
    assert not server.logins


@pytest.mark.parametrize("overrides", [
    {"alert_to": "ann@example.org\r\nBcc: evil@example.org"}, {"alert_to": "ann@example.org\nBcc: evil@example.org"},
    {"alert_from": "ann@example.org\r\nBcc: evil@example.org"},
])  # fmt: skip
def test_no_setting_adds_a_header(tmp_path: Path, overrides: dict[str, str]) -> None:
    with mail_server() as server:
        (problem,) = notify(FAILED, settings=mail_settings(tmp_path, server.port, **overrides))
    assert "a control character" in problem
    assert "\n" not in problem
    assert not server.mails


def test_nothing_in_an_alert_adds_a_header_or_a_command(tmp_path: Path) -> None:
    hostile = "x\r\nBcc: evil@example.org\r\n\r\n.\r\nMAIL FROM:<evil@example.org>\r\n\udc80\x1b[2J"
    with mail_server() as server:
        assert notify(Alert("failed", hostile, step=hostile), settings=mail_settings(tmp_path, server.port)) == ()
    message = email.message_from_string(server.mails[0], policy=email.policy.default)
    assert message["Bcc"] is None
    assert len(server.mails) == 1
    assert not [line for line in server.commands if "evil" in line]
    assert "\x1b" not in server.mails[0]


def test_a_password_never_crosses_a_network_in_the_open(tmp_path: Path) -> None:
    with mail_server() as server:
        settings = mail_settings(
            tmp_path, server.port, smtp_user="ann", smtp_password=SECRET, smtp_host="mail.example.org"
        )
        (problem,) = notify(FAILED, settings=settings)
        assert "smtp_starttls" in problem
        stripped = mail_settings(tmp_path, server.port, smtp_user="ann", smtp_password=SECRET, smtp_starttls=True)
        (problem,) = notify(FAILED, settings=stripped)  # somebody in between took STARTTLS out of the answer
        assert "SMTPNotSupportedError" in problem
    assert not server.logins
    assert not server.mails


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_a_certificate_must_be_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
    ], check=True, capture_output=True)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with mail_server(context) as server:
        settings = mail_settings(tmp_path, server.port, smtp_user="ann", smtp_password=SECRET, smtp_starttls=True)
        (problem,) = notify(FAILED, settings=settings)
        assert "certificate verify failed" in problem
        assert not server.logins
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert notify(FAILED, settings=settings) == ()
    assert server.logins == [f"\0ann\0{SECRET}"]
    assert len(server.mails) == 1


def test_a_mailbox_without_a_server_is_explained(tmp_path: Path) -> None:
    (problem,) = notify(FAILED, settings=settings_in(tmp_path, alert_to="a@example.org"))
    assert "smtp_host: got ''; allowed: the name of a mail server" in problem


@pytest.mark.parametrize("status", [200, 500])
def test_no_secret_is_logged_returned_or_sent_elsewhere(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    refuse = "" if status == 200 else f"535 {SECRET} is wrong"
    with hook(status) as server, mail_server(refuse=refuse) as mails:
        settings = mail_settings(
            tmp_path, mails.port, alert_webhook=server.address, smtp_user="ann", smtp_password=SECRET
        )
        problems = notify(FAILED, settings=settings)
    assert mails.logins, "the password was used"
    assert len(problems) == (0 if status == 200 else 2)
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert len(lines) == 2
    everything = "\n".join([*lines, *problems, str(server.received[0][2]), *mails.mails, repr(settings)])
    assert SECRET not in everything
    assert "127.0.0.1" in everything
