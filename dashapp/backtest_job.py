"""The background callback of Run Backtest. It lives in the shell and writes only Stores, so that no page is needed.

submit() notes the job, whose id goes into the request Store; the callback below runs in a worker; the page watches
the jobs table, and finds its job again after a reload, on another tab, or after a restart.
"""

import logging
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dash import Input, Output, callback
from flask import current_app, g, session

from analytics.errors import PlumblineError
from dashapp.data import POOL_KEY, RATE_KEY, settings
from dashapp.ids import SHELL
from dashapp.jobs import Watch, slot
from pipeline import backtests, workspace

log = logging.getLogger(__name__)

POLL_MILLISECONDS = 300


def submit(request: backtests.BacktestRequest) -> dict[str, Any]:
    """Answer a request with {"result_id"} where the answer is stored, else with {"job_id"} of the work to be started.

    The job may be one that already runs: the same question is worked on once, whoever asks it.

    Raises InputError, MissingDataError, RateLimitError or TooManyJobsError before any process starts.
    """
    app = settings()
    stored = backtests.find(request, db=app.db, workspace=app.workspace)
    if stored is not None:
        return {"result_id": stored}
    return {"job_id": enqueue(request, kind="backtest", question=backtests.question_id(request, db=app.db))}


def enqueue(request: Any, *, kind: str, question: str) -> str:
    """Return the id of the job that answers a question: one that is at it already, or a new one.

    Raises RateLimitError or TooManyJobsError before any process starts.
    """
    app, pool = settings(), current_app.config[POOL_KEY]
    same = pool.job_of(question)
    if same is not None and (job := workspace.job_state(app.workspace, same)) and job["state"] in workspace.ACTIVE:
        return same
    visitor = "browsers without a cookie" if g.get("newcomer") else owner()
    current_app.config[RATE_KEY].admit(visitor)
    job_id = uuid.uuid4().hex
    pool.submit(job_id, {
        "job_id": job_id, "owner": visitor, "question": question, "request": request, "db": Path(app.db), "workspace": Path(app.workspace),
        "slots": app.workers, "folder": Path(app.cache_dir) / "jobs", "seconds": app.job_seconds,
    })  # fmt: skip
    try:
        workspace.create_job(app.workspace, job_id=job_id, kind=kind, owner=owner(), seconds=app.job_seconds)
    except PlumblineError:
        pool.forget(job_id)
        raise
    return job_id


def is_new(submitted: dict[str, Any]) -> bool:
    """Whether what `submit` returned is work that nobody has started: to write the id of another would end its process."""
    return submitted.get("job_id") in current_app.config[POOL_KEY].pending


def owner() -> str:
    """Return the word that marks the jobs of this browser."""
    return str(session["owner"])


def cancel(job_id: str) -> None:
    """Cancel one's own job; its worker notices within a second and ends."""
    path = settings().workspace
    job = workspace.job_state(path, job_id)
    if job and job["owner"] == owner():
        workspace.update_job(path, job_id, state="cancelled", message="Cancelled.")
        current_app.config[POOL_KEY].forget(job_id)


@callback(
    Output(SHELL.backtest_outcome, "data"), Input(SHELL.backtest_request, "data"),
    background=True, interval=POLL_MILLISECONDS, prevent_initial_call=True,
)  # fmt: skip
def run_in_background(work: dict[str, Any]) -> str:
    """Run one backtest in a worker; the outcome is written to the jobs table first.

    The browser sends a job id; the pool puts the work that was submitted under it in its place.
    """
    return in_worker(work, lambda watch: backtests.run(
        work["request"], report=watch.report, db=work["db"], workspace=work["workspace"], stored=watch.answered,
    ))  # fmt: skip


def in_worker(work: dict[str, Any], answer: Callable[[Watch], str]) -> str:
    """Do submitted work when a place is free; what becomes of it is written to the jobs table. Return the job's id."""
    path, job_id = work["workspace"], work["job_id"]
    watch = Watch(path, job_id, seconds=work["seconds"])
    with slot(work["folder"], work["slots"]):
        watch.started()
        try:
            result_id = answer(watch)
        except PlumblineError as error:
            workspace.update_job(path, job_id, state="failed", message=str(error))
        except Exception as error:
            log.exception("job %s failed", job_id)
            workspace.update_job(
                path, job_id, state="failed", message=f"Unexpected error: {type(error).__name__}: {error}"
            )
        else:
            workspace.update_job(path, job_id, state="done", progress=1.0, message="", result_id=result_id)
    return str(job_id)
