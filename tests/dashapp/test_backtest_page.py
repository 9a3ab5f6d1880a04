import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dash import Dash
from dash._utils import to_json
from dispatch import Dispatch, outputs_of, text_of, tips_of, walk, with_class

from analytics.backtest.strategies import STRATEGIES
from analytics.backtest.terms import COSTS, RULES
from analytics.conventions import INITIAL_CAPITAL
from dashapp.components import KEPT
from dashapp.data import POOL_KEY
from dashapp.pages.backtest.layout import LONGEST_LINK
from dashapp.pages.backtest.layout import layout as page_layout
from pipeline import backtests, schema, store, workspace
from pipeline.backtests import BacktestRequest
from pipeline.queries import connect

JOB, REQUEST, ERROR = "shell-backtest-job.data", "shell-backtest-request.data", "backtest-error.children"
SHOWN = "backtest-shown.data"
RESULT = "0" * 64
TERMS = {item.name: item.default * 100 if item.percent else item.default for item in (*COSTS, *RULES)}


@pytest.fixture
def settings(serve: Callable[..., Any], simulated: Any, app: Dash) -> Iterator[Any]:
    yield serve(db=simulated.db)
    app.server.config[POOL_KEY].pending.clear()
    app.server.config[POOL_KEY].asked.clear()


def form(**changes: Any) -> dict[str, Any]:
    """The form as it stands when the page is opened on SIM001, and Run Backtest is pressed once."""
    fields = {
        "run.n_clicks": 1, "strategy.value": "technical_vote", "scope.value": "chosen", "tickers.value": ["SIM001"],
        "start.value": None, "end.value": None, "capital.value": INITIAL_CAPITAL, "engine.value": "kernel",
        "parameter.value": {item.name: item.default for item in STRATEGIES["technical_vote"].parameters},
    }  # fmt: skip
    named = {f"{name}.value": value for name, value in changes.items() if name not in ("parameters", "terms")}
    filled = {f"backtest-{name}": value for name, value in (fields | named).items()}
    filled["backtest-term.value"] = TERMS | changes.get("terms", {})
    filled["backtest-parameter.value"] = fields["parameter.value"] | changes.get("parameters", {})
    return filled


def jobs_of(settings: Any) -> list[tuple[Any, ...]]:
    with workspace.reading(settings.workspace) as reader:
        return reader.rows("SELECT job_id, state, kind FROM jobs")


def store_answer(settings: Any, request: BacktestRequest) -> str:
    """Store an answer to a request without computing it."""
    with connect(settings.db) as reader:
        question = backtests.resolve(reader, request, Path(settings.db))
    row = question.columns() | {
        "result_id": RESULT, "test_date": store.utc_now(), "metrics": "{}", "audit": '{"verdict": "green"}', "total_return": 0.0,
        "sharpe_ratio": 0.0, "max_drawdown": 0.0,
    }  # fmt: skip
    no_days = pd.DataFrame(columns=["date", "equity"])
    workspace.save_result(settings.workspace, row, equity=no_days, trades=pd.DataFrame(columns=["trade_id", "ticker"]))
    workspace.remember_answer(
        settings.workspace, question_id=question.key(), result_id=RESULT, data_run_id=question.data_run_id
    )
    return RESULT


# ---- run ----------------------------------------------------------------------------------------------------


def test_a_good_form_becomes_one_queued_job(settings: Any, app: Dash, dispatch: Dispatch) -> None:
    written = dispatch(REQUEST, form(
        tickers=["SIM002", "SIM001"], parameters={"threshold": 2},
        terms={"fee_rate": 0.1, "fixed_fee": 2, "direction": "long_short", "cash_interest": False},
    ))  # fmt: skip
    job_id = written[REQUEST]
    assert written[JOB] == {"job_id": job_id}
    assert not written[ERROR]
    assert jobs_of(settings) == [(job_id, "queued", "backtest")]
    work = app.server.config[POOL_KEY].pending[job_id]
    assert work["request"].tickers == ("SIM001", "SIM002")
    spec = work["request"].spec
    assert (spec.costs.fee_rate, spec.costs.fixed_fee) == (pytest.approx(0.001), 2.0)
    assert (spec.rules.direction, spec.rules.cash_interest, spec.engine) == ("long_short", False, "kernel")
    assert spec.parameters["threshold"] == 2
    assert (work["db"], work["workspace"]) == (Path(settings.db), Path(settings.workspace))


