"""A stored backtest as a Python script that makes it again from data.db and prints its metrics."""

from dataclasses import fields
from pprint import pformat
from typing import Any

from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import Costs, Rules

_SCRIPT = '''"""Runs a stored backtest again and prints its metrics as JSON.

Save it in Plumbline's folder, beside config.py, and run it there: .venv/bin/python this_file.py [data.db]
"""

import json
import sys
import tempfile
from pathlib import Path

from config import load_settings
from pipeline import backtests

MADE_BY = {made_by}
REQUEST = {request}

if __name__ == "__main__":
    db = Path(sys.argv[1]) if len(sys.argv) > 1 else load_settings().db
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace.db"
        result_id = backtests.run(backtests.BacktestRequest.of(**REQUEST), db=db, workspace=workspace)
        print(json.dumps(backtests.load(result_id, workspace=workspace)["metrics"], indent=1))
    if result_id != MADE_BY["result_id"]:
        print("Other prices or other code than those of the stored result: its numbers may differ.", file=sys.stderr)
'''


def python_script(result: dict[str, Any]) -> str:
    """Return the script of a stored result. What is stored enters it as literals only, never as code."""
    params = dict(result["params"])
    request = {
        "strategy": result["strategy_name"], "tickers": result["tickers"], "start": result["start_date"], "end": result["end_date"],
        "initial_capital": params.pop("initial_capital", None),
    } | ({"engine": params.pop("engine")} if "engine" in params else {})  # fmt: skip
    strategy = STRATEGIES.get(result["strategy_name"])
    own = [item.name for item in strategy.parameters] if strategy else []
    for group, names in (("parameters", own), ("costs", _names(Costs)), ("rules", _names(Rules))):
        request[group] = {name: params[name] for name in names if name in params}
    made_by = {name: result[name] for name in ("result_id", "data_run_id", "code_version")}
    return _SCRIPT.format(made_by=_literal(made_by), request=_literal(request))


def _names(terms: type[Costs] | type[Rules]) -> list[str]:
    return [item.name for item in fields(terms)]


def _literal(value: Any) -> str:
    return pformat(value, width=110, compact=True, sort_dicts=False)
