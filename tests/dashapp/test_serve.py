import gc
import http.client
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import waitress.server
from dash import Dash
from scratch import settings_in

from config import ROOT
from dashapp import serve
from dashapp.security import UnsafeSettingsError, check_settings

# ---- who may reach it ---------------------------------------------------------------------------------------


KEY, PASSWORD = "6f1ed002ab5595859014ebf0951522d9", "plumb and level"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_t31_this_machine_needs_no_password(tmp_path: Path, host: str) -> None:
    assert check_settings(settings_in(tmp_path, host=host), {}) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "analyst.example", ""])
def test_t31_other_machines_need_a_key_and_a_password(tmp_path: Path, host: str) -> None:
    for given, missing in (
        ({}, "PLUMBLINE_SECRET_KEY must be set and PLUMBLINE_PASSWORD must be set"),
        ({"password": PASSWORD}, "so PLUMBLINE_SECRET_KEY must be set"),
        ({"secret_key": KEY}, "so PLUMBLINE_PASSWORD must be set"),
    ):
        with pytest.raises(UnsafeSettingsError, match=missing):
            check_settings(settings_in(tmp_path, host=host, **given), {})
    assert check_settings(settings_in(tmp_path, host=host, password=PASSWORD, secret_key=KEY), {}) is None


WEAK_KEYS = [
    "short",
    "topsecret",
    "changeme",
    "change-me-change-me",
    "secretsecretsecret",
    "a" * 40,
    "0123456789012345",
    KEY[:15],
]
WEAK_PASSWORDS = ["short", "changeme", "password", "Password1!", "12345678", "plumbline2024", "analyst!", "aaaaaaaaaa"]


@pytest.mark.parametrize(("name", "value"), [
    *(("secret_key", value) for value in WEAK_KEYS), *(("password", value) for value in WEAK_PASSWORDS),
])  # fmt: skip
def test_t31_a_weak_key_or_password_is_refused_and_not_repeated(tmp_path: Path, name: str, value: str) -> None:
    given = {"secret_key": KEY, "password": PASSWORD} | {name: value}
    with pytest.raises(UnsafeSettingsError, match=f"PLUMBLINE_{name.upper()} must") as told:
        check_settings(settings_in(tmp_path, host="0.0.0.0", **given), {})
    assert value not in str(told.value)


@pytest.mark.parametrize("variable", ["DASH_DEBUG", "FLASK_DEBUG", "DASH_MCP_ENABLED"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_t31_debug_mode_is_refused(tmp_path: Path, variable: str, host: str) -> None:
    made = settings_in(tmp_path, host=host, password=PASSWORD, secret_key=KEY)
    for value in ("1", "true", "on"):
        with pytest.raises(UnsafeSettingsError, match=f"unset {variable}"):
            check_settings(made, {variable: value})
    for value in ("", "0", "false"):
        assert check_settings(made, {variable: value}) is None


def test_t31_the_real_command_refuses_an_unsafe_address(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLUMBLINE_", "DASH_", "FLASK_"))}
    for added, says in (
        ({}, "PLUMBLINE_PASSWORD must be set"),
        ({"PLUMBLINE_PASSWORD": "changeme", "PLUMBLINE_SECRET_KEY": KEY}, "guessed first"),
        ({"PLUMBLINE_PASSWORD": PASSWORD, "PLUMBLINE_SECRET_KEY": KEY, "DASH_DEBUG": "1"}, "unset DASH_DEBUG"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "dashapp", "--host", "0.0.0.0", "--port", "0", "--db", str(tmp_path / "data.db")],
            cwd=ROOT, env=kept | added, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr
        assert "Traceback" not in done.stderr


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PLUMBLINE_", "DASH_", "FLASK_"))]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("clean_environment")
def test_an_unsafe_address_is_refused_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main(["--host", "0.0.0.0"]) == 2
    told = capsys.readouterr()
    assert "can be reached from other machines" in told.err
    assert "--host 127.0.0.1" in told.err
    assert told.out == ""


@pytest.mark.usefixtures("clean_environment")
def test_a_setting_of_the_wrong_type_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLUMBLINE_WORKERS", "two")
    assert serve.main([]) == 2
    assert "PLUMBLINE_WORKERS='two'" in capsys.readouterr().err


@pytest.fixture
def own_log_level() -> Iterator[None]:
    """The command line sets up logging; the tests that follow keep theirs."""
    logger, root = logging.getLogger("waitress"), logging.getLogger()
    before, handlers = logger.level, root.handlers[:]
    yield
    logger.setLevel(before)
    root.handlers[:] = handlers


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # waitress leaves its socket to gc
@pytest.mark.usefixtures("clean_environment", "own_log_level")
def test_a_taken_port_is_explained(
    app: Dash, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dashapp.app.create_app", lambda _settings: app)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve.main(["--port", str(port)]) == 1
    gc.collect()
    told = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1:{port}" in told
    assert "Choose another port" in told


@pytest.mark.usefixtures("clean_environment", "own_log_level")
def test_the_real_server_does_not_name_itself(
    app: Dash, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[tuple[int, dict[str, str], bytes]] = []

    def ask(port: int) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("GET", "/health")
            response = connection.getresponse()
            answers.append((response.status, dict(response.getheaders()), response.read()))

    def serve_one_request(server: Any) -> None:
        client = threading.Thread(target=ask, args=(server.effective_port,))
        client.start()
        while client.is_alive():
            server.asyncore.loop(timeout=0.05, map=server._map, count=1)
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)

    monkeypatch.setattr("dashapp.app.create_app", lambda _settings: app)
    monkeypatch.setattr(waitress.server.TcpWSGIServer, "run", serve_one_request)
    assert serve.main(["--port", "0"]) == 0
    assert "Plumbline is ready: http://127.0.0.1" in capsys.readouterr().out
    ((status, headers, body),) = answers
    assert status == 200
    assert json.loads(body)["status"] == "ok"
    assert "Server" not in headers
    assert headers["X-Frame-Options"] == "DENY"


def test_nothing_that_plotly_looks_up_is_imported_once_the_app_serves() -> None:
    """It takes modules from sys.modules as they are, also half of one that the warm-up thread is importing: HTTP 500."""
    code = (
        "import sys, dashapp.app; before = set(sys.modules); import arch.bootstrap, dashapp.pages.frontier.live;"
        "print(sorted({'numpy', 'pandas', 'PIL.Image', 'sage.all'} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
