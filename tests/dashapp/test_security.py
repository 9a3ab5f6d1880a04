import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable
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

from dashapp.security import MAX_BODY, USER_NAME, protect, secret_key

HEADERS = {
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
PAGES = ("/", "/technical", "/fundamentals", "/frontier", "/backtest", "/data")


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    return app.server.test_client()


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


@pytest.mark.parametrize(
    "path", [*PAGES, "/health", "/assets/app.css", "/vendor/css/bootstrap.min.css", "/vendor/none", "/_dash-layout"]
)
def test_every_response_carries_the_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        assert response.status_code == (404 if path == "/vendor/none" else 200)
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert "Server" not in response.headers
    assert "X-Powered-By" not in response.headers


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


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app: Dash) -> None:
    cookie = app.server.test_client().get("/").headers["Set-Cookie"]
    assert cookie.startswith("plumbline=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


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
    folder = Path(app.server.config["PLUMBLINE_POOL"].folder)
    assert folder.stat().st_mode & 0o077 == 0


# ---- password -----------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(tmp_path: Path) -> FlaskClient:
    """A server behind the password "Pass: wörd"."""
    server = Flask("guarded")
    server.add_url_rule("/page", view_func=lambda: "shown")
    protect(SimpleNamespace(server=server, csp_hashes=list), settings_in(tmp_path, password="Pass: wörd"))
    return server.test_client()


def test_without_a_password_nothing_is_shown(guarded: FlaskClient) -> None:
    for path in ("/page", "/static/x", "/nothing"):
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


# ---- what others may send -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/vendor/..%2f..%2fsetup.py", "/vendor/../../__init__.py", "/vendor/%2e%2e/%2e%2e/__init__.py",
        "/assets/..%2fapp.py", "/assets/../app.py", "/assets/%2e%2e/security.py", "/assets/..%2f..%2fdata.db",
    ],
)  # fmt: skip
def test_paths_do_not_lead_out_of_their_folder(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "import" not in response.text


@pytest.mark.parametrize("path", ["/vendor/%2fetc/passwd", "/nowhere/../../etc/passwd", "/data.db", "/workspace.db"])
def test_any_other_path_is_the_app_s_own_page(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.mimetype == "text/html"
    assert "_dash-config" in response.text
    assert "root:" not in response.text


def test_health_answers(client: FlaskClient) -> None:
    response = client.get("/health")
    assert (response.status_code, response.text) == (200, "OK")


def test_an_oversized_request_is_refused(client: FlaskClient) -> None:
    body = b'{"output": "' + b"x" * MAX_BODY + b'"}'
    assert client.post(UPDATE, data=body, content_type="application/json").status_code == 413
    assert client.get("/health").status_code == 200


MALFORMED: list[tuple[dict[str, Any], int]] = [
    ({"json": {}}, 500), ({"json": []}, 500), ({"json": None, "data": "not json", "content_type": "application/json"}, 400),
    ({"json": {"output": "nowhere.children", "inputs": []}}, 500), ({"json": {"output": ["a"]}}, 500),
    ({"json": {"output": "data-content.children"}}, 500), ({"json": "text"}, 500), ({"json": 7}, 500),
    ({"json": {"output": "data-content.children", "inputs": "x", "outputs": 3, "state": {}}}, 500),
    ({"json": {"output": "../../data.db", "inputs": [{"id": "x"}], "changedPropIds": [1]}}, 500),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "status"), MALFORMED)
def test_a_malformed_request_gets_a_plain_answer(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, request_: dict[str, Any], status: int
) -> None:
    with caplog.at_level(logging.CRITICAL):
        response = client.post(UPDATE, **{name: value for name, value in request_.items() if value is not None})
    assert response.status_code == status
    for leak in ("Traceback", ".py", "/work", "site-packages", "KeyError", "dash.", str(Path.cwd())):
        assert leak not in response.text
    assert client.get("/health").status_code == 200


def test_a_form_of_another_site_cannot_press_a_button(client: FlaskClient) -> None:
    """A browser sends JSON across sites only after asking, and the app never agrees."""
    body = json.dumps({"output": "data-content.children", "inputs": []})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert client.post(UPDATE, data=body, content_type=kind).status_code == 415
    asked = client.options(UPDATE, headers={"Origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in asked.headers


def test_a_failing_callback_answers_with_a_notice_and_a_log_line(
    client: FlaskClient, browse: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="dashapp.app"):
        response = browse().post("technical-content.children", {})  # no view: no browser sends that
    assert response.status_code == 200
    assert "An unexpected error; the log has the details." in response.text
    assert not re.search(r"Traceback|TypeError|\.py", response.text)
    assert any("shell-view.data" in record.message and record.exc_info for record in caplog.records)
