"""The command: which benchmarks run, each in a process of its own, and the table they end in."""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

from analytics.errors import UnknownKeyError
from analytics.registry import lookup
from bench.measure import Row
from bench.subjects import BENCHMARKS

HEADER = ("what", "median", "min", "p95", "cpu", "runs", "peer", "peer takes", "ratio", "aim")

LEGEND = (
    "p95: the slowest run where there are fewer than 20. cpu: median processor time. "
    "ratio: the peer's median over ours, runs taken in turn."
)


def main(arguments: Sequence[str]) -> int:
    """Run the named benchmarks and print one table. Returns 2 on an unknown name, 1 where one could not be run."""
    names = _parser().parse_args(arguments).names or list(BENCHMARKS)
    try:
        chosen = [lookup(BENCHMARKS, name, "benchmark") for name in names]
    except UnknownKeyError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    rows, failed = [], False
    for number, benchmark in enumerate(chosen, start=1):
        print(f"[{number}/{len(chosen)}] {benchmark.key}: {benchmark.description}", file=sys.stderr, flush=True)
        try:
            rows += _in_a_process(benchmark.key)
        except Exception as error:
            failed = True
            print(f"  could not be measured: {type(error).__name__}: {error}", file=sys.stderr)
    print(table(rows))
    return int(failed)


def _in_a_process(key: str) -> list[Row]:
    """Each in a fresh process: what one imports or fills must not help or slow the next."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run, key).result()


def run(key: str) -> list[Row]:
    """Run one benchmark here."""
    return BENCHMARKS[key].run()


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {key:16} {item.description}" for key, item in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=f"benchmarks:\n{listed}"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; all where none is given")
    return parser


def table(rows: Iterable[Row]) -> str:
    """Return the rows as aligned text, the notes below."""
    rows = list(rows)
    cells = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "-" * sum(widths, 2 * (len(widths) - 1)))
    notes = [f"{row.name}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", LEGEND, _load(), *notes])


def _load() -> str:
    """How busy the machine is: with more work than processors every time above is too long."""
    return f"load {os.getloadavg()[1]:.1f} over the last five minutes on {os.cpu_count()} processors."


def _cells(row: Row) -> tuple[str, ...]:
    if not row.ours:
        return (row.name, "skipped", *[""] * (len(HEADER) - 2))
    aim = "" if row.aim is None else f"{row.judged} {seconds(row.aim)} {'met' if row.met else 'MISSED'}"
    peer = (row.peer, seconds(row.theirs.median), f"{row.ratio:.1f}") if row.theirs else ("",) * 3
    times = (row.ours.median, min(row.ours.wall), row.ours.p95, row.ours.median_cpu)
    return (row.name, *map(seconds, times), str(len(row.ours.wall)), *peer, aim)


def seconds(value: float) -> str:
    """Return a stretch of time with three digits in the unit that fits."""
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"