def test_the_whole_universe_is_asked_for_by_name(settings: Any, app: Dash, dispatch: Dispatch) -> None:
    job_id = dispatch(REQUEST, form(scope="all", tickers=None))[REQUEST]
    assert app.server.config[POOL_KEY].pending[job_id]["request"].tickers is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tickers": []}, "at least one ticker"), ({"tickers": None}, "at least one ticker"),
        ({"tickers": ["SIM01"]}, "Did you mean 'SIM001'"), ({"terms": {"fee_rate": None}}, r"Commission, %: got nothing.*Fill in the field"),
        ({"terms": {"fixed_fee": None}}, r"Fixed commission: got nothing.*Fill in"), ({"capital": None}, r"Initial capital, \$: got nothing.*Fill in"),
        ({"terms": {"fee_rate": -1}}, "Commission, %: got -1; allowed: a number from 0 to 50"), ({"terms": {"stop_loss": 100}}, "Stop loss, %: got 100; allowed: a number from 0 to 99"),
        ({"terms": {"fixed_fee": -2}}, "Fixed commission: got -2"), ({"terms": {"nonsense": 1}}, "nonsense"), ({"engine": "backtrader"}, "kernel"),
        ({"terms": {"direction": "short"}}, "Direction: got short"), ({"capital": 0}, r"Initial capital, \$: got 0.0; allowed: an amount in USD from 1"),
        ({"capital": -5}, r"Initial capital, \$: got -5"), ({"capital": 1e300}, r"Initial capital, \$: got 1e\+300"),
        ({"start": "2020-01-01", "end": "2019-01-01"}, "Swap the two dates"), ({"start": "01/02/2020"}, "YYYY-MM-DD"),
        ({"start": "2020-02-30"}, "From: got 2020-02-30"), ({"start": "2090-01-01"}, "No prices of SIM001"),
        ({"end": "1950-01-01"}, "No prices of SIM001"), ({"parameters": {"threshold": None}}, r"Votes needed: got nothing.*Fill in"),
        ({"parameters": {"threshold": 0}}, "Votes needed: got 0"), ({"parameters": {"threshold": 99}}, "Votes needed: got 99; allowed: a number from 1 to 37"),
        ({"parameters": {"votes": ["rsi"]}}, "Votes needed: got 3; allowed: at most the number of voting indicators, 1"),
        ({"engine": "vectorbt"}, "Engine: got vectorbt with market impact, participation cap, interest on cash"),
        ({"parameters": {"nonsense": 1}}, "nonsense"), ({"strategy": "technical_voting"}, "Did you mean 'technical_vote'"),
    ],
)  # fmt: skip
def test_a_bad_form_is_explained_and_starts_nothing(
    settings: Any, app: Dash, dispatch: Dispatch, changes: dict[str, Any], says: str
) -> None:
    written = dispatch(REQUEST, form(**changes))
    assert set(written) == {ERROR}
    told = text_of(written[ERROR])
    assert re.search(says, told), told
    assert jobs_of(settings) == []
    assert app.server.config[POOL_KEY].pending == {}


def test_a_mounted_page_starts_nothing(settings: Any, dispatch: Dispatch) -> None:
    for clicks in (None, 0):
        assert dispatch(REQUEST, form() | {"backtest-run.n_clicks": clicks}) == {}
    assert jobs_of(settings) == []


def test_a_stored_answer_comes_back_without_a_job(settings: Any, app: Dash, dispatch: Dispatch) -> None:
    result_id = store_answer(settings, BacktestRequest.of(tickers=["SIM001"]))
    written = dispatch(REQUEST, form(tickers=["SIM001"]))
    assert written == {JOB: {"result_id": result_id}, ERROR: None}
    assert jobs_of(settings) == []
    assert app.server.config[POOL_KEY].pending == {}
    assert dispatch(SHOWN, {JOB: {"result_id": result_id}})[SHOWN] == result_id


def test_another_question_is_not_answered_by_it(settings: Any, dispatch: Dispatch) -> None:
    store_answer(settings, BacktestRequest.of(tickers=["SIM001"]))
    for changes in (
        {"tickers": ["SIM002"]},
        {"terms": {"fee_rate": 0.06}},
        {"terms": {"trailing_stop": 5}},
        {"parameters": {"threshold": 4}},
        {"end": "2020-01-31"},
    ):
        assert "job_id" in dispatch(REQUEST, form(**changes))[JOB]


