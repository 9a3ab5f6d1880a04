"""One browser that runs backtests: what it presses, and what it sees of its jobs."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from dash import Dash
from dispatch import Dispatch
from flask import session

from dashapp.backtest_job import submit
from pipeline import workspace
from pipeline.backtests import BacktestRequest

OUTCOME, REQUEST = "shell-backtest-outcome.data", "shell-backtest-request.data"
ENDED = ("done", "failed", "cancelled", "lost")
PATIENCE = 30.0  # seconds, on a machine that other tests share: what never comes is told after that


class Analyst:
    """One browser at work."""

    def __init__(self, app: Dash, settings: Any) -> None:
        self.app, self.settings, self.dispatch = app, settings, Dispatch(app.server)
        with self.dispatch.client.session_transaction() as cookie:
            self.owner = cookie["owner"]

    def submit(self, request: BacktestRequest) -> str:
        with self.app.server.test_request_context():
            session["owner"] = self.owner
            return str(submit(request)["job_id"])

    def start(self, job_id: str) -> Any:
        """Press Run: the answer of the background callback, None where it starts nothing."""
        response = self.dispatch.post(OUTCOME, {REQUEST: job_id})
        assert response.status_code in (200, 204)
        return response.json if response.status_code == 200 else None

    def started(self, job_id: str) -> int:
        """Start a job and return the number of its process once it runs."""
        pid = int(self.start(job_id)["job"].split("~")[0])
        self.wait(job_id, "running", *ENDED)
        return pid

    def state(self, job_id: str) -> dict[str, Any]:
        found = workspace.job_state(self.settings.workspace, job_id)
        assert found is not None
        return found

    def wait(self, job_id: str, *states: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Return the job once it is in one of the states."""
        end = time.monotonic() + seconds
        while (job := self.state(job_id))["state"] not in states:
            assert time.monotonic() < end, f"{job['state']} after {seconds:g} s, not {states}: {job['message']}"
            time.sleep(0.02)
        return job

    def watched(self, job_id: str) -> dict[str, Any]:
        """What the Backtest tab is told of a job."""
        return self.dispatch("backtest-shown.data", {"shell-backtest-job.data": {"job_id": job_id}})

    def cancel(self, job_id: str) -> None:
        self.dispatch.post(
            "backtest-cancel.n_clicks", {"backtest-cancel.n_clicks": 1, "shell-backtest-job.data": {"job_id": job_id}}
        )


def kill(pool: Any, pid: int) -> None:
    """Kill a job of the pool with all that it started, as the machine does that is short of memory."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    pool.live[pid].join(PATIENCE)


def gone(pid: int, *, seconds: float = PATIENCE) -> bool:
    """Whether a process ends within that time; one that waits to be reaped has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False
