"""What the header of every tab, the poll and /health say of the run that is shown and of the newest update."""

import re
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from dispatch import Dispatch, of_type, text_of
from flask.testing import FlaskClient
from opened_page import view
from updates import lock_held, note_update, publish_time

from dashapp import soundness
from dashapp.data import UPDATE_KEY
from dashapp.update_job import UpdateJob
from pipeline import schema, store
from pipeline.attempts import forget_failure, note_failure
from pipeline.publish import build_path

RUN, UPDATE, TICK = "shell-run.data", "shell-update.data", "shell-tick.interval"


@pytest.fixture
def db(app: Dash, serve: Callable[..., Any], simulated: Any, tmp_path: Path) -> Path:
    """A published store of this test's own, which the app serves."""
    path = Path(shutil.copyfile(simulated.db, tmp_path / "data.db"))
    publish_time(path, hours_ago=2)
    serve(db=path)
    app.server.config[UPDATE_KEY] = UpdateJob()
    return path


def header(dispatch: Dispatch) -> str:
    return text_of(dispatch("shell-badge.children", view("SIM001"))["shell-badge.children"])


def look(dispatch: Dispatch, seen: dict[str, Any]) -> dict[str, Any]:
    return dispatch(RUN, seen)


# ---- the header ---------------------------------------------------------------------------------------------


def test_a_sound_store_needs_no_warning(db: Path, dispatch: Dispatch) -> None:
    words = header(dispatch)
    assert "published 2 hours ago" in words
    assert not re.search("fail|stop|stale|updating|partial", words)


def test_t18_a_failed_update_is_named_with_its_step_and_age(db: Path, dispatch: Dispatch) -> None:
    note_update(db, "failed", step="factor_models", hours_ago=1.5)
    words = header(dispatch)
    assert "update failed in step factor models, 1 hour ago: see Data" in words
    assert "published 2 hours ago" in words


def test_t18_a_killed_update_is_named(db: Path, dispatch: Dispatch) -> None:
    note_update(db, "running", step="technical_signals", hours_ago=1.5)
    assert "update stopped in step technical signals, 1 hour ago: see Data" in header(dispatch)


def test_a_running_update_is_named_with_its_step(db: Path, dispatch: Dispatch) -> None:
    note_update(db, "running", step="prices")
    with lock_held(db):
        assert "updating: prices" in header(dispatch)
    assert "updating" not in header(dispatch)


def test_a_failure_before_what_is_shown_is_forgotten(db: Path, dispatch: Dispatch) -> None:
    note_update(db, "failed", hours_ago=3)
    assert "fail" not in header(dispatch)


@pytest.mark.parametrize(("hours", "stale"), [(35, False), (37, True)])
def test_an_old_run_is_called_stale(db: Path, dispatch: Dispatch, hours: float, stale: bool) -> None:
    publish_time(db, hours_ago=hours)
    assert ("stale: published 1 day ago" in header(dispatch)) == stale


def test_a_partial_run_is_called_partial(db: Path, dispatch: Dispatch) -> None:
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        run_id = connection.execute("SELECT run_id FROM published").fetchone()[0]
        store.update(connection, schema.runs, {"run_id": run_id}, status="partial")
    assert "the last update was partial: see Data" in header(dispatch)


def test_a_first_build_is_named_where_there_is_nothing_to_show(
    serve: Callable[..., Any], dispatch: Dispatch, tmp_path: Path
) -> None:
    path = tmp_path / "data.db"
    serve(db=path)
    note_update(path, "failed", step="prices", hours_ago=1)
    words = header(dispatch)
    assert "update failed in step prices" in words
    assert "There is no database data.db yet" in words


def test_an_unreadable_build_database_is_no_matter(db: Path, dispatch: Dispatch) -> None:
    build_path(db).write_bytes(b"garbage" * 1_000)
    assert "published 2 hours ago" in header(dispatch)
    with lock_held(db):  # one that is being prepared
        assert "updating: start" in header(dispatch)


# ---- the poll -----------------------------------------------------------------------------------------------


def test_the_poll_is_silent_while_nothing_changes(app: Dash, db: Path, dispatch: Dispatch) -> None:
    first = look(dispatch, {})
    assert first[TICK] == 5_000
    seen = {RUN: first[RUN], UPDATE: first[UPDATE]}
    assert look(dispatch, seen) == {}
    with app.server.app_context():  # what a page is loaded with is what the poll would say: nothing is drawn twice
        drawn = app.server.test_client().get("/_dash-layout").json
    stores = {item["props"]["id"]: item["props"].get("data") for item in of_type(drawn, "Store")}
    assert {RUN: stores["shell-run"], UPDATE: stores["shell-update"]} == seen


