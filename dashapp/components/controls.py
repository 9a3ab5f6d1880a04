"""What charts and form controls have in common."""

from typing import Any

from dash import dcc

# A control keeps its value while the browser tab lives, whichever page is left or reloaded.
KEPT: dict[str, Any] = {"persistence": True, "persistence_type": "session"}

_TOOLS: Any = {
    "displaylogo": False, "responsive": True, "scrollZoom": False,
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d", "sendChartToCloud", "sendDataToCloud"],
    "plotlyServerURL": "", "showSendToCloud": False,
}  # fmt: skip
_PLAIN: Any = {"displayModeBar": False, "responsive": True}


def graph(figure: dict[str, Any], *, tools: bool = True) -> dcc.Graph:
    """Return a figure, with Plotly's tool bar or without."""
    height = {"height": f"{figure['layout']['height']}px"}  # known before it is drawn: nothing below it jumps
    return dcc.Graph(figure=figure, config=_TOOLS if tools else _PLAIN, style=height)
