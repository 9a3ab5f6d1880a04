"""Fifty people browse, three seconds of thought between two clicks, while full updates are built and published."""

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import figures
from dispatch import UPDATE, _filled, outputs_of, parsed, split
from pytest_socket import enable_socket

from config import ROOT

USERS, SECONDS, THINK = 50, 90, 3.0
AIM_P95 = 0.200
TICKERS = [f"SIM{number:03d}" for number in range(1, 101)]


class User(threading.Thread):
    """One browser: its own connection and cookie, a page after another."""

    def __init__(self, port: int, number: int, until: float) -> None:
        super().__init__(daemon=True)
        self.port, self.random, self.until = port, random.Random(number), until
        self.taken: list[float] = []
        self.failed: list[str] = []
        self.cookie = ""

    def run(self) -> None:
        time.sleep(self.random.uniform(0, THINK))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        dependencies = json.loads(self.ask("GET", "/_dash-dependencies", counted=False))
        while time.monotonic() < self.until:
            self.ask("POST", UPDATE, click(dependencies, self.random))
            time.sleep(self.random.expovariate(1 / THINK))
        self.connection.close()

    def ask(self, method: str, path: str, body: Any = None, *, counted: bool = True) -> bytes:
        headers = {"Content-Type": "application/json"} | ({"Cookie": self.cookie} if self.cookie else {})
        begin = time.perf_counter()
        try:
            self.connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = self.connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.failed.append(f"{type(error).__name__}: {error}")
            self.connection.close()
            return b""
        if counted:
            self.taken.append(time.perf_counter() - begin)
        self.cookie = self.cookie or (answer.getheader("Set-Cookie") or "").split(";")[0]
        if answer.status >= 400:
            self.failed.append(f"{path}: HTTP {answer.status} {content[:100]!r}")
        return content


def click(dependencies: list[dict[str, Any]], rng: random.Random) -> dict[str, Any]:
    """The request of one click: another ticker, another tab."""
    view = {"ticker": rng.choice(TICKERS), "range": rng.choice(["1y", "2y", "5y"])}
    page = rng.choice(["technical", "technical", "fundamentals", "frontier", "overview", "data"])
    values = {
        "shell-view.data": view, "shell-theme-name.data": "light", "technical-style.value": "candles",
        "technical-overlays.value": ["sma"], "technical-panes.value": ["volume", "rsi", "macd"],
    }  # fmt: skip
    found = next(item for item in dependencies if f"{page}-content.children" in outputs_of(item["output"]))
    outputs = [{"id": parsed(key), "property": prop} for key, prop in map(split, outputs_of(found["output"]))]
    return {
        "output": found["output"], "outputs": outputs if found["output"].startswith("..") else outputs[0],
        "inputs": [_filled(item, values) for item in found["inputs"]],
        "state": [_filled(item, values) for item in found["state"]],
        "changedPropIds": [f"{found['inputs'][0]['id']}.{found['inputs'][0]['property']}"],
    }  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ["--db", str(tmp_path / "data.db"), "--workspace", str(tmp_path / "workspace.db")]
    environment = os.environ | {
        "PLUMBLINE_CACHE_DIR": str(tmp_path / "cache"), "PLUMBLINE_SIMULATED_TICKERS": "100", "PLUMBLINE_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    command = [sys.executable, "-m", "pipeline", "update", "--source", "simulated", "--full", *settings]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    app = subprocess.Popen([sys.executable, "-m", "dashapp", "--port", str(port), *settings], cwd=ROOT, env=environment)
    enable_socket()
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    time.sleep(8)  # the worker pool imports its engine once
    yield port, lambda: subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    app.terminate()
    app.wait()


def test_fifty_users_during_updates(server: Any) -> None:
    port, update = server
    until = time.monotonic() + SECONDS
    users = [User(port, number, until) for number in range(USERS)]
    for user in users:
        user.start()
    updates = 0
    while time.monotonic() < until:
        update()
        updates += 1
    for user in users:
        user.join(60)
    failed = [line for user in users for line in user.failed]
    taken = [seconds for user in users for seconds in user.taken]
    found = figures(f"{USERS} users during {updates} full updates", taken, failed=len(failed))
    assert failed == []
    assert updates >= 3
    assert found["p95"] < AIM_P95
