"""The list of my runs, universes, presets and the run beside another one, below the browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from dispatch import Dispatch, table_of, text_of, walk

from analytics.backtest.presets import PRESETS
from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS
from analytics.errors import InputError, MissingDataError
from dashapp.pages.backtest.controls import MOST_STOPS, parameter_controls
from dashapp.pages.backtest.universes import scopes, tickers_in
from pipeline import asked, backtests, workspace
from pipeline.backtests import BacktestRequest
from pipeline.queries import connect, instruments

ROWS, SUMMARY, TICK = '{"name":"backtest-mine","type":"grid"}.rowData', "runs-summary.children", "runs-tick.disabled"
CLICKED, MARKED = (f'{{"name":"backtest-mine","type":"grid"}}.{name}' for name in ("cellClicked", "selectedRows"))
TOLD, JOB, SHOWN = "runs-told.children", "shell-backtest-job.data", "backtest-drawn.data"
APPLIED, PRESET = "backtest-applied.data", "backtest-preset.value"


@pytest.fixture
def settings(serve: Callable[..., Any], simulated: Any) -> Any:
    return serve(db=simulated.db)


def owner_of(browser: Dispatch) -> str:
    with browser.client.session_transaction() as cookie:
        return str(cookie["owner"])


def answer(settings: Any, owner: str, *, job_id: str | None = None, **changes: Any) -> tuple[str, str]:
    """Ask and answer a question for a browser; return its name and the result_id."""
    request = BacktestRequest.of(**({"tickers": ["SIM001"], "start": "2019-01-01"} | changes))
    question = backtests.ask(request, db=settings.db)
    result_id = backtests.run(request, db=settings.db, workspace=settings.workspace)
    asked.note(
        settings.workspace, owner, question_id=question.key(), kind="backtest", request=question.description(), result_id=result_id,
    )  # fmt: skip
    return question.key(), result_id


def wait(settings: Any, owner: str, question: str = "waiting") -> str:
    workspace.create_job(settings.workspace, job_id=question, kind="backtest", owner=owner, seconds=60.0)
    about = backtests.ask(BacktestRequest.of(tickers=["SIM002"]), db=settings.db).description()
    asked.note(settings.workspace, owner, question_id=question, kind="backtest", request=about, job_id=question)
    return question


def open_row(browser: Dispatch, row: str, column: str = "strategy") -> dict[str, Any]:
    """Click a cell of a run's row, which marks the row too, unless it is the one that cancels."""
    if column == "stop":
        return browser(TOLD, {CLICKED: {"rowId": row, "colId": column}}, changed=CLICKED)
    return browser(TOLD, {MARKED: [{"id": row}], CLICKED: {"rowId": row, "colId": column}}, changed=MARKED)


# ---- the list -----------------------------------------------------------------------------------------------


def test_a_new_browser_has_no_runs(settings: Any, dispatch: Dispatch) -> None:
    seen = dispatch(ROWS)
    assert (seen[ROWS], seen[SUMMARY], seen[TICK]) == ([], "My runs: none yet in this browser", True)


def test_the_list_says_what_was_asked_and_how_it_came_out(settings: Any, browse: Callable[[], Dispatch]) -> None:
    mine, other = browse(), browse()
    _, result_id = answer(
        settings, owner_of(mine), parameters={"threshold": 2}, costs={"fee_rate": 0.001}, initial_capital=5_000.0
    )
    wait(settings, owner_of(mine))
    seen = mine(ROWS)
    running, done = seen[ROWS]
    assert seen[SUMMARY] == "My runs: 1 waiting, 1 done"
    assert seen[TICK] is False
    assert (running["state"], running["stop"], running["sharpe_ratio"]) == ("next in line", "cancel", None)
    metrics = backtests.load(result_id, workspace=settings.workspace)["metrics"]
    assert (done["strategy"], done["tickers"], done["state"], done["stop"]) == ("Technical vote", "SIM001", "done", "")
    assert (done["sharpe_ratio"], done["total_return"]) == (metrics["sharpe_ratio"], metrics["total_return"])
    assert done["settings"] == "votes needed 2, commission 0.1 %, capital $5,000"
    assert other(ROWS)[ROWS] == []


