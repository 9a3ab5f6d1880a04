"""What a benchmark is, the rows it answers with, and how a stretch of time is taken."""

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Judged = Literal["median", "p95"]


@dataclass(frozen=True)
class Times:
    """Seconds of repeated runs: on the wall, and of processors by this process and the ones it waited for."""

    wall: tuple[float, ...] = ()
    cpu: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.wall)

    @property
    def median(self) -> float:
        return statistics.median(self.wall)

    @property
    def p95(self) -> float:
        """The time that 95 runs of 100 stay below; the slowest one where there are fewer than 20."""
        return statistics.quantiles(self.wall, n=20)[-1] if len(self.wall) >= 20 else max(self.wall)

    @property
    def median_cpu(self) -> float:
        """NaN where only the wall was timed: of several threads, or of another process."""
        return statistics.median(self.cpu) if self.cpu else float("nan")


@dataclass(frozen=True)
class Row:
    """One line of the table: our times, and those of a peer that did the same work in the same minutes.

    aim: seconds that `judged` should stay below, None where there is no aim. note: what the line compares, or why
    it was skipped; printed below the table.
    """

    name: str
    ours: Times = Times()
    peer: str = ""
    theirs: Times = Times()
    aim: float | None = None
    judged: Judged = "median"
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times longer the peer takes."""
        return self.theirs.median / self.ours.median

    @property
    def met(self) -> bool:
        return self.aim is None or getattr(self.ours, self.judged) <= self.aim


@dataclass(frozen=True)
class Benchmark:
    """One subject. run() builds what it needs in a throw-away folder and returns its rows."""

    key: str
    description: str
    run: Callable[[], list[Row]]


@dataclass
class Clock:
    """Collects the times of repeated calls by name."""

    taken: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def take(self, name: str, action: Callable[[], Any]) -> Any:
        """Run `action`, note its times under `name`, and return its answer."""
        begin, spent = time.perf_counter(), _cpu_seconds()
        answer = action()
        self.taken.setdefault(name, []).append((time.perf_counter() - begin, _cpu_seconds() - spent))
        return answer

    def of(self, name: str) -> Times:
        return Times(*zip(*self.taken[name], strict=True))


def _cpu_seconds() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def race(ours: Callable[[], Any], peer: Callable[[], Any], *, rounds: int) -> tuple[Times, Times]:
    """Return the times of both, taken in turn so that a busy machine slows both; one run of each is not counted."""
    ours(), peer()
    clock = Clock()
    for _ in range(rounds):
        clock.take("ours", ours)
        clock.take("peer", peer)
    return clock.of("ours"), clock.of("peer")


def agree(what: str, ours: Any, peer: Any, *, rtol: float) -> None:
    """Raise ValueError where the peer did not compute the same: a ratio between different answers says nothing."""
    import numpy as np

    ours, peer = np.asarray(ours, dtype=float), np.asarray(peer, dtype=float)
    if not np.allclose(ours, peer, rtol=rtol, atol=0, equal_nan=True):
        worst = np.nanmax(np.abs(ours / peer - 1))
        raise ValueError(f"{what}: the peer's answer differs by {worst:.2g}, more than {rtol:g}")
