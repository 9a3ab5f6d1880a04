"""Tables: AG Grid with one look, sorting, filtering and CSV export."""

from typing import Any

import dash_ag_grid as dag
import pandas as pd

_RIGHT = {"cellClass": "ag-right-aligned-cell num", "headerClass": "ag-right-aligned-header", "type": "numericColumn"}


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


def percent_column(field: str, title: str, *, digits: int = 1, tip: str = "", coloured: bool = False, width: int | None = 105,
                   **options: Any) -> dict[str, Any]:  # fmt: skip
    """Return a right-aligned fraction shown as percent, green above and red below zero where coloured."""
    formatter = {"function": f"plumblinePercent(params.value, {digits})"}
    rules = {"tone-up": {"function": "params.value > 0"}, "tone-down": {"function": "params.value < 0"}}
    if coloured:
        options["cellClassRules"] = {name: rule["function"] for name, rule in rules.items()}
    return column(field, title, tip=tip, width=width, filter="agNumberColumnFilter", valueFormatter=formatter,
                  **(_RIGHT | options))  # fmt: skip


def grid(
    key: Any, frame: pd.DataFrame, columns: list[dict[str, Any]], *, row_id: str, height: int | None = None,
    file_name: str = "plumbline.csv", selectable: bool = False,
) -> dag.AgGrid:  # fmt: skip
    """Return a table of `frame`. `row_id` names the text column that identifies a row."""
    options = {
        "theme": "themeQuartz", "animateRows": False, "tooltipShowDelay": 200, "suppressCellFocus": not selectable,
        "enableCellTextSelection": True,
    }  # fmt: skip
    if height is None:
        options["domLayout"] = "autoHeight"
    if selectable:
        options["rowSelection"] = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
    return dag.AgGrid(
        id=key, rowData=records(frame), columnDefs=columns, getRowId=f"params.data.{row_id}",
        defaultColDef={"sortable": True, "filter": True, "resizable": True, "flex": 1, "minWidth": 90},
        dashGridOptions=options, csvExportParams={"fileName": file_name}, className="plumbline-grid",
        style={"height": f"{height}px" if height else None, "width": "100%"}, columnSize=None,
    )  # fmt: skip


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as the grid wants them: NaN becomes null."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
