"""What leaves the Technical tab's chart and what stays on it: CSV and the analyst's own drawings."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dispatch import Dispatch
from opened_page import figure_of, opened, view

from dashapp.pages.technical.export import MOST_SHAPES, kept_shapes
from pipeline.queries import connect
from pipeline.queries import signals as signal_queries

TICKER = "SIM001"


@pytest.fixture
def served(serve: Callable[..., Any], simulated: Any) -> Any:
    return serve(db=simulated.db)


def test_drawings_are_kept_by_ticker(served: Any, dispatch: Dispatch) -> None:
    shape = {
        "type": "line",
        "xref": "x",
        "yref": "y",
        "x0": "2024-01-02",
        "x1": "2024-03-01",
        "y0": 90,
        "y1": 110,
        "onclick": "x",
    }
    drawings = {TICKER: [shape], "SIM002": []}
    shapes = figure_of(opened(dispatch, "technical", view(TICKER, **{"technical-drawings.data": drawings})))["layout"][
        "shapes"
    ]
    assert {name: value for name, value in shape.items() if name != "onclick"} | {"editable": True} in shapes
    others = figure_of(opened(dispatch, "technical", view("SIM002", **{"technical-drawings.data": drawings})))[
        "layout"
    ]["shapes"]
    assert all(item.get("name") == "level" for item in others)


@pytest.mark.parametrize("drawings", [None, "x", {TICKER: "x"}, {TICKER: [1, None]}, []])
def test_drawings_of_another_form_are_passed_over(drawings: Any) -> None:
    assert kept_shapes(drawings, TICKER) == []
    assert len(kept_shapes({TICKER: [{"type": "line"}] * 500}, TICKER)) == MOST_SHAPES


def test_the_csv_holds_what_is_drawn(served: Any, dispatch: Dispatch) -> None:
    values = view(TICKER, "1y", **{"technical-csv.n_clicks": 1, "technical-panes.value": ["volume", "rsi"]})
    file = dispatch("technical-download.data", values)["technical-download.data"]
    assert file["filename"] == f"plumbline-{TICKER}-1y.csv"
    table = pd.read_csv(io.StringIO(file["content"]))
    with connect(served.db) as reader:
        signals = signal_queries.signal_history(reader, TICKER, start=table["date"].iloc[0])
    assert {"close", "adj_close", "volume", "sma_50", "rsi_14", "overall_signal", "rating_label"} <= set(table)
    np.testing.assert_allclose(table["rsi_14"], signals["rsi_14"], rtol=1e-12)
    assert table["overall_signal"].tolist() == signals["overall_signal"].tolist()