def test_a_click_shows_a_run_and_a_click_on_cancel_cancels_it(settings: Any, dispatch: Dispatch) -> None:
    question, result_id = answer(settings, owner_of(dispatch))
    wait(settings, owner_of(dispatch))
    assert open_row(dispatch, question) == {JOB: {"result_id": result_id}, TOLD: ""}
    assert open_row(dispatch, question, "stop") == {
        TOLD: "",
        JOB: {"result_id": result_id},
    }  # there is nothing to cancel
    assert dispatch(TOLD, {MARKED: [{"id": question}], JOB: {"result_id": result_id}}, changed=MARKED) == {
        TOLD: ""
    }  # it is shown
    assert (
        dispatch(TOLD, {MARKED: [], CLICKED: {"rowId": "waiting", "colId": "stop"}}, changed=MARKED) == {}
    )  # an old click
    assert open_row(dispatch, "waiting") == {JOB: {"job_id": "waiting"}, TOLD: ""}
    both = {MARKED: [{"id": "waiting"}], CLICKED: {"rowId": "waiting", "colId": "stop"}}
    assert dispatch(TOLD, both, changed=MARKED) == {}  # the click that cancels marks the row too
    assert open_row(dispatch, "waiting", "stop") == {TOLD: "Technical vote on SIM002 is cancelled."}
    assert workspace.job_state(settings.workspace, "waiting")["state"] == "cancelled"  # type: ignore[index]
    assert open_row(dispatch, "waiting")[TOLD].startswith("That run has no answer (cancelled).")
    workspace.delete_result(settings.workspace, result_id)
    assert open_row(dispatch, question) == {TOLD: "That result was deleted: run it again to have it."}


def test_another_browser_s_run_cannot_be_opened_or_cancelled(settings: Any, browse: Callable[[], Dispatch]) -> None:
    mine, other = browse(), browse()
    wait(settings, owner_of(mine))
    assert open_row(other, "waiting", "stop") == {}
    assert workspace.job_state(settings.workspace, "waiting")["state"] == "queued"  # type: ignore[index]


def test_a_stored_answer_is_listed_when_it_is_asked(settings: Any, dispatch: Dispatch) -> None:
    request = BacktestRequest.of(tickers=["SIM001"])
    result_id = backtests.run(request, db=settings.db, workspace=settings.workspace)
    asked_form = {
        "backtest-run.n_clicks": 1, "backtest-strategy.value": "technical_vote", "backtest-scope.value": "chosen",
        "backtest-tickers.value": ["SIM001"], "backtest-capital.value": 100_000, "backtest-engine.value": "kernel",
    }  # fmt: skip
    assert dispatch("shell-backtest-request.data", asked_form)[JOB] == {"result_id": result_id}
    assert [row["state"] for row in dispatch(ROWS)[ROWS]] == ["done"]


def test_the_run_that_is_shown_is_marked(settings: Any, dispatch: Dispatch) -> None:
    question, result_id = answer(settings, owner_of(dispatch))
    assert dispatch(ROWS, {SHOWN: result_id}, changed=SHOWN)[MARKED] == {"ids": [question]}
    assert dispatch(ROWS, {SHOWN: "another"}, changed=SHOWN)[MARKED] == {"ids": []}
    assert dispatch(ROWS, {SHOWN: result_id}, changed="backtest-waiting.data")[MARKED] == {
        "ids": []
    }  # to be chosen again
    assert MARKED not in dispatch(
        ROWS, {SHOWN: result_id}, changed="runs-tick.n_intervals"
    )  # what was marked meanwhile stays


# ---- beside another run -------------------------------------------------------------------------------------


def test_a_run_is_offered_beside_the_one_before(settings: Any, dispatch: Dispatch) -> None:
    offer = "backtest-other.options"
    _, first = answer(settings, owner_of(dispatch))
    alone = dispatch(offer, {"backtest-drawn.data": first})
    assert (alone[offer], alone["backtest-beside-box.hidden"]) == ([], True)
    _, second = answer(settings, owner_of(dispatch), parameters={"threshold": 2})
    _, third = answer(settings, owner_of(dispatch), parameters={"threshold": 1})
    offered = dispatch(offer, {"backtest-drawn.data": third})
    assert [option["value"] for option in offered[offer]] == [second, first]
    assert (offered["backtest-other.value"], offered["backtest-beside-box.hidden"]) == (second, False)


