"""Twenty analysts at once: no backtest is lost, and each answer is what the same question gives alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from analyst import ENDED, Analyst
from dash import Dash

from dashapp.data import POOL_KEY
from dashapp.jobs import MAX_JOBS
from pipeline import asked, backtests
from pipeline.backtests import BacktestRequest
from pipeline.queries import results
from pipeline.workspace import reading

SECONDS = 120.0  # for all of them, on a machine that other tests share


@pytest.fixture(scope="module")
def requests() -> list[BacktestRequest]:
    """Different questions, quick ones: four tickers, five thresholds."""
    return [
        BacktestRequest.of(tickers=[f"SIM00{ticker}"], start="2020-01-01", parameters={"threshold": threshold})
        for ticker in (1, 2, 3, 4)
        for threshold in (1, 2, 3, 4, 5)
    ]


def test_t21_twenty_at_once_all_come_back_as_if_asked_alone(
    app: Dash, serve: Callable[..., Any], simulated: Any, requests: list[BacktestRequest], tmp_path: Path
) -> None:
    assert len(requests) == MAX_JOBS
    settings, pool = serve(db=simulated.db), app.server.config[POOL_KEY]
    pool._warm_up()
    analysts = [Analyst(app, settings) for _ in requests]
    with ThreadPoolExecutor(len(requests)) as threads:
        jobs = list(threads.map(lambda item: item[0].submit(item[1]), zip(analysts, requests, strict=True)))
        handles = list(threads.map(lambda item: item[0].start(item[1]), zip(analysts, jobs, strict=True)))
    assert all(handles)
    ended = [analyst.wait(job, *ENDED, seconds=SECONDS) for analyst, job in zip(analysts, jobs, strict=True)]
    assert [job["state"] for job in ended] == ["done"] * MAX_JOBS, [job["message"] for job in ended]
    for analyst, request, job in zip(analysts, requests, ended, strict=True):
        alone = tmp_path / "alone.db"
        assert backtests.run(request, db=simulated.db, workspace=alone) == job["result_id"]
        both = [everything(path, job["result_id"]) for path in (settings.workspace, alone)]
        assert both[0] == both[1]
        mine = asked.mine(settings.workspace, analyst.owner, kind="backtest", most=5)
        assert [row["result_id"] for row in mine] == [job["result_id"]]


def everything(path: Path, result_id: str) -> list[Any]:
    """All that is stored of a result but the moment of the test, as text: NaN equals itself."""
    with reading(path) as reader:
        row = results.result(reader, result_id)
        assert row is not None
        tables = [table(reader, result_id).to_csv() for table in (results.equity, results.trades, results.tickers)]
    return [repr({name: value for name, value in row.items() if name != "test_date"}), *tables]
