"""Which run is shown, how old it is, and how the newest update fares: what the header, the Data tab and /health say."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app

from analytics.errors import PlumblineError
from dashapp.data import UPDATE_KEY, market, published, settings, soundness
from dashapp.format import age, without_folders
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import runs as run_queries

SECONDS_PER_HOUR = 3_600
NEWS_SECONDS = 600  # how long the outcome of an update stands on the Data tab


@dataclass(frozen=True)
class Status:
    """`run` and `source` are None where there is nothing to show; then `problem` says why."""

    run: dict[str, Any] | None
    source: Any
    newest_date: str | None
    problem: str
    update: dict[str, Any]  # of pipeline.queries.runs.update_state
    stale_hours: float
    fault: str = ""  # what is wrong with the pages of the store that is shown all the same

    @property
    def shown(self) -> str:
        """A word that changes when another run is shown, or nothing can be shown any more."""
        return self.run["run_id"] if self.run else self.problem

    @property
    def age_hours(self) -> float | None:
        """Hours since the run was published; None where there is none."""
        return seconds_since(self.run["published_at"]) / SECONDS_PER_HOUR if self.run else None

    @property
    def stale(self) -> bool:
        """Whether the run is older than the setting allows. Weekends count: what is judged is the age of the answer."""
        return self.age_hours is not None and self.age_hours > self.stale_hours

    def token(self) -> dict[str, Any]:
        """What changes when the header has something new to say."""
        running = self.update["state"] == "running"
        seconds = int(seconds_since(self.update["started_at"])) if running and self.update["started_at"] else None
        return {name: self.update[name] for name in ("state", "step", "started_at")} | {
            "seconds": seconds, "stale": self.stale, "outcome": self.outcome, "fault": self.fault,
            "ages": [age(self.run["published_at"]) if self.run else "", age(self.update["started_at"])],
        }  # fmt: skip

    @property
    def outcome(self) -> str:
        """How the update that was started here ended, while nothing newer is shown and it is news."""
        job = current_app.config[UPDATE_KEY]
        told = job.outcome and seconds_since(job.ended_at) < NEWS_SECONDS
        return job.outcome if told and not (self.run and self.run["published_at"] > job.ended_at) else ""


def status() -> Status:
    """Return the status of the running app; whatever is wrong with the store becomes its `problem`."""
    run, source, newest, problem = None, None, None, ""
    try:
        with market() as reader:
            run, source = published(reader)
            newest = instrument_queries.newest_date(reader)
    except PlumblineError as error:
        run, problem = None, str(error)
    update = run_queries.update_state(settings().db, published=run)
    started_at = current_app.config[UPDATE_KEY].running_since
    if started_at and update["state"] != "running":  # it has not come as far as its database yet, or has published
        step = "standard_backtests" if run and run["published_at"] > started_at else "start"
        update = run_queries.NO_UPDATE | {"state": "running", "step": step, "started_at": started_at}
    update = update | {"message": without_folders(update["message"])}
    return Status(
        run,
        source,
        newest,
        without_folders(problem),
        update,
        settings().stale_hours,
        soundness().known_fault() if run else "",
    )


def step_name(key: str) -> str:
    """Return a step's key in words."""
    return key.replace("_", " ")


def seconds_since(timestamp: str) -> float:
    """Return the seconds since a stored UTC moment."""
    return (datetime.now(UTC) - datetime.fromisoformat(timestamp)).total_seconds()
