"""Refresh data: the process behind the button."""

import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from analyst import gone
from dash import Dash
from dispatch import Dispatch, text_of
from opened_page import view
from scratch import settings_in
from updates import lock_held, note_update, publish_time

from dashapp import status, update_job
from dashapp.data import UPDATE_KEY
from dashapp.update_job import UpdateJob, UpdateRefusedError
from pipeline.queries import connect, runs
from pipeline.runner import UpdateRequest, update

REFRESH, DISABLED, PROGRESS = "data-refresh.n_clicks", "data-refresh.disabled", "data-progress.children"


@pytest.fixture
def made(tmp_path: Path) -> Any:
    return settings_in(
        tmp_path, simulated_tickers=2, simulated_years=2, source="simulated", secret_key="k" * 32, password="of the web"
    )


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a few lines of Python in the place of the update."""

    def use(script: str) -> None:
        monkeypatch.setattr(update_job, "_command", lambda _settings: [sys.executable, "-c", script])

    return use


def ended(job: UpdateJob) -> str:
    """The outcome of a job, once it has ended."""
    end = time.monotonic() + 60.0
    while job.running_since:
        assert time.monotonic() < end, "the update is still running"
        time.sleep(0.02)
    return job.outcome


# ---- the process --------------------------------------------------------------------------------------------


def test_the_update_runs_in_a_session_of_its_own_with_the_settings_of_the_app(
    made: Any, command: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUMBLINE_PASSWORD", "of the web")
    monkeypatch.setenv("PLUMBLINE_YAHOO_BATCH", "99")  # the app was started with another
    command("import json, os; print(json.dumps([os.getsid(0), os.getpid(), os.getcwd(), dict(os.environ)]))")
    job = UpdateJob()
    job.start(made)
    assert ended(job) == "The update is complete."
    path = made.cache_dir / "update.log"
    sid, pid, folder, environment = json.loads(path.read_text())
    assert sid == pid != os.getsid(0)
    assert folder == str(update_job.ROOT)
    assert path.stat().st_mode & 0o777 == 0o600
    assert environment["PLUMBLINE_DB"] == str(made.db)
    assert environment["PLUMBLINE_WORKSPACE"] == str(made.workspace)
    assert environment["PLUMBLINE_STANDARD_SECONDS"] == "900"  # not as this process has it
    assert (environment["PLUMBLINE_SOURCE"], environment["PLUMBLINE_YAHOO_BATCH"]) == ("simulated", "10")
    assert not {"PLUMBLINE_PASSWORD", "PLUMBLINE_SECRET_KEY", "PLUMBLINE_HOST"} & set(environment)
    assert environment["PATH"] == os.environ["PATH"]


def test_starting_does_not_wait(made: Any, command: Callable[[str], None], tmp_path: Path) -> None:
    done = tmp_path / "done"
    command(f"import os, time\nwhile not os.path.exists({str(done)!r}): time.sleep(0.05)")
    job = UpdateJob()
    job.start(made)
    assert job.running_since
    with pytest.raises(UpdateRefusedError, match="running already"):
        job.start(made)
    done.touch()
    ended(job)


def test_an_update_beyond_its_deadline_is_stopped_with_its_children(
    tmp_path: Path, command: Callable[[str], None]
) -> None:
    command("import subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
            "print(child.pid, flush=True)\ntime.sleep(60)")  # fmt: skip
    job = UpdateJob()
    job.start(settings_in(tmp_path, update_seconds=1))
    assert ended(job) == "The update was stopped after 1 s. What was shown before is still shown."
    assert gone(int((tmp_path / ".cache" / "update.log").read_text()))


@pytest.mark.parametrize(("script", "seconds", "says"), [
    ("import time; time.sleep(60)", 1, "The update is published; its standard backtests were cut short."),
    ("import time; time.sleep(2)", 60, "The update is complete."),
    ("import os; os.kill(os.getpid(), 9)", 60, "The update is published; its standard backtests were cut short."),
])  # fmt: skip
def test_what_was_published_is_told_however_its_standard_backtests_end(
    simulated: Any, tmp_path: Path, command: Callable[[str], None], script: str, seconds: int, says: str
) -> None:
    """They have a time of their own after the deadline of the update."""
    command(script)
    db = Path(shutil.copyfile(simulated.db, tmp_path / "data.db"))
    publish_time(db, hours_ago=-1)  # after the start, whenever that is
    job = UpdateJob()
    job.start(settings_in(tmp_path, db=db, update_seconds=1, standard_seconds=seconds))
    assert ended(job) == says


@pytest.mark.parametrize(("script", "says"), [
    ("import sys; sys.exit(0)", "complete"), ("import sys; sys.exit(3)", "something did not come"),
    ("import sys; print('Error: the source is down', file=sys.stderr); sys.exit(1)", "^the source is down$"),
    ("import sys; print('Error: first\\nError: Another update is running.'); sys.exit(75)", "^Another update is running.$"),
    ("import sys; sys.exit(2)", "exit code 2"), ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
])  # fmt: skip
def test_how_an_update_ended_is_told(made: Any, command: Callable[[str], None], script: str, says: str) -> None:
    command(script)
    job = UpdateJob()
    job.start(made)
    assert re.search(says, ended(job))


def test_an_update_starts_once_a_minute(
    made: Any, command: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    command("pass")
    job = UpdateJob()
    job.start(made)
    ended(job)
    with pytest.raises(UpdateRefusedError, match=r"less than a minute ago. Try again in \d+ s"):
        job.start(made)
    monkeypatch.setattr(update_job, "PAUSE_SECONDS", 0.0)
    job.start(made)
    ended(job)


def test_ten_clicks_at_once_start_one_update(made: Any, command: Callable[[str], None]) -> None:
    command("import time; time.sleep(1)")
    job, refused = UpdateJob(), []

    def click() -> None:
        try:
            job.start(made)
        except UpdateRefusedError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=click) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 9
    ended(job)


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path, command: Callable[[str], None]) -> None:
    command("pass")
    (tmp_path / "file").write_text("")
    job = UpdateJob()
    with pytest.raises(UpdateRefusedError, match=r"could not be started: (Not a directory|File exists)"):
        job.start(settings_in(tmp_path, cache_dir=tmp_path / "file" / "cache"))
    assert job.running_since is None


# ---- the button ---------------------------------------------------------------------------------------------


@pytest.fixture
def pressed(app: Dash, serve: Callable[..., Any], made: Any, dispatch: Dispatch) -> Callable[..., dict[str, Any]]:
    """What the Data tab answers to a press of the button, or to its first look."""
    names = ("db", "cache_dir", "source", "simulated_tickers", "simulated_years")
    serve(standard_seconds=0, **{name: getattr(made, name) for name in names})
    app.server.config[UPDATE_KEY] = UpdateJob()
    return lambda clicks=1: dispatch(PROGRESS, view(None) | {REFRESH: clicks})


def test_the_button_builds_and_publishes_the_store(
    app: Dash, made: Any, pressed: Callable[..., dict[str, Any]], dispatch: Dispatch
) -> None:
    job = app.server.config[UPDATE_KEY]
    answer = pressed()
    assert answer[DISABLED] is True
    assert "Updating: start" in text_of(answer[PROGRESS])
    assert answer["shell-tick.interval"] == 1_000
    assert "updating" in text_of(dispatch("shell-badge.children", view(None))["shell-badge.children"])
    assert ended(job) == "The update is complete.", (made.cache_dir / "update.log").read_text()
    with connect(made.db) as reader:
        run = runs.published_run(reader)
    assert run
    assert (run["source"], run["status"]) == ("simulated", "complete")
    after = pressed(0)
    assert after[DISABLED] is False
    assert "The update is complete." in text_of(after[PROGRESS])
    assert "less than a minute ago" in text_of(pressed()[PROGRESS])


def test_the_button_rests_while_another_process_updates(
    app: Dash, made: Any, pressed: Callable[..., dict[str, Any]], command: Callable[[str], None]
) -> None:
    command("raise SystemExit('two updates at once')")
    note_update(made.db, "running", step="frontier", hours_ago=0.03)
    with lock_held(made.db, "process 4711"):
        for clicks in (0, 1):
            answer = pressed(clicks)
            assert answer[DISABLED] is True
            assert re.search(r"Updating: frontier, 1 min 4\d s", text_of(answer[PROGRESS]))
    assert app.server.config[UPDATE_KEY].running_since is None
    assert pressed(0)[DISABLED] is False


def test_the_standard_backtests_are_told_after_the_update_has_published(
    app: Dash,
    simulated: Any,
    serve: Callable[..., Any],
    dispatch: Dispatch,
    tmp_path: Path,
    command: Callable[[str], None],
) -> None:
    done = tmp_path / "done"
    command(f"import os, time\nwhile not os.path.exists({str(done)!r}): time.sleep(0.05)")
    db = serve(db=Path(shutil.copyfile(simulated.db, tmp_path / "data.db"))).db
    job = app.server.config[UPDATE_KEY] = UpdateJob()
    dispatch(PROGRESS, view(None) | {REFRESH: 1})
    assert "Updating: start" in text_of(dispatch(PROGRESS, view(None))[PROGRESS])
    publish_time(db, hours_ago=0)
    answer = dispatch(PROGRESS, view(None))
    assert answer[DISABLED] is True
    assert re.search(
        r"Updating: standard backtests, \d+ s\. What is shown was published .* and is complete",
        text_of(answer[PROGRESS]),
    )
    done.touch()
    ended(job)


@pytest.mark.parametrize(("status", "says"), [
    ("failed", "The last update failed in step prices, 1 hour ago. HTTP 429"),
    ("running", "The last update was stopped in step prices, 1 hour ago."),
])  # fmt: skip
def test_a_failed_update_is_told_and_may_be_repeated(
    made: Any, pressed: Callable[..., dict[str, Any]], status: str, says: str
) -> None:
    note_update(made.db, status, message="HTTP 429" if status == "failed" else "", hours_ago=1.2)
    answer = pressed(0)
    assert answer[DISABLED] is False
    assert says in " ".join(text_of(answer[PROGRESS]).split())


def test_a_new_browser_sees_the_update_that_another_one_started(
    app: Dash, pressed: Callable[..., dict[str, Any]], browse: Callable[[], Dispatch], command: Callable[[str], None]
) -> None:
    command("import time; time.sleep(1)")
    pressed()
    answer = browse()(PROGRESS, view(None))
    assert answer[DISABLED] is True
    assert "Updating" in text_of(answer[PROGRESS])
    ended(app.server.config[UPDATE_KEY])


def test_a_new_state_of_the_update_does_not_press_the_button(
    app: Dash, made: Any, dispatch: Dispatch, command: Callable[[str], None]
) -> None:
    """The callback is also asked whenever the header has news, with the clicks of long ago."""
    command("raise SystemExit('nobody pressed')")
    app.server.config[UPDATE_KEY] = UpdateJob()
    answer = dispatch(DISABLED, {REFRESH: 1, "shell-update.data": {"state": "none"}}, changed="shell-update.data")
    assert answer[DISABLED] is False
    assert app.server.config[UPDATE_KEY].running_since is None
    assert app.server.config[UPDATE_KEY].outcome == ""


def test_an_outcome_is_told_until_a_newer_run_is_shown_or_it_is_old(
    app: Dash, made: Any, pressed: Callable[..., dict[str, Any]], command: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    command("import sys; print('Error: no room'); sys.exit(1)")
    pressed()
    job = app.server.config[UPDATE_KEY]
    ended(job)
    assert "no room" in text_of(pressed(0)[PROGRESS])
    monkeypatch.setattr(status, "NEWS_SECONDS", 0)
    assert "no room" not in text_of(pressed(0)[PROGRESS])
    monkeypatch.undo()
    update(UpdateRequest(source="simulated"), settings=made)
    assert text_of(pressed(0)[PROGRESS]) == "No update is running."
