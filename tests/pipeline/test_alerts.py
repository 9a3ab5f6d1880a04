"""Which alert is sent after which update and check, how often, and that sending never harms what it tells of."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alert_servers import Hook, hook
from scratch import settings_in

from analytics.errors import InputError, UnknownKeyError
from pipeline import schema, store
from pipeline.alerts import KINDS, Alert, after_update, notify, watch
from pipeline.errors import LockedError, SourceError
from pipeline.runner import StepResult, Summary, UpdateRequest, update
from pipeline.steps import Outcome

COMPLETE = Summary("r3", "yahoo", (StepResult("Prices", Outcome(rows=10), 0.1),))
PARTIAL = Summary("r2", "yahoo", (
    StepResult("Prices", Outcome(rows=9, partial=True, message="1 of 10 tickers did not come: AAPL"), 0.1),
    StepResult("Signals", Outcome(rows=9, message="fine"), 0.1),
))  # fmt: skip
BROKEN = SourceError("Yahoo answered nothing.")


@pytest.fixture
def server() -> Iterator[Hook]:
    with hook() as server:
        yield server


@pytest.fixture
def told(server: Hook, tmp_path: Path) -> Any:
    """Settings that alert the hook and nobody else."""
    return settings_in(tmp_path, alert_webhook=server.address)


def kinds(server: Hook) -> list[str]:
    return [payload["kind"] for _, _, payload in server.received]


def published(db: Path, *, hours_ago: float) -> None:
    """A store that shows a run of that age."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - hours_ago * 3_600))
    with closing(store.open_writer(db, schema.MARKET)) as connection, store.transaction(connection):
        store.delete(connection, schema.published)
        store.insert(connection, schema.published, {
            "run_id": ["r1"], "source": ["yahoo"], "published_at": [at], "code_version": ["c"],
        })  # fmt: skip


def test_a_failed_update_names_run_step_and_what_is_shown(server: Hook, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, alert_webhook=server.address, simulated_tickers=2, simulated_years=1)
    shown = update(UpdateRequest(source="simulated"), settings=settings)
    with pytest.raises(SourceError) as failed:
        update(UpdateRequest(source="csv", path=tmp_path / "nowhere"), settings=settings)
    assert after_update(failed.value, settings=settings) == ()
    (_, _, payload) = server.received[0]
    assert payload["kind"] == "failed"
    assert payload["text"].startswith("Plumbline: failure in prices. ")
    assert "nowhere is not there" in payload["message"]
    assert payload["step"] == "prices"
    assert payload["run_id"] != shown.run_id
    assert payload["started_at"].endswith("Z")
    assert (payload["shown_run"], payload["shown_age_hours"]) == (shown.run_id, 0.0)


def test_an_update_that_failed_before_its_run_began_claims_no_other_run(server: Hook, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, alert_webhook=server.address, simulated_tickers=2, simulated_years=1)
    update(UpdateRequest(source="simulated"), settings=settings)
    after_update(OSError("disk full"), settings=settings)
    (_, _, payload) = server.received[0]
    assert (payload["message"], payload["run_id"], payload["step"]) == ("disk full", None, None)


def test_without_any_store_the_reason_is_told_all_the_same(server: Hook, told: Any) -> None:
    after_update(RuntimeError(), settings=told)
    (_, _, payload) = server.received[0]
    assert (payload["message"], payload["shown_run"]) == ("RuntimeError", None)


def test_a_damaged_store_is_told_all_the_same(server: Hook, told: Any, tmp_path: Path) -> None:
    for name in ("data.db", "build.db"):
        (tmp_path / name).write_bytes(b"garbage" * 1_000)
    after_update(BROKEN, settings=told)
    assert kinds(server) == ["failed"]


def test_a_partial_update_names_what_did_not_come(server: Hook, told: Any) -> None:
    after_update(PARTIAL, settings=told)
    (_, _, payload) = server.received[0]
    assert (payload["kind"], payload["step"], payload["run_id"]) == ("partial", "Prices", "r2")
    assert payload["message"] == "Prices: 1 of 10 tickers did not come: AAPL"


@pytest.mark.parametrize("outcome", [
    LockedError("Another update runs."), KeyboardInterrupt(), InputError("start", got="soon", allowed="a date"),
    UnknownKeyError("source", "yaho", ["yahoo"]), COMPLETE,
], ids=["locked", "stopped", "usage", "unknown source", "complete"])  # fmt: skip
def test_what_a_person_sees_anyway_is_not_told(server: Hook, told: Any, outcome: Any) -> None:
    assert after_update(outcome, settings=told) == ()
    assert kinds(server) == []


def test_bad_input_from_within_a_step_is_a_failure(server: Hook, told: Any) -> None:
    after_update(InputError("window", got=0, allowed="at least 2"), settings=told)
    assert kinds(server) == ["failed"]


def test_nothing_configured_sends_nothing_and_keeps_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert after_update(BROKEN, settings=settings) == watch(settings=settings) == ()
    assert not (tmp_path / ".cache").exists()


def test_a_failure_is_told_once_a_day_and_its_end_once(server: Hook, told: Any) -> None:
    for outcome in (BROKEN, BROKEN, BROKEN, COMPLETE, COMPLETE, BROKEN, COMPLETE):
        after_update(outcome, settings=told)
    assert kinds(server) == ["failed", "recovered", "failed", "recovered"]
    assert server.received[1][2]["run_id"] == "r3"


