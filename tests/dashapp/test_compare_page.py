"""The Compare tab: stored runs listed, chosen, named and deleted; side by side, tested, blended and simulated."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dash import Dash
from dash._utils import to_json
from dispatch import Dispatch, of_type, text_of, walk, with_class
from opened_page import grid_rows, stat_cards

from analytics.backtest.checks import Checks
from analytics.backtest.compare import compare
from analytics.backtest.overfitting import Trials, significance
from dashapp.pages.compare.judged import SEED
from dashapp.pages.compare.layout import layout
from dashapp.pages.compare.overview import sharpe_rows
from dashapp.pages.compare.runs import MOST_RUNS, chosen_runs, labels
from pipeline import backtests, workspace
from pipeline.queries import history as history_queries
from pipeline.queries import results as result_queries
from pipeline.queries import trials as trial_queries
from pipeline.standard import run_standard, standard_set
from pipeline.workspace import reading

GRID = '{"name":"compare-history","type":"grid"}'
TICKERS = ["SIM001", "SIM002"]
ASKED: tuple[dict[str, Any], ...] = (
    {"strategy": "technical_vote", "start": "2018-01-01"},
    {"strategy": "technical_vote", "start": "2018-01-01", "parameters": {"threshold": 2}},
    {"strategy": "momentum_12_1", "start": "2019-01-01"},
)
AT_REST = {
    "shell-theme-name.data": "dark", "compare-tab.active_tab": "luck", "compare-premium.value": 0, "compare-volatility.value": 1,
    "compare-years.value": 5,
}  # fmt: skip
YEARS = "2018 to 2024"  # of the first two runs
ROUNDING = 1e-9  # relative: the same numbers, computed in another order


@pytest.fixture(scope="module")
def ran(simulated: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A workspace with three checked backtests, and their result_ids; read it, do not write it."""
    path = tmp_path_factory.mktemp("compared") / "workspace.db"
    requests = [backtests.BacktestRequest.of(tickers=TICKERS, **asked) for asked in ASKED]
    return path, [backtests.run(request, db=simulated.db, workspace=path) for request in requests]


@pytest.fixture
def ids(serve: Callable[..., Any], simulated: Any, ran: tuple[Path, list[str]]) -> list[str]:
    """The runs, in a workspace that the app serves."""
    serve(db=simulated.db, workspace=ran[0])
    return ran[1]


@pytest.fixture
def own(serve: Callable[..., Any], simulated: Any, ran: tuple[Path, list[str]], tmp_path: Path) -> Path:
    """A copy of the workspace, to be written to."""
    made = Path(shutil.copyfile(ran[0], tmp_path / "own.db"))
    serve(db=simulated.db, workspace=made)
    return made


def content(dispatch: Dispatch, chosen: Any) -> Any:
    return dispatch("compare-content.children", AT_REST | {"compare-runs.data": chosen})["compare-content.children"]


def panel(dispatch: Dispatch, tab: str, chosen: Any, **changes: Any) -> Any:
    sent = AT_REST | {"compare-runs.data": chosen, "compare-tab.active_tab": tab}
    return dispatch(
        "compare-panel.children", sent | {f"compare-{name}.value": value for name, value in changes.items()}
    )["compare-panel.children"]


def runs_of(app: Dash, ids: list[str]) -> Any:
    with app.server.app_context():
        return chosen_runs(ids)


# ---- the history --------------------------------------------------------------------------------------------


def listed(dispatch: Dispatch, **changes: Any) -> dict[str, Any]:
    return dispatch(f"{GRID}.rowData", {f"compare-{name}": value for name, value in changes.items()})


