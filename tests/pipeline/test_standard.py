"""The standard set: run after an update, noted as jobs, one try in the ledger, kept for seven nights."""

import logging
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from scratch import settings_in

from analytics.backtest.checks import Checks
from analytics.errors import MissingDataError
from pipeline import backtests, retention, standard, store, workspace
from pipeline.backtests import BacktestRequest
from pipeline.errors import StoreError
from pipeline.queries import history, results, trials
from pipeline.queries import standard as queries
from pipeline.standard import SET, run_standard, standard_set, trial_of

TICKERS = [f"SIM{number:03}" for number in range(1, 9)]


@pytest.fixture
def own(simulated: Any, tmp_path: Path) -> Any:
    """Settings of a copy of a published store, with an empty workspace."""
    return settings_in(tmp_path, db=Path(shutil.copyfile(simulated.db, tmp_path / "data.db")))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are checked by nodding, for tests of everything else."""
    nod = Checks({"verdict": "green", "gates": [], "intervals": {}}, pd.DataFrame({"ticker": ["SIM001"]}))
    monkeypatch.setattr(backtests, "check", lambda *_, **__: nod)


def change(db: Path, sql: str) -> None:
    with closing(sqlite3.connect(db)) as connection, connection:
        assert connection.execute(sql).rowcount > 0


def another_night(own: Any) -> None:
    """New data: the last session closes elsewhere."""
    change(
        own.db, "UPDATE prices SET close = close * 1.01, high = high * 1.02 WHERE date = (SELECT max(date) FROM prices)"
    )


def jobs(own: Any) -> pd.DataFrame:
    """The jobs of the set, oldest first, with everything that is noted of them."""
    with workspace.reading(own.workspace) as reader:
        listed = queries.standard_jobs(reader).iloc[::-1]
        return pd.DataFrame([results.job(reader, job_id) for job_id in listed["job_id"]])


def found(own: Any) -> dict[str, str | None]:
    return standard_set(db=own.db, workspace=own.workspace)


def tries(own: Any, strategy: str) -> pd.DataFrame:
    with workspace.reading(own.workspace) as reader:
        return trials.trials(reader, f"{strategy}|{','.join(TICKERS)}")


def fail(*_: Any, **__: Any) -> None:
    pytest.fail("computed again")


# ---- one night ----------------------------------------------------------------------------------------------


def test_the_set_is_run_checked_and_found_again(own: Any) -> None:
    told: list[tuple[str, float, str]] = []
    assert found(own) == dict.fromkeys(SET)
    assert run_standard(own, lambda *step: told.append(step)) == []
    by_role = found(own)
    for role, strategy in SET.items():
        result = backtests.load(str(by_role[role]), workspace=own.workspace)
        assert (result["strategy_name"], result["tickers"]) == (strategy, TICKERS)
        assert result["params"] == BacktestRequest.of(strategy=strategy).params() | result["params"]
        assert result["audit"]["verdict"] in ("green", "amber", "red")
    assert list(dict.fromkeys(role for role, _, _ in told)) == list(SET)
    fractions = [fraction for _, fraction, _ in told]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < 0.2
    assert 0.9 < fractions[-1] <= 1
    noted = jobs(own)
    assert noted["result_id"].tolist() == list(by_role.values())
    assert set(noted[["kind", "owner", "state"]].itertuples(index=False, name=None)) == {
        ("standard", "pipeline", "done")
    }
    assert set(noted["message"]) == {""}


@pytest.mark.usefixtures("quick")
def test_the_same_data_are_not_asked_again(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_standard(own) == []
    before, noted = found(own), jobs(own)
    with monkeypatch.context() as same:
        for name in ("read_inputs", "run_backtest"):
            same.setattr(backtests, name, fail)
        assert run_standard(own) == []
        assert jobs(own)["job_id"].tolist() == noted["job_id"].tolist()
    os.utime(own.db)  # another night, which published the same prices: they are read, and nothing is computed
    monkeypatch.setattr(backtests, "run_backtest", fail)
    assert found(own) == dict.fromkeys(SET)
    assert run_standard(own) == []
    assert found(own) == before
    assert jobs(own)["result_id"].tolist() == noted["result_id"].tolist()  # of the same result the newest job stays
    assert set(jobs(own)["job_id"]).isdisjoint(noted["job_id"])
    assert {len(tries(own, strategy)) for strategy in SET.values()} == {1}


@pytest.mark.usefixtures("quick")
def test_one_that_fails_does_not_stop_the_others(own: Any, caplog: pytest.LogCaptureFixture) -> None:
    change(own.db, "DELETE FROM factor_loadings")
    change(own.db, "DELETE FROM factor_model_fits")
    with caplog.at_level(logging.WARNING):
        told = run_standard(own)
    assert [sentence.split(":")[0] for sentence in told] == [
        "Standard backtest Fundamental only",
        "Standard backtest Integrated",
    ]
    assert all("needs factor fits" in sentence for sentence in told)
    assert [record.message for record in caplog.records] == told
    assert [role for role, result_id in found(own).items() if result_id is None] == ["Fundamental only", "Integrated"]
    noted = jobs(own)
    assert noted["state"].tolist() == ["done", "failed", "failed", "done", "done"]
    assert "needs factor fits" in noted["message"].iloc[1]


@pytest.mark.usefixtures("quick")
def test_a_bug_in_one_is_told_with_its_traceback(
    own: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = backtests.run_backtest

    def run(inputs: Any, spec: Any, **options: Any) -> Any:
        if spec.strategy == "filter":
            raise ZeroDivisionError("by nought")
        return real(inputs, spec, **options)

    monkeypatch.setattr(backtests, "run_backtest", run)
    assert run_standard(own) == ["Standard backtest Integrated: Unexpected error: ZeroDivisionError: by nought"]
    assert any(record.exc_info for record in caplog.records)
    assert [role for role, result_id in found(own).items() if result_id is None] == ["Integrated"]


def test_a_workspace_or_store_that_cannot_be_used_is_told_once(own: Any, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ann, " * 1_000)
    (told,) = run_standard(replace(own, workspace=tmp_path / "letter.txt"))
    assert re.fullmatch("The standard backtests could not be run: .*letter.txt cannot be used.*", told)
    (told,) = run_standard(replace(own, db=tmp_path / "none.db"))
    assert "no database none.db" in told
    with pytest.raises(StoreError):
        standard_set(db=tmp_path / "none.db", workspace=own.workspace)
    change(own.db, "DELETE FROM published")
    with pytest.raises(MissingDataError):
        found(own)


def test_none_are_run_where_they_may_take_no_time(own: Any) -> None:
    assert run_standard(replace(own, standard_seconds=0)) == []
    assert not Path(own.workspace).exists()


# ---- its time -----------------------------------------------------------------------------------------------


@pytest.fixture
def spend(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for the set, and for nobody else."""
    now = [0.0]
    monkeypatch.setattr(standard, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    return pass_by


@pytest.mark.usefixtures("quick")
def test_when_its_time_is_up_the_rest_is_not_run(
    own: Any, spend: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = backtests.run_backtest

    def slow(inputs: Any, spec: Any, *, report: Any) -> Any:
        spend(400)
        report(0.5, "half of it")
        return real(inputs, spec, report=report)

    monkeypatch.setattr(backtests, "run_backtest", slow)
    told = run_standard(own)
    assert told == [
        "Standard backtest Integrated: stopped when the set had taken 900 s (PLUMBLINE_STANDARD_SECONDS).",
        "The standard backtests took the 900 s that they may (PLUMBLINE_STANDARD_SECONDS). Not run: Buy and hold, Equal weight.",
    ]
    assert jobs(own)["state"].tolist() == ["done", "done", "failed"]
    assert [role for role, result_id in found(own).items() if result_id] == ["Technical only", "Fundamental only"]
    monkeypatch.setattr(backtests, "run_backtest", real)  # the next night has time
    assert run_standard(own) == []
    assert None not in found(own).values()


def test_an_answer_stored_before_its_checks_stands(
    own: Any, spend: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: Any, report: Any, **__: Any) -> None:
        spend(1_000)
        report(0.5, "checking")

    monkeypatch.setattr(backtests, "check", slow)
    told = run_standard(own)
    assert told[0].startswith("Standard backtest Technical only: the answer stands, its checks were stopped when")
    job = jobs(own).iloc[0]
    assert (len(jobs(own)), job["state"]) == (1, "done")
    assert "verdict" not in backtests.load(job["result_id"], workspace=own.workspace)["audit"]
    assert found(own)["Technical only"] is None  # it is not checked yet


def test_ctrl_c_ends_the_set(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backtests, "check", stop)
    with pytest.raises(KeyboardInterrupt):
        run_standard(own)
    job = jobs(own).iloc[0]
    assert (len(jobs(own)), job["state"], job["message"]) == (1, "cancelled", "Stopped.")


@pytest.mark.usefixtures("quick")
def test_a_run_that_is_published_meanwhile_has_a_set_of_its_own(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = iter(["first", "first", "first", "second"])
    monkeypatch.setattr(standard, "_published", lambda _db: next(shown))
    assert run_standard(own) == []
    assert len(jobs(own)) == 2


# ---- the ledger ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_all_nights_are_one_try_with_the_figures_of_the_newest(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as long_ago:
        long_ago.setattr(store, "utc_now", lambda: "2024-01-02T03:00:00.000Z")
        assert run_standard(own) == []
    first = found(own)
    another_night(own)
    assert run_standard(own) == []
    second = found(own)
    assert set(first.values()).isdisjoint(second.values())
    for role, strategy in SET.items():
        (row,) = tries(own, strategy).itertuples(index=False)
        newest = backtests.load(str(second[role]), workspace=own.workspace)
        assert (row.result_id, row.created_at) == (second[role], "2024-01-02T03:00:00.000Z")
        assert row.id == trial_of(
            strategy, newest["tickers"], newest["params"]
        )  # a stored result says which try it was
        assert row.sharpe_ratio == newest["metrics"]["sharpe_ratio"]
        assert row.n_obs == newest["audit"]["sessions"]


@pytest.mark.usefixtures("quick")
def test_what_somebody_asks_beside_it_counts_by_itself(own: Any) -> None:
    options = {"db": own.db, "workspace": own.workspace}
    mine = backtests.run(BacktestRequest.of(strategy="equal_weight"), **options)
    assert run_standard(own) == []
    assert found(own)["Equal weight"] == mine  # asked before, by somebody else: it stays theirs
    assert len(jobs(own)) == 4
    os.utime(own.db)
    assert run_standard(own) == []
    assert jobs(own).query("message == @standard.ANSWERED")["result_id"].isna().tolist() == [True]
    with workspace.reading(own.workspace) as reader:
        assert not queries.is_standard(reader, mine)
        assert queries.is_standard(reader, str(found(own)["Buy and hold"]))
    backtests.run(BacktestRequest.of(strategy="buy_and_hold"), **options)  # the same question: no other try
    backtests.run(BacktestRequest.of(strategy="buy_and_hold", start="2020-01-01"), **options)
    assert (len(tries(own, "equal_weight")), len(tries(own, "buy_and_hold"))) == (1, 2)


# ---- what is kept -------------------------------------------------------------------------------------------


def plant(path: Path, night: int, *, result: bool = True, owner: str = "pipeline", state: str = "done") -> str:
    """A job of that night in May, with a result of its own unless told; returns what both are called."""
    name = f"night{night}"
    if result:
        row = {
            "result_id": name, "test_date": "2024-01-01", "strategy_name": "filter", "params": "{}", "tickers": "[]", "start_date": "a",
            "end_date": "b", "data_run_id": "run", "code_version": "v", "metrics": "{}", "audit": "{}",
        }  # fmt: skip
        equity = pd.DataFrame({"date": ["2024-01-01"], "equity": [1.0]})
        workspace.save_result(path, row, equity=equity, trades=pd.DataFrame({"trade_id": []}))
        workspace.remember_answer(path, question_id=name, result_id=name, data_run_id="run")
    job_id = f"{name}-{owner}"
    workspace.create_job(
        path, job_id=job_id, kind="standard" if owner == "pipeline" else "backtest", owner=owner, seconds=1
    )
    moment = f"2024-05-{night:02}T03:00:00.000Z"
    values = {"result_id": name if result else None, "state": state, "created_at": moment}
    workspace.update_job(path, job_id, **values, heartbeat_at=moment)
    return name


def left(path: Path) -> tuple[list[str], list[str]]:
    """The results and the jobs that are there, by name."""
    with workspace.reading(path) as reader:
        return sorted(history.history(reader)["result_id"]), sorted(
            row[0] for row in reader.rows("SELECT job_id FROM jobs")
        )


def test_the_last_seven_nights_are_kept_and_what_somebody_wants(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    for night in range(1, 13):
        plant(path, night)
    workspace.describe_result(path, "night1", name="Mine", note="")
    workspace.describe_result(path, "night2", name="", note="odd")
    plant(path, 3, owner="somebody")
    assert retention.retain_standard(path, nights=7) == 2
    kept = [f"night{night}" for night in (1, 2, 3, *range(6, 13))]
    assert left(path) == (sorted(kept), sorted([*(f"{name}-pipeline" for name in kept), "night3-somebody"]))
    assert retention.retain_standard(path, nights=7) == 0
    workspace.describe_result(path, "night1", name="", note="")
    assert retention.retain_standard(path, nights=7) == 1
    with closing(sqlite3.connect(path)) as connection:
        for table in ("backtesting_equity", "backtesting_questions"):
            assert connection.execute(
                f"SELECT count(*) FROM {table} WHERE result_id IN ('night1', 'night4')"
            ).fetchone() == (0,)


def test_nights_without_an_answer_do_not_push_out_those_with_one(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    assert retention.retain_standard(path, nights=7) == 0
    for night in (1, 5):
        plant(path, night)
    for night in (2, *range(6, 20)):
        plant(path, night, result=False, state="failed")
    assert retention.retain_standard(path, nights=2) == 0
    assert retention.retain_standard(path, nights=1) == 1
    results_left, jobs_left = left(path)
    assert results_left == ["night5"]
    assert "night2-pipeline" not in jobs_left
    assert len(jobs_left) == 15


def test_a_job_of_a_process_that_was_killed_is_marked_as_lost(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    plant(path, 1, result=False, state="running")
    retention.retain_standard(path, nights=7)
    with workspace.reading(path) as reader:
        assert results.job(reader, "night1-pipeline")["state"] == "lost"


def test_one_that_is_being_checked_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    for night in (1, 2):
        plant(path, night)
    change(
        path, f"UPDATE jobs SET state = 'running', heartbeat_at = '{store.utc_now()}' WHERE job_id = 'night1-pipeline'"
    )
    assert retention.retain_standard(path, nights=1) == 0
    assert left(path)[0] == ["night1", "night2"]


def test_the_history_says_which_runs_are_of_the_set(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    plant(path, 1)
    plant(path, 2, owner="somebody")
    with workspace.reading(path) as reader:
        listed = history.history(reader).set_index("result_id")["standard"]
        assert history.chosen(reader, ["night1", "night2"])["standard"].tolist() == [1, 0]
    assert listed.to_dict() == {"night1": 1, "night2": 0}
