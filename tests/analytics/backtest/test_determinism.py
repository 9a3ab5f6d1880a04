"""T29: the same question gives the same bytes, in another process, with another hash seed, order and thread count."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TICKERS = ["SIM003", "SIM001", "SIM005", "SIM002"]
# What draws on linear algebra, on random numbers (the intervals), on fits, on every cost and on every rule.
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"rules": {"direction": "long_short", "stop_loss": 0.08, "trailing_stop": 0.1, "drawdown_halt": 0.4}},
    {"strategy": "frontier_timed", "parameters": {"window": 120}, "costs": {"fixed_fee": 1, "participation_cap": 0.01},
     "rules": {"target_volatility": 0.1, "max_value_at_risk": 0.02, "kelly_fraction": 0.5}},
    {"strategy": "score", "initial_capital": 1e7},
)  # fmt: skip
ANSWER = """
import json, sys
from pathlib import Path
from pipeline import backtests
from pipeline.backtests import BacktestRequest
from pipeline.workspace import reading

db, workspace, tickers, questions = json.loads(sys.argv[1])
found = {}
for question in questions:
    request = BacktestRequest.of(tickers=tickers, start="2022-06-01", **question)
    result_id = backtests.run(request, db=Path(db), workspace=Path(workspace))
    found[request.spec.strategy] = {"result_id": result_id}
    with reading(Path(workspace)) as reader:
        for table in ("results", "equity", "trades", "tickers"):
            rows = reader.frame(f"SELECT * FROM backtesting_{table} WHERE result_id = ? ORDER BY 1, 2", (result_id,))
            rows = rows.drop(columns="test_date", errors="ignore")
            found[request.spec.strategy][table] = [[repr(value) for value in row] for row in rows.to_numpy().tolist()]
print(json.dumps(found))
"""


def ask(db: Path, folder: Path, *, tickers: list[str], hash_seed: int, threads: int) -> subprocess.Popen:
    """A process of its own that prints what it stores, text for text, the time of the test left out."""
    folder.mkdir()
    root = Path(__file__).parents[3]
    changed = {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(root)}
    changed |= {name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
    asked = json.dumps([str(db), str(folder / "workspace.db"), tickers, QUESTIONS])
    return subprocess.Popen(
        [sys.executable, "-c", ANSWER, asked], env=os.environ | changed, cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def two_processes(simulated: Any, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two processes stored: {strategy: {table: rows}}."""
    folder = tmp_path_factory.mktemp("twice")
    asked = [
        ask(simulated.db, folder / "one", tickers=TICKERS, hash_seed=1, threads=1),
        ask(simulated.db, folder / "other", tickers=[*TICKERS[::-1], "sim001"], hash_seed=4_242, threads=2),
    ]
    told = [process.communicate(timeout=300) for process in asked]
    assert [process.returncode for process in asked] == [0, 0], told[0][1][-2_000:] + told[1][1][-2_000:]
    return [json.loads(out) for out, _ in told]


@pytest.mark.parametrize("table", ["result_id", "results", "equity", "trades", "tickers"])
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.get("strategy", "technical_vote"))
def test_t29_every_byte_that_is_stored_is_the_same(two_processes, question, table):
    one, other = (stored[question.get("strategy", "technical_vote")] for stored in two_processes)
    assert one[table] == other[table]


def test_t29_there_is_enough_to_differ(two_processes):
    stored = two_processes[0]
    assert len({answer["result_id"] for answer in stored.values()}) == len(QUESTIONS)
    for name, answer in stored.items():
        assert len(answer["equity"]) > 400, name
        assert len(answer["trades"]) > 3, name
        assert len(answer["tickers"]) == len(TICKERS), name
        assert '"verdict"' in str(answer["results"]), name
        assert '"intervals"' in str(answer["results"]), name
