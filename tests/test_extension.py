"""A new indicator, strategy, source, step or tab is a new file and no edit elsewhere."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT

INDICATOR = '''"""Midpoint of the last sessions, for the test."""
import talib
from analytics.indicators._indicator import Indicator
from analytics.indicators._vote import Vote, sign_of
INDICATOR = Indicator(
    key="midpoint", label="Midpoint 14", description="d", formula="f", reference="TA-Lib MIDPOINT", group="moving_average",
    pane="price", inputs=("close",), outputs=("midpoint_14",), parameters=(), warm_up=13,
    compute=lambda inputs: (talib.MIDPOINT(inputs["close"], timeperiod=14),),
    votes=(Vote(key="midpoint", label="Midpoint", rule="above", because=("above", "equal", "below"),
                decide=lambda inputs, outputs: sign_of(inputs["close"] - outputs["midpoint_14"])),),
)
'''
STRATEGY = '''"""Always in cash, for the test."""
import numpy as np
from analytics.backtest.strategies._strategy import Strategy
STRATEGY = Strategy(key="cash", label="Cash", description="d", parameters=(),
                    decide=lambda inputs, **_: np.full(inputs.panel.close.shape, np.nan))
'''
STEP = '''"""Counts, for the test."""
from pipeline.steps._step import Outcome, Step
STEP = Step("count", "Count", ("technical_signals",), ("nothing",), lambda context: Outcome(0, message="counted"))
'''
PAGE = '''"""A tab, for the test."""
from dash import html
from dashapp.pages._page import Page
def layout(**_query):
    return html.Div("hello")
PAGE = Page(key="extra", path="/extra", name="Extra", order=99, description="d", layout=layout)
'''
CHECK = """
from pathlib import Path
import tempfile
from config import load_settings
from pipeline.runner import UpdateRequest, update
from pipeline.queries import connect, signals
from pipeline import backtests
folder = Path(tempfile.mkdtemp())
settings = load_settings({}, db=folder / "data.db", workspace=folder / "w.db", cache_dir=folder / "c", simulated_tickers=3, simulated_years=2)
summary = update(UpdateRequest(source="simulated"), settings=settings)
assert [step.label for step in summary.steps].index("Count") > [step.label for step in summary.steps].index("Technical signals")
with connect(settings.db) as reader:
    row = signals.latest_signal(reader, "SIM001")
assert row["midpoint_14"] > 0 and row["vote_midpoint"] in (-1, 0, 1)
request = backtests.BacktestRequest.of(strategy="cash", rules={"cash_interest": False})
result = backtests.load(backtests.run(request, db=settings.db, workspace=settings.workspace), workspace=settings.workspace)
assert result["total_return"] == 0
from dashapp.app import create_app
app = create_app(settings)
client = app.server.test_client()
assert client.get("/extra").status_code == 200
from dashapp.pages.technical import layout
with app.server.app_context():
    drawn = str(layout())
assert "midpoint" in drawn and "Midpoint 14" in drawn
import dash
assert any(page["path"] == "/extra" for page in dash.page_registry.values())
print("extended")
import os; os._exit(0)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("analytics", "pipeline", "dashapp"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.py", tmp_path)
    return tmp_path


def python(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def test_new_files_are_enough(copy: Path) -> None:
    (copy / "analytics/indicators/midpoint.py").write_text(INDICATOR)
    (copy / "analytics/backtest/strategies/cash.py").write_text(STRATEGY)
    (copy / "pipeline/steps/count.py").write_text(STEP)
    (copy / "dashapp/pages/extra.py").write_text(PAGE)
    ran = python(copy, CHECK)
    assert ran.stdout.strip().endswith("extended"), ran.stderr[-3000:]


def test_a_missing_constant_fails_at_import(copy: Path) -> None:
    (copy / "analytics/indicators/nothing.py").write_text('"""Exports nothing."""\n')
    assert "analytics.indicators.nothing must export INDICATOR" in python(copy, "import analytics.indicators").stderr


def test_a_duplicate_key_fails_at_import(copy: Path) -> None:
    (copy / "analytics/indicators/again.py").write_text((copy / "analytics/indicators/rsi.py").read_text())
    assert "duplicate INDICATOR key 'rsi'" in python(copy, "import analytics.indicators").stderr