def test_the_next_night_tells_again(server: Hook, told: Any, tmp_path: Path) -> None:
    after_update(BROKEN, settings=told)
    state = tmp_path / ".cache" / "alerts.json"
    state.write_text(json.dumps({"failed": json.loads(state.read_text())["failed"] - 20 * 3_600 - 1}))
    after_update(BROKEN, settings=told)
    after_update(BROKEN, settings=told)
    assert kinds(server) == ["failed", "failed"]


def test_a_clock_set_back_silences_nothing(server: Hook, told: Any, tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "alerts.json").write_text(json.dumps({"failed": time.time() + 1e9}))
    after_update(BROKEN, settings=told)
    assert kinds(server) == ["failed"]


def test_a_partial_update_is_news_after_good_ones_and_a_failure_after_it(server: Hook, told: Any) -> None:
    for outcome in (PARTIAL, PARTIAL, COMPLETE, PARTIAL, BROKEN, PARTIAL, BROKEN, COMPLETE):
        after_update(outcome, settings=told)
    assert kinds(server) == ["partial", "partial", "failed", "partial", "failed", "recovered"]


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"failed": "soon"}', '{"failed": null}', "\x00\xff"])
def test_an_unreadable_state_is_no_state(server: Hook, told: Any, tmp_path: Path, content: str) -> None:
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "alerts.json").write_text(content, encoding="latin-1")
    assert after_update(BROKEN, settings=told) == ()
    assert after_update(BROKEN, settings=told) == ()
    assert kinds(server) == ["failed"]
    assert [path.name for path in (tmp_path / ".cache").iterdir()] == ["alerts.json"]


def test_a_state_that_cannot_be_kept_stops_no_alert(
    server: Hook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    settings = settings_in(tmp_path, alert_webhook=server.address, cache_dir=tmp_path / "file")
    assert after_update(BROKEN, settings=settings) == ()
    assert kinds(server) == ["failed"]
    assert "alerts may be repeated" in caplog.text


def test_a_state_is_written_whole_or_not_at_all(server: Hook, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    after_update(BROKEN, settings=told)

    def half(path: Path, text: str, **_: Any) -> None:
        with path.open("w") as file:
            file.write(text[: len(text) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(Path, "write_text", half)
        after_update(PARTIAL, settings=told)
    after_update(BROKEN, settings=told)
    assert kinds(server) == ["failed", "partial"], "the failure is still known as told"


def test_what_reached_nobody_is_tried_again(tmp_path: Path) -> None:
    with hook(500) as broken:
        settings = settings_in(tmp_path, alert_webhook=broken.address)
        assert len(after_update(BROKEN, settings=settings)) == 1
        assert len(after_update(BROKEN, settings=settings)) == 1
        assert after_update(COMPLETE, settings=settings) == (), "nobody heard of the failure, so of its end neither"
    with hook() as sound:
        after_update(BROKEN, settings=settings_in(tmp_path, alert_webhook=sound.address))
    with hook(500) as broken:
        assert len(after_update(COMPLETE, settings=settings_in(tmp_path, alert_webhook=broken.address))) == 1
    with hook() as again:
        after_update(COMPLETE, settings=settings_in(tmp_path, alert_webhook=again.address))
    assert kinds(again) == ["recovered"]


def test_an_old_store_is_told_once_and_its_end_once(server: Hook, told: Any) -> None:
    published(told.db, hours_ago=37)
    assert watch(settings=told) == watch(settings=told) == ()
    (_, _, payload) = server.received[0]
    assert payload["message"] == "The run that is shown was published 37 hours ago."
    assert (payload["shown_run"], payload["shown_age_hours"]) == ("r1", 37.0)
    published(told.db, hours_ago=1)
    assert watch(settings=told) == watch(settings=told) == ()
    assert kinds(server) == ["stale", "recovered"]


def test_a_recent_store_is_no_news(server: Hook, told: Any) -> None:
    published(told.db, hours_ago=35)
    assert watch(settings=told) == ()
    assert kinds(server) == []


def test_a_failed_update_is_not_over_because_the_shown_run_is_recent(server: Hook, told: Any) -> None:
    published(told.db, hours_ago=37)
    watch(settings=told)
    after_update(BROKEN, settings=told)
    published(told.db, hours_ago=1)
    watch(settings=told)
    assert kinds(server) == ["stale", "failed"]


def test_no_store_at_all_and_faults_are_told(server: Hook, told: Any) -> None:
    watch(settings=told)
    published(told.db, hours_ago=1)
    watch(settings=told, faults=["prices: 3 rows do not fit their checksum"])
    assert kinds(server) == ["stale", "failed"]
    assert server.received[1][2]["text"] == (
        "Plumbline: failure in the check of the store. prices: 3 rows do not fit their checksum"
    )


def test_kinds_are_known() -> None:
    with pytest.raises(UnknownKeyError, match="failed, partial, recovered, stale"):
        Alert("broken")
    assert set(KINDS) == {"failed", "partial", "stale", "recovered"}


def test_repeats_can_be_wanted(server: Hook, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, alert_webhook=server.address, alert_repeat_hours=0.0)
    notify(Alert("failed"), settings=settings)
    notify(Alert("failed"), settings=settings)
    assert kinds(server) == ["failed", "failed"]
