import json
import re
from pathlib import Path
from typing import Any

import pytest
from test_runner import write_folder

from pipeline import backtests, store
from pipeline.__main__ import main
from pipeline.standard import standard_set


def test_update_reports_rows_rejects_and_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(tmp_path / "folder")
    code = main(["update", "--source", "csv", "--path", str(folder), "--db", str(tmp_path / "data.db")])
    printed = capsys.readouterr().out
    assert code == 0
    assert "Prices" in printed
    assert "600" in printed
    assert "Published completely" in printed


def test_a_bad_file_among_good_ones_is_partial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(tmp_path / "folder")
    (folder / "prices" / "CCC.csv").write_text("<html>404 not found</html>")
    assert main(["update", "--source", "csv", "--path", str(folder), "--db", str(tmp_path / "data.db")]) == 3
    assert "CCC" in capsys.readouterr().out


# ---- the standard backtests after an update -----------------------------------------------------------------


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command of an update after which the standard backtests are run."""
    monkeypatch.setenv("PLUMBLINE_STANDARD_SECONDS", "60")
    folder = write_folder(tmp_path / "folder")
    stores = ["--db", str(tmp_path / "data.db"), "--workspace", str(tmp_path / "w.db")]
    return ["update", "--source", "csv", "--path", str(folder), *stores]


def test_the_standard_backtests_follow_an_update(
    night: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder has no factors: two of the set cannot be run, and the update is complete all the same."""
    assert main(night) == 0
    printed = capsys.readouterr()
    assert re.search(r"Published completely.*\nStandard backtests: [\d.]+ s\.\n$", printed.out)
    assert "Standard backtest Fundamental only: " in printed.err
    assert re.search(r"60% Backtest Buy and hold, \d+ s left", printed.err)
    found = standard_set(db=tmp_path / "data.db", workspace=tmp_path / "w.db")
    assert [role for role, result_id in found.items() if result_id] == [
        "Technical only",
        "Buy and hold",
        "Equal weight",
    ]


@pytest.mark.parametrize("partial", [False, True])
def test_ctrl_c_among_the_standard_backtests_leaves_the_update_as_it_is(
    night: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], partial: bool
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    if partial:
        (tmp_path / "folder" / "prices" / "CCC.csv").write_text("<html>404 not found</html>")
    monkeypatch.setattr(backtests, "run_backtest", stop)
    assert main(night) == (3 if partial else 0)
    printed = capsys.readouterr()
    assert "Published" in printed.out
    assert "The standard backtests were stopped; what was published is shown." in printed.err
    assert "Error" not in printed.err


def test_no_standard_backtest_is_run_where_that_is_wanted(
    night: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLUMBLINE_STANDARD_SECONDS", "0")
    assert main(night) == 0
    assert "Standard" not in capsys.readouterr().out
    assert not (tmp_path / "w.db").exists()


# ---- what cannot be done ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "code", "says"), [
    (["update", "--source", "nowhere"], 2, "allowed: csv, sample"),
    (["update", "--source", "csv", "--path", "no-such-folder"], 1, "no-such-folder"),
    (["update", "--source", "simulated", "--start", "soon"], 2, "YYYY-MM-DD"),
    (["backtest", "--strategy", "magic"], 2, "technical_vote"),
    (["backtest", "--param", "threshold"], 2, "NAME=VALUE"),
    (["backtest", "--param", "threshold=99"], 2, "from 1 to 37"),
    (["backtest", "--param", "treshold=3"], 2, "Did you mean 'threshold'"),
    (["backtest", "--fees", "-0.1"], 2, "fee_rate: got -0.1"),
    (["backtest", "--cost", "borrow_rate"], 2, "--cost: got 'borrow_rate'; allowed: NAME=VALUE"),
    (["backtest", "--cost", "borow_rate=0.02"], 2, "Did you mean 'borrow_rate'"),
    (["backtest", "--cost", "borrow_rate=lots"], 2, "borrow_rate: got 'lots'; allowed: a number from 0 to 2"),
    (["backtest", "--rule", "stop-loss=0.1"], 2, "Did you mean 'stop_loss'"),
    (["backtest", "--rule", "direction=short"], 2, "long_short"),
    (["backtest", "--engine", "zipline"], 2, "vectorbt"),
    (["backtest", "--start", "2020-01-01", "--end", "2019-01-01"], 2, "Swap"),
    (["backtest"], 1, "no database"),
    (["check"], 1, "no database"),
])  # fmt: skip
def test_bad_input_is_explained_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    workspace = ["--workspace", str(tmp_path / "w.db")] if arguments[0] == "backtest" else []
    assert main([*arguments, "--db", str(tmp_path / "data.db"), *workspace]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "data.db").exists()
    assert not (tmp_path / "w.db").exists()


def test_a_locked_store_gives_75(tmp_path: Path) -> None:
    with store.exclusive(tmp_path / "data.db"):
        assert main(["update", "--source", "simulated", "--db", str(tmp_path / "data.db")]) == 75


def test_backtest_prints_one_stored_result_as_json(
    simulated: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["backtest", "--tickers", "SIM001,SIM002", "--param", "threshold=2", "--json",
                 "--db", str(simulated.db), "--workspace", str(tmp_path / "w.db")]  # fmt: skip
    assert main(arguments) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["tickers"] == ["SIM001", "SIM002"]
    assert first["params"]["threshold"] == 2
    assert first["metrics"]["total_return"] == first["total_return"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == first  # answered from the store: even the test date is the same


def test_costs_and_rules_reach_the_result_and_the_answer_is_described(
    simulated: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["backtest", "--tickers", "SIM001", "--start", "2023-01-01", "--capital", "5000", "--cost", "borrow_rate=0.02",
                 "--cost", "fixed_fee=1", "--slippage", "0.001", "--rule", "direction=long_short", "--rule", "stop_loss=0.1",
                 "--rule", "cash_interest=off", "--db", str(simulated.db), "--workspace", str(tmp_path / "w.db")]  # fmt: skip
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "technical_vote on SIM001" in told
    assert "Audit: " in told
    assert main([*arguments, "--json"]) == 0
    params = json.loads(capsys.readouterr().out)["params"]
    chosen = {
        "borrow_rate": 0.02,
        "fixed_fee": 1.0,
        "slippage_rate": 0.001,
        "direction": "long_short",
        "stop_loss": 0.1,
    }
    assert (chosen | {"cash_interest": False, "initial_capital": 5_000.0, "engine": "kernel"}).items() <= params.items()


def test_unknown_ticker_is_explained(simulated: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["backtest", "--tickers", "SIM01", "--db", str(simulated.db), "--workspace", str(tmp_path / "w.db")]) == 2
    )
    assert "Did you mean" in capsys.readouterr().err


def test_a_sound_store_passes_its_check(simulated: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--db", str(simulated.db)]) == 0
    assert "sound" in capsys.readouterr().out


def test_help_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    from config import SETTINGS

    assert all(item.variable in printed for item in SETTINGS)
