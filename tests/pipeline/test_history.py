"""The history of backtests: listed and filtered, named and noted, and deleted with all that belongs to them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analytics.errors import InputError, MissingDataError
from pipeline import ledger, workspace
from pipeline.queries import history as queries
from pipeline.queries import trials as trial_queries

RUNS = {
    "a" * 64: ("rating", ["AAPL", "MSFT"], "2024-05-01T10:00:00.000Z", {"verdict": "green"}),
    "b" * 64: ("rating", ["GLD"], "2024-05-02T23:59:59.999Z", {"verdict": "red"}),
    "c" * 64: ("momentum_12_1", ["AAPL"], "2024-05-03T10:00:00.000Z", {}),
}
A, B, C = RUNS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A workspace with three results and all that belongs to one."""
    made = tmp_path / "workspace.db"
    for result_id, (strategy, tickers, at, audit) in RUNS.items():
        row = {
            "result_id": result_id, "test_date": at, "strategy_name": strategy, "params": '{"threshold":3}', "tickers": json.dumps(tickers),
            "start_date": "2020-01-02", "end_date": "2020-01-03", "data_run_id": "run", "code_version": "v", "total_return": 0.1,
            "sharpe_ratio": None, "max_drawdown": -0.2, "metrics": '{"annual_return":0.05,"n_trades":7,"annual_volatility":null}',
            "audit": json.dumps(audit),
        }  # fmt: skip
        equity = pd.DataFrame(
            {
                "date": ["2020-01-02", "2020-01-03"],
                "equity": [1.0, 2.0],
                "benchmark": [1.0, 1.5],
                "risk_free": [0.0, 0.1],
            }
        )
        trades = pd.DataFrame(
            {"trade_id": [1], "ticker": [tickers[0]], "direction": ["long"], "entry_date": ["2020-01-02"]}
        )
        workspace.save_result(made, row, equity=equity, trades=trades)
        workspace.save_checks(
            made, result_id, audit=json.dumps(audit), tickers=pd.DataFrame({"ticker": tickers, "total_return": 0.1})
        )
        workspace.remember_answer(made, question_id=f"q{result_id}", result_id=result_id, data_run_id="run")
        ledger.count_result(
            made, result_id, strategy=strategy, tickers=tickers, metrics={"sharpe_ratio": 1.0}, sessions=2
        )
    return made


def listed(path: Path, **filters: Any) -> pd.DataFrame:
    with workspace.reading(path) as reader:
        return queries.history(reader, **filters)


def left(path: Path) -> dict[str, set[str]]:
    """{table: the result_ids in it} of every table that has any."""
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        with_id = [
            name
            for name in names
            if "result_id" in {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        ]
        return {name: {row[0] for row in connection.execute(f"SELECT result_id FROM {name}")} for name in with_id}


def test_the_newest_run_comes_first_with_its_headline(path: Path) -> None:
    rows = listed(path)
    assert rows["result_id"].tolist() == [C, B, A]
    first = rows.iloc[2]
    assert (first["tickers"], first["params"]) == (["AAPL", "MSFT"], {"threshold": 3})
    assert (first["annual_return"], first["n_trades"], first["verdict"]) == (0.05, 7, "green")
    assert rows[["sharpe_ratio", "annual_volatility"]].isna().all(axis=None)
    assert pd.isna(rows.loc[0, "verdict"])
    assert rows["name"].tolist() == ["", "", ""]


@pytest.mark.parametrize(("filters", "found"), [
    ({"strategy": "rating"}, [B, A]), ({"strategy": "none"}, []), ({"text": "aapl"}, [C, A]), ({"text": "MOMENTUM"}, [C]), ({"text": "%"}, []),
    ({"text": "fine"}, [B]), ({"text": "core"}, [B]), ({"start": "2024-05-02"}, [C, B]), ({"end": "2024-05-02"}, [B, A]),
    ({"start": "2024-05-02", "end": "2024-05-02"}, [B]), ({"most": 1}, [C]), ({"strategy": "rating", "text": "AAPL"}, [A]),
], ids=str)  # fmt: skip
def test_filters(path: Path, filters: dict[str, Any], found: list[str]) -> None:
    workspace.describe_result(path, B, name="Core", note="rather fine")
    assert listed(path, **filters)["result_id"].tolist() == found


def test_chosen_results_keep_their_order_and_unknown_ones_are_left_out(path: Path) -> None:
    with workspace.reading(path) as reader:
        assert queries.chosen(reader, [A, "none", C])["result_id"].tolist() == [A, C]
        assert queries.chosen(reader, []).empty
        assert queries.strategies(reader) == ["momentum_12_1", "rating"]


def test_accounts_are_those_of_each_result(path: Path) -> None:
    with workspace.reading(path) as reader:
        found = queries.accounts(reader, [C, A])
    assert set(found) == {A, C}
    assert found[A].to_dict("list") == {
        "date": ["2020-01-02", "2020-01-03"], "equity": [1.0, 2.0], "benchmark": [1.0, 1.5], "risk_free": [0.0, 0.1],
    }  # fmt: skip


def test_a_name_and_a_note_are_kept_changed_and_taken_away(path: Path) -> None:
    for name, note in (("Core", ""), ("Other", "a note"), ("", "a note"), ("", "")):
        workspace.describe_result(path, B, name=name, note=note)
        assert tuple(listed(path).set_index("result_id").loc[B, ["name", "note"]]) == (name, note)
    assert left(path)["result_notes"] == set()


@pytest.mark.parametrize(("name", "note"), [("x" * 61, ""), ("a\nb", ""), (" a", ""), ("", "x" * 501), ("\u202e", "")])
def test_what_cannot_be_read_is_refused(path: Path, name: str, note: str) -> None:
    with pytest.raises(InputError, match="printable"):
        workspace.describe_result(path, B, name=name, note=note)
    assert left(path)["result_notes"] == set()


def test_a_deleted_result_leaves_nothing_but_its_tries(path: Path) -> None:
    workspace.describe_result(path, B, name="Core", note="")
    before = left(path)
    workspace.delete_result(path, B)
    after = left(path)
    assert {name for name in before if B in before[name]} == {
        "backtesting_results", "backtesting_equity", "backtesting_trades", "backtesting_tickers", "backtesting_questions", "result_notes", "trials",
    }  # fmt: skip
    assert {name for name in after if B in after[name]} == {"trials"}
    assert {name: ids - {B} for name, ids in before.items()} == {name: ids - {B} for name, ids in after.items()}
    with workspace.reading(path) as reader:
        assert len(trial_queries.trials(reader, ledger.hypothesis_of("rating", ["GLD"]))) == 1


def test_what_is_not_stored_can_be_neither_named_nor_deleted(path: Path) -> None:
    with pytest.raises(MissingDataError, match="no stored result"):
        workspace.describe_result(path, "none", name="x", note="")
    with pytest.raises(MissingDataError, match="no stored result"):
        workspace.delete_result(path, "none")


def test_a_result_that_is_being_checked_is_not_deleted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.create_job(path, job_id="j", kind="backtest", owner="o", seconds=60)
    workspace.start_job(path, "j", seconds=60)
    workspace.update_job(path, "j", result_id=B)
    with pytest.raises(InputError, match="still being checked"):
        workspace.delete_result(path, B)
    monkeypatch.setattr(workspace, "LOST_AFTER_SECONDS", -1.0)  # its worker was last heard of too long ago
    workspace.delete_result(path, B)
    assert B not in left(path)["backtesting_results"]
