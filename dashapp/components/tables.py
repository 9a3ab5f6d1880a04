"""Tables: AG Grid with one look, sorting, filtering and CSV export."""

import re
from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
import pandas as pd
from dash import MATCH, ClientsideFunction, Input, Output, clientside_callback, dcc, html

_RIGHT = {"cellClass": "ag-right-aligned-cell num", "headerClass": "ag-right-aligned-header", "type": "numericColumn"}


MARKS = re.compile(r"[\\`*_\[\]|~]")  # what means something to Markdown inside a cell


def column(field: str, title: str, *, tip: str = "", width: int | None = None, **options: Any) -> dict[str, Any]:
    """Return a text column."""
    definition: dict[str, Any] = {"field": field, "headerName": title, **options}
    if tip:
        definition["headerTooltip"] = tip
    if width:
        definition |= {"width": width, "flex": 0}
    return definition


def number_column(
    field: str, title: str, *, digits: int = 2, tip: str = "", width: int = 110, **options: Any
) -> dict[str, Any]:
    """Return a right-aligned number; unknown is a dash, never 0."""
    formatter = {"function": f"plumblineNumber(params.value, {digits})"}
    return column(field, title, tip=tip, width=width, filter="agNumberColumnFilter", valueFormatter=formatter,
                  **(_RIGHT | options))  # fmt: skip


def p_value_column(field: str, title: str, *, tip: str = "", width: int = 86, **options: Any) -> dict[str, Any]:
    """Return a right-aligned p or q value; a small one is shown as < 0.0001, never as 0."""
    return number_column(field, title, tip=tip, width=width, **options) | {
        "valueFormatter": {"function": "plumblinePValue(params.value)"}
    }


def percent_column(field: str, title: str, *, digits: int = 1, tip: str = "", coloured: bool = False, width: int | None = 105,
                   **options: Any) -> dict[str, Any]:  # fmt: skip
    """Return a right-aligned fraction shown as percent, green above and red below zero where coloured."""
    formatter = {"function": f"plumblinePercent(params.value, {digits})"}
    # What is shown as percent is filtered as percent.
    options.setdefault("filterValueGetter", {"function": f"plumblineTimes100(params.data.{field})"})
    options.setdefault("filterParams", {"defaultOption": "greaterThan"})
    rules = {"tone-up": {"function": "params.value > 0"}, "tone-down": {"function": "params.value < 0"}}
    if coloured:
        options["cellClassRules"] = {name: rule["function"] for name, rule in rules.items()}
    return column(field, title, tip=tip, width=width, filter="agNumberColumnFilter", valueFormatter=formatter,
                  **(_RIGHT | options))  # fmt: skip


def grid(
    name: str, frame: pd.DataFrame, columns: list[dict[str, Any]], *, row_id: str, height: int | None = None,
    selectable: bool = False, many: bool = False, file: str = "", row_height: int | None = None,
) -> html.Div:  # fmt: skip
    """Return a table of `frame` with a button that downloads it, as `file` or else by the table's name.

    `row_id` names the text column that identifies a row. many: rows are chosen by check boxes, any number of them.
    """
    options: dict[str, Any] = {
        "theme": "themeQuartz", "animateRows": False, "tooltipShowDelay": 200, "suppressCellFocus": not selectable,
        "enableCellTextSelection": True,
    }  # fmt: skip
    if row_height is not None:
        options["rowHeight"] = row_height
    if height is None:
        options["domLayout"] = "autoHeight"
    if selectable:
        options["rowSelection"] = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
    if many:
        options["rowSelection"] = {
            "mode": "multiRow",
            "checkboxes": True,
            "headerCheckbox": False,
            "enableClickSelection": False,
        }
    table = dag.AgGrid(
        id=grid_id(name), rowData=records(frame), columnDefs=columns, getRowId=f"params.data.{row_id}",
        defaultColDef={"sortable": True, "filter": True, "resizable": True, "flex": 1, "minWidth": 60,
                       "useValueFormatterForExport": False, "wrapHeaderText": True, "autoHeaderHeight": True},
        dashGridOptions=options, csvExportParams={"fileName": f"plumbline-{file or name}.csv", "processCellCallback": {"function": "plumblineCsvCell(params)"}},
        className=f"plumbline-grid {'clickable' if selectable else ''}",
        style={"height": f"{height}px" if height else None, "width": "100%"}, columnSize=None,
    )  # fmt: skip
    button = dbc.Button(
        [html.I(className="bi bi-download"), " CSV"], id={"type": "csv", "name": name}, size="sm", color="link",
        class_name="grid-download",
    )  # fmt: skip
    return html.Div([button, table], className="position-relative")


def grid_id(name: str) -> dict[str, str]:
    """Return the id of the table called `name`."""
    return {"type": "grid", "name": name}


clientside_callback(
    ClientsideFunction("plumbline", "download"),
    Output({"type": "grid", "name": MATCH}, "exportDataAsCsv"),
    Input({"type": "csv", "name": MATCH}, "n_clicks"),
)


def plain_table(header: list[Any], rows: list[list[Any]]) -> html.Div:
    """Return a small table as it is read, without sorting: the first column at the left, the others at the right."""
    head = html.Thead(html.Tr([html.Th(name, className="" if i == 0 else "text-end") for i, name in enumerate(header)]))
    body = html.Tbody([
        html.Tr([html.Td(cell, className="text-nowrap" if i == 0 else "text-end tabular text-nowrap") for i, cell in enumerate(row)])
        for row in rows
    ])  # fmt: skip
    return html.Div(dbc.Table([head, body], size="sm", class_name="mb-0"), className="table-responsive")


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> html.Div:
    """Return the same of texts alone, as one component: a cell as a component of its own would slow the page down."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    cells = [[cell if number == 1 else _as_written(cell) for cell in line] for number, line in enumerate(lines)]
    text = "\n".join(f"| {' | '.join(line)} |" for line in cells)
    return html.Div(dcc.Markdown(text, className="text-table"), className="table-responsive")


def _as_written(text: str) -> str:
    """Text in which no character means anything to Markdown."""
    return MARKS.sub(r"\\\g<0>", " ".join(str(text).split()))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as the grid wants them: NaN becomes null."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
