"""The standard set: five backtests of all stocks that are run after every published update, so that there is something to compare with.

Each is a backtest like any other, asked through the one door with the defaults, noted in the jobs table, and one try in
the ledger however many nights it is repeated. What becomes of them changes nothing about the update.
"""

import hashlib
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from analytics.errors import PlumblineError
from pipeline import backtests
from pipeline import workspace as results
from pipeline.backtest_request import BacktestRequest
from pipeline.queries import connect
from pipeline.queries import runs as run_queries
from pipeline.queries import standard as standard_queries
from pipeline.retention import retain_standard
from pipeline.sources import Report

log = logging.getLogger(__name__)

SET: Final = {  # what each stands for, and its strategy
    "Technical only": "technical_vote", "Fundamental only": "fundamental", "Integrated": "filter",
    "Buy and hold": "buy_and_hold", "Equal weight": "equal_weight",
}  # fmt: skip
NIGHTS: Final = 7  # of which the results are kept
HEARTBEAT_SECONDS: Final = 1.0
ANSWERED: Final = "This had been asked before."

Progress = Callable[[str, float, str], None]  # (which of the set, fraction of what is to be run, what is being done)


class TimeUpError(Exception):
    """The set has taken all the time it may."""


def standard_set(*, db: Path, workspace: Path) -> dict[str, str | None]:
    """Return {what it stands for: result_id} of the set on the published data, None where it is not stored and checked.

    Raises MissingDataError where nothing is published, StoreError where a database cannot be read.
    """
    return {
        role: backtests.find(BacktestRequest.of(strategy=strategy), db=db, workspace=workspace)
        for role, strategy in SET.items()
    }


def trial_of(strategy: str, tickers: Iterable[str], params: Mapping[str, Any]) -> str:
    """Return what names a standard backtest in the ledger: the same for all its nights, another where it is another question."""
    asked = ["standard", strategy, sorted(tickers), params]
    return hashlib.sha256(results.canonical(asked).encode()).hexdigest()


def run_standard(settings: Any, report: Progress = lambda *_: None) -> list[str]:
    """Run those of the set that the published data have not been asked yet; return a sentence for each that failed.

    Takes `standard_seconds` at most, up to the next report of a run. Where another update publishes meanwhile, what is
    left is its business. Raises nothing but KeyboardInterrupt.
    """
    told: list[str] = []
    if not settings.standard_seconds:
        return told
    try:
        _run_missing(settings, report, told)
        retain_standard(Path(settings.workspace), nights=NIGHTS)
    except Exception as error:
        if not isinstance(error, PlumblineError | sqlite3.Error | OSError):
            log.exception("the standard backtests failed")
        told.append(f"The standard backtests could not be run: {error}")
    for sentence in told:
        log.warning(sentence)
    return told


def _run_missing(settings: Any, report: Progress, told: list[str]) -> None:
    """Run what is not stored, and append a sentence to `told` for each that failed."""
    db, workspace, end = Path(settings.db), Path(settings.workspace), time.monotonic() + settings.standard_seconds
    shown = _published(db)
    missing = [role for role, result_id in standard_set(db=db, workspace=workspace).items() if result_id is None]
    for number, role in enumerate(missing):
        if time.monotonic() >= end:
            told.append(
                f"The standard backtests took the {settings.standard_seconds} s that they may (PLUMBLINE_STANDARD_SECONDS). "
                f"Not run: {', '.join(missing[number:])}."
            )
            break
        if _published(db) != shown:
            log.info("another update has been published: the rest of the standard backtests is its own to run")
            break
        reason = _Run(settings, end, _part(report, role, number, len(missing))).answer(SET[role])
        if reason:
            told.append(f"Standard backtest {role}: {reason}")


def _part(report: Progress, role: str, number: int, count: int) -> Report:
    """The report of one of so many runs."""
    return lambda done, message: report(role, (number + done) / count, message)


def _published(db: Path) -> str | None:
    with connect(db) as reader:
        run = run_queries.published_run(reader)
    return run["run_id"] if run else None


class _Run:
    """One run of the set, noted in the jobs table, that ends when the time of the set is up."""

    def __init__(self, settings: Any, end: float, tell: Report) -> None:
        self.db, self.workspace, self.seconds = Path(settings.db), Path(settings.workspace), settings.standard_seconds
        self.end, self.tell, self.job_id = end, tell, uuid.uuid4().hex
        self.stored: str | None = None  # the result that this run has computed
        self.beaten = -HEARTBEAT_SECONDS

    def answer(self, strategy: str) -> str:
        """Run a strategy; return why it failed, "" where it did not."""
        left = self.end - time.monotonic()
        results.create_job(
            self.workspace, job_id=self.job_id, kind=standard_queries.KIND, owner=standard_queries.OWNER, seconds=left
        )
        results.start_job(self.workspace, self.job_id, seconds=left)
        try:
            self._run(strategy)
        except KeyboardInterrupt:
            self._note(state="cancelled", message="Stopped.")
            raise
        except TimeUpError:
            what = "the answer stands, its checks were stopped" if self.stored else "stopped"
            reason = f"{what} when the set had taken {self.seconds} s (PLUMBLINE_STANDARD_SECONDS)."
            self._note(state="done" if self.stored else "failed", message=reason)
        except PlumblineError as error:
            reason = str(error)
            self._note(state="failed", message=reason)
        except Exception as error:
            log.exception("standard backtest %s failed", strategy)
            reason = f"Unexpected error: {type(error).__name__}: {error}"
            self._note(state="failed", message=reason)
        else:
            reason = ""
        return reason

    def _run(self, strategy: str) -> None:
        request = BacktestRequest.of(strategy=strategy)
        with connect(self.db) as reader:
            tickers = backtests.resolve(reader, request, self.db).tickers
        result_id = backtests.run(
            replace(request, tickers=tickers), db=self.db, workspace=self.workspace, report=self._report, stored=self._stored,
            trial=trial_of(strategy, tickers, request.params()),
        )  # fmt: skip
        with results.reading(self.workspace) as reader:
            own = self.stored or standard_queries.is_standard(reader, result_id)
        # One that somebody else had asked for before is theirs, and never deleted as one of the set.
        self._note(state="done", progress=1.0, message="" if own else ANSWERED, result_id=result_id if own else None)

    def _report(self, done: float, message: str) -> None:
        now = time.monotonic()
        if now >= self.end:
            raise TimeUpError
        self.tell(done, message)
        if now - self.beaten >= HEARTBEAT_SECONDS:
            self.beaten = now
            self._note(progress=done, message=message)

    def _stored(self, result_id: str) -> None:
        self.stored = result_id
        self._note(result_id=result_id)

    def _note(self, **values: Any) -> None:
        results.update_job(self.workspace, self.job_id, **values)
