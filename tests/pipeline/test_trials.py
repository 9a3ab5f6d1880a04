"""Every try is counted once, for good, under the hypothesis it was a try on."""

from pathlib import Path
from typing import Any

import pytest

from pipeline import backtests, ledger
from pipeline.backtests import BacktestRequest
from pipeline.queries import trials
from pipeline.workspace import reading


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs end with their first stage: the ledger counts before any check."""

    def stop(*_: Any, **__: Any) -> None:
        raise InterruptedError

    monkeypatch.setattr(backtests, "check", stop)


def run(simulated: Any, workspace: Path, **asked: Any) -> None:
    with pytest.raises(InterruptedError):
        backtests.run(BacktestRequest.of(**asked), db=simulated.db, workspace=workspace)


def counted(workspace: Path, hypothesis: str) -> Any:
    with reading(workspace) as reader:
        return trials.trials(reader, hypothesis)


@pytest.mark.usefixtures("quick")
def test_a_run_counts_once_whatever_its_parameters_costs_and_dates(simulated: Any, tmp_path: Path) -> None:
    workspace, asked = tmp_path / "w.db", {"strategy": "technical_vote", "tickers": ["SIM002", "SIM001"]}
    run(simulated, workspace, **asked)
    run(simulated, workspace, **asked)  # the same question again is no other try
    run(simulated, workspace, **asked, parameters={"threshold": 2})
    run(simulated, workspace, **asked, costs={"fee_rate": 0.002}, start="2019-01-01")
    run(simulated, workspace, strategy="buy_and_hold", tickers=["SIM001", "SIM002"])
    found = counted(workspace, "technical_vote|SIM001,SIM002")
    assert len(found) == 3
    assert found["id"].tolist() == found["result_id"].tolist()
    assert found["n_obs"].iloc[2] < found["n_obs"].iloc[0]
    stored = backtests.load(found["result_id"].iloc[1], workspace=workspace)
    assert found["sharpe_ratio"].iloc[1] == stored["metrics"]["sharpe_ratio"]
    assert found["skewness"].iloc[1] == stored["metrics"]["skewness"]
    assert len(counted(workspace, "buy_and_hold|SIM001,SIM002")) == 1


def test_a_try_that_was_counted_keeps_its_first_day_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, common = tmp_path / "w.db", {"strategy": "s", "tickers": ["B", "A"], "sessions": 10}
    monkeypatch.setattr(ledger.store, "utc_now", lambda: "2024-01-01T00:00:00.000Z")
    ledger.count_result(workspace, "one", metrics={"sharpe_ratio": 1.0}, **common)
    monkeypatch.setattr(ledger.store, "utc_now", lambda: "2024-02-01T00:00:00.000Z")
    ledger.count_result(workspace, "one", metrics={"sharpe_ratio": 9.0}, **common)
    ledger.count_result(workspace, "two", metrics={"sharpe_ratio": None}, **common)
    found = counted(workspace, "s|A,B")
    assert found["id"].tolist() == ["one", "two"]
    assert found["created_at"].tolist() == ["2024-01-01T00:00:00.000Z", "2024-02-01T00:00:00.000Z"]
    assert found["sharpe_ratio"].iloc[0] == 1.0
    assert found[["skewness", "kurtosis"]].isna().all(axis=None)
    assert found["sharpe_ratio"].isna().tolist() == [False, True]
