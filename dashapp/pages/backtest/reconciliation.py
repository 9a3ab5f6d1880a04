"""How our numbers compare with those of other libraries on one series, and why they differ where they do."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dash import html

from analytics.metrics import METRICS
from dashapp.components import card, column, grid, number_column

TABLE = Path(__file__).with_name("reconciliation.csv")
LIBRARIES = {
    "ours": "Plumbline", "quantstats": "QuantStats", "empyrical": "empyrical", "ffn": "ffn", "skfolio": "skfolio", "vectorbt": "vectorbt",
}  # fmt: skip
SAME = 2e-6  # the table is rounded to six decimals
_COLUMNS = [
    column("label", "Metric", width=190, pinned="left", tooltipField="metric"),
    *(
        number_column(name, label, digits=6, width=118, cellClassRules={"tone-amber": f"params.data.apart.includes('{name}')"})
        for name, label in LIBRARIES.items()
    ),
    column("reason", "Why they differ", minWidth=260, tooltipField="reason"),
]  # fmt: skip
MISSING = "The comparison has not been made in this copy: the file reconciliation.csv is not there."


def reconciliation_view(path: Path = TABLE) -> Any:
    """Return the comparison, closed until it is asked for; says so where it has not been made."""
    table = _read(path)
    if table is None:
        body: Any = html.P(MISSING, className="mb-0 text-body-secondary")
    else:
        body = [
            html.P("One made-up series of 1,413 weekdays, 2018-01-01 to 2023-05-31, with its benchmark and a risk-free rate (docs/RECONCILIATION.md); "
                   "each library with its own defaults. It is not the backtest above. Coloured: another number than "
                   "ours, for the reason at the right. A dash: the library has no such number.", className="small text-body-secondary"),
            grid("backtest-reconciliation", _rows(table), _COLUMNS, row_id="metric", height=480, row_height=30),
        ]  # fmt: skip
    return html.Details(
        [html.Summary("How our numbers compare"), card("Our metrics beside those of other libraries", body)],
        className="mb-3",
    )


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    """The table with each metric's label, and in `apart` the libraries whose number is another than ours."""
    named = table.rename(columns={table.columns[0]: "metric"})
    ours = named["ours"].to_numpy(dtype=float)
    apart = [""] * len(named)
    for name in LIBRARIES:
        other = named[name].to_numpy(dtype=float)
        differs = np.abs(other - ours) > SAME * np.maximum(1.0, np.abs(ours))  # NaN: neither
        apart = [f"{words} {name}" if found else words for words, found in zip(apart, differs, strict=True)]
    labels = [METRICS[key].label if key in METRICS else str(key) for key in named["metric"]]
    return named.assign(label=labels, apart=apart)


@lru_cache(maxsize=2)
def _read(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path) if path.is_file() else None