def test_the_poll_tells_of_a_new_run_once(db: Path, dispatch: Dispatch) -> None:
    first = look(dispatch, {})
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        run_id = connection.execute("SELECT run_id FROM published").fetchone()[0]
        connection.execute("PRAGMA foreign_keys=OFF")
        store.update(connection, schema.published, {"run_id": run_id}, run_id="20990101T000000-abcdef")
    told = look(dispatch, {RUN: first[RUN], UPDATE: first[UPDATE]})
    assert told == {RUN: "20990101T000000-abcdef", TICK: 5_000}
    assert look(dispatch, {RUN: told[RUN], UPDATE: first[UPDATE]}) == {}


def test_the_poll_quickens_while_an_update_runs(db: Path, dispatch: Dispatch) -> None:
    first = look(dispatch, {})
    note_update(db, "running")
    with lock_held(db):
        told = look(dispatch, {RUN: first[RUN], UPDATE: first[UPDATE]})
    assert (told[TICK], told[UPDATE]["state"], told[UPDATE]["step"]) == (1_000, "running", "prices")
    assert RUN not in told


def test_the_poll_tells_of_a_store_that_cannot_be_read_any_more(db: Path, dispatch: Dispatch) -> None:
    first = look(dispatch, {})
    db.write_bytes(b"garbage" * 1_000)
    told = look(dispatch, {RUN: first[RUN], UPDATE: first[UPDATE]})
    assert "damaged or no database" in told[RUN]


# ---- /health ------------------------------------------------------------------------------------------------


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    return app.server.test_client()


def test_health_names_the_run_that_is_shown(db: Path, client: FlaskClient) -> None:
    response = client.get("/health")
    answer = response.json
    assert response.status_code == 200
    assert (answer["status"], answer["source"], answer["last_update"], answer["stale"]) == (
        "ok",
        "simulated",
        None,
        False,
    )
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{6}", answer["run_id"])
    assert answer["age_hours"] == pytest.approx(2, abs=0.1)
    assert "reason" not in answer


def test_health_tells_of_the_last_update_and_of_age(db: Path, client: FlaskClient) -> None:
    publish_time(db, hours_ago=100)
    note_update(db, "failed", step="prices", message="HTTP 429", hours_ago=3)
    answer = client.get("/health").json
    assert (answer["status"], answer["stale"]) == ("ok", True)  # old, and complete
    assert (answer["last_update"]["state"], answer["last_update"]["step"]) == ("failed", "prices")
    assert answer["last_update"]["message"] == "HTTP 429"


def test_health_is_503_with_the_reason_where_nothing_can_be_shown(
    serve: Callable[..., Any], client: FlaskClient, tmp_path: Path
) -> None:
    serve(db=tmp_path / "none.db")
    response = client.get("/health")
    assert response.status_code == 503
    assert (response.json["status"], response.json["run_id"]) == ("unavailable", None)
    assert "make update" in response.json["reason"]


def test_health_reads_the_whole_store_only_when_it_has_changed(
    db: Path, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, looks = soundness._look, []
    monkeypatch.setattr(soundness, "_look", lambda path: looks.append(1) or found(path))
    for _ in range(3):
        assert client.get("/health").status_code == 200
    assert len(looks) == 1
    publish_time(db, hours_ago=5)
    assert client.get("/health").status_code == 200
    assert len(looks) == 2


# ---- updates that had no database to note themselves in, and words for a browser -------------------------------


def test_an_update_that_failed_before_its_first_step_is_named(
    db: Path, dispatch: Dispatch, client: FlaskClient
) -> None:
    note_failure(db, store.utc_now(), f"{db.parent} has 1 MB free and the update needs 50 MB")
    assert "update failed in step start, just now: see Data" in header(dispatch)
    told = client.get("/health").json["last_update"]
    assert (told["state"], told["step"]) == ("failed", "start")
    assert str(db.parent.parent) not in told["message"]
    assert "has 1 MB free" in told["message"]
    forget_failure(db)
    assert "fail" not in header(dispatch)


def test_the_header_grows_older(db: Path, dispatch: Dispatch) -> None:
    first = look(dispatch, {})
    publish_time(db, hours_ago=3)
    assert look(dispatch, {RUN: first[RUN], UPDATE: first[UPDATE]})[UPDATE]["ages"][0] == "3 hours ago"


def test_the_list_of_tickers_follows_the_run(db: Path, dispatch: Dispatch) -> None:
    told = dispatch("shell-ticker.options", {RUN: "another"})
    assert len(told["shell-ticker.options"]) > 5
    assert told["shell-options.data"]["ticker"] == told["shell-ticker.options"][0]["value"]


def test_t15_a_damaged_page_is_told_in_the_header_and_on_the_data_tab(db: Path, dispatch: Dispatch) -> None:
    content = bytearray(db.read_bytes())
    content[-4096 * 40 : -4096 * 36] = bytes(4096 * 4)
    db.write_bytes(content)
    end = time.monotonic() + 10
    while "the store is damaged" not in header(dispatch):  # found in the background
        assert time.monotonic() < end
        time.sleep(0.05)
    words = text_of(dispatch("data-progress.children")["data-progress.children"])
    assert "is damaged" in words
    assert "make restore" in words
    assert "is complete" not in words
