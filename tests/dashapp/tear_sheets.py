"""One checked backtest that the tests of the tear sheet and of its exports share."""

from pathlib import Path
from typing import Any

from dashapp.pages.backtest.stored import Stored
from pipeline import backtests
from pipeline.queries import results as result_queries
from pipeline.workspace import reading

TICKERS = ["SIM001", "SIM002"]


def run_in(folder: Path, settings: Any) -> tuple[Path, str]:
    """Run it into a workspace of its own; returns the workspace and the result_id."""
    workspace = folder / "workspace.db"
    request = backtests.BacktestRequest.of(tickers=TICKERS, start="2018-01-01", rules={"stop_loss": 0.1})
    return workspace, backtests.run(request, db=settings.db, workspace=workspace)


def read_sheet(workspace: Path, result_id: str) -> Stored:
    """What the page reads of a result, without an app."""
    result = backtests.load(result_id, workspace=workspace)
    with reading(workspace) as reader:
        reads = (result_queries.equity, result_queries.trades, result_queries.tickers)
        return Stored(result, *(read(reader, result_id) for read in reads))


def gate(verdict: str) -> dict[str, str]:
    return {"key": verdict, "label": f"Gate {verdict}", "verdict": verdict, "detail": f"because {verdict}"}