def test_two_runs_stand_side_by_side_with_their_difference(settings: Any, dispatch: Dispatch) -> None:
    _, first = answer(settings, owner_of(dispatch))
    _, second = answer(settings, owner_of(dispatch), parameters={"threshold": 2})
    shown = dispatch("backtest-beside.children", {"backtest-drawn.data": first, "backtest-other.value": second})
    told = text_of(shown["backtest-beside.children"])
    assert "A difference is not yet a finding" in told
    cells = {row[0]: row[1:] for row in table_of(shown["backtest-beside.children"])}["Sharpe ratio"]
    values = [float(text.replace("−", "-").replace("+", "")) for text in cells]
    stored = [backtests.load(item, workspace=settings.workspace)["sharpe_ratio"] for item in (first, second)]
    assert values == pytest.approx([*stored, stored[0] - stored[1]], abs=6e-4)  # three digits are shown
    assert dispatch("backtest-beside.children", {"backtest-drawn.data": first, "backtest-other.value": first}) == {
        "backtest-beside.children": None
    }


# ---- universes ----------------------------------------------------------------------------------------------


def test_a_universe_gives_its_tickers(app: Dash, settings: Any) -> None:
    with app.server.app_context():
        offered = {option["value"]: option["label"] for option in scopes()}
        assert {"chosen", "all"} < set(offered)
        sectors = [value for value in offered if value.startswith("sector:")]
        assert sectors
        held = [tickers_in(value, []) for value in sectors]
        assert sorted(ticker for tickers in held for ticker in tickers or []) == stocks(settings)
        assert [f"({len(tickers or [])})" in offered[value] for value, tickers in zip(sectors, held, strict=True)] == [
            True
        ] * len(sectors)
        assert tickers_in("all", ["SIM001"]) is None
        assert tickers_in("chosen", ["SIM001"]) == ["SIM001"]


def stocks(settings: Any) -> list[str]:
    with connect(settings.db) as reader:
        return instruments.stock_tickers(reader)


def test_a_saved_portfolio_is_a_universe(app: Dash, settings: Any) -> None:
    workspace.save_portfolio(
        settings.workspace, "Two: names", {"SIM002": 0.5, "SIM001": 0.25}, universe="stocks", source="max_sharpe", request="{}",
        data_run_id="d", as_of="2020-01-02",
    )  # fmt: skip
    workspace.save_portfolio(
        settings.workspace, "Gone", {"SIM001": 0.5, "XXX": 0.5}, universe="stocks", source="max_sharpe", request="{}",
        data_run_id="d", as_of="2020-01-02",
    )  # fmt: skip
    with app.server.app_context():
        assert {"value": "portfolio:Two: names", "label": "Portfolio: Two: names (2)"} in scopes()
        assert tickers_in("portfolio:Two: names", []) == ["SIM001", "SIM002"]
        with pytest.raises(MissingDataError, match="XXX"):
            tickers_in("portfolio:Gone", [])
        with pytest.raises(MissingDataError, match="Saved are: 'Gone', 'Two: names'"):
            tickers_in("portfolio:none", [])


@pytest.mark.parametrize(
    "scope", ["sector:Nothing", "index:nothing", "some", "", "sector", None, 7, ["all"], {"a": 1}, "x" * 1_000]
)
def test_what_is_no_universe_is_refused(app: Dash, settings: Any, scope: Any) -> None:
    with app.server.app_context(), pytest.raises(InputError, match="universe"):
        tickers_in(scope, ["SIM001"])


def test_without_a_store_two_universes_are_offered(app: Dash, serve: Callable[..., Any], tmp_path: Path) -> None:
    serve(db=tmp_path / "none.db")
    with app.server.app_context():
        assert [option["value"] for option in scopes()] == ["chosen", "all"]


# ---- presets ------------------------------------------------------------------------------------------------


def values_in(node: Any, kind: str) -> dict[str, Any]:
    """The values of the controls of a kind, by the name of what they set."""
    found = {}
    for item in walk(node):
        key = item.get("props", {}).get("id")
        if isinstance(key, dict) and key.get("type") == kind:
            found[key["name"]] = item["props"].get("value")
    return found


