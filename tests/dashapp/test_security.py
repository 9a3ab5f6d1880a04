import base64
import hashlib
import json
import logging
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dash import Dash
from dispatch import UPDATE
from flask import Flask
from flask.testing import FlaskClient
from scratch import settings_in

from dashapp.health import serve_health
from dashapp.security import MAX_BODY, USER_NAME, protect, secret_key

HEADERS = {
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
PAGES = ("/", "/technical", "/fundamentals", "/frontier", "/backtest", "/data")


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    return app.server.test_client()


@pytest.fixture
def planted(app: Dash, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any address that no page has meets a bug."""

    def fail(path: str) -> None:
        raise ZeroDivisionError(f"planted at /secret/{path}")

    monkeypatch.setitem(app.server.view_functions, "/<path:path>", fail)


class Scripts(HTMLParser):
    """The inline scripts of a page that a browser would run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        runs = given.get("type") in (None, "", "text/javascript", "module", "application/javascript")
        self._inside = tag == "script" and "src" not in given and runs

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def policy(response: Any) -> dict[str, list[str]]:
    rules = (rule.split() for rule in response.headers["Content-Security-Policy"].split(";"))
    return {rule[0]: rule[1:] for rule in rules}


# ---- headers ------------------------------------------------------------------------------------------------


ANSWERS: list[tuple[str, str, dict[str, Any], int]] = [
    *(("GET", path, {}, 200) for path in ("/", "/health", "/assets/app.css", "/vendor/css/bootstrap.min.css", "/_dash-layout")),
    ("GET", "/vendor/none", {}, 404), ("DELETE", "/", {}, 405), ("GET", "/planted", {}, 500),
    ("POST", UPDATE, {"json": {}}, 400), ("POST", UPDATE, {"data": "x"}, 415),
    ("POST", UPDATE, {"data": b"x" * (MAX_BODY + 1), "content_type": "application/json"}, 413),
]  # fmt: skip


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(("method", "path", "body", "status"), ANSWERS)
def test_t33_every_response_carries_the_headers(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    with caplog.at_level(logging.CRITICAL), client.open(path, method=method, **body) as response:
        assert response.status_code == status
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert "Server" not in response.headers
    assert "X-Powered-By" not in response.headers
    if response.mimetype in ("text/html", "text/plain", "application/json"):
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.usefixtures("planted")
def test_an_unexpected_error_is_a_plain_sentence_and_a_log_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = client.get("/planted")
    assert (response.status_code, response.text) == (500, "Something went wrong here; the log has the details.")
    (record,) = (record for record in caplog.records if record.name == "dashapp.security")
    assert record.message == "GET /planted failed"
    assert record.exc_info


def test_the_app_is_never_in_debug_mode(app: Dash, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    server = Flask("debugged")
    assert server.debug
    protect(SimpleNamespace(server=server, csp_hashes=list), app.server.config["PLUMBLINE_SETTINGS"])
    assert not server.debug


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_allows_exactly_the_scripts_of_the_page(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    rules = policy(response)
    inline = Scripts(response.text).inline
    assert inline
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline}
    assert hashes <= set(rules["script-src"])
    assert not {"'unsafe-eval'", "'unsafe-inline'", "*", "https:", "data:", "blob:"} & set(rules["script-src"])


def test_the_policy_keeps_everything_on_this_site(client: FlaskClient) -> None:
    rules = policy(client.get("/"))
    assert (rules["default-src"], rules["form-action"], rules["connect-src"]) == (["'self'"],) * 3
    assert (rules["object-src"], rules["base-uri"], rules["frame-ancestors"]) == (["'none'"],) * 3
    assert "unsafe-eval" not in json.dumps(rules)
    assert "http" not in json.dumps(rules)


def test_pages_name_no_other_site(client: FlaskClient) -> None:
    links = re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text)
    assert links
    assert [link for link in links if not link.startswith("/") or link.startswith("//")] == []


def test_error_pages_carry_a_policy_too(client: FlaskClient) -> None:
    for response in (client.get("/vendor/none"), client.post(UPDATE, data="no", content_type="application/json")):
        assert response.status_code in (400, 404)
        assert "frame-ancestors" in response.headers["Content-Security-Policy"]


def test_the_large_script_is_kept_by_the_browser(client: FlaskClient) -> None:
    path = re.search(r'src="([^"]*plotly\.min[^"]*)"', client.get("/").text)
    found = client.get(path[1]) if path else client.get("/_dash-component-suites/plotly/package_data/plotly.min.js")
    assert found.status_code == 200
    assert re.search(r"max-age=(\d{5,})", found.headers["Cache-Control"])


# ---- session and key ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "headers", "secure"),
    [("http://localhost", {}, False), ("https://desk.example", {}, True), ("http://localhost", {"X-Forwarded-Proto": "https"}, True)],
)  # fmt: skip
def test_t33_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    app: Dash, url: str, headers: dict[str, str], secure: bool
) -> None:
    response = app.server.test_client().get("/", base_url=url, headers=headers)
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("plumbline=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) == secure  # over plain HTTP a browser would drop it, and forget whose jobs are whose
    assert ("Strict-Transport-Security" in response.headers) == secure


def test_every_browser_is_another_owner_and_stays_the_same_one(app: Dash) -> None:
    first, second = app.server.test_client(), app.server.test_client()
    owners = []
    for client in (first, first, second):
        client.get("/")
        with client.session_transaction() as session:
            owners.append(session["owner"])
    assert owners[0] == owners[1] != owners[2]
    assert re.fullmatch(r"[0-9a-f]{32}", owners[0])


def test_a_forged_session_is_not_believed(app: Dash) -> None:
    client = app.server.test_client()
    payload = base64.urlsafe_b64encode(b'{"owner":"someone-else"}').decode().rstrip("=")
    client.set_cookie("plumbline", f"{payload}.AAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA")
    client.get("/")
    with client.session_transaction() as session:
        assert session["owner"] != "someone-else"


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = settings_in(tmp_path)
    key = secret_key(made)
    path = made.cache_dir / "secret_key"
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert path.read_text() == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert made.cache_dir.stat().st_mode & 0o077 == 0
    assert secret_key(made) == key
    assert secret_key(settings_in(tmp_path / "elsewhere")) != key


def test_a_configured_key_is_used_and_not_written(tmp_path: Path) -> None:
    made = settings_in(tmp_path, secret_key="configured")
    assert secret_key(made) == "configured"
    assert not made.cache_dir.exists()


def test_the_folder_of_jobs_is_private(app: Dash) -> None:
    folder = Path(app.server.config["PLUMBLINE_POOL"].handle.directory)
    assert folder.stat().st_mode & 0o077 == 0


# ---- password -----------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(tmp_path: Path) -> FlaskClient:
    """A server behind the password "Pass: wörd"."""
    server = Flask("guarded")
    server.add_url_rule("/page", view_func=lambda: "shown")
    app = SimpleNamespace(server=server, csp_hashes=list)
    protect(app, settings_in(tmp_path, password="Pass: wörd"))
    serve_health(app)
    return server.test_client()


def test_without_a_password_nothing_is_shown(guarded: FlaskClient) -> None:
    for path in ("/page", "/static/x", "/nothing", "/health"):
        response = guarded.get(path)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Basic")
        assert "shown" not in response.text
        assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_the_right_password_lets_in(guarded: FlaskClient) -> None:
    response = guarded.get("/page", auth=(USER_NAME, "Pass: wörd"))
    assert (response.status_code, response.text) == (200, "shown")


@pytest.mark.parametrize(
    "credentials",
    [
        (USER_NAME, "pass: wörd"),
        (USER_NAME, ""),
        ("admin", "Pass: wörd"),
        ("", "Pass: wörd"),
        (USER_NAME, "Pass: wörd "),
    ],
)
def test_other_credentials_do_not(guarded: FlaskClient, credentials: tuple[str, str]) -> None:
    assert guarded.get("/page", auth=credentials).status_code == 401


@pytest.mark.parametrize("header", ["Bearer Pass: wörd", "Basic", "Basic !!!", "Basic YW5hbHlzdA==", "Digest x=y"])
def test_malformed_credentials_do_not(guarded: FlaskClient, header: str) -> None:
    assert (
        guarded.get("/page", headers={"Authorization": header.encode("latin-1").decode("latin-1")}).status_code == 401
    )


# ---- names and guesses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "code"), [
    ("localhost", 200), ("127.0.0.1:8050", 200), ("evil.example", 400), ("127.0.0.1.evil.example", 400),
])  # fmt: skip
def test_without_a_password_only_names_of_this_machine_are_answered(client: FlaskClient, host: str, code: int) -> None:
    """Another site's page may give its own name this machine's address, and would then read what we answer."""
    response = client.get("/health", headers={"Host": host})
    assert response.status_code == code
    assert host.split(":")[0] not in response.text or code == 200


def test_guessing_the_password_is_slowed_and_logged(guarded: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    inside, outside = guarded, guarded.application.test_client()
    right, wrong = (
        {"Authorization": "Basic " + base64.b64encode(f"{USER_NAME}:{word}".encode()).decode()}
        for word in ("Pass: wörd", "guess")
    )
    assert inside.get("/page", headers=right).status_code == 200
    codes = [outside.get("/page", headers=wrong).status_code for _ in range(40)]
    assert codes == [401] * 29 + [429] * 11
    assert outside.get("/page", headers=right).status_code == 429  # a right guess is not told in that minute
    assert inside.get("/page", headers=right).status_code == 200
    assert "a wrong password was given" in caplog.text
    assert "guess" not in caplog.text.replace("a wrong password was given", "")


def test_files_that_are_the_same_for_everybody_set_no_cookie(client: FlaskClient) -> None:
    with client.get("/assets/app.css") as response:
        assert "Set-Cookie" not in response.headers
    assert "Set-Cookie" in client.get("/").headers
