"""What leaves the Technical tab's chart and what stays on it: CSV and the analyst's own drawings."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dispatch import Dispatch
from opened_page import figure_of, opened, view

from dashapp.pages.technical.export import MOST_SHAPES, kept_shapes, kept_zoom
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
    assert kept_shapes(drawings, TICKER, {}) == []
    assert len(kept_shapes({TICKER: [{"type": "line"}] * 500}, TICKER, {})) == MOST_SHAPES


def test_a_drawing_follows_its_pane_and_waits_while_that_is_not_shown() -> None:
    drawings = {TICKER: [{"type": "line", "yref": "y3", "pane": "rsi"}, {"type": "rect", "yref": "y"}]}
    both = kept_shapes(drawings, TICKER, {"y2": "rsi", "y3": "macd"})
    assert [(shape["type"], shape["yref"]) for shape in both] == [("line", "y2"), ("rect", "y")]
    assert [shape["type"] for shape in kept_shapes(drawings, TICKER, {"y2": "volume"})] == ["rect"]


def test_the_csv_holds_live_lines_beside_the_stored_ones(served: Any, dispatch: Dispatch) -> None:
    values = view(TICKER, "1y", **{"technical-csv.n_clicks": 1, "technical-live.data": {"rsi.window": 21}})
    file = dispatch("technical-download.data", values)["technical-download.data"]
    table = pd.read_csv(io.StringIO(file["content"]))
    assert {"rsi_14", "RSI 14 (live: window 21)"} <= set(table)
    assert not np.allclose(table["rsi_14"], table["RSI 14 (live: window 21)"])


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


def test_a_zoom_stays_while_ticker_and_range_stay(served: Any, dispatch: Dispatch) -> None:
    zoom = {"view": f"{TICKER} 1y", "range": ["2024-03-01", "2024-06-01 12:30:00.5"]}
    for ticker, span, kept in ((TICKER, "1y", True), (TICKER, "2y", False), ("SIM002", "1y", False)):
        figure = figure_of(opened(dispatch, "technical", view(ticker, span, **{"technical-zoom.data": zoom})))
        assert (figure["layout"]["xaxis"]["range"] == zoom["range"]) == kept


@pytest.mark.parametrize(
    "zoom",
    [
        None,
        "x",
        {},
        {"view": "SIM001 1y"},
        {"view": "SIM001 1y", "range": ["x", "2024-01-01"]},
        {"view": "SIM001 1y", "range": [1, 2]},
    ],
)
def test_a_zoom_of_another_form_is_passed_over(zoom: Any) -> None:
    assert kept_zoom(zoom, TICKER, "1y") is None
