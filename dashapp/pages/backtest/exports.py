"""What leaves the Backtest tab: the account and the trades as CSV, the stored object as JSON, a report in one file."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc
from dash.exceptions import PreventUpdate

from dashapp import inputs
from dashapp.pages.backtest.export_bar import ID
from dashapp.pages.backtest.layout import ID as FORM
from dashapp.pages.backtest.report import html_report
from dashapp.pages.backtest.stored import Stored, stored

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a text that begins so


def as_csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV whose texts no spreadsheet takes for formulas; what is unknown is empty."""
    safe = frame.map(lambda value: f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value)
    return safe.to_csv(index=False)


EXPORTS: dict[str, tuple[str, Callable[[Stored], str]]] = {  # {id of the button: (end of the file's name, content)}
    ID.equity: ("equity.csv", lambda shown: as_csv(shown.account)),
    ID.trades: ("trades.csv", lambda shown: as_csv(shown.trades)),
    ID.json: ("result.json", lambda shown: json.dumps(shown.result, allow_nan=False, indent=1)),
    ID.report: ("report.html", html_report),
}

clientside_callback(
    ClientsideFunction("plumbline", "backtestExports"), Output(ID.bar, "hidden"), Input(FORM.shown, "data")
)


@callback(
    Output(ID.download, "data"), *(Input(key, "n_clicks") for key in EXPORTS), State(FORM.shown, "data"), prevent_initial_call=True
)  # fmt: skip
def download(*values: Any) -> Any:
    """Return the file that was asked for; raises MissingDataError where the result is not stored any more."""
    asked, shown = EXPORTS.get(str(ctx.triggered_id)), values[-1]
    if asked is None or not any(values[:-1]) or not shown:
        raise PreventUpdate
    result_id = inputs.name("result", shown)
    end, content = asked
    return dcc.send_string(content(stored(result_id)), f"plumbline-backtest-{result_id[:12]}-{end}")
