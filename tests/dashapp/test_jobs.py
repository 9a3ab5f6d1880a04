"""The worker pool for real: processes start, end and are killed, driven over HTTP as a browser does."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from analyst import ENDED, OUTCOME, PATIENCE, REQUEST, Analyst, gone, kill
from dash import Dash
from dispatch import text_of
from flask import session
from odd_requests import FailingRequest, HungryRequest, SlowRequest, hang

from analytics.conventions import INITIAL_CAPITAL
from dashapp import jobs, progress
from dashapp.backtest_job import TOO_LARGE, begin, cancel, submit
from dashapp.data import POOL_KEY
from dashapp.spare import WORK_NICE
from pipeline import backtests, schema, store, workspace
from pipeline.backtests import BacktestRequest

JOB = "shell-backtest-job.data"


@pytest.fixture(scope="module")
def warm(app: Dash) -> Any:
    """The pool, once its fork server has imported the engine."""
    pool = app.server.config[POOL_KEY]
    pool._warm_up()
    return pool


@pytest.fixture
def pool(warm: Any) -> Iterator[Any]:
    """The warm pool; what a test leaves running is ended."""
    yield warm
    warm.warm.set()
    for pid in list(warm.live):
        kill(warm, pid)
    warm.pending.clear()
    warm.asked.clear()


@pytest.fixture
def settings(serve: Callable[..., Any], simulated: Any) -> Any:
    return serve(db=simulated.db)


@pytest.fixture
def analyst(app: Dash, settings: Any) -> Analyst:
    return Analyst(app, settings)


def quick(**changes: Any) -> BacktestRequest:
    return BacktestRequest.of(**({"tickers": ["SIM001", "SIM002"]} | changes))


def slow(pause: float = 60.0, **changes: Any) -> BacktestRequest:
    return dataclasses.replace(SlowRequest.of(**({"tickers": ["SIM001"]} | changes)), pause=pause)


# ---- a job from start to end --------------------------------------------------------------------------------


def test_the_first_job_of_a_warm_pool_is_done_and_its_answer_is_stored(pool: Any, analyst: Analyst) -> None:
    request = quick(tickers=None)
    job_id = analyst.submit(request)
    assert analyst.state(job_id)["state"] == "queued"
    begin = time.perf_counter()
    handles = analyst.start(job_id)
    while analyst.state(job_id)["result_id"] is None:
        assert time.perf_counter() - begin < PATIENCE  # the answer is there; its audit follows
        time.sleep(0.02)
    job = analyst.wait(job_id, *ENDED)
    assert (job["state"], job["progress"], job["message"], job["owner"]) == ("done", 1.0, "", analyst.owner)
    settings = analyst.settings
    assert backtests.find(request, db=settings.db, workspace=settings.workspace) == job["result_id"]
    assert backtests.load(job["result_id"], workspace=settings.workspace)["metrics"]["n_trades"] > 0
    polled = analyst.dispatch.post(
        OUTCOME, {REQUEST: job_id}, query={name: handles[name] for name in ("cacheKey", "job")}
    )
    assert polled.status_code in (200, 204)
    assert gone(int(handles["job"].split("~")[0]))
    watched = analyst.watched(job_id)
    assert watched["backtest-shown.data"] == job["result_id"]


def test_a_job_is_done_by_the_process_that_has_practised(pool: Any, analyst: Analyst) -> None:
    pool.spare.prepare()
    waiting, way = pool.spare.waiting
    assert way.poll(PATIENCE)
    pid = analyst.started(analyst.submit(slow()))
    assert pid == waiting.pid
    assert os.getpgid(pid) == pid  # it ends with all that it starts
    assert os.getpriority(os.PRIO_PROCESS, pid) >= WORK_NICE


def test_a_question_already_answered_starts_nothing(pool: Any, app: Dash, analyst: Analyst) -> None:
    request = quick()
    first = analyst.submit(request)
    analyst.start(first)
    result_id = analyst.wait(first, *ENDED)["result_id"]
    with app.server.test_request_context():
        session["owner"] = analyst.owner
        assert submit(request) == {"result_id": result_id}
    assert result_id
    assert pool.pending == {}


def test_progress_is_seen_while_it_runs(pool: Any, analyst: Analyst) -> None:
    job_id = analyst.submit(slow())
    analyst.started(job_id)
    end = time.monotonic() + PATIENCE
    while not (job := analyst.state(job_id))["progress"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert (job["progress"], job["message"]) == (0.02, "reading prices")
    watched = analyst.watched(job_id)
    assert watched["backtest-message.children"] == "2% · reading prices"
    assert watched["backtest-cancel.disabled"] is False


# ---- places in line -----------------------------------------------------------------------------------------


def test_no_more_jobs_run_at_once_than_there_are_places(
    pool: Any, app: Dash, serve: Callable[..., Any], simulated: Any, tmp_path: Path
) -> None:
    made = serve(db=simulated.db, workers=1, cache_dir=tmp_path / "cache")
    (tmp_path / "cache" / "jobs").mkdir(parents=True)
    analyst = Analyst(app, made)
    job_ids = [analyst.submit(slow(0.3, tickers=[ticker])) for ticker in ("SIM001", "SIM002", "SIM003")]
    for job_id in job_ids:
        assert analyst.start(job_id)
    seen, end = [], time.monotonic() + PATIENCE
    while True:
        with workspace.reading(made.workspace) as reader:
            states = Counter(row[0] for row in reader.rows("SELECT state FROM jobs"))
        seen.append(states)
        if states["queued"] + states["running"] == 0:
            break
        assert time.monotonic() < end
        time.sleep(0.02)
    assert states == Counter(done=3)
    assert max(states["running"] for states in seen) == 1
    assert any(states["queued"] and states["running"] for states in seen)


def test_a_job_in_line_knows_how_many_are_ahead(pool: Any, analyst: Analyst) -> None:
    first, second, third = (analyst.submit(quick(initial_capital=capital)) for capital in (1e3, 2e3, 3e3))
    assert [analyst.state(job_id)["ahead"] for job_id in (first, second, third)] == [0, 1, 2]
    watched = analyst.watched(third)
    assert watched["backtest-message.children"] == "Waiting for a free worker, 2 ahead."


def test_a_place_is_free_again_when_its_holder_leaves(tmp_path: Path) -> None:
    entered = threading.Event()

    def wait_for_a_place() -> None:
        with jobs.slot(tmp_path, 1):
            entered.set()

    with jobs.slot(tmp_path, 1):
        threading.Thread(target=wait_for_a_place, daemon=True).start()
        assert not entered.wait(0.3)
    assert entered.wait(PATIENCE)


def test_a_job_that_waits_for_the_engine_to_be_imported_is_not_lost(
    pool: Any, analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "LOST_AFTER_SECONDS", 2.0)
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.1)
    pool.warm.clear()
    job_id = analyst.submit(quick())
    click = threading.Thread(target=analyst.start, args=(job_id,))
    click.start()
    end = time.monotonic() + 2.2
    while time.monotonic() < end:
        assert analyst.state(job_id)["state"] == "queued"
        time.sleep(0.1)
    assert not any(process.is_alive() for process in pool.live.values())
    pool.warm.set()
    click.join(PATIENCE)
    assert analyst.wait(job_id, *ENDED)["state"] == "done"


def test_one_job_too_many_is_refused_with_a_sentence(pool: Any, analyst: Analyst) -> None:
    for number in range(jobs.MAX_JOBS // 2):
        analyst.submit(quick(initial_capital=1_000.0 + number))
    with pytest.raises(jobs.TooManyJobsError, match="10 jobs of this browser are running or waiting"):
        analyst.submit(quick())
    for number in range(jobs.MAX_JOBS // 2):
        pool.submit(f"of another {number}", {"owner": "another", "question": f"another {number}"})
    with pytest.raises(jobs.TooManyJobsError, match=f"{jobs.MAX_JOBS} jobs are running or waiting"):
        pool.submit("of a third", {"owner": "third", "question": "a third"})
    assert pool.job_of("a third") is None
    told = analyst.dispatch(REQUEST, form())
    assert "Try again when one has ended" in text_of(told["backtest-error.children"])
    assert "shell-backtest-job.data" not in told


def test_jobs_that_no_browser_came_back_for_do_not_fill_the_line(
    pool: Any, analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_JOBS", 4)
    left = [analyst.submit(quick(initial_capital=capital)) for capital in (1_000.0, 2_000.0)]
    monkeypatch.setattr(workspace, "LOST_AFTER_SECONDS", 0.0)
    kept = analyst.submit(quick(initial_capital=3_000.0))
    assert set(pool.pending) == {kept}
    assert [analyst.state(job_id)["state"] for job_id in left] == ["lost", "lost"]
    assert analyst.start(left[0]) is None


# ---- the same question asked twice --------------------------------------------------------------------------


def test_the_same_question_asked_while_it_runs_gets_the_same_job(pool: Any, app: Dash, analyst: Analyst) -> None:
    """Whoever asks: the second visitor watches the job of the first, and leaves it to the first."""
    job_id = analyst.submit(slow())
    pid = analyst.started(job_id)
    other = Analyst(app, analyst.settings)
    assert other.submit(slow()) == job_id
    assert analyst.submit(slow()) == job_id
    told = other.dispatch(REQUEST, form(tickers=["SIM001"]))
    assert told["shell-backtest-job.data"] == {"job_id": job_id}
    assert other.start(job_id) is None
    other.cancel(job_id)
    time.sleep(2 * jobs.HEARTBEAT_SECONDS)
    assert (analyst.state(job_id)["state"], pool.job_running(pid)) == ("running", True)
    assert other.watched(job_id)["backtest-message.children"] == "Cancelled."
    assert analyst.watched(job_id)["backtest-cancel.disabled"] is False
    with workspace.reading(analyst.settings.workspace) as reader:
        assert reader.rows("SELECT job_id, owner FROM jobs") == [(job_id, analyst.owner)]


def test_the_same_question_asked_before_it_runs_is_started_once_by_whoever_comes_first(
    pool: Any, app: Dash, analyst: Analyst
) -> None:
    job_id = analyst.submit(slow())
    other = Analyst(app, analyst.settings)
    told = other.dispatch(REQUEST, form(tickers=["SIM001"]))
    assert told[REQUEST] == job_id
    other.started(job_id)
    assert analyst.start(job_id) is None
    assert len([process for process in pool.live.values() if process.is_alive()]) == 1
    other.cancel(job_id)
    assert analyst.state(job_id)["state"] == "running"


def test_a_job_is_cancelled_when_nobody_waits_for_it_any_more(pool: Any, app: Dash, analyst: Analyst) -> None:
    job_id = analyst.submit(slow())
    pid = analyst.started(job_id)
    other = Analyst(app, analyst.settings)
    assert other.submit(slow()) == job_id
    analyst.cancel(job_id)  # who started it leaves; the other one still waits
    time.sleep(2 * jobs.HEARTBEAT_SECONDS)
    assert (analyst.state(job_id)["state"], pool.job_running(pid)) == ("running", True)
    assert analyst.watched(job_id)["backtest-message.children"] == "Cancelled."
    assert analyst.submit(slow()) == job_id  # asked again: it waits again
    other.cancel(job_id)
    assert analyst.state(job_id)["state"] == "running"
    analyst.cancel(job_id)
    assert analyst.state(job_id)["state"] == "cancelled"
    assert gone(pid)


def test_two_who_ask_at_once_find_the_same_job(pool: Any, app: Dash, analyst: Analyst) -> None:
    analysts = [Analyst(app, analyst.settings) for _ in range(6)]
    with ThreadPoolExecutor(len(analysts)) as threads:
        found = list(threads.map(lambda item: item.submit(slow()), analysts))
    assert len(set(found)) == 1
    assert len(pool.pending) == 1


def test_the_next_question_does_not_end_the_last_one(pool: Any, analyst: Analyst) -> None:
    first = analyst.submit(slow())
    handles = analyst.start(first)
    pid = int(handles["job"].split("~")[0])
    second = analyst.submit(quick())
    sent = analyst.dispatch.post(OUTCOME, {REQUEST: second}, query={"oldJob": handles["job"]})
    assert sent.status_code == 200
    analyst.wait(second, *ENDED)
    assert (analyst.state(first)["state"], pool.job_running(pid)) == ("running", True)


@pytest.mark.parametrize("state", ["cancelled", "failed", "lost"])
def test_a_question_whose_job_ended_without_an_answer_is_worked_on_again(
    pool: Any, analyst: Analyst, state: str
) -> None:
    first = analyst.submit(slow())
    workspace.update_job(analyst.settings.workspace, first, state=state)
    assert analyst.submit(slow()) != first


def test_another_question_gets_a_job_of_its_own(pool: Any, analyst: Analyst) -> None:
    asked = [{}, {"tickers": ["SIM002"]}, {"rules": {"stop_loss": 0.1}}, {"initial_capital": 5_000.0}]
    assert len({analyst.submit(slow(**changes)) for changes in asked}) == len(asked)


def test_no_more_questions_are_remembered_than_there_is_room_for(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_QUESTIONS", 3)
    for number in range(8):
        pool.submit(f"job {number}", {"owner": f"{number}", "question": f"question {number}"})
        assert pool.job_of(f"question {number}") == f"job {number}"
        assert len(pool.asked) <= 3


def form(**changes: Any) -> dict[str, Any]:
    """The form with its defaults, on all stocks or on the tickers given."""
    if "tickers" in changes:
        named = {"backtest-scope.value": "chosen", "backtest-tickers.value": changes["tickers"]}
        return form() | named | {"backtest-capital.value": INITIAL_CAPITAL}
    return {
        "backtest-run.n_clicks": 1, "backtest-strategy.value": "technical_vote", "backtest-scope.value": "all",
        "backtest-capital.value": 5_000, "backtest-engine.value": "kernel",
    }  # fmt: skip


# ---- what starts nothing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("job_id", ["never-submitted", "", None, 7, {"workspace": "/tmp/x", "job_id": "x"}, ["a"]])
def test_a_job_that_was_not_submitted_starts_nothing(pool: Any, analyst: Analyst, job_id: Any) -> None:
    assert analyst.start(job_id) is None
    assert not any(process.is_alive() for process in pool.live.values())


def test_a_job_is_started_once(pool: Any, analyst: Analyst) -> None:
    job_id = analyst.submit(slow())
    analyst.started(job_id)
    running = set(pool.live)
    assert analyst.start(job_id) is None
    assert set(pool.live) == running


def test_forged_handles_end_no_process(pool: Any, analyst: Analyst) -> None:
    job_id = analyst.submit(slow())
    pid = analyst.started(job_id)
    for query in (
        {"cacheKey": "x", "job": str(os.getpid())}, {"cacheKey": "x~y", "job": f"{pid}~{'0' * 64}"},
        {"cacheKey": "x", "oldJob": f"{pid}~{'0' * 64}"},
    ):  # fmt: skip
        assert analyst.dispatch.post(OUTCOME, {REQUEST: job_id}, query=query).status_code == 204
    assert pool.job_running(pid)
    assert analyst.state(job_id)["state"] == "running"


def test_no_process_can_be_ended_by_its_number(pool: Any, analyst: Analyst) -> None:
    pid = analyst.started(analyst.submit(slow()))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as other:
        for job in (None, "", str(other.pid), other.pid, pid):
            pool.terminate_job(job)
            assert pool.job_running(job) == (job == pid)
        assert other.poll() is None
        other.communicate(b"\n")


# ---- how a job can end early --------------------------------------------------------------------------------


def test_a_cancelled_job_ends_at_once_and_the_next_one_runs(pool: Any, analyst: Analyst) -> None:
    job_id = analyst.submit(slow())
    pid = analyst.started(job_id)
    analyst.cancel(job_id)
    assert analyst.state(job_id)["state"] == "cancelled"
    assert jobs.HEARTBEAT_SECONDS <= 1.0  # it looks at its row often enough to be gone within two seconds
    assert gone(pid)
    end = time.monotonic() + PATIENCE
    while pool.job_running(pid):  # until Dash can be told
        assert time.monotonic() < end
        time.sleep(0.02)
    assert analyst.state(job_id)["state"] == "cancelled"
    again = analyst.submit(quick())
    analyst.start(again)
    assert analyst.wait(again, *ENDED)["state"] == "done"


def test_a_job_cancelled_in_line_never_runs(pool: Any, analyst: Analyst) -> None:
    job_id = analyst.submit(slow(0.0))
    analyst.cancel(job_id)
    handles = analyst.start(job_id)
    assert handles is None or gone(int(handles["job"].split("~")[0]))
    assert analyst.state(job_id)["state"] == "cancelled"


def test_the_job_of_another_browser_cannot_be_cancelled(pool: Any, app: Dash, analyst: Analyst) -> None:
    job_id = analyst.submit(slow())
    pid = analyst.started(job_id)
    Analyst(app, analyst.settings).cancel(job_id)
    with app.server.test_request_context():
        session["owner"] = "another"
        cancel(job_id)
        cancel("never-submitted")
    time.sleep(2 * jobs.HEARTBEAT_SECONDS)
    assert analyst.state(job_id)["state"] == "running"
    assert pool.job_running(pid)


def test_a_killed_worker_is_reported_as_lost(pool: Any, analyst: Analyst, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = analyst.submit(slow())
    pid = analyst.started(job_id)
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    monkeypatch.setattr(workspace, "LOST_AFTER_SECONDS", 1.0)
    job = analyst.wait(job_id, "lost")
    assert "worker ended without an answer" in job["message"]
    watched = analyst.watched(job_id)
    assert watched["backtest-message.children"].startswith("Lost: The worker ended")


def test_a_living_worker_is_heard_of_and_never_lost(
    pool: Any, analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = analyst.submit(slow())
    analyst.started(job_id)
    monkeypatch.setattr(workspace, "LOST_AFTER_SECONDS", 10 * jobs.HEARTBEAT_SECONDS)
    first, end = analyst.state(job_id), time.monotonic() + PATIENCE
    while (job := analyst.state(job_id))["heartbeat_at"] == first["heartbeat_at"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert job["state"] == "running"


def test_a_job_past_its_deadline_is_stopped(pool: Any, app: Dash, serve: Callable[..., Any], simulated: Any) -> None:
    analyst = Analyst(app, serve(db=simulated.db, job_seconds=0.1))
    job_id = analyst.submit(slow())
    pid = int(analyst.start(job_id)["job"].split("~")[0])
    job = analyst.wait(job_id, *ENDED)
    assert (job["state"], job["result_id"]) == ("failed", None)
    assert "Stopped after 0.1 s. Choose fewer tickers" in job["message"]
    assert gone(pid)


@pytest.mark.parametrize("answer", ["0" * 64, None])
def test_a_job_stopped_in_its_checks_is_done_with_its_answer(pool: Any, analyst: Analyst, answer: str | None) -> None:
    path, job_id = analyst.settings.workspace, "one"
    workspace.create_job(path, job_id=job_id, kind="backtest", owner=analyst.owner, seconds=0.1)
    hanging = pool.context.Process(
        target=jobs._run, args=(partial(hang, seconds=0.1, answer=answer), (path, job_id)), daemon=True
    )
    hanging.start()
    job = analyst.wait(job_id, *ENDED)
    hanging.join(PATIENCE)
    assert hanging.exitcode == -signal.SIGKILL
    watched = analyst.watched(job_id)
    assert job["result_id"] == answer
    if answer is None:
        assert job["state"] == "failed"
        assert watched["backtest-message.children"].startswith("Failed: Stopped after 0.1 s. Choose fewer tickers")
        assert "backtest-shown.data" not in watched
    else:
        assert job["state"] == "done"
        stands = "The answer stands; its checks were stopped after 0.1 s. Choose fewer tickers, a shorter period, or fewer parameter sets."
        assert watched["backtest-message.children"] == stands
        assert (watched["backtest-shown.data"], watched["backtest-checking.data"]) == (answer, False)
    assert watched["backtest-cancel.disabled"] is True


def test_a_job_that_takes_too_much_memory_says_so(
    pool: Any, app: Dash, serve: Callable[..., Any], simulated: Any
) -> None:
    analyst = Analyst(app, serve(db=simulated.db, job_megabytes=200))
    job_id = analyst.submit(HungryRequest.of(tickers=["SIM001"]))
    analyst.start(job_id)
    job = analyst.wait(job_id, *ENDED)
    assert (job["state"], job["message"]) == ("failed", TOO_LARGE)
    frugal = analyst.submit(quick())
    analyst.start(frugal)
    assert analyst.wait(frugal, *ENDED)["state"] == "done"  # within the same limit


def test_data_that_vanished_meanwhile_is_explained(
    pool: Any, app: Dash, serve: Callable[..., Any], simulated: Any, copy_of: Callable[[Path], Path]
) -> None:
    db = copy_of(simulated.db)
    analyst = Analyst(app, serve(db=db))
    job_id = analyst.submit(quick())
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        store.delete(connection, schema.published)
    analyst.start(job_id)
    job = analyst.wait(job_id, *ENDED)
    assert (job["state"], job["message"]) == ("failed", "Nothing has been published yet. Run: make update")


def test_a_bug_in_the_engine_is_reported_and_the_pool_goes_on(pool: Any, analyst: Analyst) -> None:
    job_id = analyst.submit(FailingRequest.of(tickers=["SIM001"]))
    pid = int(analyst.start(job_id)["job"].split("~")[0])
    job = analyst.wait(job_id, *ENDED)
    assert (job["state"], job["message"]) == ("failed", "Unexpected error: ZeroDivisionError: planted")
    assert gone(pid)
    watched = analyst.watched(job_id)
    assert watched["backtest-message.children"] == f"Failed: {job['message']}"


def test_a_job_ends_with_its_web_process() -> None:
    """However the web process ends: here it is killed, so that it can clean up nothing."""
    script = (
        "import sys, time; import multiprocess; from dashapp import jobs\n"
        "made = multiprocess.get_context('forkserver').Process(target=jobs._run, args=(time.sleep, (60,)))\n"
        "made.start(); print(made.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as web:
        assert web.stdout is not None
        pid = int(web.stdout.readline())
        end = time.monotonic() + PATIENCE
        while os.getpgid(pid) != pid and time.monotonic() < end:  # it has set itself up
            time.sleep(0.05)
        time.sleep(0.2)
        web.kill()
    assert gone(pid)


# ---- time left ----------------------------------------------------------------------------------------------


def test_time_left_follows_the_pace_so_far() -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    deadline = (now + timedelta(seconds=90)).isoformat().replace("+00:00", "Z")  # of 120 seconds, 30 are gone
    job = {"state": "running", "progress": 0.25, "deadline_at": deadline}
    assert progress.time_left(job, seconds=120, now=now) == pytest.approx(90.0)
    assert progress.time_left(job | {"progress": 1.0}, seconds=120, now=now) == 0.0
    assert progress.time_left(job | {"progress": 0.01}, seconds=120, now=now) is None
    assert progress.time_left(job | {"state": "queued"}, seconds=120, now=now) is None
    assert progress.time_left(job, seconds=120, now=now - timedelta(seconds=29.5)) is None
    assert progress.time_left(job, seconds=120, now=now + timedelta(seconds=30)) == pytest.approx(180.0)


def test_a_pressed_run_is_begun_before_the_browser_asks_for_it(pool: Any, app: Dash, analyst: Analyst) -> None:
    job_id = analyst.submit(quick())
    with app.server.app_context():
        begin({"job_id": job_id})
        begin({"result_id": "0" * 64})  # there is nothing to begin
    assert analyst.wait(job_id, *ENDED)["state"] == "done"
    handles = analyst.start(job_id)  # the browser asks later, and is given the same process
    assert gone(int(handles["job"].split("~")[0]))
    assert analyst.start(job_id) is None
    with workspace.reading(analyst.settings.workspace) as reader:
        assert reader.rows("SELECT count(*) FROM jobs") == [(1,)]


def test_who_has_just_asked_is_told_of_the_answer_at_once(analyst: Analyst, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that looks a moment after it asked waits for the answer, as long as a short backtest takes."""
    path = analyst.settings.workspace
    workspace.create_job(path, job_id="one", kind="backtest", owner=analyst.owner, seconds=60.0)
    monkeypatch.setattr(progress, "SOON_SECONDS", PATIENCE)
    assert "backtest-shown.data" not in analyst.watched("one")  # a look by the clock does not wait
    threading.Timer(0.2, workspace.update_job, (path, "one"), {"state": "running", "result_id": "0" * 64}).start()
    told = analyst.dispatch("backtest-shown.data", {JOB: {"job_id": "one"}}, changed=JOB)
    assert told["backtest-shown.data"] == "0" * 64
    assert told["backtest-interval.disabled"] is False