def test_every_run_is_listed_with_its_headline(ids: list[str], dispatch: Dispatch, ran: tuple[Path, list[str]]) -> None:
    written = listed(dispatch)
    rows = {row["result_id"]: row for row in written[f"{GRID}.rowData"]}
    assert set(rows) == set(ids)
    result = backtests.load(ids[2], workspace=ran[0])
    row = rows[ids[2]]
    assert (row["strategy"], row["tickers"], row["start_date"]) == (
        "Momentum 12-1",
        "SIM001, SIM002",
        result["start_date"],
    )
    assert row["sharpe_ratio"] == result["sharpe_ratio"]
    assert row["annual_return"] == result["metrics"]["annual_return"]
    assert row["audit"] in ("Passed", "With caution", "Do not trust")
    assert written["compare-listed.children"] == f"3 runs. Choose 2 to {MOST_RUNS}."


def test_a_filter_keeps_the_chosen_runs_in_the_table(ids: list[str], dispatch: Dispatch) -> None:
    written = listed(dispatch, **{"strategy.value": "momentum_12_1", "runs.data": ids[:1]})
    assert [row["result_id"] for row in written[f"{GRID}.rowData"]] == [ids[0], ids[2]]
    assert written[f"{GRID}.selectedRows"] == {"ids": ids[:1]}
    assert written["compare-listed.children"].startswith("1 run found.")


def test_a_link_to_what_is_gone_says_so(ids: list[str], dispatch: Dispatch) -> None:
    written = listed(dispatch, **{"runs.data": [ids[0], "f" * 64]})
    assert written[f"{GRID}.selectedRows"] == {"ids": ids[:1]}
    assert "Linked, but not stored here any more: 1." in written["compare-listed.children"]
    assert "There is no stored result" in text_of(with_class(content(dispatch, [ids[0], "f" * 64]), "empty-state"))


def test_an_empty_workspace_says_what_to_do(serve: Callable[..., Any], simulated: Any, dispatch: Dispatch) -> None:
    serve(db=simulated.db)
    assert "Backtest tab" in listed(dispatch)["compare-listed.children"]
    assert "The Backtest tab makes them" in text_of(with_class(content(dispatch, []), "empty-state"))


@pytest.mark.parametrize(("changes", "says"), [
    ({"strategy.value": "tecnical_vote"}, "Did you mean 'technical_vote'"), ({"text.value": "x" * 61}, "up to 60"), ({"text.value": ["a"]}, "up to 60"),
    ({"start.value": "2020"}, "YYYY-MM-DD"), ({"end.value": {"a": 1}}, "YYYY-MM-DD"), ({"runs.data": "abc"}, "a list"),
    ({"runs.data": ["../x"]}, "letters and digits"), ({"runs.data": [f"{n}" for n in range(13)]}, "up to 12"),
], ids=str)  # fmt: skip
def test_a_forged_filter_is_refused_in_words(
    ids: list[str], dispatch: Dispatch, changes: dict[str, Any], says: str
) -> None:
    written = listed(dispatch, **changes)
    assert says in written["compare-listed.children"]
    assert f"{GRID}.rowData" not in written


def test_what_is_written_into_a_cell_is_kept(own: Path, ran: tuple[Path, list[str]], dispatch: Dispatch) -> None:
    changed = [{"colId": "name", "data": {"result_id": ran[1][0], "name": " Mine ", "note": "with care"}}]
    written = dispatch("compare-told.children", {f"{GRID}.cellValueChanged": changed})
    assert (written["compare-told.children"], written["compare-changed.data"]) == ("Kept.", 1)
    with reading(own) as reader:
        row = history_queries.chosen(reader, ran[1][:1]).iloc[0]
    assert (row["name"], row["note"]) == ("Mine", "with care")
    assert "Mine" in {row["label"] for row in grid_rows(content(dispatch, ran[1]), "compare-metrics")}


@pytest.mark.parametrize(("data", "says"), [
    ({"result_id": "none", "name": "x"}, "no stored result"), ({"result_id": "../x", "name": "x"}, "letters and digits"),
    ({"result_id": "a", "name": ["x"]}, "up to 60"), ({"result_id": "a", "name": "", "note": "x" * 501}, "up to 500"),
])  # fmt: skip
def test_what_cannot_be_kept_is_told(own: Path, dispatch: Dispatch, data: dict[str, Any], says: str) -> None:
    written = dispatch("compare-told.children", {f"{GRID}.cellValueChanged": [{"data": data}]})
    assert says in written["compare-told.children"]


