"""A full update as a whole process: the command an analyst types, from start to exit."""

import os
import subprocess
import sys

import config
from bench.measure import Benchmark, Clock, Row
from bench.stores import scratch, update_command

FOLDER = "PLUMBLINE_TEST_DATA"
RUNS, AIM = 5, 10.0


def run() -> list[Row]:
    rows = [Row("full update, sample", _times("--source", "sample", "--full").of("ours"))]
    if folder := os.environ.get(FOLDER):
        clock = _times("--source", "csv", "--path", folder, "--full", peer=folder)
        rows.append(
            Row("full update, csv folder", clock.of("ours"), "read_csv + to_sql of prices", clock.of("peer"), AIM)
        )
    else:
        rows.append(Row("full update, csv folder", note=f"skipped: {FOLDER} names no folder of market data."))
    return rows


def _times(*options: str, peer: str = "") -> Clock:
    clock = Clock()
    for number in range(-1, RUNS):
        warm_up = "warm-up" if number < 0 else ""
        with scratch() as folder:
            clock.take(warm_up or "ours", lambda: update_command(folder, *options))
            if peer:
                clock.take(warm_up or "peer", lambda: _peer(peer, str(folder / "peer.db")))
    return clock


def _peer(source: str, db: str) -> None:
    script = "import sys; from bench.peers import store_prices; store_prices(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", script, source, db], cwd=config.ROOT, check=True)


BENCHMARK = Benchmark("update", "a full update, from command to exit", run)
