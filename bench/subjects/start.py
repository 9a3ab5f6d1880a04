"""From the command to the first page: over an existing store, and with nothing there yet."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import config
from bench.measure import Benchmark, Clock, Row, Times
from bench.stores import environment, scratch, update_command

RUNS, WAIT, LOOK = 3, 60.0, 0.01
FIRST_AIM = 15.0
LIBRARIES = "dash, pandas, talib, sqlalchemy, waitress"


def run() -> list[Row]:
    clock = Clock()
    for number in range(-1, RUNS):
        with scratch() as folder:
            built, served = ("warm-up", "warm-up") if number < 0 else ("build", "serve")
            clock.take(built, lambda: update_command(folder, "--source", "sample", standard=True))
            clock.take(served, lambda: first_page(folder))
        clock.take("warm-up" if number < 0 else "peer", import_libraries)
    build, serve = clock.of("build"), clock.of("serve")
    both = Times(_sums(build.wall, serve.wall), _sums(build.cpu, serve.cpu))
    return [
        Row(
            "start, existing store",
            serve,
            "python importing its libraries",
            clock.of("peer"),
            note=f"python -m dashapp to the first page served; the peer imports {LIBRARIES}.",
        ),
        Row("start, no store yet", both, aim=FIRST_AIM, note="what make run does once the packages are installed."),
    ]


def _sums(first: tuple[float, ...], second: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(first, second, strict=True))


def import_libraries() -> None:
    """Start Python and import what the app is made of: no start can be faster."""
    subprocess.run([sys.executable, "-c", f"import {LIBRARIES}"], check=True)


def first_page(folder: Path) -> None:
    """Start the app over folder/data.db, return once / is served, and stop it; raises RuntimeError."""
    port = _free_port()
    command = [sys.executable, "-m", "dashapp", "--db", str(folder / "data.db"), "--port", str(port),
               "--workspace", str(folder / "workspace.db")]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=config.ROOT, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with its fork server, which would warm up into the next measurement
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=WAIT) as answer:
                answer.read()
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(LOOK)
    raise RuntimeError(f"the app served nothing within {WAIT:g} s (exit code {process.poll()})")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


BENCHMARK = Benchmark("start", "from the command to the first page", run)
