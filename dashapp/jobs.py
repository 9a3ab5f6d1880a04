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
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import diskcache
import multiprocess
from dash import DiskcacheManager
from dash.exceptions import PreventUpdate

from analytics.errors import PlumblineError
from dashapp.spare import Spare
from pipeline import workspace

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 0.5
IDLE_NICE, IDLE_SESSION = 14, 10  # the second leaves a tenth to the checks: they hold a place, and have a deadline
BREATH_SECONDS = 0.15  # while the answer is drawn: two threads of one core slow each other down, whoever is nicer
MAX_JOBS = 20  # running and waiting; one more is refused
ADVICE = "Choose fewer tickers, a shorter period, or fewer parameter sets."
MAX_QUESTIONS = 1_000  # that are remembered with their job


class TooManyJobsError(PlumblineError):
    """The line is full."""


def worker_pool(settings: Any) -> "WorkerPool":
    """Return the pool for `settings`, its fork server warming up in the background."""
    folder = Path(settings.cache_dir) / "jobs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # values are pickled: writing here is running code
    folder.chmod(0o700)
    return WorkerPool(diskcache.Cache(str(folder)), Path(settings.db))


class WorkerPool(DiskcacheManager):
    """Dash's background manager on a fork server with a bound."""

    def __init__(self, cache: diskcache.Cache, db: Path) -> None:
        super().__init__(cache, expire=3_600)
        self.context = multiprocess.get_context("forkserver")
        self.context.set_forkserver_preload(["dashapp.worker"])
        self.spare = Spare(self.context, db)
        self.live: dict[int, Any] = {}
        self.owners: dict[int, str] = {}  # by process
        self.starting: dict[str, str] = {}  # owners of jobs that are neither waiting any more nor running yet
        self.begun: dict[str, Future[Any]] = {}  # the process of a job that no browser has asked for yet
        self.unanswered: set[int] = set()  # processes whose outcome Dash has not been given
        self.pending: dict[str, dict[str, Any]] = {}  # work by job id: the browser sends the id and nothing else
        self.asked: dict[str, str] = {}  # the newest job of each question: who asks the same waits for the same
        self.lock, self.asking, self.warm = threading.Lock(), threading.Lock(), threading.Event()
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            process = self.context.Process(target=int, daemon=True)  # starting any child starts the fork server
            process.start()
            process.join()
            self.spare.prepare()
        finally:
            self.warm.set()  # where this failed, starting a job says why

    def submit(self, job_id: str, work: dict[str, Any]) -> None:
        """Keep the work of a job until it is begun; raises TooManyJobsError.

        work: its question, owner and workspace, and `run`, a function of a module that does it in the child, given the work.
        """
        with self.lock:
            self.live = {pid: process for pid, process in self.live.items() if process.is_alive()}  # reaps the ended
            self.owners = {pid: owner for pid, owner in self.owners.items() if pid in self.live}
            self.begun = {key: item for key, item in self.begun.items() if _is_wanted(item)}
            unclaimed = time.monotonic() - workspace.LOST_AFTER_SECONDS  # its browser left before it could start it
            self.pending = {key: item for key, item in self.pending.items() if item["submitted"] > unclaimed}
            owners = [item["owner"] for item in self.pending.values()] + list(self.starting.values())
            owners += [self.owners[pid] for pid in self.live]
            if len(owners) >= MAX_JOBS:
                raise TooManyJobsError(f"{MAX_JOBS} jobs are running or waiting. Try again when one has ended.")
            mine = owners.count(work["owner"])
            if mine >= MAX_JOBS // 2:
                raise TooManyJobsError(
                    f"{mine} jobs of this browser are running or waiting. Try again when one has ended."
                )
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

    def begin(self, job_id: Any) -> None:
        """Start the process of submitted work, which waits for a free slot by itself; a job is started once."""
        with self.lock:
            work = self.pending.pop(job_id, None) if isinstance(job_id, str) else None
            if work is None:
                return
            begun = self.begun[job_id] = Future()
            self.starting[job_id] = work["owner"]
        while not self.warm.wait(HEARTBEAT_SECONDS):  # the engine is still being imported: the job is not lost
            workspace.update_job(work["workspace"], work["job_id"])
        try:
            with self.lock:
                process = self.spare.take(_run, (work["run"], (work,)))
                self.live[process.pid], self.owners[process.pid] = process, work["owner"]
            begun.set_result(process)
        except Exception as error:
            log.exception("job %s could not be started", job_id)
            workspace.update_job(work["workspace"], job_id, state="failed", message=f"It could not be started: {error}")
            begun.set_exception(error)
        finally:
            self.starting.pop(job_id, None)

    def call_job_fn(self, key: str, job_fn: Callable[..., None], args: Any, context: Any) -> int:
        """Return the process of a submitted job, started now if it was not begun before.

        args is what the browser sent, [job id]; a job that was not submitted here, or was asked for already, is refused.
        """
        self.begin(args[0])
        with self.lock:
            begun = self.begun.pop(args[0], None) if isinstance(args[0], str) else None
        if begun is None:
            raise PreventUpdate
        process = begun.result()
        self.unanswered.add(process.pid)
        threading.Thread(target=self._hand_over, args=(process, key, args[0]), daemon=True).start()
        return int(process.pid)

    def _hand_over(self, process: Any, key: str, job_id: str) -> None:
        """Give Dash the job's id as its outcome once the process has ended; what became of it stands in the jobs table."""
        process.join()
        self.handle.set(key, job_id, expire=self.expire)
        self.unanswered.discard(process.pid)

    def terminate_job(self, job: Any) -> None:
        """Nothing to do: a job ends by its row, and Dash would end the last question of a browser with its next one."""

    def job_running(self, job: Any) -> bool:
        """Whether the process of a job lives, or its outcome is still on the way to Dash."""
        process = self.live.get(int(job)) if job else None
        return process is not None and (process.is_alive() or process.pid in self.unanswered)

    def terminate_unhealthy_job(self, job: Any) -> bool:
        """Nothing to do: a job that hangs meets its deadline."""
        return False


