"""What charts and form controls have in common."""

from typing import Any

from dash import dcc, html

from dashapp.components.cards import explained

# A control keeps its value while the browser tab lives, whichever page is left or reloaded.
KEPT: dict[str, Any] = {"persistence": True, "persistence_type": "session"}

_TOOLS: Any = {
    "displaylogo": False, "responsive": True, "scrollZoom": False,
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d", "sendChartToCloud", "sendDataToCloud"],
    "plotlyServerURL": "", "showSendToCloud": False,
}  # fmt: skip
_DRAWING: Any = {
    **_TOOLS,
    "modeBarButtonsToAdd": ["drawline", "drawopenpath", "drawrect", "eraseshape"],
    "toImageButtonOptions": {"filename": "plumbline-technical", "scale": 2},
}
_PLAIN: Any = {"displayModeBar": False, "responsive": True}


def graph(figure: dict[str, Any], *, tools: bool = True) -> dcc.Graph:
    """Return a figure, with Plotly's tool bar or without."""
    return dcc.Graph(figure=figure, config=_TOOLS if tools else _PLAIN, style=graph_style(figure))


def empty_graph(key: str, *, drawing: bool = False) -> dcc.Graph:
    """Return the place of a figure that a callback fills, with Plotly's tools, those for drawing among them if asked."""
    return dcc.Graph(id=key, figure={"data": [], "layout": {}}, config=_DRAWING if drawing else _TOOLS)


def graph_style(figure: dict[str, Any]) -> dict[str, str]:
    """Return the height of a figure's place, known before it is drawn so that nothing below it jumps."""
    return {"height": f"{figure['layout']['height']}px"}


def field(label: str, control: Any, tip: str = "") -> html.Div:
    """Return a control of a form under its label; tip: what rests behind an ⓘ beside it."""
    return html.Div([html.Span(label, className="field-label", **explained(tip)), control])