def test_the_chosen_runs_are_deleted_once_confirmed(own: Path, ran: tuple[Path, list[str]], dispatch: Dispatch) -> None:
    sent = {"compare-confirm.submit_n_clicks": 1, "compare-runs.data": ran[1][:2], "compare-changed.data": 4}
    written = dispatch("compare-told.children", sent, changed="compare-confirm.submit_n_clicks")
    assert (written["compare-told.children"], written["compare-changed.data"]) == ("2 deleted.", 5)
    with reading(own) as reader:
        assert history_queries.history(reader)["result_id"].tolist() == ran[1][2:]
        assert len(trial_queries.trials(reader, "technical_vote|SIM001,SIM002")) == 2  # the ledger forgets nothing


# ---- the standard set ---------------------------------------------------------------------------------------


STANDARD = "compare-standard.n_clicks"


def press(dispatch: Dispatch, chosen: list[str], **changes: Any) -> dict[str, Any]:
    values = {STANDARD: 1, "compare-runs.data": chosen} | {f"compare-{name}": value for name, value in changes.items()}
    return dispatch(f"{GRID}.rowData", values, changed=STANDARD)


@pytest.fixture
def standard_run(simulated: Any, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings of a workspace with the standard set, which the app serves; its checks are nods."""
    nod = Checks({"verdict": "green", "gates": [], "intervals": {}}, pd.DataFrame({"ticker": ["SIM001"]}))
    monkeypatch.setattr(backtests, "check", lambda *_, **__: nod)
    made = serve(db=simulated.db)
    assert run_standard(made) == []
    return made


def test_the_standard_set_is_chosen_beside_what_was_chosen(standard_run: Any, dispatch: Dispatch) -> None:
    options = {"db": standard_run.db, "workspace": standard_run.workspace}
    mine = backtests.run(
        backtests.BacktestRequest.of(strategy="rating", tickers=TICKERS, start="2020-01-01"), **options
    )
    expected = list(standard_set(**options).values())
    written = press(dispatch, [mine, expected[2]], **{"strategy.value": "rating"})
    assert written[f"{GRID}.selectedRows"] == {"ids": [mine, expected[2], *expected[:2], *expected[3:]]}
    rows = {row["result_id"]: row["standard"] for row in written[f"{GRID}.rowData"]}
    assert rows == {mine: "", **{result_id: role for role, result_id in standard_set(**options).items()}}
    assert written["compare-listed.children"] == f"1 run found. Choose 2 to {MOST_RUNS}."
    shown = content(dispatch, written[f"{GRID}.selectedRows"]["ids"])
    assert len(grid_rows(shown, "compare-metrics")) >= 6
    again = listed(dispatch, **{"runs.data": [mine]})  # a filter that changes afterwards chooses nothing
    assert again[f"{GRID}.selectedRows"] == {"ids": [mine]}


def test_what_is_missing_of_the_standard_set_is_named(
    own: Path, simulated: Any, dispatch: Dispatch, ran: tuple[Path, list[str]]
) -> None:
    written = press(dispatch, ran[1][:1])
    assert written[f"{GRID}.selectedRows"] == {"ids": ran[1][:1]}
    assert written["compare-listed.children"].endswith(
        "The standard set is not stored for the data and the program as they are: make update runs it."
    )
    held = backtests.run(backtests.BacktestRequest.of(strategy="buy_and_hold"), db=simulated.db, workspace=own)
    written = press(dispatch, ran[1][:1])
    assert written[f"{GRID}.selectedRows"] == {"ids": [ran[1][0], held]}
    assert written["compare-listed.children"].endswith(
        "Technical only, Fundamental only, Integrated, Equal weight. make update runs what is missing."
    )


def test_more_than_can_be_compared_is_refused_in_words(standard_run: Any, dispatch: Dispatch) -> None:
    written = press(dispatch, [f"{number:064}" for number in range(8)])
    assert "up to 12" in written["compare-listed.children"]
    assert f"{GRID}.selectedRows" not in written


def test_the_standard_set_of_nothing_is_explained(
    serve: Callable[..., Any], tmp_path: Path, dispatch: Dispatch
) -> None:
    serve(db=tmp_path / "none.db")
    assert "no database none.db" in press(dispatch, [])["compare-listed.children"]


def test_a_standard_backtest_of_another_night_is_judged_too(
    standard_run: Any, serve: Callable[..., Any], dispatch: Dispatch, tmp_path: Path
) -> None:
    before = standard_set(db=standard_run.db, workspace=standard_run.workspace)
    db = Path(shutil.copyfile(standard_run.db, tmp_path / "next.db"))
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("DELETE FROM prices WHERE date = (SELECT max(date) FROM prices)")
    made = serve(db=db, workspace=standard_run.workspace)
    assert run_standard(made) == []
    after = standard_set(db=db, workspace=standard_run.workspace)
    pair = [before["Buy and hold"], after["Buy and hold"]]
    rows = grid_rows(panel(dispatch, "luck", pair), "compare-luck")
    assert [row["tries"] for row in rows] == [1, 1]
    stored = [backtests.load(str(item), workspace=standard_run.workspace) for item in pair]
    assert [row["sharpe_ratio"] for row in rows] == pytest.approx(
        [item["sharpe_ratio"] for item in stored], rel=ROUNDING
    )
    assert stored[0]["sharpe_ratio"] != stored[1]["sharpe_ratio"]
    assert {row["verdict"] for row in rows} <= {"significant", "not significant"}


def test_a_link_is_what_the_page_opens_with() -> None:
    def opened(runs: str) -> tuple[Any, str]:
        drawn = json.loads(to_json(layout(runs=runs)))
        props = {str(item["props"].get("id")): item["props"] for item in walk(drawn)}
        return props["compare-runs"]["data"], props["compare-told"]["children"]

    assert opened("a,b,,c,a") == (["a", "b", "c"], "")
    for runs, says in ((",".join("abcdefghijklmnopqrst"), "up to 12"), ("../x,<b>", "letters and digits")):
        chosen, told = opened(runs)  # the table is there to choose from
        assert chosen == []
        assert says in told


# ---- side by side -------------------------------------------------------------------------------------------


def test_labels_tell_the_runs_apart(app: Dash, ids: list[str]) -> None:
    assert runs_of(app, ids).labels == [
        "Technical vote · threshold 3", "Technical vote · threshold 2", "Momentum 12-1",
    ]  # fmt: skip


def test_labels_name_tickers_parameters_and_years_as_far_as_they_differ(own: Path, ran: tuple[Path, list[str]]) -> None:
    with reading(own) as reader:
        row = history_queries.chosen(reader, ran[1][:1]).to_dict("records")[0]

    def named(*changes: dict[str, Any]) -> list[str]:
        return labels(pd.DataFrame([row | change for change in changes]))

    four = {"params": row["params"] | {"threshold": 4}}
    early = {"start_date": "2010-01-04", "end_date": "2015-12-31"}
    assert named({}, {"tickers": ["KO"]}) == ["Technical vote · SIM001, SIM002", "Technical vote · KO"]
    assert named({}, four, four | early)[1:] == [
        f"Technical vote · threshold 4 · {years}" for years in (YEARS, "2010 to 2015")
    ]
    assert named({}, early) == [f"Technical vote · {years}" for years in (YEARS, "2010 to 2015")]
    assert named({}, {}) == ["Technical vote", "Technical vote (2)"]


def test_runs_of_one_name_are_numbered(own: Path, ran: tuple[Path, list[str]]) -> None:
    for result_id in ran[1]:
        workspace.describe_result(own, result_id, name="Mine", note="")
    with reading(own) as reader:
        found = labels(history_queries.chosen(reader, [ran[1][0], ran[1][0]]))
        assert len(set(labels(history_queries.chosen(reader, ran[1])))) == 3
    assert len(set(found)) == len(found)


def test_the_curves_are_the_accounts_from_100(app: Dash, ids: list[str], ran: tuple[Path, list[str]]) -> None:
    runs = runs_of(app, ids)
    assert list(runs.benchmarks) == ["Buy and hold"]
    assert not runs.same_dates
    with reading(ran[0]) as reader:
        account = result_queries.equity(reader, ids[0]).set_index("date")
    equity = account.loc[runs.common.dates.astype(str), "equity"].to_numpy()
    np.testing.assert_allclose(runs.common.curves.iloc[:, 0], equity / equity[0] * 100, rtol=ROUNDING)


def test_the_overview_shows_curves_intervals_metrics_and_correlation(
    app: Dash, ids: list[str], dispatch: Dispatch, ran: tuple[Path, list[str]]
) -> None:
    shown = content(dispatch, ids)
    assert not with_class(shown, "empty-state")
    curves, sharpe, correlation = (item["props"]["figure"]["data"] for item in of_type(shown, "Graph"))
    assert [trace["name"] for trace in curves] == [*runs_of(app, ids).labels, "Buy and hold"]
    result = backtests.load(ids[0], workspace=ran[0])
    low, high = result["audit"]["intervals"]["sharpe_ratio"]
    assert sharpe[0]["x"][0] == result["sharpe_ratio"]
    assert sharpe[0]["error_x"]["arrayminus"][0] == pytest.approx(result["sharpe_ratio"] - low)
    assert sharpe[0]["error_x"]["array"][0] == pytest.approx(high - result["sharpe_ratio"])
    assert (sharpe[1]["y"], "error_x" in sharpe[1]) == (["Buy and hold"], False)
    assert [row[place] for place, row in enumerate(correlation[0]["z"])] == pytest.approx([1.0] * 4)
    rows = grid_rows(shown, "compare-metrics")
    assert rows[0]["max_drawdown"] == result["max_drawdown"]
    assert rows[3]["sharpe_ratio"] == result["metrics"]["benchmark_sharpe_ratio"]
    assert rows[3]["n_trades"] is None
    assert [row["dates"][:7] for row in rows] == ["2018-01", "2018-01", "2019-01", "2018-01"]
    assert "all on SIM001, SIM002" in text_of(shown)


def test_a_run_without_an_interval_has_a_dash(app: Dash, ids: list[str]) -> None:
    runs = runs_of(app, ids)
    runs.results[runs.labels[0]]["audit"].pop("intervals")
    assert np.isnan(sharpe_rows(runs).loc[0, ["low", "high"]].astype(float)).all()


# ---- the panels ---------------------------------------------------------------------------------------------


def test_luck_is_judged_by_the_ledger(ids: list[str], dispatch: Dispatch, ran: tuple[Path, list[str]]) -> None:
    rows = grid_rows(panel(dispatch, "luck", ids), "compare-luck")
    with reading(ran[0]) as reader:
        tried = trial_queries.trials(reader, "technical_vote|SIM001,SIM002")
    place = tried["id"].tolist().index(ids[1])
    passive = backtests.load(ids[1], workspace=ran[0])["metrics"]["benchmark_sharpe_ratio"]
    columns = (tried[name].to_numpy(dtype=float) for name in ("sharpe_ratio", "n_obs", "skewness", "kurtosis"))
    expected = significance(Trials(*columns), place, benchmark_sharpe_ratio=passive)
    assert (rows[1]["tries"], rows[2]["tries"]) == (2, 1)
    assert rows[1]["needed"] == pytest.approx(expected.needed, rel=ROUNDING)
    assert rows[1]["p_value"] == pytest.approx(expected.p_value, rel=ROUNDING)
    assert rows[1]["verdict"] == ("significant" if expected.significant else "not significant")


def test_no_winner_is_shown_where_there_is_none(app: Dash, ids: list[str], dispatch: Dispatch) -> None:
    shown = panel(dispatch, "differences", ids)
    runs = runs_of(app, ids)
    returns = {name: runs.common.returns[name].to_numpy() for name in [*runs.labels, "Buy and hold"]}
    expected = compare(returns, runs.common.risk_free, seed=SEED, against="Buy and hold")
    cards = stat_cards(shown)
    assert cards["Winner"]["value"] == (expected.winner or "None")
    assert expected.verdict in text_of(shown)
    assert cards["Any better than the measure?"]["note"] == "measure: Buy and hold"
    rows = grid_rows(shown, "compare-pairs")
    assert len(rows) == 6
    assert sorted(row["p_corrected"] for row in rows) == pytest.approx(sorted(expected.differences["p_corrected"]))
    assert expected.winner is not None or {row["better"] for row in rows} <= {"–", *returns}
    others = grid_rows(shown, "compare-other")
    assert {row["metric"]: row["unit"] for row in others} == {
        "total_return": "fraction", "annual_return": "fraction", "max_drawdown": "fraction", "calmar_ratio": "ratio",
    }  # fmt: skip
    assert len(others) == 4 * len(rows)


def test_a_blend_shows_what_allocating_would_have_given(ids: list[str], dispatch: Dispatch) -> None:
    shown = panel(dispatch, "blend", ids)
    rows = grid_rows(shown, "compare-blend")
    assert [row["label"] for row in rows[:4]] == [
        "Blend: minimum variance", "Blend: maximum return", "Blend: maximum Sharpe", "Blend: equal weights",
    ]  # fmt: skip
    assert re.search(r"promised −?[\d.]+ and gave −?[\d.]+; equal weights", text_of(shown))
    assert len(of_type(shown, "Graph")) == 3


def test_a_harsher_market_makes_losses_more_likely_and_deeper(ids: list[str], dispatch: Dispatch) -> None:
    def shown(label: str, **changes: Any) -> float:
        value = stat_cards(panel(dispatch, "paths", ids, **changes))[label]["value"]
        return float(value.removesuffix(" %").replace("−", "-"))

    losses = [shown("Probability of loss", premium=points) for points in (-10, 0, 10)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[2]
    falls = [shown("Drawdown, median", **{"path-run": ids[2], "volatility": times}) for times in (0.5, 1, 3)]
    assert falls[0] > falls[1] > falls[2]


@pytest.mark.parametrize(("tab", "changes", "says"), [
    ("none", {}, "allowed: blend"), ("paths", {"premium": 11}, "-10 to 10"), ("paths", {"volatility": "2"}, "a number"), ("paths", {"years": 2.5}, "whole"),
    ("paths", {"years": 10**9}, "1 to 20"), ("paths", {"path-run": "f" * 64}, "one of the chosen runs"), ("paths", {"path-run": {"a": 1}}, "letters"),
])  # fmt: skip
def test_a_forged_control_is_refused_in_words(
    ids: list[str], dispatch: Dispatch, tab: str, changes: dict[str, Any], says: str
) -> None:
    assert says in text_of(with_class(panel(dispatch, tab, ids, **changes), "empty-state"))


def test_the_panels_wait_for_two_runs(ids: list[str], dispatch: Dispatch) -> None:
    written = dispatch(
        "compare-panel.children", AT_REST | {"compare-tab.active_tab": "paths", "compare-runs.data": ids[:1]}
    )
    assert written["compare-panel.children"] is None
    assert written["compare-path-box.hidden"] is True
    assert written["compare-panels.hidden"] is True
    written = dispatch("compare-panel.children", AT_REST | {"compare-runs.data": ids})
    assert written["compare-panels.hidden"] is False
    offered = dispatch("compare-path-run.options", {"compare-runs.data": ids, "compare-path-run.value": ids[1]})
    assert [option["value"] for option in offered["compare-path-run.options"]] == ids
    assert "compare-path-run.value" not in offered  # what was chosen stays