def test_who_asks_while_another_cancels_is_never_cancelled(pool: Any, app: Dash, analyst: Analyst) -> None:
    for pause in (0.0, 0.001, 0.002, 0.003, 0.004, 0.006):
        other = Analyst(app, analyst.settings)
        job_id = analyst.submit(slow())
        with ThreadPoolExecutor(2) as threads:
            leaving = threads.submit(analyst.cancel, job_id)
            time.sleep(pause)
            asked = threads.submit(other.submit, slow()).result()
            leaving.result()
        assert analyst.state(asked)["state"] == "queued"
        other.cancel(asked)
        assert analyst.state(asked)["state"] == "cancelled"


def test_the_line_is_served_in_its_order(
    pool: Any, app: Dash, serve: Callable[..., Any], simulated: Any, tmp_path: Path
) -> None:
    made = serve(db=simulated.db, workers=1, cache_dir=tmp_path / "cache")
    (tmp_path / "cache" / "jobs").mkdir(parents=True)
    analyst = Analyst(app, made)
    with jobs.slot(tmp_path / "cache" / "jobs", 1):
        waiting = [analyst.submit(quick(initial_capital=1e3 + number, start="2024-06-01")) for number in range(5)]
        for job_id in reversed(waiting):
            analyst.start(job_id)
        time.sleep(0.5)  # all of them look for a place
    ends = {job_id: analyst.wait(job_id, *ENDED)["heartbeat_at"] for job_id in waiting}
    assert sorted(ends, key=lambda job_id: ends[job_id]) == waiting


