"""What a portfolio may earn over a horizon: its past, and simulated days before and after a shock."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray
from dashapp.figures._trace import encode
from dashapp.theme import axis, base_layout, palette, series

BINS: Final = 60
SHOWN: Final = (0.002, 0.998)  # of the simulated returns: what lies beyond would leave the middle narrow
NARROW: Final = 1e-6  # half the width shown where all returns are the same


def horizon_figure(
    past: FloatArray, simulated: Mapping[str, FloatArray], value_at_risk: Mapping[str, float], *, theme: str | None
) -> dict[str, Any]:
    """Return the figure of returns over a horizon, fractions: past windows as bars, simulated ones a line each.

    simulated: draws by name, the estimated world first; value_at_risk: a positive loss by the same names, marked;
    NaN is not.
    """
    edges = _edges(simulated)
    middle, colours = (edges[:-1] + edges[1:]) / 2, dict(zip(simulated, series(theme), strict=False))
    traces = [
        {"type": "bar", "x": encode(middle), "y": encode(_shares(past, edges)), "name": "Past windows",
         "marker": {"color": palette(theme)["cloud"]}, "hovertemplate": "%{y:.1%}"},
        *({"type": "scatter", "mode": "lines", "x": encode(middle), "y": encode(_shares(values, edges)), "name": name,
           "line": {"color": colours[name], "width": 2, "shape": "hvh"}, "hovertemplate": "%{y:.1%}"}
          for name, values in simulated.items()),
    ]  # fmt: skip
    layout = base_layout(theme, height=340) | {"bargap": 0.0}
    layout["xaxis"] = axis(theme, title={"text": "Return over the horizon"}, tickformat=_digits(edges), hoverformat=".2%",
                           range=[float(edges[0]), float(edges[-1])])  # fmt: skip
    layout["yaxis"] = axis(theme, title={"text": "Share of outcomes"}, tickformat=".0%", rangemode="tozero")
    known = {name: -loss for name, loss in value_at_risk.items() if np.isfinite(loss)}
    layout["shapes"] = [
        {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": {"color": colours[name], "width": 1.5, "dash": "dash"}}
        for name, x in known.items()
    ]  # fmt: skip
    layout["annotations"] = [
        {"x": x, "y": 1 - 0.09 * row, "yref": "paper", "text": "VaR", "showarrow": False, "xanchor": "right", "yanchor": "top",
         "font": {"color": colours[name], "size": 11}}
        for row, (name, x) in enumerate(known.items())
    ]  # fmt: skip
    return {"data": traces, "layout": layout}


def _edges(simulated: Mapping[str, FloatArray]) -> FloatArray:
    ends = np.array([np.quantile(values, SHOWN) for values in simulated.values()])
    low, high = ends[:, 0].min(), ends[:, 1].max()
    return np.linspace(low - NARROW, high + NARROW, BINS + 1)


def _shares(values: npt.ArrayLike, edges: FloatArray) -> FloatArray:
    return np.histogram(values, edges)[0] / np.size(values)


def _digits(edges: FloatArray) -> str:
    return ".0%" if edges[-1] - edges[0] > 0.05 else ".1%"
