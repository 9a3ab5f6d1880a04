"""What each browser asked: noted, listed with what became of it, and withdrawn without harm to who else waits."""

from pathlib import Path
from typing import Any

import pytest

from pipeline import asked, workspace
from pipeline.backtests import BacktestRequest, load, run

ABOUT = {
    "strategy_name": "technical_vote",
    "tickers": ["A"],
    "params": {"threshold": 3},
    "start_date": "2020-01-01",
    "end_date": "2020-12-31",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "workspace.db"


def ask(path: Path, owner: str, question: str, **answer: Any) -> None:
    asked.note(path, owner, question_id=question, kind="backtest", request=ABOUT, **answer)


def job(path: Path, job_id: str, owner: str = "me") -> str:
    workspace.create_job(path, job_id=job_id, kind="backtest", owner=owner, seconds=60.0)
    return job_id


def states(path: Path, owner: str) -> dict[str, str]:
    return {name: row["state"] for name, row in listed(path, owner).items()}


def listed(path: Path, owner: str) -> dict[str, dict[str, Any]]:
    return {row["question_id"]: row for row in asked.mine(path, owner, kind="backtest", most=10)}


def test_each_browser_sees_its_own_the_newest_first_and_each_question_once(path: Path) -> None:
    for number in range(3):
        ask(path, "me", f"question {number}", job_id=job(path, f"job {number}"))
    ask(path, "other", "question 1", job_id="job 1")
    ask(path, "me", "question 0", job_id="job 0")
    assert list(states(path, "me")) == ["question 0", "question 2", "question 1"]
    assert list(states(path, "other")) == ["question 1"]
    assert states(path, "nobody") == {}
    assert len(asked.mine(path, "me", kind="backtest", most=2)) == 2
    assert asked.mine(path, "me", kind="sweep", most=10) == []
    assert asked.mine(path, "me", kind="backtest", most=1)[0]["request"] == ABOUT


def test_the_state_is_that_of_the_job(path: Path) -> None:
    for state in ("running", "failed", "lost", "cancelled"):
        ask(path, "me", state, job_id=job(path, f"job {state}"))
        workspace.update_job(path, f"job {state}", state=state, message=f"so {state}")
    ask(path, "me", "waiting", job_id=job(path, "waits"))
    ask(path, "me", "last", job_id=job(path, "waits behind"))
    found = listed(path, "me")
    assert states(path, "me") == {name: name for name in ("running", "failed", "lost", "cancelled")} | {
        "waiting": "queued", "last": "queued",
    }  # fmt: skip
    assert [found[name]["ahead"] for name in ("waiting", "last")] == [0, 1]
    assert found["failed"]["message"] == "so failed"


def test_a_silent_worker_is_lost_in_the_list_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(path, "me", "one", job_id=job(path, "one"))
    monkeypatch.setattr(workspace, "LOST_AFTER_SECONDS", 0.0)
    assert states(path, "me") == {"one": "lost"}


def test_a_stored_answer_is_done_and_a_deleted_one_says_so(path: Path, simulated: Any) -> None:
    result_id = run(BacktestRequest.of(tickers=["SIM001"]), db=simulated.db, workspace=path)
    ask(path, "me", "stored", result_id=result_id)
    ask(path, "me", "worked on", job_id=job(path, "one"))
    workspace.update_job(path, "one", state="done", result_id=result_id)
    found = listed(path, "me")
    stored = load(result_id, workspace=path)
    for name in ("stored", "worked on"):
        assert [found[name][key] for key in ("state", "result_id", "stored_id")] == ["done", result_id, result_id]
        assert found[name]["sharpe_ratio"] == stored["sharpe_ratio"]
        assert found[name]["verdict"] == stored["audit"]["verdict"]
    workspace.delete_result(path, result_id)
    assert states(path, "me") == {"stored": asked.DELETED, "worked on": asked.DELETED}


def test_who_withdraws_leaves_the_job_to_who_still_waits(path: Path) -> None:
    job(path, "one")
    for owner in ("me", "other"):
        ask(path, owner, "question", job_id="one")
    assert not asked.withdraw(path, "stranger", "one")
    assert not asked.withdraw(path, "me", "one")
    assert (states(path, "me"), states(path, "other")) == ({"question": "cancelled"}, {"question": "queued"})
    mine, others = (asked.job_state(path, owner, "one") for owner in ("me", "other"))
    assert mine is not None
    assert others is not None
    assert (mine["state"], others["state"]) == ("cancelled", "queued")
    assert asked.withdraw(path, "other", "one")
    assert workspace.job_state(path, "one")["state"] == "cancelled"  # type: ignore[index]
    assert not asked.withdraw(path, "other", "one")  # it has ended
    assert asked.job_state(path, "me", "unknown") is None


def test_asking_again_waits_again(path: Path) -> None:
    job(path, "one")
    for owner in ("me", "other"):
        ask(path, owner, "question", job_id="one")
    asked.withdraw(path, "me", "one")
    assert states(path, "me") == {"question": "cancelled"}
    ask(path, "me", "question", job_id="one")
    assert states(path, "me") == {"question": "queued"}


def test_withdrawing_from_a_job_that_has_ended_changes_nothing(path: Path) -> None:
    ask(path, "me", "question", job_id=job(path, "one"))
    workspace.update_job(path, "one", state="failed", message="why")
    assert not asked.withdraw(path, "me", "one")
    assert states(path, "me") == {"question": "failed"}