def test_an_answer_of_another_data_run_is_not_reused(
    settings: Any, serve: Callable[..., Any], simulated: Any, dispatch: Dispatch, copy_of: Callable[[Path], Path]
) -> None:
    store_answer(settings, BacktestRequest.of(tickers=["SIM001"]))
    db = copy_of(simulated.db)
    connection = store.open_writer(db, schema.MARKET)
    with connect(db) as reader:
        run_id = reader.one("SELECT run_id FROM published")[0]
    store.update(connection, schema.published, {"run_id": run_id}, run_id="a-later-run")
    connection.close()
    serve(db=db)
    assert "job_id" in dispatch(REQUEST, form())[JOB]


@pytest.mark.parametrize("tickers", [["SIM001"], None])  # without a store the list offers none
def test_without_a_store_run_says_what_to_do(
    serve: Callable[..., Any], tmp_path: Path, dispatch: Dispatch, tickers: list[str] | None
) -> None:
    made = serve(db=tmp_path / "none.db")
    written = dispatch(REQUEST, form(tickers=tickers))
    assert set(written) == {ERROR}
    assert "make update" in text_of(written[ERROR])
    assert jobs_of(made) == []


# ---- watch --------------------------------------------------------------------------------------------------


def watched(dispatch: Dispatch, submitted: Any, shown: str | None = None) -> dict[str, Any]:
    written = dispatch(SHOWN, {JOB: submitted, SHOWN: shown})
    return {name.removeprefix("backtest-"): value for name, value in written.items()}


def at_rest(seen: dict[str, Any]) -> bool:
    """Whether nothing runs: no polling, a hidden bar, Run can be pressed and Cancel cannot."""
    return (
        seen["interval.disabled"] is True and seen["progress.style"] == {"visibility": "hidden"}
        and seen["cancel.disabled"] is True
    )  # fmt: skip


@pytest.fixture
def job(settings: Any) -> Callable[..., str]:
    """Return a function that notes a job in a given state and returns its id."""

    def make(**values: Any) -> str:
        workspace.create_job(settings.workspace, job_id="one", kind="backtest", owner="me", seconds=60)
        if values:
            workspace.update_job(settings.workspace, "one", **values)
        return "one"

    return make


@pytest.mark.parametrize("submitted", [None, {}])
def test_nothing_submitted_is_at_rest(settings: Any, dispatch: Dispatch, submitted: Any) -> None:
    seen = watched(dispatch, submitted)
    assert at_rest(seen)
    assert seen["message.children"] == ""
    assert "shown.data" not in seen


def test_a_result_is_shown_once(settings: Any, dispatch: Dispatch) -> None:
    assert watched(dispatch, {"result_id": RESULT})["shown.data"] == RESULT
    assert watched(dispatch, {"result_id": RESULT}, shown="another")["shown.data"] == RESULT
    seen = watched(dispatch, {"result_id": RESULT}, shown=RESULT)
    assert at_rest(seen)
    assert "shown.data" not in seen


def test_the_key_figures_come_with_the_answer(settings: Any, dispatch: Dispatch) -> None:
    result_id = store_answer(settings, BacktestRequest.of(tickers=["SIM001"]))
    seen = watched(dispatch, {"result_id": result_id})
    assert "Technical vote on SIM001" in text_of(seen["verdict.children"])
    assert (
        seen["verdict.children"]
        == dispatch("backtest-verdict.children", {SHOWN: result_id})["backtest-verdict.children"]
    )
    unchanged = dispatch(SHOWN, {JOB: {"result_id": result_id}, SHOWN: result_id, "backtest-checking.data": False})
    assert "backtest-verdict.children" not in unchanged
    ended = dispatch(SHOWN, {JOB: {"result_id": result_id}, SHOWN: result_id, "backtest-checking.data": True})
    assert "Technical vote on SIM001" in text_of(ended["backtest-verdict.children"])
    assert (
        watched(dispatch, {"result_id": "f" * 64})["verdict.children"] is None
    )  # gone: the place of the pictures says why


def test_a_queued_job_is_followed(settings: Any, dispatch: Dispatch, job: Callable[..., str]) -> None:
    seen = watched(dispatch, {"job_id": job()})
    assert (seen["interval.disabled"], seen["cancel.disabled"]) == (False, False)
    assert seen["message.children"] == "Next in line for a worker."
    assert seen["progress.value"] == 3  # a bar that can be seen