def test_a_preset_sets_costs_and_rules(settings: Any, dispatch: Dispatch) -> None:
    form = {"backtest-asked.data": {"strategy": "technical_vote", "parameters": {}, "kept": True}}
    applied = dispatch(APPLIED, form | {PRESET: "guarded"})
    assert applied == {APPLIED: {"preset": "guarded", "times": 1, "form": True}, PRESET: None}  # the strategy stays
    drawn = dispatch("backtest-rules.children", form | {APPLIED: applied[APPLIED]})
    rules = values_in(drawn["backtest-rules.children"], "backtest-term")
    assert (rules["stop_loss"], rules["drawdown_halt"], rules["take_profit"]) == (10.0, 30.0, 0.0)  # in percent
    costs = values_in(drawn["backtest-costs.children"], "backtest-term")
    assert costs["fee_rate"] == next(item.default for item in COSTS if item.name == "fee_rate") * 100
    assert "Set by Guarded, and yours to change: Stop at 10 %" in drawn["backtest-preset-told.children"]
    again = dispatch(APPLIED, form | {PRESET: "guarded", APPLIED: applied[APPLIED]})
    assert again[APPLIED]["times"] == 2  # its controls begin anew


def test_a_preset_of_a_strategy_sets_its_parameters(settings: Any, dispatch: Dispatch) -> None:
    form = {"backtest-asked.data": {"strategy": "rating", "parameters": {}, "kept": True}}
    applied = dispatch(APPLIED, form | {PRESET: "golden_cross"})
    assert applied["backtest-strategy.value"] == "technical_vote"
    chosen = form | {APPLIED: applied[APPLIED], "backtest-strategy.value": "technical_vote"}
    drawn = dispatch("backtest-parameters.children", chosen)["backtest-parameters.children"]
    assert values_in(drawn, "backtest-parameter") | {"indicator_parameters": ""} == {
        "threshold": 1, "votes": ["sma"], "indicator_parameters": "",
    }  # fmt: skip
    other = dispatch("backtest-parameters.children", chosen | {"backtest-strategy.value": "rating"})
    assert values_in(other["backtest-parameters.children"], "backtest-parameter") == {
        "buy_above": 0.1,
        "sell_below": -0.1,
    }


def test_a_preset_belongs_to_the_form_it_was_chosen_on(settings: Any, dispatch: Dispatch) -> None:
    """A link that is opened later keeps what it says."""
    link = {
        "backtest-asked.data": {
            "strategy": "technical_vote",
            "parameters": {"threshold": "2"},
            "kept": "technical_vote?threshold=2",
        }
    }
    elsewhere = {
        APPLIED: {"preset": "golden_cross", "times": 3, "form": True},
        "backtest-strategy.value": "technical_vote",
    }
    assert dispatch("backtest-costs.children", link | elsewhere) == {}
    drawn = dispatch("backtest-parameters.children", link | elsewhere)["backtest-parameters.children"]
    assert values_in(drawn, "backtest-parameter")["threshold"] == 2


def test_every_preset_can_be_applied(settings: Any, dispatch: Dispatch) -> None:
    form = {"backtest-asked.data": {"strategy": "technical_vote", "parameters": {}, "kept": True}}
    for key in PRESETS:
        applied = dispatch(APPLIED, form | {PRESET: key})[APPLIED]
        assert "backtest-costs.children" in dispatch("backtest-costs.children", form | {APPLIED: applied})


# ---- controls -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_a_slider_can_stand_on_its_default_and_reach_its_bounds(strategy: str) -> None:
    declared = {item.name: item for item in STRATEGIES[strategy].parameters}
    for node in walk([control.to_plotly_json() for control in parameter_controls(strategy)]):
        if node.get("type") != "Slider":
            continue
        props = node["props"]
        item = declared[props["id"]["name"]]
        stops = (props["value"] - props["min"]) / props["step"]
        assert abs(stops - round(stops)) < 1e-6  # floating point
        assert (props["min"], props["max"], props["value"]) == (item.minimum, item.maximum, item.default)
        assert (props["max"] - props["min"]) / props["step"] <= MOST_STOPS
