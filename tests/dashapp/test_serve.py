import gc
import http.client
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import waitress.server
from dash import Dash
from scratch import settings_in

from dashapp import serve
from dashapp.security import UnsafeSettingsError, check_settings

# ---- who may reach it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_no_password(tmp_path: Path, host: str) -> None:
    assert check_settings(settings_in(tmp_path, host=host)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "analyst.example", ""])
@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "PLUMBLINE_SECRET_KEY and PLUMBLINE_PASSWORD must"), ({"password": "p"}, "PLUMBLINE_SECRET_KEY must"),
        ({"secret_key": "k"}, "PLUMBLINE_PASSWORD must"),
    ],
)  # fmt: skip
def test_other_machines_need_a_key_and_a_password(
    tmp_path: Path, host: str, given: dict[str, str], missing: str
) -> None:
    with pytest.raises(UnsafeSettingsError, match=missing):
        check_settings(settings_in(tmp_path, host=host, **given))
    assert check_settings(settings_in(tmp_path, host=host, password="p", secret_key="k")) is None


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PLUMBLINE_")]:
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
    assert (status, body) == (200, b"OK")
    assert "Server" not in headers
    assert headers["X-Frame-Options"] == "DENY"