def test_a_running_job_shows_progress_and_time_left(settings: Any, dispatch: Dispatch, job: Callable[..., str]) -> None:
    job_id = job(state="running", progress=0.4, message="simulating", created_at="2024-01-01T00:00:00.000Z")
    seen = watched(dispatch, {"job_id": job_id})
    assert seen["progress.value"] == pytest.approx(40)
    assert re.fullmatch(r"40% · simulating · about \d+ s left", seen["message.children"])


@pytest.mark.parametrize(
    ("state", "message", "says"),
    [
        ("failed", "No prices.", "Failed: No prices."), ("cancelled", "Cancelled.", "Cancelled."),
        ("lost", "The worker ended.", "Lost: The worker ended."),
    ],
)  # fmt: skip
def test_a_job_that_ended_early_says_so(
    settings: Any, dispatch: Dispatch, job: Callable[..., str], state: str, message: str, says: str
) -> None:
    seen = watched(dispatch, {"job_id": job(state=state, message=message)})
    assert at_rest(seen)
    assert seen["message.children"] == says
    assert "shown.data" not in seen


def test_a_job_that_is_done_shows_its_result(settings: Any, dispatch: Dispatch, job: Callable[..., str]) -> None:
    seen = watched(dispatch, {"job_id": job(state="done", progress=1.0, result_id=RESULT)}, shown="older")
    assert at_rest(seen)
    assert (seen["shown.data"], seen["message.children"]) == (RESULT, "")


def test_a_job_stopped_in_its_checks_shows_its_result_and_says_so(
    settings: Any, dispatch: Dispatch, job: Callable[..., str]
) -> None:
    said = "The answer stands; its checks were stopped after 60 s."
    seen = watched(dispatch, {"job_id": job(state="done", progress=0.7, result_id=RESULT, message=said)})
    assert at_rest(seen)
    assert (seen["shown.data"], seen["message.children"]) == (RESULT, said)


def test_a_job_nobody_knows_is_explained(settings: Any, dispatch: Dispatch) -> None:
    seen = watched(dispatch, {"job_id": "gone"})
    assert at_rest(seen)
    assert "not in the workspace any more" in seen["message.children"]


def test_watching_does_not_wait_for_the_background_callback(dispatch: Dispatch) -> None:
    """Dash holds a callback back while one that writes its inputs runs: the watcher must not read that Store."""
    found = next(item for item in dispatch.dependencies if SHOWN in outputs_of(item["output"]))
    read = {part["id"] for part in (*found["inputs"], *found["state"])}
    assert read == {
        "backtest-interval",
        "shell-backtest-job",
        "backtest-shown",
        "backtest-checking",
        "backtest-waiting",
        "shell-theme-name",
        "shell-run",
    }


def test_a_cancel_button_that_was_only_mounted_cancels_nothing(
    settings: Any, dispatch: Dispatch, job: Callable[..., str]
) -> None:
    with dispatch.client.session_transaction() as cookie:
        owner = cookie["owner"]
    workspace.create_job(settings.workspace, job_id="mine", kind="backtest", owner=owner, seconds=60)
    pressed = {"backtest-cancel.n_clicks": 1, JOB: {"job_id": "mine"}}
    for values in (
        pressed | {"backtest-cancel.n_clicks": None},
        pressed | {JOB: None},
        pressed | {JOB: {"result_id": "x"}},
    ):
        dispatch("backtest-cancel.n_clicks", values)
        assert ("mine", "queued", "backtest") in jobs_of(settings)
    assert dispatch("backtest-cancel.n_clicks", pressed) == {"backtest-cancel.n_clicks": 0}
    assert ("mine", "cancelled", "backtest") in jobs_of(settings)


# ---- the form -----------------------------------------------------------------------------------------------


def test_a_strategy_s_controls_follow_from_its_parameters(dispatch: Dispatch) -> None:
    for key, strategy in STRATEGIES.items():
        written = dispatch("backtest-parameters.children", {"backtest-strategy.value": key})
        controls = {
            item["props"]["id"]["name"]: item["props"]
            for item in walk(written["backtest-parameters.children"]) if isinstance(item["props"].get("id"), dict)
        }  # fmt: skip
        assert list(controls) == [parameter.name for parameter in strategy.parameters]
        assert len(tips_of(written["backtest-parameters.children"])) == len(controls)
        for parameter in strategy.parameters:
            shown = controls[parameter.name]["value"]
            assert shown == (list(parameter.default) if parameter.choices else parameter.default)


