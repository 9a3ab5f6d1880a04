"""What can be taken away of a stored backtest: CSV, JSON, a report, and a script that makes it again."""

import ast
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dispatch import Dispatch, text_of
from scratch import bare_environment
from tear_sheets import gate, read_sheet, run_in

from analytics.backtest.spec import BacktestSpec
from config import ROOT
from dashapp.format import percent, usd
from dashapp.pages.backtest.exports import as_csv
from dashapp.pages.backtest.report import MOST_TRADES, html_report
from dashapp.pages.backtest.script import python_script
from dashapp.pages.backtest.stored import Stored
from dashapp.pages.backtest.tables import metric_text, price
from pipeline import backtests

DOWNLOAD = "backtest-export-download.data"


@pytest.fixture(scope="module")
def ran(simulated: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace with one checked backtest, and its result_id; read it, do not write it."""
    return run_in(tmp_path_factory.mktemp("ran"), simulated)


@pytest.fixture
def shown(serve: Callable[..., Any], simulated: Any, ran: tuple[Path, str]) -> str:
    serve(db=simulated.db, workspace=ran[0])
    return ran[1]


@pytest.fixture(scope="module")
def sheet(ran: tuple[Path, str]) -> Stored:
    return read_sheet(*ran)


# ---- exports -----------------------------------------------------------------------------------------------------


def exported(dispatch: Dispatch, kind: str, result_id: str) -> dict[str, Any]:
    button = f"backtest-export-{kind}.n_clicks"
    return dict(dispatch(DOWNLOAD, {button: 1, "backtest-shown.data": result_id}, changed=button)[DOWNLOAD])


@pytest.mark.parametrize("kind", ["equity", "trades"])
def test_the_csv_is_what_is_stored(sheet: Stored, shown: str, dispatch: Dispatch, kind: str) -> None:
    file = exported(dispatch, kind, shown)
    assert file["filename"] == f"plumbline-backtest-{shown[:12]}-{kind}.csv"
    frame = {"equity": sheet.account, "trades": sheet.trades}[kind]
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(file["content"])), frame, check_dtype=False, rtol=0, atol=0)


def test_no_text_of_the_csv_is_a_formula() -> None:
    frame = pd.DataFrame({"ticker": ["=1+1", "KO", "@x"], "pnl": [-1.0, np.nan, 2.0]})
    assert as_csv(frame) == "ticker,pnl\n'=1+1,-1.0\nKO,\n'@x,2.0\n"


def test_the_json_is_the_stored_object(ran: tuple[Path, str], shown: str, dispatch: Dispatch) -> None:
    assert json.loads(exported(dispatch, "json", shown)["content"]) == backtests.load(shown, workspace=ran[0])


def test_the_report_needs_nothing_beside_it(sheet: Stored, shown: str, dispatch: Dispatch) -> None:
    report = exported(dispatch, "report", shown)["content"]
    assert not re.search(r"<script|<link|<img|\bsrc=|\bhref=|url\(|@import", report)
    assert "nan" not in re.sub(r"<[^>]+>", " ", report).lower().split()
    assert len(report) < 300_000
    for key, value in sheet.metrics.items():
        assert f">{metric_text(key, value)}</td>" in report, key
    assert sheet.result["result_id"] in report
    assert all(gate["label"] in report for gate in sheet.audit["gates"])
    pictures = re.findall(r"<svg.*?</svg>", report)
    assert len(pictures) == 9
    for title in (
        "Yearly returns",
        "Beta, rolling, one year",
        "Distribution",
        "Exposure",
        "Contribution of the tickers",
        "Tickers",
    ):
        assert f"<h2>{title}" in report
    for picture in pictures:
        ElementTree.fromstring(picture)


def test_the_report_writes_as_the_page_does(sheet: Stored) -> None:
    report = html_report(sheet)
    first = sheet.trades.iloc[0]
    for text in (price(first["entry_price"]), usd(first["pnl"]), percent(first["return_pct"]), first["entry_date"]):
        assert f"<td>{text}</td>" in report
    verdicts = re.findall(r'<li><span class="(red|amber|green)">', report)
    assert verdicts == sorted(verdicts, key=["red", "amber", "green"].index)
    assert len(verdicts) == len(sheet.audit["gates"])
    assert f'class="{sheet.audit["verdict"]}">' in report.split("<ul>")[0]


def test_a_report_lists_at_most_so_many_trades(sheet: Stored) -> None:
    many = pd.concat([sheet.trades] * (MOST_TRADES // len(sheet.trades) + 2), ignore_index=True)
    many["trade_id"] = np.arange(1, len(many) + 1)
    report = html_report(Stored(sheet.result, sheet.account, many, sheet.tickers))
    assert f"Trades, the first {MOST_TRADES} of {len(many):,}" in report
    assert f"<tr><td>{MOST_TRADES}</td>" in report
    assert f"<tr><td>{MOST_TRADES + 1}</td>" not in report


def test_the_report_escapes_what_is_stored(sheet: Stored) -> None:
    bad = '<img src=x onerror="alert(1)">'
    result = sheet.result | {"tickers": [bad, "B"], "code_version": bad, "strategy_name": bad}
    result |= {"audit": {"verdict": "red", "gates": [gate("red") | {"detail": bad}], bad: [bad]}, "params": {bad: bad}}
    trades = sheet.trades.assign(ticker=bad, entry_reason=bad, reason=bad)
    report = html_report(Stored(result, sheet.account, trades, sheet.tickers.assign(ticker=bad)))
    assert "<img" not in report
    assert "&lt;img" in report


@pytest.mark.parametrize("values", [
    {}, {"backtest-export-json.n_clicks": 1}, {"backtest-export-json.n_clicks": 0, "backtest-shown.data": "0" * 64},
])  # fmt: skip
def test_without_a_click_or_a_result_nothing_is_exported(
    shown: str, dispatch: Dispatch, values: dict[str, Any]
) -> None:
    assert dispatch(DOWNLOAD, values, changed="backtest-export-json.n_clicks") == {}


@pytest.mark.parametrize(("result_id", "says"), [("0" * 64, "no stored result"), ("../x", "letters and digits"), ({"a": 1}, "letters and digits")])  # fmt: skip
def test_an_export_of_no_result_is_explained(shown: str, dispatch: Dispatch, result_id: Any, says: str) -> None:
    button = "backtest-export-report.n_clicks"
    written = dispatch(DOWNLOAD, {button: 1, "backtest-shown.data": result_id}, changed=button)
    assert DOWNLOAD not in written
    assert says in text_of(written["shell-toasts.children"])


# ---- the script --------------------------------------------------------------------------------------------------


def test_the_script_gives_the_same_numbers(sheet: Stored, simulated: Any, tmp_path: Path) -> None:
    (tmp_path / "again.py").write_text(python_script(sheet.result), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "again.py"), str(simulated.db)], cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=False, env=bare_environment(PYTHONPATH=str(ROOT), PATH="/usr/bin:/bin", OPENBLAS_NUM_THREADS="1"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == sheet.metrics
    assert "Other prices or other code" not in done.stderr


def test_the_script_asks_for_everything_that_was_asked(sheet: Stored) -> None:
    request = literals(python_script(sheet.result))["REQUEST"]
    again = backtests.BacktestRequest.of(**request)
    assert again.params() == {**sheet.result["params"], "votes": tuple(sheet.result["params"]["votes"])}
    assert list(again.tickers or ()) == sheet.result["tickers"]
    assert again.spec.rules.stop_loss == 0.1
    assert again.spec == BacktestSpec(
        **{**vars(again.spec), "start": sheet.result["start_date"], "end": sheet.result["end_date"]}
    )


def test_what_is_stored_enters_the_script_as_text_only(sheet: Stored) -> None:
    bad = '"""\nimport os; os.system("x")\n\'\'\' {made_by} \\'
    script = python_script(
        sheet.result | {"strategy_name": bad, "tickers": [bad], "code_version": bad, "start_date": bad}
    )
    found = literals(script)
    assert found["REQUEST"]["tickers"] == [bad]
    assert found["MADE_BY"]["code_version"] == bad
    assert ast.dump(without_literals(script)) == ast.dump(without_literals(python_script(sheet.result)))


def literals(script: str) -> dict[str, Any]:
    """The constants that a script assigns."""
    assigned = [node for node in ast.parse(script).body if isinstance(node, ast.Assign)]
    return {
        node.targets[0].id: ast.literal_eval(node.value) for node in assigned if isinstance(node.targets[0], ast.Name)
    }


def without_literals(script: str) -> ast.Module:
    tree = ast.parse(script)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Assign)]
    return tree
