"""The history of runs: listed, filtered, named, noted and deleted."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, no_update
from dash.exceptions import PreventUpdate

from analytics.backtest.strategies import STRATEGIES
from analytics.errors import PlumblineError
from dashapp import inputs
from dashapp.components import grid_id, records
from dashapp.data import settings, workspace
from dashapp.ids import SHELL
from dashapp.pages.backtest.badge import UNCHECKED, VERDICTS
from dashapp.pages.compare.layout import GRID, ID
from dashapp.pages.compare.runs import MOST_RUNS, result_ids, strategy_text, tickers_text
from pipeline.queries import history as history_queries
from pipeline.standard import SET, standard_set
from pipeline.workspace import NAME_CHARACTERS, NOTE_CHARACTERS, delete_result, describe_result, reading

WRITABLE = {"name": NAME_CHARACTERS, "note": NOTE_CHARACTERS}
NONE_YET = "No backtest is stored yet: run some on the Backtest tab."

clientside_callback(
    ClientsideFunction("plumbline", "compareChosen"),
    Output(ID.runs, "data"),
    Input(grid_id(GRID), "selectedRows"), State(ID.runs, "data"), prevent_initial_call=True,
)  # fmt: skip
clientside_callback(ClientsideFunction("plumbline", "compareLink"), Output(ID.written, "data"), Input(ID.runs, "data"))
clientside_callback(
    ClientsideFunction("plumbline", "compareNothing"), Output(ID.delete, "disabled"), Input(ID.runs, "data")
)
clientside_callback(
    ClientsideFunction("plumbline", "compareAsk"),
    Output(ID.confirm, "displayed"),
    Input(ID.delete, "n_clicks"), State(ID.runs, "data"), prevent_initial_call=True,
)  # fmt: skip


@callback(
    Output(grid_id(GRID), "rowData"), Output(grid_id(GRID), "selectedRows"), Output(ID.listed, "children"),
    Input(ID.strategy, "value"), Input(ID.text, "value"), Input(ID.start, "value"), Input(ID.end, "value"),
    Input(ID.changed, "data"), Input(SHELL.backtest_outcome, "data"), Input(ID.standard, "n_clicks"), State(ID.runs, "data"),
)  # fmt: skip
def list_runs(
    strategy: Any, text: Any, start: Any, end: Any, _changed: Any, _outcome: Any, _clicks: Any, chosen: Any
) -> Any:
    """List the runs that the filters let through, and the chosen ones in any case; the button chooses the standard set too."""
    try:
        wanted: dict[str, Any] = {
            "strategy": inputs.choice("strategy", strategy, STRATEGIES) if strategy else None,
            "text": inputs.text("text", text, most=NAME_CHARACTERS),
            "start": inputs.date("run from", start), "end": inputs.date("run to", end),
        }  # fmt: skip
        kept, lacking = result_ids(chosen), ""
        if ctx.triggered_id == ID.standard:
            kept, lacking = _with_standard(kept)
        with reading(workspace()) as reader:
            picked, found = history_queries.chosen(reader, kept), history_queries.history(reader, **wanted)
    except PlumblineError as error:
        return no_update, no_update, str(error)
    there = list(picked["result_id"])
    gone = 0 if ctx.triggered_id == ID.changed else len(kept) - len(there)  # what was deleted here is no surprise
    both = pd.concat([picked, found[~found["result_id"].isin(there)]], ignore_index=True) if there else found
    return (
        records(_rows(both)),
        {"ids": there},
        f"{_told(len(found), gone, filtered=any(wanted.values()))} {lacking}".strip(),
    )


def _with_standard(chosen: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The chosen runs and the standard set of what is shown, and in words what is not stored of it; raises InputError for too many."""
    found = standard_set(db=settings().db, workspace=workspace())
    both = result_ids([*chosen, *(item for item in found.values() if item)])
    missing = [role for role, item in found.items() if item is None]
    if len(missing) == len(found):
        return both, "The standard set is not stored for the data and the program as they are: make update runs it."
    words = f"Not stored of the standard set for the data and the program as they are: {', '.join(missing)}. make update runs what is missing."
    return both, words if missing else ""


def _rows(found: pd.DataFrame) -> pd.DataFrame:
    """What the table shows of the listed runs."""
    verdicts = [VERDICTS[item][0] if item in VERDICTS else UNCHECKED for item in found["verdict"]]
    role = {strategy: role for role, strategy in SET.items()}
    stands_for = [
        role.get(key, "Yes") if ours else ""
        for key, ours in zip(found["strategy_name"], found["standard"], strict=True)
    ]
    return found.drop(columns=["params", "verdict", "strategy_name", "test_date"]).assign(
        strategy=found["strategy_name"].map(strategy_text), standard=stands_for, tickers=[tickers_text(item) for item in found["tickers"]],
        all_tickers=[", ".join(item) for item in found["tickers"]], audit=verdicts,
        run_on=[f"{item[:10]} {item[11:16]} UTC" for item in found["test_date"]],
    )  # fmt: skip


def _told(found: int, gone: int, *, filtered: bool) -> str:
    if not found and not filtered:
        return NONE_YET
    first = f"{found:,} run{'' if found == 1 else 's'}{' found' if filtered else ''}. Choose 2 to {MOST_RUNS}."
    most = f" The newest {found:,} are listed." if found == history_queries.MOST_LISTED else ""
    return first + most + (f" Linked, but not stored here any more: {gone}." if gone else "")


@callback(
    Output(ID.told, "children"), Output(ID.changed, "data"),
    Input(grid_id(GRID), "cellValueChanged"), Input(ID.confirm, "submit_n_clicks"), State(ID.runs, "data"), State(ID.changed, "data"),
    prevent_initial_call=True,
)  # fmt: skip
def change(written: Any, confirmed: Any, chosen: Any, changed: Any) -> Any:
    """Keep what was written into a name or note, or delete the chosen runs once that was confirmed."""
    times = changed + 1 if isinstance(changed, int) and 0 <= changed < 1_000_000 else 1
    try:
        if ctx.triggered_id == ID.confirm and confirmed:
            return _delete(result_ids(chosen)), times
        return _describe(written), times
    except PlumblineError as error:
        return str(error), times  # the table shows again what is stored


def _delete(chosen: Sequence[str]) -> str:
    for item in chosen:
        delete_result(workspace(), item)
    return f"{len(chosen)} deleted." if chosen else "No run is chosen."


def _describe(written: Any) -> str:
    """Store the newest of the changed cells' rows."""
    last = written[-1] if isinstance(written, list) and written else None
    row = last.get("data") if isinstance(last, dict) else None
    if not isinstance(row, dict):
        raise PreventUpdate
    texts = {field: inputs.text(field, row.get(field), most=most) for field, most in WRITABLE.items()}
    describe_result(workspace(), inputs.name("result", row.get("result_id")), **texts)
    return "Kept."
