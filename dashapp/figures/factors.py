"""Estimates with their intervals: alphas by model and window, betas by factor."""

from typing import Any

import pandas as pd

from dashapp.figures._trace import plain
from dashapp.theme import axis, base_layout, palette, series


def interval_figure(rows: pd.DataFrame, *, theme: str | None, percent: bool) -> dict[str, Any]:
    """Return a dot with its 95 % interval per row of label, value, low, high; zero is drawn as the line to beat."""
    colours = palette(theme)
    trace = {
        "type": "scatter", "mode": "markers", "x": rows["value"].tolist(), "y": plain(rows["label"]),
        "error_x": {
            "type": "data", "symmetric": False, "array": (rows["high"] - rows["value"]).tolist(),
            "arrayminus": (rows["value"] - rows["low"]).tolist(), "color": series(theme)[0], "thickness": 2, "width": 5,
        },
        "marker": {"size": 9, "color": series(theme)[0]}, "showlegend": False,
        "hovertemplate": "%{y}: %{x:.2%}<extra></extra>" if percent else "%{y}: %{x:.3f}<extra></extra>",
    }  # fmt: skip
    layout = base_layout(theme, height=90 + 34 * len(rows)) | {
        "hovermode": "closest",
        "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
    }
    layout["xaxis"] = axis(theme, tickformat=".2~%" if percent else ".3~f", zeroline=True, zerolinewidth=2)
    layout["yaxis"] = axis(theme, autorange="reversed", showgrid=False)
    layout["shapes"] = [{
        "type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": colours["muted"], "width": 1, "dash": "dot"},
    }]  # fmt: skip
    return {"data": [trace], "layout": layout}