def test_a_beat_that_fails_is_followed_by_another(
    analyst: Analyst, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that is full for a moment takes neither the cancel button nor the deadline away."""
    path, beats, killed = analyst.settings.workspace, [], threading.Event()
    workspace.create_job(path, job_id="one", kind="backtest", owner="me", seconds=60.0)
    update = workspace.update_job

    def update_badly(*arguments: Any, **values: Any) -> bool:
        beats.append(values)
        if len(beats) == 1:
            raise OSError("no space left")
        return update(*arguments, **values)

    monkeypatch.setattr(workspace, "update_job", update_badly)
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(os, "killpg", lambda *_: (killed.set(), threading.Event().wait()))  # it would end the process
    jobs.Watch(path, "one", seconds=60.0)
    update(path, "one", state="cancelled")
    assert killed.wait(PATIENCE)
    assert len(beats) == 2
    assert "its state could not be noted" in caplog.text


def test_a_process_that_cannot_be_started_is_told_and_harms_nobody(
    pool: Any, analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_options: Any) -> Any:
        raise OSError("too many open files")

    job_id = analyst.submit(quick())
    with monkeypatch.context() as broken:
        broken.setattr(pool.context, "Process", refuse)
        broken.setattr(pool.spare, "waiting", None)
        broken.setattr(pool.spare, "prepare", lambda: None)
        pool.begin(job_id)
    job = analyst.state(job_id)
    assert (job["state"], job["message"]) == ("failed", "It could not be started: too many open files")
    again = analyst.submit(quick())
    analyst.start(again)
    assert analyst.wait(again, *ENDED)["state"] == "done"


def test_what_runs_counts_for_the_bound_of_a_browser(
    pool: Any, analyst: Analyst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_JOBS", 4)
    for capital in (1e3, 2e3):
        analyst.started(analyst.submit(slow(initial_capital=capital)))
    with pytest.raises(jobs.TooManyJobsError, match="2 jobs of this browser are running or waiting"):
        analyst.submit(slow(initial_capital=3e3))
