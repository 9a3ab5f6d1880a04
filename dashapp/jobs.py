"""The bounded, warm worker pool behind Run Backtest, as a background manager of Dash's own kind.

Dash's stock DiskcacheManager has no bound, forks the web process (threads, sockets and all) and leaves orphans.
Here every job is a child of a fork server that has imported the engine already; at most `slots` run at once and
the others wait in line; a job ends with the web process, at its deadline, and within a second of its cancellation.
The state that lasts is the `jobs` table of workspace.db, not the memory of a browser tab.
"""

import contextlib
import fcntl
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import diskcache
import multiprocess
from dash import DiskcacheManager
from dash.exceptions import PreventUpdate

from analytics.errors import PlumblineError
from pipeline import workspace

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 0.5
PACE_FROM_PROGRESS, PACE_FROM_SECONDS = 0.2, 1.0  # earlier, a pace is a guess
MAX_JOBS = 20  # running and waiting; one more is refused
MAX_QUESTIONS = 1_000  # that are remembered with their job


class TooManyJobsError(PlumblineError):
    """The line is full."""


def worker_pool(settings: Any) -> "WorkerPool":
    """Return the pool for `settings`, its fork server warming up in the background."""
    folder = Path(settings.cache_dir) / "jobs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # values are pickled: writing here is running code
    folder.chmod(0o700)
    return WorkerPool(diskcache.Cache(str(folder)), slots=settings.workers)


class WorkerPool(DiskcacheManager):
    """Dash's background manager on a fork server with a bound."""

    def __init__(self, cache: diskcache.Cache, *, slots: int) -> None:
        super().__init__(cache, expire=3_600)
        self.slots, self.folder = slots, Path(cache.directory)
        self.context = multiprocess.get_context("forkserver")
        self.context.set_forkserver_preload(["dashapp.worker"])
        self.live: dict[int, Any] = {}
        self.pending: dict[str, dict[str, Any]] = {}  # work by job id: the browser sends the id and nothing else
        self.asked: dict[str, str] = {}  # the newest job of each question: who asks the same waits for the same
        self.lock, self.warm = threading.Lock(), threading.Event()
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            process = self.context.Process(target=int, daemon=True)  # starting any child starts the fork server
            process.start()
            process.join()
        finally:
            self.warm.set()  # where this failed, starting a job says why

    def submit(self, job_id: str, work: dict[str, Any]) -> None:
        """Keep the work of a job until the background callback asks for it; raises TooManyJobsError."""
        with self.lock:
            self.live = {pid: process for pid, process in self.live.items() if process.is_alive()}  # reaps the ended
            unclaimed = time.monotonic() - workspace.LOST_AFTER_SECONDS  # its browser left before it could start it
            self.pending = {key: item for key, item in self.pending.items() if item["submitted"] > unclaimed}
            if len(self.live) + len(self.pending) >= MAX_JOBS:
                raise TooManyJobsError(f"{MAX_JOBS} backtests are running or waiting. Try again when one has ended.")
            mine = sum(item["owner"] == work["owner"] for item in self.pending.values())
            if mine >= MAX_JOBS // 2:
                raise TooManyJobsError(f"{mine} backtests of this browser are waiting. Try again when one has ended.")
            self.pending[job_id] = work | {"submitted": time.monotonic()}
            if len(self.asked) >= MAX_QUESTIONS:
                self.asked.clear()  # at worst a question is answered twice
            self.asked[work["question"]] = job_id

    def job_of(self, question: str) -> str | None:
        """Return the newest job that was submitted for a question, None where there is none."""
        return self.asked.get(question)

    def forget(self, job_id: str) -> None:
        """Drop work that nobody will ask for any more."""
        with self.lock:
            self.pending.pop(job_id, None)

    def call_job_fn(self, key: str, job_fn: Callable[..., None], args: Any, context: Any) -> int:
        """Start the job's process, which waits for a free slot by itself.

        args is what the browser sent, [job id]; a job that was not submitted here, or runs already, is not started.
        """
        with self.lock:
            work = self.pending.pop(args[0], None) if isinstance(args[0], str) else None
        if work is None:
            raise PreventUpdate
        while not self.warm.wait(HEARTBEAT_SECONDS):  # the engine is still being imported: the job is not lost
            workspace.update_job(work["workspace"], work["job_id"])
        with self.lock:
            process = self.context.Process(
                target=_run, args=(job_fn, (key, self._make_progress_key(key), [work], context)), daemon=True
            )
            process.start()
            self.live[process.pid] = process
            return int(process.pid)

    def terminate_job(self, job: Any) -> None:
        """Stop a job's whole process group; one that has ended is left alone."""
        process = self.live.get(int(job)) if job else None
        if process is not None and process.is_alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def job_running(self, job: Any) -> bool:
        """Whether the process of a job lives."""
        process = self.live.get(int(job)) if job else None
        return process is not None and process.is_alive()

    def terminate_unhealthy_job(self, job: Any) -> bool:
        """Nothing to do: a job that hangs meets its deadline."""
        return False


def _run(job_fn: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """In the child: a process group of its own, that ends with the web process."""
    os.setsid()
    os.nice(5)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job_fn(*arguments)


def _end_with_parent() -> None:
    multiprocess.parent_process().join()  # returns once the web process is gone, however it ended
    os.killpg(0, signal.SIGKILL)


@contextlib.contextmanager
def slot(folder: Path, slots: int) -> Iterator[None]:
    """Hold one of `slots` places, waiting for it as long as it takes; the kernel frees it with its holder."""
    handles = [os.open(folder / f"slot{number}", os.O_CREAT | os.O_RDWR, 0o600) for number in range(slots)]
    try:
        while not any(_locked(handle) for handle in handles):
            time.sleep(0.05)
        yield
    finally:
        for handle in handles:
            os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Watch:
    """In the child: keeps the job's row alive, and ends the process when the row says cancelled or time is up."""

    def __init__(self, path: Path, job_id: str, *, seconds: float) -> None:
        self.path, self.job_id, self.seconds = path, job_id, seconds
        self.running_since: float | None = None
        self.answer: str | None = None
        self.progress, self.message, self.reported = 0.0, "", threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def started(self) -> None:
        """The job has left the line; its time runs from now."""
        self.running_since = time.monotonic()
        workspace.start_job(self.path, self.job_id, seconds=self.seconds)

    def report(self, fraction: float, message: str) -> None:
        """Note progress; the next beat stores it."""
        self.progress, self.message = fraction, message

    def answered(self, result_id: str) -> None:
        """Note the answer, which can be shown while what follows is still running."""
        self.answer = result_id
        workspace.update_job(self.path, self.job_id, result_id=result_id)

    def _beat(self) -> None:
        while True:
            values = {"progress": self.progress, "message": self.message} if self.running_since else {}
            if not workspace.update_job(self.path, self.job_id, **values):
                os.killpg(0, signal.SIGKILL)  # cancelled: whatever it is doing, the processor is free now
            if self.running_since and time.monotonic() - self.running_since > self.seconds:
                advice = "Choose fewer tickers or a shorter period."
                stands = f"The answer stands; its checks were stopped after {self.seconds:g} s. {advice}"
                workspace.update_job(
                    self.path, self.job_id, state="done" if self.answer else "failed", result_id=self.answer,
                    message=stands if self.answer else f"Stopped after {self.seconds:g} s. {advice}",
                )  # fmt: skip
                os.killpg(0, signal.SIGKILL)
            time.sleep(HEARTBEAT_SECONDS)


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
        return f"Waiting for a free worker, {job['ahead']} ahead." if job["ahead"] else "Starting a worker."
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
