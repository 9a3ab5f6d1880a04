"""The run that is shown beside another one: what each earned on the sessions they share, figure by figure."""

from typing import Any

import numpy as np
from dash import dcc, html

from analytics.metrics import METRICS
from dashapp.components import graph, text_table
from dashapp.figures.compare import curves_figure
from dashapp.format import UNKNOWN
from dashapp.pages.backtest.tables import metric_text
from dashapp.pages.compare.overview import SHOWN
from dashapp.pages.compare.runs import Runs, chosen_runs, known


def beside_view(result_id: str, other_id: str, *, theme: str | None) -> list[Any]:
    """Return two runs side by side; raises MissingDataError where one is not stored or they share no sessions."""
    runs = chosen_runs([result_id, other_id])
    common = runs.common
    apart = "" if runs.same_dates else " The metrics are of each run's own dates."
    return [
        html.P([
            f"On the {len(common.dates):,} sessions that both cover, {common.dates[0]} to {common.dates[-1]}.{apart} A difference is not yet a finding: ",
            dcc.Link("test it on the Compare tab", href=f"/compare?runs={result_id},{other_id}"), ".",
        ], className="small text-body-secondary mb-1"),
        graph(curves_figure(common.dates, common.curves, muted=list(runs.benchmarks), theme=theme)),
        text_table(["Metric", *runs.labels, "Difference"], metric_lines(runs)),
    ]  # fmt: skip


def metric_lines(runs: Runs) -> list[list[str]]:
    """Return label, the value of each of two runs and the first less the second, a row per metric."""
    first, second = (item["metrics"] for item in runs.results.values())
    lines = []
    for key in SHOWN:
        apart = known(first.get(key)) - known(second.get(key))
        values = [metric_text(key, item.get(key)) for item in (first, second)]
        gap = metric_text(key, apart).replace(" %", " points") if np.isfinite(apart) else UNKNOWN
        sign = "+" if np.isfinite(apart) and apart > 0 else ""
        lines.append([METRICS[key].label, *values, "none" if values[0] == values[1] != UNKNOWN else sign + gap])
    return lines
