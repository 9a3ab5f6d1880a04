"""The Frontier tab: requests and links, limits and conflicts, the chosen portfolio, and the panels about the limits."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dispatch import Dispatch, of_type, text_of, with_class
from opened_page import asked_of, figure_of, grid_rows, opened, view

from analytics.errors import InputError
from analytics.portfolio.objectives import OBJECTIVES
from analytics.portfolio.views import parse_views
from dashapp.pages.frontier.panels import PANELS
from dashapp.pages.frontier.request import DEFAULTS, from_link, parse

REQUEST, POINT, PICK = "frontier-request.data", "frontier-point.data", "frontier-pick.value"


def asked(dispatch: Dispatch, request: dict[str, Any], **changes: Any) -> Any:
    return opened(dispatch, "frontier", view(None) | {REQUEST: request} | changes)


def panel(dispatch: Dispatch, key: str, request: dict[str, Any], **changes: Any) -> Any:
    values = asked_of(key, request) | changes
    return dispatch(f"frontier-panel-{key}.children", values)[f"frontier-panel-{key}.children"]


@pytest.fixture(autouse=True)
def store(serve: Callable[..., Any], simulated: Any) -> None:
    serve(db=simulated.db)


# ---- requests and links


def test_percentages_become_fractions_and_neutral_bounds_nothing() -> None:
    request = parse({
        "max_weight": 15, "min_cash": 2.5, "max_turnover": 30, "sectors": {"Energy": [0, 100], "Utilities": [5, 20]},
        "tickers": {"SIM001": [1, 10]}, "exclude": ["SIM003", "SIM002", "SIM003"], "held": "equal",
    })  # fmt: skip
    asked_for = request.constraints
    assert (asked_for.max_weight, asked_for.min_cash, asked_for.max_cash, asked_for.max_turnover) == (
        0.15,
        0.025,
        None,
        0.3,
    )
    assert asked_for.sector_bounds == {"Utilities": (0.05, 0.2)}
    assert asked_for.ticker_bounds == {"SIM001": (0.01, 0.1)}
    assert asked_for.exclude == ("SIM002", "SIM003")
    assert not request.is_plain
    assert parse({}).is_plain
    assert parse(dict(DEFAULTS)).text == parse({}).text == "{}"


@pytest.mark.parametrize(("request_", "message"), [
    ({"max_weight": 150}, "At most, % of each ticker: got '150'.*a percentage from 0 to 100"),
    ({"max_weight": -5}, "a percentage from 0 to 100"),
    ({"max_weight": "abc"}, "a number"),
    ({"max_positions": 2.5}, "a whole number"),
    ({"max_positions": 0}, "a whole number from 1"),
    ({"sectors": {"Energy": [5]}}, "a smallest and a largest weight"),
    ({"sectors": "Energy"}, "values by name"),
    ({"returns": "meen"}, "Did you mean 'mean'"),
    ({"covariance": "ledoitwolf"}, "Did you mean 'ledoit_wolf'"),
    ({"returns": "black_litterman", "views": "AAPL will rise"}, "a line each"),
    ({"exclude": ["<b>"]}, "1 to 15 of A-Z"),
    ({"universe": ["stocks"]}, "a name"),
])  # fmt: skip
def test_nonsense_is_refused_in_words(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(request_)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '"x"', "null", '{"max_weight": 1e999}', '{"sectors": 5}', "[" * 5000, '{"exclude": [1]}']
)
def test_a_link_that_cannot_be_read_asks_for_nothing(text: str) -> None:
    asked, problem = from_link(text)
    assert asked == dict(DEFAULTS)
    assert bool(problem) == (text not in ("", "null"))


def test_a_link_opens_its_question() -> None:
    assert from_link(json.dumps({"max_weight": 12, "no_such": 1})) == (dict(DEFAULTS) | {"max_weight": 12}, "")
    assert parse({"max_weight": None}).is_plain  # nothing is no limit


@pytest.mark.parametrize(("text", "assets", "value", "confidence"), [
    ("AAPL 12 % (60 %)", {"AAPL": 1.0}, 0.12, 0.6), ("msft > googl 3%", {"MSFT": 1.0, "GOOGL": -1.0}, 0.03, 0.5),
    ("BRK-B = -4.5", {"BRK-B": 1.0}, -0.045, 0.5), ("A > B by 2 (100)", {"A": 1.0, "B": -1.0}, 0.02, 1.0),
])  # fmt: skip
def test_views_are_read_as_they_are_written(text: str, assets: Any, value: float, confidence: float) -> None:
    (found,) = parse_views(f"\n {text} \n")
    assert (found.assets, found.value, found.confidence) == (assets, pytest.approx(value), pytest.approx(confidence))


@pytest.mark.parametrize(
    "text", ["AAPL", "12 %", "AAPL > 3 %", "A > A 3 %", "AAPL 12 % (60 %) and more", "AAPL 12 % (160 %)"]
)
def test_a_view_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="view"):
        parse_views(text)


# ---- limits


def test_limits_draw_a_second_frontier_below_the_free_one(dispatch: Dispatch) -> None:
    content = asked(dispatch, {"max_weight": 15})
    traces = {trace["name"]: trace for trace in figure_of(content)["data"]}
    assert {"Without limits", "Efficient frontier within the limits", "Chosen portfolio"} <= set(traces)
    weights = [row["chosen"] for row in grid_rows(content, "frontier-weights")]
    assert max(weights) <= 0.15
    assert sum(weights) == pytest.approx(1, abs=0.005)  # rows of less than 0.05 % are left out
    assert not with_class(content, "alert")


def test_limits_in_conflict_are_named_and_the_nearest_portfolio_is_shown(dispatch: Dispatch) -> None:
    content = asked(dispatch, {"max_weight": 1})
    alert = text_of(with_class(content, "alert"))
    assert "No portfolio obeys all of: fully invested; every ticker at most 1 %" in alert
    assert "Nearest: every ticker at most" in alert
    assert not with_class(content, "empty-state")


def test_what_the_store_does_not_know_is_said(dispatch: Dispatch) -> None:
    turnover = asked(dispatch, {"max_turnover": 10})
    assert "No turnover limit: it needs to know what is held" in text_of(with_class(turnover, "alert"))
    assert not with_class(turnover, "empty-state")
    missing = asked(dispatch, {"returns": "black_litterman", "views": "NOPE 5 %"})
    assert "NOPE" in text_of(with_class(missing, "empty-state"))
    assert "There is no portfolio 'mine'" in text_of(asked(dispatch, {"held": "mine"}))
    assert "Did you mean 'stocks'" in text_of(asked(dispatch, {"universe": "stoks"}))


def test_contradictions_of_single_fields_are_conflicts_too(dispatch: Dispatch) -> None:
    for request, words in (
        ({"min_weight": 6, "max_weight": 5}, "every ticker at least 6 %"), ({"min_cash": 20, "max_cash": 10}, "cash at least 20 %"),
        ({"exclude": ["SIM003"], "tickers": {"SIM003": [40, 60]}}, "SIM003 excluded"),
    ):  # fmt: skip
        content = asked(dispatch, request)
        assert words in text_of(with_class(content, "alert"))
        assert not with_class(content, "empty-state")


def test_cash_is_a_freedom_of_the_free_frontier_too(dispatch: Dispatch) -> None:
    traces = {trace["name"]: trace for trace in figure_of(asked(dispatch, {"max_weight": 15, "max_cash": 30}))["data"]}
    free, within = traces["Without limits"], traces["Efficient frontier within the limits"]
    best = np.interp(within["x"], free["x"], free["y"])
    assert (np.array(within["y"]) <= best + 1e-9).all()


def test_a_ticker_of_its_own_begins_with_the_bounds_of_all(dispatch: Dispatch) -> None:
    output = "frontier-ticker-bounds.children"
    made = dispatch(output, {"frontier-bounded.value": ["SIM002"], REQUEST: {"max_weight": 12, "min_weight": 1}})[
        output
    ]
    assert [item["props"]["value"] for item in of_type(made, "RangeSlider")] == [[1, 12]]


def test_positions_are_counted_and_the_search_says_what_it_may_miss(dispatch: Dispatch) -> None:
    content = asked(dispatch, {"max_positions": 3})
    assert sum(row["chosen"] > 0 for row in grid_rows(content, "frontier-weights")) <= 3
    assert "searched for, not proved" in text_of(content)


def test_views_move_the_answer(dispatch: Dispatch) -> None:
    def weight(views: str) -> float:
        content = asked(dispatch, {"returns": "black_litterman", "views": views}, **{PICK: "max_sharpe"})
        return {row["ticker"]: row["chosen"] for row in grid_rows(content, "frontier-weights")}.get("SIM003", 0.0)

    assert weight("SIM003 40 % (90 %)") > weight("") + 0.05


# ---- the chosen portfolio and the panels


@pytest.mark.parametrize("key", [*OBJECTIVES, "held"])
def test_every_objective_can_be_chosen(dispatch: Dispatch, key: str) -> None:
    content = asked(dispatch, {"max_weight": 30, "held": "equal"}, **{PICK: key})
    if key == "tracking" and with_class(content, "empty-state"):
        pytest.skip("the store has no benchmark over the window")
    rows = grid_rows(content, "frontier-weights")
    assert sum(row["chosen"] for row in rows) == pytest.approx(1, abs=0.01)
    assert max(row["chosen"] for row in rows) <= 0.3 + 1e-9


def test_the_mark_is_where_the_chosen_portfolio_is(dispatch: Dispatch) -> None:
    values = view(None) | {REQUEST: {"max_weight": 20}, POINT: 50}
    mark = dispatch("frontier-line.data", values)["frontier-line.data"]
    figure = dispatch("frontier-chart.figure", values)["frontier-chart.figure"]
    chosen = figure["data"][-1]
    assert chosen["name"] == "Chosen portfolio"
    assert (chosen["x"], chosen["y"]) == ([pytest.approx(mark["volatility"])], [pytest.approx(mark["expected_return"])])


@pytest.mark.parametrize("key", PANELS)
def test_a_panel_that_is_not_asked_computes_nothing(dispatch: Dispatch, key: str) -> None:
    assert dispatch(f"frontier-panel-{key}.children", {}) == {}


def test_limits_are_priced(dispatch: Dispatch) -> None:
    assert "No limits are set" in text_of(panel(dispatch, "limits", {}))
    content = panel(dispatch, "limits", {"max_weight": 15})
    rows = {row["limit"]: row for row in grid_rows(content, "frontier-limits")}
    assert "every ticker at most 15 %" in rows
    assert rows["every ticker at most 15 %"]["gain"] > 0
    assert "all limits together cost" in text_of(content)


def test_objectives_stand_side_by_side(dispatch: Dispatch) -> None:
    content = panel(dispatch, "objectives", {"max_weight": 20})
    rows = {row["objective"]: row for row in grid_rows(content, "frontier-objectives")}
    assert set(rows) == set(OBJECTIVES)
    known = {key: row for key, row in rows.items() if row["volatility"] is not None}
    assert min(known, key=lambda key: known[key]["volatility"]) == "min_variance"
    assert max(known, key=lambda key: known[key]["sharpe_ratio"]) == "max_sharpe"
    assert known["min_cvar"]["cvar"] == pytest.approx(min(row["cvar"] for row in known.values()))
    assert all(row["turnover"] is None for row in rows.values())  # nothing is held today


def test_the_choice_of_inputs_is_shown_as_moves_from_the_chosen_pair(dispatch: Dispatch) -> None:
    content = panel(dispatch, "choices", {"covariance": "sample"})
    rows = {row["key"]: row for row in grid_rows(content, "frontier-choices")}
    assert len(rows) == 36
    assert rows["mean__sample"]["max_sharpe_moved"] == 0
    moved = [row["max_sharpe_moved"] for row in rows.values() if row["max_sharpe_moved"] is not None]
    assert 0 <= min(moved) < max(moved) <= 1 + 1e-9
    assert np.isfinite(figure_of(content)["data"][0]["z"][0][0])
