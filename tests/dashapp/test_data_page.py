"""The Data tab: quality, history, and what came from outside shown as text."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dispatch import Dispatch, text_of, walk
from opened_page import figure_of, grid_rows, opened, view

from dashapp.figures._trace import plain
from dashapp.figures.factors import contributions_figure
from pipeline import schema, store

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def db(serve: Callable[..., Any], simulated: Any, tmp_path: Path) -> Path:
    path = Path(shutil.copyfile(simulated.db, tmp_path / "data.db"))
    serve(db=path)
    return path


def write(db: Path, table: Any, **columns: Any) -> None:
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        store.upsert(connection, table, {name: [value] for name, value in columns.items()})


def test_the_quality_of_each_ticker_stands_in_the_coverage(db: Path, dispatch: Dispatch) -> None:
    write(db, schema.quality_scores, ticker="SIM001", score=0.875, sessions=2000, missing_sessions=3, stale_sessions=0,
          jumps=2, rejected_rows=1)  # fmt: skip
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        store.delete(connection, schema.quality_scores, ticker="SIM002")
    rows = {row["ticker"]: row for row in grid_rows(opened(dispatch, "data", view(None)), "data-coverage")}
    assert [rows["SIM001"][name] for name in ("score", "missing_sessions", "stale_sessions", "jumps", "rejected_rows")] == [
        0.875, 3, 0, 2, 1,
    ]  # fmt: skip
    assert rows["SIM002"]["score"] is None  # unknown, not perfect
    assert len(rows) == 9


def test_what_looks_odd_is_listed(db: Path, dispatch: Dispatch) -> None:
    write(db, schema.quality_flags, ticker="SIM001", date="2020-01-02", check_name="jump", message="rose by 50 %")
    rows = grid_rows(opened(dispatch, "data", view(None)), "data-flags")
    assert ("SIM001", "2020-01-02", "jump", "rose by 50 %") in [
        (row["ticker"], row["date"], row["check_name"], row["message"]) for row in rows
    ]


def test_the_last_runs_are_listed_with_their_reasons(db: Path, dispatch: Dispatch) -> None:
    write(db, schema.runs, run_id="earlier", source="simulated", status="failed", code_version="x", parameters="{}",
          started_at="2020-01-02T03:04:05.678Z", message="the source was down")  # fmt: skip
    rows = grid_rows(opened(dispatch, "data", view(None)), "data-history")
    assert [(row["run_id"], row["status"], row["started_at"], row["message"]) for row in rows[1:]] == [
        ("earlier", "failed", "2020-01-02 03:04", "the source was down")
    ]
    assert rows[0]["status"] == "complete"
    assert rows[0]["rows"] > 0


def test_t36_what_came_from_outside_is_text_wherever_it_is_shown(db: Path, dispatch: Dispatch) -> None:
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        run_id = connection.execute("SELECT run_id FROM published").fetchone()[0]
        store.update(connection, schema.instruments, {"ticker": "SIM001"}, name=HOSTILE, sector=HOSTILE)
        store.update(connection, schema.runs, {"run_id": run_id}, message=HOSTILE)
        store.update(
            connection, schema.fetch_log, {"run_id": run_id, "ticker": "SIM001"}, status="odd", message=HOSTILE
        )
        store.update(connection, schema.step_runs, {"run_id": run_id, "step": "prices"}, message=HOSTILE)
    write(db, schema.rejects, run_id=run_id, number=99_999, ticker="X", reason=HOSTILE, payload=HOSTILE)
    found = 0
    for page in ("overview", "technical", "fundamentals", "frontier", "data"):
        for item in walk(opened(dispatch, page, view("SIM001"))):
            assert (item["type"], item["namespace"]) != ("Markdown", "dash_core_components")
            assert not {"dangerously_allow_html", "dangerously_allow_code", "srcDoc"} & set(item["props"])
            found += HOSTILE in str(item["props"].get("children")) or HOSTILE in str(item["props"].get("rowData"))
    assert found >= 6
    assert HOSTILE in text_of(opened(dispatch, "technical", view("SIM001")))


@pytest.mark.parametrize(("text", "shown"), [
    ("AAPL", "AAPL"), ("^GSPC", "^GSPC"), ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"), ('<a href="javascript:alert(1)">x</a>', '&lt;a href="javascript:alert(1)"&gt;x&lt;/a&gt;'),
    ("A&B", "A&amp;B"),
])  # fmt: skip
def test_t36_plotly_s_own_markup_is_escaped(text: str, shown: str) -> None:
    assert plain([text]) == [shown]
    rows = pd.DataFrame({"label": [text], "value": [1.0]})
    assert contributions_figure(rows, theme="light")["data"][0]["y"] == [shown]


def test_t36_tickers_in_the_frontier_are_escaped(db: Path, dispatch: Dispatch) -> None:
    with closing(store.open_writer(db, schema.MARKET)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        for table in (schema.frontier_points, schema.frontier_weights):
            store.update(connection, table, {"ticker": "SIM001"}, ticker="<b>1")
    content = opened(dispatch, "frontier", view(None) | {"frontier-point.data": 1})
    stocks = next(trace for trace in figure_of(content)["data"] if trace["name"] == "Single tickers")
    assert "&lt;b&gt;1" in stocks["text"]
    assert "<b>" not in str(figure_of(content)) + str(figure_of(content, 1))
