"""Tell a person that the pipeline needs one: an update failed, was partial or is overdue; and that it works again."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.errors import InputError
from analytics.registry import lookup
from config import one_line
from pipeline import delivery
from pipeline.errors import LockedError
from pipeline.publish import build_path
from pipeline.queries import connect, runs

if TYPE_CHECKING:  # a check of the store needs no source and no step
    from pipeline.runner import Summary

log = logging.getLogger(__name__)

KINDS = {
    "failed": "failure",
    "partial": "an update was published without all of its data",
    "stale": "the data is old",
    "recovered": "all is well again",
}
OPEN = ("failed", "stale")  # what `recovered` closes
ASKED = ("db", "source", "path", "ticker", "tickers", "start")  # what a person gives an update
LONGEST = 2_000  # characters of a message that are sent


@dataclass(frozen=True)
class Alert:
    """What happened (a key of KINDS), in which run, and what users see meanwhile; None is unknown."""

    kind: str
    message: str = ""
    run_id: str | None = None
    source: str | None = None
    step: str | None = None
    started_at: str | None = None
    shown_run: str | None = None
    shown_age_hours: float | None = None

    def __post_init__(self) -> None:
        """Raise UnknownKeyError for another kind."""
        lookup(KINDS, self.kind, "kind of alert")

    @property
    def title(self) -> str:
        """The alert in one line."""
        step = f" in {self.step}" if self.step and self.kind == "failed" else ""
        return one_line(f"Plumbline: {KINDS[self.kind]}{step}")

    def payload(self) -> dict[str, Any]:
        """Return what is sent: the fields, and `text`, the alert in one line, which chat services show."""
        fields = {
            name: one_line(value[:LONGEST]) if isinstance(value, str) else value for name, value in asdict(self).items()
        }
        return {"text": f"{self.title}. {fields['message']}".strip(), **fields}


def after_update(
    outcome: "Summary | BaseException", *, settings: Any, seconds: float = delivery.SECONDS
) -> tuple[str, ...]:
    """Send what a finished update calls for, given its summary or the error that ended it; return what went wrong.

    A failed or partial update is told; a complete one is told where something was open. Another update that runs,
    options that cannot be used and Ctrl-C are for whoever asked, and nobody else. Never raises.
    """
    if isinstance(outcome, LockedError | KeyboardInterrupt) or not delivery.ways(settings):
        return ()
    if isinstance(outcome, BaseException):
        if isinstance(outcome, InputError) and outcome.field in ASKED:
            return ()
        alert = Alert("failed", _words(outcome), **_shown(settings) | _failed_run(settings, outcome))
        return notify(alert, settings=settings, seconds=seconds)
    known: dict[str, Any] = {
        "run_id": outcome.run_id, "source": outcome.source, "shown_run": outcome.run_id, "shown_age_hours": 0.0,
    }  # fmt: skip
    missing = [step for step in outcome.steps if step.outcome.partial]
    if not missing:
        alert = Alert("recovered", f"Run {outcome.run_id} is complete and shown.", **known)
        return _recover(alert, settings, seconds)
    message = "; ".join(f"{step.label}: {step.outcome.message}" for step in missing)
    return notify(Alert("partial", message, step=missing[0].label, **known), settings=settings, seconds=seconds)


def watch(*, settings: Any, faults: Sequence[str] = (), seconds: float = delivery.SECONDS) -> tuple[str, ...]:
    """Send what a check of the store calls for: its faults, or that the shown run is older than `stale_hours`.

    Returns what went wrong while sending. Never raises.
    """
    if not delivery.ways(settings):
        return ()
    shown = _shown(settings)
    age = shown.get("shown_age_hours")
    if faults:
        alert = Alert("failed", "; ".join(faults), step="the check of the store", **shown)
    elif age is None:
        alert = Alert("stale", "No published run can be read.")
    elif age > settings.stale_hours:
        alert = Alert("stale", f"The run that is shown was published {age:.0f} hours ago.", **shown)
    elif "failed" in _sent(settings):  # what failed is not mended by the shown run being recent
        return ()
    else:
        return _recover(Alert("recovered", "The run that is shown is recent.", **shown), settings, seconds)
    return notify(alert, settings=settings, seconds=seconds)


def notify(alert: Alert, *, settings: Any, seconds: float = delivery.SECONDS) -> tuple[str, ...]:
    """Send an alert by every configured way, each for at most `seconds`, and return what went wrong, a sentence each.

    The same kind within `alert_repeat_hours` is not sent again. Nothing returned or logged holds a secret. Never raises.
    """
    sent, now = _sent(settings), time.time()
    if 0 <= now - sent.get(alert.kind, 0.0) < settings.alert_repeat_hours * 3_600:
        return ()
    ways, problems = delivery.ways(settings), []
    for way in ways:
        reason = delivery.send(way, alert.title, alert.payload(), settings=settings, seconds=seconds)
        fields = {"kind": alert.kind, "by": way.name, "to": way.to, "run_id": alert.run_id}
        if reason:
            log.error("alert not sent", extra={"fields": fields | {"reason": reason}})
            problems.append(f"The alert could not be sent by {way.name} to {way.to}: {reason}.")
        else:
            log.info("alert sent", extra={"fields": fields})
    if len(problems) < len(ways):
        _keep(settings, _after(sent, alert.kind, now))
    return tuple(problems)


def _recover(alert: Alert, settings: Any, seconds: float) -> tuple[str, ...]:
    sent = _sent(settings)
    if any(kind in sent for kind in OPEN):
        return notify(alert, settings=settings, seconds=seconds)
    if sent:  # a partial update: nothing to close, but the next one is news again
        _keep(settings, {})
    return ()


def _after(sent: dict[str, float], kind: str, now: float) -> dict[str, float]:
    """What counts as sent after an alert of this kind was."""
    if kind == "recovered":
        return {}
    still_open = {known: moment for known, moment in sent.items() if known in OPEN}
    if kind == "partial":  # something was published: a failure after it is news, however recent the one before it
        still_open = dict.fromkeys(still_open, 0.0)
    return still_open | {kind: now}


def _shown(settings: Any) -> dict[str, Any]:
    try:
        with connect(Path(settings.db)) as reader:
            run = runs.published_run(reader)
    except Exception:  # what cannot be read may be the very thing that is told
        run = None
    if run is None:
        return {}
    age = datetime.now(UTC) - datetime.fromisoformat(run["published_at"])
    hours = round(age.total_seconds() / 3_600, 1)
    return {"source": run["source"], "shown_run": run["run_id"], "shown_age_hours": hours}


def _failed_run(settings: Any, error: BaseException) -> dict[str, Any]:
    """The run that this error ended, as build.db tells it; nothing where the update failed before it had a run."""
    try:
        with connect(build_path(Path(settings.db))) as reader:
            run = runs.last_run(reader)
            if run is None or run["message"] != _words(error):
                return {}
            steps = runs.run_steps(reader, run["run_id"])
    except Exception:  # as above
        return {}
    failed = steps.loc[steps["status"] == "failed", "step"]
    step = "the start" if steps.empty else "publishing" if failed.empty else failed.iloc[-1]
    return {"run_id": run["run_id"], "started_at": run["started_at"], "step": step}


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _file(settings: Any) -> Path:
    return Path(settings.cache_dir) / "alerts.json"


def _sent(settings: Any) -> dict[str, float]:
    """When each kind was last sent, in seconds since 1970; what cannot be read counts as nothing sent."""
    try:
        stored = json.loads(_file(settings).read_text(encoding="utf-8"))
        return {kind: float(moment) for kind, moment in stored.items() if kind in KINDS}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(settings: Any, sent: dict[str, float]) -> None:
    path = _file(settings)
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(json.dumps(sent), encoding="utf-8")
        part.replace(path)  # whole or not at all
    except OSError as error:
        log.error("alerts may be repeated", extra={"fields": {"file": path, "reason": error.strerror}})  # noqa: TRY400
