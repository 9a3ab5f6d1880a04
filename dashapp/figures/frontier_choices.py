"""A map of how far a portfolio moves under other estimators."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.portfolio import COVARIANCES, EXPECTED_RETURNS
from dashapp.format import percent
from dashapp.theme import axis, base_layout, palette, series


def moved_figure(table: pd.DataFrame, column: str, *, theme: str | None) -> dict[str, Any]:
    """Return a map, expected returns down and covariances across; table: expected_returns, covariance and `column`."""
    wide = table.pivot(index="expected_returns", columns="covariance", values=column)
    wide = wide.reindex(index=list(EXPECTED_RETURNS), columns=list(COVARIANCES))
    shown = wide.to_numpy(dtype=float)
    trace = {
        "type": "heatmap", "z": [[value if np.isfinite(value) else None for value in row] for row in shown.tolist()], "zmin": 0, "zmax": 1, "showscale": False,
        "x": [COVARIANCES[key].label for key in wide.columns], "y": [EXPECTED_RETURNS[key].label for key in wide.index],
        "text": [[percent(value, digits=0) for value in row] for row in shown], "texttemplate": "%{text}",
        "colorscale": [[0, palette(theme)["surface"]], [1, series(theme)[1]]], "xgap": 2, "ygap": 2,
        "hovertemplate": "%{y}, %{x}: %{text} moved<extra></extra>",
    }  # fmt: skip
    layout = base_layout(theme, height=300) | {"hovermode": "closest", "margin": {"l": 8, "r": 8, "t": 8, "b": 8}}
    layout["xaxis"] = axis(theme, showgrid=False, tickangle=-25)
    layout["yaxis"] = axis(theme, showgrid=False, autorange="reversed")
    return {"data": [trace], "layout": layout}
