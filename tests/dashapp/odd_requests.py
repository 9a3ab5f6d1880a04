"""Backtests that misbehave in the worker. A module of its own, so that a worker process can import it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashapp.jobs import Watch
from pipeline.backtests import BacktestRequest


@dataclass(frozen=True)
class SlowRequest(BacktestRequest):
    """Takes `pause` seconds more than the engine needs."""

    pause: float = 60.0

    def over(self, *, start: str, end: str) -> Any:
        time.sleep(self.pause)
        return super().over(start=start, end=end)


@dataclass(frozen=True)
class FailingRequest(BacktestRequest):
    """Meets a bug in the engine."""

    def over(self, *, start: str, end: str) -> Any:
        raise ZeroDivisionError("planted")


@dataclass(frozen=True)
class HungryRequest(BacktestRequest):
    """Asks for more memory than any job may have."""

    def over(self, *, start: str, end: str) -> Any:
        held = [bytearray(64 * 1_048_576) for _ in range(64)]
        raise AssertionError(f"{len(held)} parts of 64 MB were given")


def hang(path: Path, job_id: str, *, seconds: float, answer: str | None) -> None:
    """A job that goes on for ever, once it has told its answer if it has one."""
    watch = Watch(path, job_id, seconds=seconds)
    watch.started()
    if answer is not None:
        watch.answered(answer)
    time.sleep(60.0)
