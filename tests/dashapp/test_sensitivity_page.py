"""The Sensitivity tab: the form, the job, the answer, and a sweep that is cancelled and resumed."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from analyst import gone, kill
from dash import Dash
from dash._utils import to_json
from dispatch import Dispatch, of_type, text_of, walk, with_class
from opened_page import stat_cards

from analytics.backtest.parameter_sets import Range
from analytics.backtest.sensitivity import walk_forward
from analytics.backtest.strategies import STRATEGIES
from dashapp.data import POOL_KEY
from dashapp.pages.backtest.layout import layout as backtest_layout
from dashapp.pages.sensitivity.form import first_axes, first_range, swept
from dashapp.pages.sensitivity.layout import STRATEGIES_SWEPT
from dashapp.pages.sensitivity.layout import layout as page_layout
from pipeline import schema, store, sweeps, workspace
from pipeline.ledger import hypothesis_of
from pipeline.queries import sweeps as sweep_queries
from pipeline.queries import trials as trial_queries
from pipeline.sweeps import SweepRequest

JOB, REQUEST, ERROR = "shell-sweep-job.data", "shell-sweep-request.data", "sensitivity-error.children"
LINKED = "sensitivity-linked.data"
COUNT, SHOWN, CONTENT = "sensitivity-count.children", "sensitivity-shown.data", "sensitivity-content.children"
ROWS, CLICKED = (f'{{"name":"sensitivity-cells","type":"grid"}}.{name}' for name in ("rowData", "selectedRows"))
AXES = (Range("rsi.window", 10, 14, 2), Range("threshold", 2, 4))  # 9 sets
WAIT_SECONDS = 30.0  # a machine shared with other tests


@pytest.fixture
def settings(serve: Callable[..., Any], simulated: Any, app: Dash) -> Iterator[Any]:
    yield serve(db=simulated.db)
    pool = app.server.config[POOL_KEY]
    pool.pending.clear()
    for pid in list(pool.live):
        kill(pool, pid)


def form(**changes: Any) -> dict[str, Any]:
    """The form with two axes and a ticker, and Run sweep pressed once."""
    fields = {
        "run.n_clicks": 1, "strategy.value": "technical_vote", "tickers.value": ["SIM001"], "start.value": "2018-01-01", "end.value": None,
        "fee-rate.value": 0.05, "slippage-rate.value": 0.05, "direction.value": "long_only", "way.value": "grid", "draws.value": 5, "seed.value": 1,
        "axis-1.value": "rsi.window", "low-1.value": 10, "high-1.value": 14, "step-1.value": 2,
        "axis-2.value": "threshold", "low-2.value": 2, "high-2.value": 4, "step-2.value": 1,
    }  # fmt: skip
    named = {f"{name.replace('_', '-')}.value": value for name, value in changes.items()}
    return {f"sensitivity-{name}": value for name, value in (fields | named).items()}


def asked(*ranges: Range, **options: Any) -> SweepRequest:
    given: dict[str, Any] = {"tickers": ["SIM001"], "start": "2018-01-01"}
    return SweepRequest.of(ranges=ranges or AXES, **(given | options))


@pytest.fixture
def swept_once(settings: Any) -> str:
    """The name of a stored sweep of nine sets."""
    return sweeps.run(asked(), db=settings.db, workspace=settings.workspace)


def forget(path: Path, name: str, *cells: int) -> None:
    """Take cells out of a stored sweep, as if it had been cancelled before them."""
    connection = store.open_writer(path, schema.WORKSPACE)
    for cell in cells:
        assert store.delete(connection, schema.sweep_cells, sweep_id=name, cell=cell)
    connection.close()


def shown(name: str, **more: Any) -> dict[str, Any]:
    return {SHOWN: {"sweep": name, "job": None}, "shell-theme-name.data": "dark"} | more


# ---- the form -----------------------------------------------------------------------------------------------


def test_the_number_of_sets_is_said_before_anything_runs(settings: Any, dispatch: Dispatch) -> None:
    def said(**changes: Any) -> str:
        return text_of(dispatch(COUNT, form(**changes))[COUNT])

    assert said() == "9 parameter sets of at most 10,000."
    assert said(way="random", draws=4) == "4 parameter sets of at most 10,000."
    assert said(axis_2=None) == "3 parameter sets of at most 10,000."
    assert said(tickers=[]) == "Choose a ticker."
    wide = {"axis_3": "macd.fast", "low_3": 2, "high_3": 25, "step_3": 1, "low_1": 2, "high_1": 200, "step_1": 1}
    assert "14,328; allowed: 1 to 10,000 combinations" in said(**wide).replace("'", "")


def test_every_strategy_begins_with_a_sweep_that_can_be_run(settings: Any, dispatch: Dispatch) -> None:
    for strategy in STRATEGIES_SWEPT:
        axes = [name for name in first_axes(strategy) if name]
        changes: dict[str, Any] = {"strategy": strategy, "axis_2": None}
        for place, name in enumerate(axes, start=1):
            low, high, step = first_range(strategy, name)
            changes |= {f"axis_{place}": name, f"low_{place}": low, f"high_{place}": high, f"step_{place}": step}
        assert re.match(r"[\d,]+ parameter sets", text_of(dispatch(COUNT, form(**changes))[COUNT])), strategy
    assert {"buy_and_hold", "fundamental"}.isdisjoint(STRATEGIES_SWEPT)
    assert "macd.fast" in swept("technical_vote")
    assert "aroon.window" not in swept("technical_vote")  # it has no vote among the seven


def test_another_strategy_brings_its_own_parameters(settings: Any, dispatch: Dispatch) -> None:
    written = dispatch("sensitivity-axis-1.options", {"sensitivity-strategy.value": "mean_reversion"})
    assert written["sensitivity-axis-1.value"] == "window"
    assert "width" in written["sensitivity-axis-2.options"]
    assert written["sensitivity-axis-3.value"] is None
    begun = dispatch(
        "sensitivity-low-1.value",
        {"sensitivity-axis-1.value": "window", "sensitivity-strategy.value": "mean_reversion"},
    )
    low, high, step = (begun[f"sensitivity-{part}-1.value"] for part in ("low", "high", "step"))
    assert low <= STRATEGIES["mean_reversion"].parameters[1].default <= high
    assert step >= 1


# ---- run ----------------------------------------------------------------------------------------------------


def jobs_of(settings: Any) -> list[tuple[Any, ...]]:
    with workspace.reading(settings.workspace) as reader:
        return reader.rows("SELECT job_id, state, kind FROM jobs")


def test_a_good_form_becomes_one_queued_job(settings: Any, app: Dash, dispatch: Dispatch) -> None:
    written = dispatch(REQUEST, form(fee_rate=0.1, direction="long_short"))
    job_id = written[REQUEST]
    assert jobs_of(settings) == [(job_id, "queued", "sweep")]
    work = app.server.config[POOL_KEY].pending[job_id]
    assert work["request"].cells == asked().cells
    spec = work["request"].question.spec
    assert (spec.costs.fee_rate, spec.rules.direction) == (pytest.approx(0.001), "long_short")
    assert written[JOB] == {"sweep_id": sweeps.sweep_id(work["request"], db=settings.db), "job_id": job_id}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tickers": []}, "at least one ticker"), ({"tickers": ["SIM01"]}, "Did you mean 'SIM001'"), ({"strategy": "technical_voting"}, "Did you mean 'technical_vote'"),
        ({"axis_1": "rsi.windw"}, "Did you mean 'rsi.window'"), ({"axis_1": {"a": 1}}, "parameter"), ({"low_1": None}, "RSI: window from: got 'nothing'.*Fill in"),
        ({"low_1": 20}, "Swap the two"), ({"high_1": 10**9}, "RSI: window: got.*allowed: a number from 2 to 200"), ({"step_1": 0}, "RSI: window step"),
        ({"step_1": -1}, "RSI: window step"), ({"step_2": 0.5}, "Votes needed step.*whole number"), ({"axis_2": "rsi.window"}, "each parameter once"),
        ({"axis_1": None, "axis_2": None}, "1 to 3 parameters"), ({"way": "all"}, "Sets: got 'all'"), ({"way": "random", "draws": 10**6}, "from 1 to 10000"),
        ({"way": "random", "draws": 10}, "number of different sets"), ({"way": "random", "seed": 1.5}, "Seed"), ({"start": "2090-01-01"}, "No prices of SIM001"),
        ({"start": "2020-01-01", "end": "2019-01-01"}, "Swap the two dates"), ({"fee_rate": None}, "Commission.*Fill in"), ({"direction": "short"}, "long_short"),
    ],
)  # fmt: skip
def test_a_bad_form_is_explained_and_starts_nothing(
    settings: Any, dispatch: Dispatch, changes: dict[str, Any], says: str
) -> None:
    written = dispatch(REQUEST, form(**changes))
    assert set(written) == {ERROR}
    assert re.search(says, text_of(written[ERROR])), text_of(written[ERROR])
    assert jobs_of(settings) == []


def test_a_mounted_page_starts_nothing(settings: Any, dispatch: Dispatch) -> None:
    assert dispatch(REQUEST, form() | {"sensitivity-run.n_clicks": None}) == {}
    assert jobs_of(settings) == []


def test_a_stored_sweep_comes_back_without_a_job(settings: Any, swept_once: str, dispatch: Dispatch) -> None:
    assert dispatch(REQUEST, form()) == {JOB: {"sweep_id": swept_once}, ERROR: None, LINKED: None}
    assert jobs_of(settings) == []
    assert dispatch(SHOWN, {JOB: {"sweep_id": swept_once}})[SHOWN] == {"sweep": swept_once, "job": None}


def test_what_the_address_names_comes_first(settings: Any, app: Dash, swept_once: str, dispatch: Dispatch) -> None:
    def opened_at(sweep: str) -> Any:
        with app.server.app_context():
            return json.loads(to_json(page_layout(sweep=sweep)))

    drawn = opened_at(swept_once)
    props = {item["props"]["id"]: item["props"] for item in walk(drawn) if isinstance(item["props"].get("id"), str)}
    assert props["sensitivity-shown"]["data"]["sweep"] == swept_once
    assert (
        props["sensitivity-axis-1"]["value"],
        props["sensitivity-high-1"]["value"],
        props["sensitivity-step-1"]["value"],
    ) == ("rsi.window", 14, 2)
    assert (props["sensitivity-tickers"]["value"], props["sensitivity-way"]["value"]) == (["SIM001"], "grid")
    mine = {JOB: {"sweep_id": "0" * 64}}
    assert dispatch(SHOWN, mine | {LINKED: None})[SHOWN] == {"sweep": "0" * 64, "job": None}
    assert SHOWN not in dispatch(SHOWN, mine | {LINKED: swept_once} | shown(swept_once))
    for unknown in ("../../data.db", "0" * 64, "x" * 5000):
        begun = {
            item["props"].get("id"): item["props"]
            for item in walk(opened_at(unknown))
            if isinstance(item["props"].get("id"), str)
        }
        assert "not stored here" in text_of(opened_at(unknown))
        assert begun["sensitivity-shown"].get("data") is None
        assert begun["sensitivity-axis-1"]["value"] == "threshold"


def test_coming_back_fills_the_form_with_the_sweep_that_is_found_again(
    settings: Any, swept_once: str, dispatch: Dispatch
) -> None:
    fields, found = "sensitivity-fields.children", {JOB: {"sweep_id": swept_once, "job_id": "gone"}}
    props = {item["props"].get("id"): item["props"] for item in walk(dispatch(fields, found)[fields])}
    assert (props["sensitivity-tickers"]["value"], props["sensitivity-start"]["value"]) == (["SIM001"], "2018-01-01")
    assert [props[f"sensitivity-{part}-1"]["value"] for part in ("axis", "low", "high", "step")] == [
        "rsi.window",
        10,
        14,
        2,
    ]
    for kept in (
        {LINKED: swept_once},
        {JOB: {"sweep_id": "0" * 64}},
        {JOB: None},
    ):
        assert fields not in dispatch(fields, found | kept)


def test_the_number_of_draws_can_be_set_where_it_counts(settings: Any, dispatch: Dispatch) -> None:
    for way, off in (("grid", True), ("random", False)):
        written = dispatch("sensitivity-draws.disabled", {"sensitivity-way.value": way})
        assert (written["sensitivity-draws.disabled"], written["sensitivity-seed.disabled"]) == (off, off)


# ---- the answer ---------------------------------------------------------------------------------------------


def test_the_walk_forward_comes_first_and_its_figures_are_those_of_the_sums(
    settings: Any, swept_once: str, dispatch: Dispatch
) -> None:
    content = dispatch(CONTENT, shown(swept_once))[CONTENT]
    cards = stat_cards(content)
    with workspace.reading(settings.workspace) as reader:
        cells, sums = sweep_queries.cells(reader, swept_once)
    assert sums is not None
    found = walk_forward(sums)
    labels = list(cards)
    assert labels[:3] == ["Out of sample", "In sample", "With hindsight"]
    assert cards["Out of sample"]["value"] == f"{found.out_of_sample:.2f}".replace("-", "−")
    assert cards["Best set"]["value"] == f"{np.nanmax(cells['sharpe_ratio']):.2f}".replace("-", "−")
    assert cards["Tries so far"]["value"] == "9"
    with workspace.reading(settings.workspace) as reader:
        held = sweep_queries.benchmark(reader, swept_once)
    assert held is not None
    passive = held.sharpe_ratio(found.blocks)[
        0
    ]  # of the same blocks: buy and hold of all sessions is no measure of these
    assert cards["Out of sample"]["note"] == f"buy and hold {passive:.2f}".replace("-", "−")
    assert all(len(parts["tip"]) > 15 for parts in cards.values())
    assert "one of 9 tries" in text_of(content)
    assert "9 sets of" in text_of(content)
    bars = of_type(content, "Graph")[0]["props"]["figure"]["data"]
    assert [len(bar["x"]) for bar in bars] == [12, 12]
    assert bars[1]["y"] == [pytest.approx(value) if np.isfinite(value) else None for value in found.earned]


def test_the_map_and_the_table_hold_every_set(settings: Any, swept_once: str, dispatch: Dispatch) -> None:
    filled = dispatch(ROWS, shown(swept_once))
    assert (filled["sensitivity-body.hidden"], filled["sensitivity-resume.disabled"]) == (False, True)
    assert (filled["sensitivity-x.value"], filled["sensitivity-y.value"]) == ("rsi.window", "threshold")
    rows = filled[ROWS]
    assert len(rows) == 9
    assert rows[0]["sharpe_ratio"] == max(row["sharpe_ratio"] for row in rows if row["sharpe_ratio"] is not None)
    choice = {
        "sensitivity-metric.value": "n_trades",
        "sensitivity-x.value": "rsi.window",
        "sensitivity-y.value": "threshold",
        "sensitivity-others.value": "best",
    }
    figure = of_type(dispatch("sensitivity-map.children", shown(swept_once, **choice)), "Graph")[0]["props"]["figure"]
    drawn = {
        (x, y): figure["data"][0]["z"][j][i]
        for i, x in enumerate(figure["data"][0]["x"])
        for j, y in enumerate(figure["data"][0]["y"])
    }
    assert drawn == {(f"{row['set_rsi_window']:g}", f"{row['set_threshold']:g}"): row["n_trades"] for row in rows}


def test_a_clicked_set_opens_as_that_backtest(settings: Any, app: Dash, swept_once: str, dispatch: Dispatch) -> None:
    def opened(name: str, cell: str) -> dict[str, str]:
        href = dispatch("sensitivity-go.href", shown(name, **{CLICKED: [{"cell": cell}]}))["sensitivity-go.href"]
        assert urlsplit(href).path == "/backtest"
        return {name: value[0] for name, value in parse_qs(urlsplit(href).query).items()}

    query = opened(swept_once, "5")
    assert (query["strategy"], query["ticker"], query["threshold"], query["indicator_parameters"]) == (
        "technical_vote",
        "SIM001",
        "4",
        "rsi.window=12",
    )
    with app.server.app_context():
        drawn = json.loads(to_json(backtest_layout(**query)))
    asked_of = next(item for item in walk(drawn) if item["props"].get("id") == "backtest-asked")["props"]["data"]
    assert asked_of["parameters"] == {"threshold": "4", "indicator_parameters": "rsi.window=12"}
    dear = asked(costs={"fee_rate": 0.002}, rules={"direction": "long_short"})
    query = opened(sweeps.run(dear, db=settings.db, workspace=settings.workspace), "0")
    assert (query["fee_rate"], query["direction"]) == ("0.002", "long_short")
    for forged in ("99", "4 ", 4, None, {"a": 1}):
        assert "sensitivity-go.href" not in dispatch(
            "sensitivity-go.href", shown(swept_once, **{CLICKED: [{"cell": forged}]})
        )


@pytest.mark.parametrize(
    ("ranges", "options", "kind"),
    [((AXES[1],), {}, "scatter"), (AXES, {"draws": 5, "seed": 3}, "scatter"), (AXES, {}, "heatmap")],
)
def test_one_parameter_and_random_sets_have_a_picture_too(
    settings: Any, dispatch: Dispatch, ranges: tuple[Range, ...], options: dict[str, Any], kind: str
) -> None:
    name = sweeps.run(asked(*ranges, **options), db=settings.db, workspace=settings.workspace)
    filled = dispatch(ROWS, shown(name))
    choice = {key: filled[key] for key in ("sensitivity-x.value", "sensitivity-y.value")}
    choice |= {"sensitivity-metric.value": "sharpe_ratio", "sensitivity-others.value": "median"}
    drawn = of_type(dispatch("sensitivity-map.children", shown(name, **choice)), "Graph")[0]["props"]["figure"]["data"][
        0
    ]
    assert drawn["type"] == kind
    single, random = len(ranges) == 1, bool(options)
    assert (filled["sensitivity-y-box.hidden"], filled["sensitivity-others-box.hidden"]) == (single, True)
    assert drawn["name" if single or random else "type"] == ("Sharpe ratio" if single or random else "heatmap")
    assert not with_class(dispatch(CONTENT, shown(name))[CONTENT], "empty-state")


def test_a_sweep_that_was_cancelled_shows_what_it_has_and_can_be_resumed(
    settings: Any, app: Dash, swept_once: str, dispatch: Dispatch
) -> None:
    forget(settings.workspace, swept_once, 7, 8)
    assert "7 of 9 sets are stored" in text_of(dispatch(CONTENT, shown(swept_once))[CONTENT])
    assert dispatch(ROWS, shown(swept_once))["sensitivity-resume.disabled"] is False
    pressed = form(low_1=None) | {"sensitivity-resume.n_clicks": 1} | shown(swept_once)
    written = dispatch(REQUEST, pressed, changed="sensitivity-resume.n_clicks")  # whatever the form holds
    assert written[JOB] == {"sweep_id": swept_once, "job_id": written[REQUEST]}
    assert app.server.config[POOL_KEY].pending[written[REQUEST]]["request"].cells == asked().cells


def test_a_sweep_that_is_not_stored_is_said_to_be_missing(settings: Any, dispatch: Dispatch) -> None:
    for name, says in (("0" * 64, "no stored sweep"), ("../../data.db", "letters and digits")):
        assert says in text_of(dispatch(CONTENT, shown(name))[CONTENT])
        assert dispatch(ROWS, shown(name))["sensitivity-body.hidden"] is True if says.startswith("no") else True


def test_stored_sweeps_are_listed_with_their_links(settings: Any, swept_once: str, dispatch: Dispatch) -> None:
    forget(settings.workspace, swept_once, 0)
    listed = dispatch("sensitivity-history.children", shown(swept_once))["sensitivity-history.children"]
    assert "Technical vote SIM001 8 of 9" in text_of(listed)
    assert [item["props"]["href"] for item in of_type(listed, "A")] == [f"/sensitivity?sweep={swept_once}"]


# ---- the worker -----------------------------------------------------------------------------------------------


def test_a_sweep_runs_in_a_worker_is_cancelled_and_resumed(settings: Any, app: Dash, dispatch: Dispatch) -> None:
    pool = app.server.config[POOL_KEY]
    pool._warm_up()
    wide = {
        "low_1": 2,
        "high_1": 60,
        "step_1": 1,
        "axis_3": "macd.fast",
        "low_3": 5,
        "high_3": 24,
        "step_3": 1,
    }  # 3,540 sets

    def begin() -> tuple[str, str]:
        written = dispatch(REQUEST, form(**wide))
        response = dispatch.post("shell-sweep-outcome.data", {REQUEST: written[REQUEST]})
        assert response.status_code == 200
        return written[REQUEST], written[JOB]["sweep_id"]

    def until(job_id: str, name: str, enough: Callable[[dict[str, Any], int], bool]) -> int:
        end = time.monotonic() + WAIT_SECONDS
        while True:
            job = workspace.job_state(settings.workspace, job_id)
            with workspace.reading(settings.workspace) as reader:
                stored = len(sweep_queries.stored_cells(reader, name))
            assert job is not None
            if enough(job, stored):
                return stored
            assert time.monotonic() < end, (job, stored)
            time.sleep(0.05)

    job_id, name = begin()
    until(job_id, name, lambda _job, stored: stored > 0)
    (pid,) = [pid for pid, process in pool.live.items() if process.is_alive()]
    dispatch.post(
        "sensitivity-cancel.n_clicks", {"sensitivity-cancel.n_clicks": 1, JOB: {"sweep_id": name, "job_id": job_id}}
    )
    assert gone(pid)
    before = until(job_id, name, lambda job, _stored: job["state"] == "cancelled")
    assert 0 < before < 3540
    seen = dispatch(SHOWN, {JOB: {"sweep_id": name, "job_id": job_id}})
    assert seen["sensitivity-message.children"] == "Cancelled."
    assert seen[SHOWN] == {"sweep": name, "job": job_id}
    again, same = begin()
    assert (again != job_id, same) == (True, name)
    assert until(again, name, lambda job, _stored: job["state"] == "done") == 3540
    with workspace.reading(settings.workspace) as reader:
        tried = trial_queries.trials(reader, hypothesis_of("technical_vote", ["SIM001"]))
    assert len(tried) == 3540  # each counted once
    assert len(set(tried["created_at"])) >= 2
