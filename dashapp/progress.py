"""How a job is doing, as a page is told."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pipeline.workspace import ACTIVE

PACE_FROM_PROGRESS, PACE_FROM_SECONDS = 0.2, 1.0  # earlier, a pace is a guess
SOON_SECONDS, LOOK_SECONDS = 0.8, 0.01
_WAITING = threading.BoundedSemaphore(2)


def soon(look: Callable[[], dict[str, Any] | None]) -> dict[str, Any] | None:
    """Return a job as `look` finds it: once it has an answer or has ended, after a moment in any case.

    A short backtest is answered in less time than lies between two looks of a page. Where others wait already, or the
    job stands in line, nothing is waited for: the threads of the web process are few.
    """
    job, end = look(), time.monotonic() + SOON_SECONDS
    if job is None or not _is_near(job) or not _WAITING.acquire(blocking=False):
        return job
    try:
        while job is not None and _is_near(job) and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
            job = look()
    finally:
        _WAITING.release()
    return job


def _is_near(job: dict[str, Any]) -> bool:
    return job["state"] in ACTIVE and not job["result_id"] and not job["ahead"]


def time_left(job: dict[str, Any], *, seconds: float, now: datetime | None = None) -> float | None:
    """Return the seconds a running job still needs at its pace so far; None before it has a pace.

    seconds: the time a job may run, which lies between its start and its deadline.
    """
    if job["state"] != "running" or job["progress"] < PACE_FROM_PROGRESS:
        return None
    left = (datetime.fromisoformat(job["deadline_at"]) - (now or datetime.now(UTC))).total_seconds()
    elapsed = seconds - left
    return float(elapsed * (1 - job["progress"]) / job["progress"]) if elapsed > PACE_FROM_SECONDS else None


def progress_text(job: dict[str, Any], *, seconds: float) -> str:
    """Return how a job that has not ended is doing; seconds: the time that a job may run."""
    if job["state"] == "queued":
        return f"Waiting for a free worker, {job['ahead']} ahead." if job["ahead"] else "Next in line for a worker."
    left = time_left(job, seconds=seconds)
    parts = [
        f"{job['progress']:.0%}",
        job["message"] or "starting",
        f"about {left:.0f} s left" if left is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def ended_text(job: dict[str, Any]) -> str:
    """Return what is to be said of a job that has ended."""
    told = str(job["message"] or "")
    return told if job["state"] in ("done", "cancelled") else f"{job['state'].capitalize()}: {told}"