def _is_wanted(begun: "Future[Any]") -> bool:
    """Whether a browser may still ask for what was begun: it is being started, or runs."""
    return not begun.done() or (begun.exception() is None and begun.result().is_alive())


def _run(run: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """In the child: a process group of its own, that ends with the web process."""
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run(*arguments)


def limit_memory(megabytes: int) -> None:
    """Let this process take so much memory beyond what it has; more raises MemoryError. Linux alone keeps such a limit."""
    status = Path("/proc/self/status")
    if not status.exists():
        return
    held = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmData:"))
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = held * 1_024 + megabytes * 1_048_576
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def _end_with_parent() -> None:
    multiprocess.parent_process().join()  # returns once the web process is gone, however it ended
    os.killpg(0, signal.SIGKILL)


@contextlib.contextmanager
def slot(folder: Path, slots: int, is_next: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Hold one of `slots` places, waiting for it as long as it takes; the kernel frees it with its holder.

    is_next: asked when there is a place; who is not leaves it to who is.
    """
    handles = [os.open(folder / f"slot{number}", os.O_CREAT | os.O_RDWR, 0o600) for number in range(slots)]
    try:
        while (held := next((handle for handle in handles if _locked(handle)), None)) is None or not is_next():
            if held is not None:
                fcntl.flock(held, fcntl.LOCK_UN)
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
        self.progress, self.message = 0.0, ""
        threading.Thread(target=self._beat, daemon=True).start()

    def started(self) -> None:
        """The job has left the line; its time runs from now."""
        self.running_since = time.monotonic()
        workspace.start_job(self.path, self.job_id, seconds=self.seconds)

    def report(self, fraction: float, message: str) -> None:
        """Note progress; the next beat stores it."""
        self.progress, self.message = fraction, message

    def answered(self, result_id: str) -> None:
        """Note the answer, which can be shown while what follows is still running: it waits a moment, then yields to those who draw the answer."""
        self.answer = result_id
        workspace.update_job(self.path, self.job_id, result_id=result_id)
        os.nice(IDLE_NICE)
        with contextlib.suppress(OSError):  # Linux may weigh whole sessions against each other, and this one is its own
            Path("/proc/self/autogroup").write_text(str(IDLE_SESSION))
        time.sleep(BREATH_SECONDS)

    def _beat(self) -> None:
        while True:
            late = self.running_since is not None and time.monotonic() - self.running_since > self.seconds
            try:
                alive = self._note_end() if late else self._note_progress()
            except Exception:  # a full disk, say: the next beat may succeed, and the deadline holds all the same
                log.exception("job %s: its state could not be noted", self.job_id)
                alive = True
            if late or not alive:
                os.killpg(0, signal.SIGKILL)  # whatever it is doing, the processor is free now
            time.sleep(HEARTBEAT_SECONDS)

    def _note_progress(self) -> bool:
        """Whether the job goes on: not once it was cancelled."""
        values = {"progress": self.progress, "message": self.message} if self.running_since else {}
        return workspace.update_job(self.path, self.job_id, **values)

    def _note_end(self) -> bool:
        stands = f"The answer stands; its checks were stopped after {self.seconds:g} s. {ADVICE}"
        return workspace.update_job(
            self.path, self.job_id, state="done" if self.answer else "failed", result_id=self.answer,
            message=stands if self.answer else f"Stopped after {self.seconds:g} s. {ADVICE}",
        )  # fmt: skip
