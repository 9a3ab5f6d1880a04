"""The background callback of a sweep: like that of Run Backtest it lives in the shell and writes only Stores."""

from typing import Any

from dash import Input, Output, callback

from dashapp.backtest_job import POLL_MILLISECONDS, enqueue, in_worker
from dashapp.data import settings
from dashapp.ids import SHELL
from pipeline import sweeps, workspace
from pipeline.queries import sweeps as sweep_queries


def submit(request: sweeps.SweepRequest) -> dict[str, Any]:
    """Return {"sweep_id"}, with the "job_id" of the work where cells are missing.

    Raises InputError, MissingDataError, RateLimitError or TooManyJobsError before any process starts.
    """
    app = settings()
    name = sweeps.sweep_id(request, db=app.db)
    with workspace.reading(app.workspace) as reader:
        stored = sweep_queries.stored_cells(reader, name)
    if len(stored) == len(request.cells):
        return {"sweep_id": name}
    return {"sweep_id": name, "job_id": enqueue(request, kind="sweep", question=name, about={
        "strategy_name": request.question.spec.strategy, "tickers": request.question.tickers, "axes": request.axes(),
    }, run=sweep_in_background)}  # fmt: skip


@callback(
    Output(SHELL.sweep_outcome, "data"), Input(SHELL.sweep_request, "data"),
    background=True, interval=POLL_MILLISECONDS, prevent_initial_call=True,
)  # fmt: skip
def sweep_in_background(work: dict[str, Any]) -> str:
    """Run one sweep in a worker; the browser sends a job id, the pool puts what was submitted in its place."""
    return in_worker(work, lambda watch: sweeps.run(
        work["request"], report=watch.report, db=work["db"], workspace=work["workspace"],
    ))  # fmt: skip
