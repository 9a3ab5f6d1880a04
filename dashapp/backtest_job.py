"""The background callback of Run Backtest. It lives in the shell and writes only Stores, so that no page is needed.

submit() notes the job, whose id goes into the request Store; the callback below runs in a worker; the page watches
the jobs table, and finds its job again after a reload, on another tab, or after a restart.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dash import Input, Output, callback
from flask import current_app, g, session

from analytics.errors import PlumblineError
from dashapp.data import POOL_KEY, RATE_KEY, settings
from dashapp.ids import SHELL
from dashapp.jobs import ADVICE, Watch, limit_memory, slot
from pipeline import asked, backtests, workspace

log = logging.getLogger(__name__)

POLL_MILLISECONDS = 2_000  # Dash's own look at the job; the page looks at the jobs table
BACKTEST = "backtest"  # the kind of a job
TOO_LARGE = f"It needs more memory than a job may take (PLUMBLINE_JOB_MEGABYTES). {ADVICE}"


def submit(request: backtests.BacktestRequest) -> dict[str, Any]:
    """Answer a request with {"result_id"} where the answer is stored, else with {"job_id"} of the work to be started.

    The job may be one that already runs: the same question is worked on once, whoever asks it.

    Raises InputError, MissingDataError, RateLimitError or TooManyJobsError before any process starts.
    """
    app = settings()
    question = backtests.ask(request, db=app.db)
    stored, about = backtests.answer_to(question, workspace=app.workspace), question.description()
    if stored is None:
        return {"job_id": enqueue(request, kind=BACKTEST, question=question.key(), about=about, run=run_in_background)}
    if not g.get("newcomer"):  # who brings no cookie has no list
        asked.note(app.workspace, owner(), question_id=question.key(), kind=BACKTEST, request=about, result_id=stored)
    return {"result_id": stored}


def enqueue(
    request: Any, *, kind: str, question: str, about: Mapping[str, Any], run: Callable[[dict[str, Any]], str]
) -> str:
    """Return the id of the job that answers a question: one that is at it already, or a new one.

    about: the request in words that can be stored. run: the background callback, which the worker calls. Raises
    RateLimitError or TooManyJobsError before any process starts.
    """
    with current_app.config[POOL_KEY].asking:  # two who ask at once find the same job, and nobody cancels it in between
        job_id = _job(request, kind=kind, question=question, run=run)
        asked.note(settings().workspace, owner(), question_id=question, kind=kind, request=about, job_id=job_id)
    return job_id


def _job(request: Any, *, kind: str, question: str, run: Callable[[dict[str, Any]], str]) -> str:
    app, pool = settings(), current_app.config[POOL_KEY]
    same = pool.job_of(question)
    if same is not None and (job := workspace.job_state(app.workspace, same)) and job["state"] in workspace.ACTIVE:
        return str(same)
    visitor = "browsers without a cookie" if g.get("newcomer") else owner()
    current_app.config[RATE_KEY].admit(visitor)
    job_id = uuid.uuid4().hex
    pool.submit(job_id, {
        "job_id": job_id, "owner": visitor, "question": question, "request": request, "run": run, "db": Path(app.db), "workspace": Path(app.workspace),
        "slots": app.workers, "folder": Path(app.cache_dir) / "jobs", "seconds": app.job_seconds, "megabytes": app.job_megabytes,
    })  # fmt: skip
    try:
        workspace.create_job(app.workspace, job_id=job_id, kind=kind, owner=owner(), seconds=app.job_seconds)
    except PlumblineError:
        pool.forget(job_id)
        raise
    return job_id


def begin(submitted: Mapping[str, Any]) -> None:
    """Start the work that `submit` returned without waiting for the browser to ask for it: it will, but later."""
    job_id = submitted.get("job_id")
    if job_id is not None:
        threading.Thread(target=current_app.config[POOL_KEY].begin, args=(job_id,), daemon=True).start()


def owner() -> str:
    """Return the word that marks the jobs of this browser."""
    return str(session["owner"])


def cancel(job_id: str) -> None:
    """Take this browser's request for a job back. Where nobody else waits, its worker notices within a second and ends."""
    pool = current_app.config[POOL_KEY]
    with pool.asking:
        if asked.withdraw(settings().workspace, owner(), job_id):
            pool.forget(job_id)


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
        bars=work["folder"].parent / "bars",
    ))  # fmt: skip


def in_worker(work: dict[str, Any], answer: Callable[[Watch], str]) -> str:
    """Do submitted work when a place is free; what becomes of it is written to the jobs table. Return the job's id."""
    path, job_id = work["workspace"], work["job_id"]
    limit_memory(work["megabytes"])
    watch = Watch(path, job_id, seconds=work["seconds"])
    with slot(work["folder"], work["slots"], lambda: workspace.is_next(path, job_id)):
        watch.started()
        try:
            result_id = answer(watch)
        except PlumblineError as error:
            workspace.update_job(path, job_id, state="failed", message=str(error))
        except MemoryError:
            workspace.update_job(path, job_id, state="failed", message=TOO_LARGE)
        except Exception as error:
            log.exception("job %s failed", job_id)
            workspace.update_job(
                path, job_id, state="failed", message=f"Unexpected error: {type(error).__name__}: {error}"
            )
        else:
            workspace.update_job(path, job_id, state="done", progress=1.0, message="", result_id=result_id)
    return str(job_id)
