"""Refresh data: the update that `make update` runs, as a process of its own, one at a time and with a deadline.

How far it is and how it ended stand in build.db and in the update lock, not here, so that every browser sees the
same and a reload finds it again. An update goes on when the app is stopped; a killed one changes nothing that is shown.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analytics.errors import PlumblineError
from config import ROOT, SETTINGS
from pipeline.queries import connect
from pipeline.queries import runs as run_queries

log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0  # between two starts
TAIL = 4_000  # bytes of the log in which its last word is looked for
NOT_ITS_BUSINESS = ("host", "port", "secret_key", "password")
ENDINGS = {
    0: "The update is complete.",
    3: "The update is published, but something did not come: see Steps and What the source said.",
}


class UpdateRefusedError(PlumblineError):
    """An update is not started now."""


class UpdateJob:
    """The update that this app has started, if any; `outcome` and `ended_at` are of the last one."""

    def __init__(self) -> None:
        self.running_since: str | None = None  # UTC
        self.outcome, self.ended_at = "", ""  # in one sentence; UTC
        self._lock, self._begun = threading.Lock(), -PAUSE_SECONDS

    def start(self, settings: Any) -> None:
        """Start an update of the store of `settings` and return at once; raises UpdateRefusedError."""
        with self._lock:
            if self.running_since:
                raise UpdateRefusedError("An update is running already.")
            wait = self._begun + PAUSE_SECONDS - time.monotonic()
            if wait > 0:
                raise UpdateRefusedError(f"An update was started less than a minute ago. Try again in {wait:.0f} s.")
            process, path = _begin(settings)
            self._begun, self.outcome = time.monotonic(), ""
            self.running_since = _now()
        log.info("update started, process %d, output in %s", process.pid, path)
        watcher = threading.Thread(target=self._watch, args=(process, path, settings, self.running_since), daemon=True)
        watcher.start()

    def _watch(self, process: subprocess.Popen[bytes], path: Path, settings: Any, since: str) -> None:
        seconds, ending = settings.update_seconds, ""
        ended = _ends_within(process, seconds)
        if not ended and _has_published(
            settings.db, since
        ):  # the deadline is the update's; what follows it has its own
            ended = _ends_within(process, settings.standard_seconds)
        if not ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            ending = f"The update was stopped after {seconds:g} s. What was shown before is still shown."
        code = process.wait()
        outcome = ENDINGS.get(code) or ("" if ending else _last_word(path))
        if not outcome and _has_published(settings.db, since):
            outcome = "The update is published; its standard backtests were cut short."
        outcome = outcome or ending or f"The update ended with exit code {code}."
        log.info("update ended with exit code %d: %s", code, outcome)
        self.outcome, self.ended_at, self.running_since = outcome, _now(), None


def _has_published(db: Path, since: str) -> bool:
    """Whether the run that is shown was published after that UTC time."""
    try:
        with connect(Path(db)) as reader:
            run = run_queries.published_run(reader)
    except (PlumblineError, OSError):
        return False
    return run is not None and run["published_at"] > since


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _begin(settings: Any) -> tuple[subprocess.Popen[bytes], Path]:
    """Start the process, the leader of a session and a group of its own, its output in a private file."""
    path = Path(settings.cache_dir) / "update.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
            process = subprocess.Popen(
                _command(settings), cwd=ROOT, env=_environment(settings), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise UpdateRefusedError(f"The update could not be started: {error.strerror}.") from error
    return process, path


def _command(settings: Any) -> list[str]:
    return [sys.executable, "-m", "pipeline", "update", "--db", str(Path(settings.db).resolve())]


def _environment(settings: Any) -> dict[str, str]:
    """The environment of this process, with every setting as the app has it; the secrets of the web stay here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    for item in SETTINGS:
        if item.name not in NOT_ITS_BUSINESS:
            value = getattr(settings, item.name)
            kept[item.variable] = str(value.resolve() if isinstance(value, Path) else value)
    return kept


def _last_word(path: Path) -> str:
    """The error that the update ended with, as it told it; nothing where it told none."""
    try:
        text = path.read_bytes()[-TAIL:].decode(errors="replace")
    except OSError:
        return ""
    errors = [line for line in text.splitlines() if line.startswith("Error: ")]
    return errors[-1].removeprefix("Error: ") if errors else ""