def test_the_tickers_offered_can_be_traded(serve: Callable[..., Any], sample: Any, dispatch: Dispatch) -> None:
    serve(db=sample.db)
    with dispatch.client.application.app_context():
        drawn = json.loads(to_json(page_layout()))
    box = next(item for item in walk(drawn) if item["props"].get("id") == "backtest-tickers")
    options, chosen = box["props"]["options"], "backtest-tickers.value"
    assert len(options) == 20
    assert not [option for option in options if option["value"].startswith("^")]
    view = {"shell-view.data": {"ticker": "KO", "range": "2y"}, "backtest-tickers.options": options}
    assert dispatch(chosen, view)[chosen] == ["KO"]
    assert chosen not in dispatch(chosen, view | {chosen: ["PFE"]})
    assert chosen not in dispatch(chosen, view | {"shell-view.data": {"ticker": "^GSPC", "range": "2y"}})


def test_the_ticker_list_is_locked_while_all_stocks_are_meant(dispatch: Dispatch) -> None:
    locked = "backtest-tickers.disabled"
    assert dispatch(locked, {"backtest-scope.value": "all"})[locked] is True
    assert dispatch(locked, {"backtest-scope.value": "chosen"})[locked] is False


def persistence_of(drawn: Any) -> dict[str, Any]:
    """{control: the key under which the browser keeps its value} of all that are kept."""
    return {
        str(item["props"]["id"]): item["props"]["persistence"] for item in walk(drawn) if "persistence" in item["props"]
    }


def page(app: Dash, *address: str, **query: str) -> Any:
    with app.server.app_context():
        return json.loads(to_json(page_layout(*address, **query)))


def test_a_link_begins_a_form_of_its_own(settings: Any, app: Dash) -> None:
    """What the browser has kept of the form, or of another link, must not override what this link asks for."""
    links = [
        page(app), page(app, "rating"), page(app, "technical_vote"), page(app, "rating", buy_above="0.2"),
        page(app, "rating", buy_above="0.3"), page(app, "nonsense"), page(app, "rating", buy_above="x" * 9_000),
    ]  # fmt: skip
    keys = [persistence_of(drawn) for drawn in links]
    assert all(len(set(key.values())) == 1 for key in keys)
    assert all(key.keys() == keys[0].keys() for key in keys)
    assert "backtest-strategy" in keys[0]
    used = [next(iter(key.values())) for key in keys]
    assert used[0] is KEPT["persistence"] is True
    assert len(set(used)) == len(used)
    assert max(len(key) for key in used[1:]) <= LONGEST_LINK
    assert persistence_of(page(app, "rating", sell_below="0", buy_above="0.2")) == persistence_of(
        page(app, "rating", buy_above="0.2", sell_below="0")
    )


def test_the_parameters_of_a_link_are_kept_with_it(settings: Any, app: Dash, dispatch: Dispatch) -> None:
    parameters, strategy = "backtest-parameters.children", {"backtest-strategy.value": "rating"}
    drawn = page(app, "rating", buy_above="0.2")
    asked = next(item["props"]["data"] for item in walk(drawn) if item["props"].get("id") == "backtest-asked")
    (link,) = set(persistence_of(drawn).values())
    for seen, expected in ((asked, link), (asked | {"kept": ["x"]}, True), (None, True), ("x", True)):
        written = dispatch(parameters, strategy | {"backtest-asked.data": seen})[parameters]
        assert set(persistence_of(written).values()) == {expected}
    other = dispatch(parameters, {"backtest-strategy.value": "momentum_12_1", "backtest-asked.data": asked})[parameters]
    assert set(persistence_of(other).values()) == {link}
    (above,) = [item["props"] for item in walk(
        dispatch(parameters, strategy | {"backtest-asked.data": asked})[parameters]
    ) if item["props"].get("id") == {"type": "backtest-parameter", "name": "buy_above"}]  # fmt: skip
    assert above["value"] == 0.2


# ---- the answer ---------------------------------------------------------------------------------------------


def test_before_the_first_run_the_page_says_how(settings: Any, dispatch: Dispatch) -> None:
    written = dispatch("backtest-content.children", {})
    empty = text_of(with_class(written["backtest-content.children"], "empty-state"))
    assert "No backtest yet" in empty
    assert "press Run Backtest" in empty
