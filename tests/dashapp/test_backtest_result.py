"""The tear sheet of a stored backtest: what it shows, and what it says of its audit."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dash._utils import to_json
from dispatch import Dispatch, of_type, outputs_of, text_of, walk, with_class
from opened_page import grid_rows, opened, stat_cards
from tear_sheets import TICKERS, gate, read_sheet, run_in

from analytics.metrics import METRICS
from config import ROOT
from dashapp.pages.backtest import result
from dashapp.pages.backtest.assumptions import asked, assumed, facts, notes, words
from dashapp.pages.backtest.badge import audit_stat, gate_list
from dashapp.pages.backtest.reconciliation import LIBRARIES, MISSING, TABLE, reconciliation_view
from dashapp.pages.backtest.report import html_report
from dashapp.pages.backtest.stored import Stored
from dashapp.pages.backtest.tables import HEADLINE, LEVELS, interval_text, metric_groups, metric_text, price
from dashapp.theme import SERIES
from pipeline import backtests, schema, store, workspace
from pipeline.queries import connect, runs
from pipeline.queries import results as result_queries

UNKNOWN_TICKER = "backtest-unknown.children"
DOWNLOAD = "backtest-export-download.data"


@pytest.fixture(scope="module")
def ran(simulated: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace with one checked backtest, and its result_id; read it, do not write it."""
    return run_in(tmp_path_factory.mktemp("ran"), simulated)


@pytest.fixture
def shown(serve: Callable[..., Any], simulated: Any, ran: tuple[Path, str]) -> str:
    serve(db=simulated.db, workspace=ran[0])
    return ran[1]


@pytest.fixture(scope="module")
def sheet(ran: tuple[Path, str]) -> Stored:
    return read_sheet(*ran)


def content_of(dispatch: Dispatch, result_id: str, **changes: Any) -> Any:
    return opened(dispatch, "backtest", {"backtest-shown.data": result_id, "shell-theme-name.data": "light", **changes})


def as_json(component: Any) -> Any:
    return json.loads(to_json(component))


# ---- the page -----------------------------------------------------------------------------------------------


def told(dispatch: Dispatch, result_id: str, **page: Any) -> dict[str, Any]:
    """What the page is told of a question that is answered already; page: what it holds besides."""
    values = {"shell-backtest-job.data": {"result_id": result_id}, "shell-theme-name.data": "dark"} | page
    return dispatch("backtest-shown.data", values, changed="shell-backtest-job.data")


def test_key_figures_and_account_come_with_the_word_that_the_answer_is_there(
    shown: str, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, real = [], result.account_card
    monkeypatch.setattr(result, "account_card", lambda *given, **named: drawn.append(named) or real(*given, **named))
    result._account.cache_clear()
    answer = told(dispatch, shown)
    assert answer["backtest-shown.data"] == shown
    assert "Audit" in text_of(answer["backtest-verdict.children"])
    assert of_type(answer["backtest-content.children"], "Graph")
    assert drawn == [{"theme": "dark"}]
    again = {"backtest-shown.data": shown, "shell-theme-name.data": "dark"}
    assert (
        dispatch("backtest-content.children", again)["backtest-content.children"] == answer["backtest-content.children"]
    )
    assert len(drawn) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_account_comes_in_the_theme_of_the_page_and_says_what_is_drawn(
    shown: str, dispatch: Dispatch, theme: str
) -> None:
    values = {"shell-theme-name.data": theme, "shell-run.data": "r"}
    told_first = told(dispatch, shown, **values)
    line = of_type(told_first["backtest-content.children"], "Graph")[0]["props"]["figure"]["data"][0]["line"]
    assert line["color"] == SERIES[theme][0]
    assert told_first["backtest-pictured.data"] == [shown, theme, "r"]
    again = dispatch("backtest-content.children", values | {"backtest-shown.data": shown})
    assert again["backtest-pictured.data"] == [shown, theme, "r"]
    assert again["backtest-content.children"] == told_first["backtest-content.children"]


@pytest.mark.parametrize("sent", [None, {"job_id": "gone"}])
def test_a_page_without_an_answer_says_so_until_there_is_one(dispatch: Dispatch, sent: Any) -> None:
    values = {"shell-backtest-job.data": sent}
    opened_now = dispatch("backtest-shown.data", values, changed="shell-backtest-job.data")
    assert "No backtest yet" in text_of(opened_now["backtest-content.children"])
    later = dispatch("backtest-shown.data", values, changed="backtest-interval.n_intervals")
    assert "backtest-content.children" not in later


def test_a_fresh_answer_is_of_the_published_data_when_it_is_told_of(simulated: Any, tmp_path: Path) -> None:
    request = backtests.BacktestRequest.of(tickers=["SIM001"])
    told_of = []

    def stored(result_id: str) -> None:
        with workspace.reading(tmp_path / "w.db") as reader, connect(simulated.db) as market:
            run = runs.published_run(market)
            told_of.append(result_queries.is_current(reader, result_id, run["run_id"] if run else ""))

    backtests.run(request, db=simulated.db, workspace=tmp_path / "w.db", stored=stored)
    assert told_of == [True]


def test_an_account_that_cannot_be_drawn_is_no_fault_of_the_key_figures(
    shown: str, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(result, "account_card", lambda *_given, **_named: 1 / 0)
    result._account.cache_clear()
    answer = told(dispatch, shown)
    assert "Audit" in text_of(answer["backtest-verdict.children"])
    assert "This could not be shown" in text_of(answer["backtest-content.children"])
    assert "draw_account failed" in caplog.text


def test_the_verdict_and_the_intervals_stand_beside_the_headline(sheet: Stored, shown: str, dispatch: Dispatch) -> None:
    content = content_of(dispatch, shown)
    cards = stat_cards(content)
    assert next(iter(cards)) == "Audit"
    gates = sheet.audit["gates"]
    green = sum(gate["verdict"] == "green" for gate in gates)
    assert cards["Audit"]["note"] == f"{green} of {len(gates)} gates green"
    listed = text_of(with_class(content, "gates"))
    assert all(gate["label"] in listed and gate["detail"] in listed for gate in gates)
    for key in HEADLINE:
        card = cards[METRICS[key].label]
        assert card["value"] == metric_text(key, sheet.metrics[key])
        assert METRICS[key].formula in card["tip"]
    low, high = sheet.audit["intervals"]["sharpe_ratio"]
    interval = f"95 %: {metric_text('sharpe_ratio', low)} to {metric_text('sharpe_ratio', high)}"
    beside = metric_text("benchmark_sharpe_ratio", sheet.metrics["benchmark_sharpe_ratio"])
    assert cards["Sharpe ratio"]["note"] == f"{interval} · buy and hold {beside}".replace(" %", "\N{NO-BREAK SPACE}%")
    assert "bootstrap's: 95 %" in cards["Sharpe ratio"]["tip"]
    assert "no bootstrap's" in cards[METRICS["annual_volatility"].label]["tip"]


def test_the_audit_redraws_no_picture(dispatch: Dispatch) -> None:
    read = {
        name: {part["id"] for part in item["inputs"]}
        for item in dispatch.dependencies for name in outputs_of(item["output"])
    }  # fmt: skip
    assert "backtest-checking" in read["backtest-each.children"]
    assert "backtest-checking" not in read["backtest-content.children"] | read["backtest-record.children"]


def test_a_sheet_that_is_drawn_already_is_not_computed_again(
    shown: str, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = content_of(dispatch, shown)
    monkeypatch.setattr("dashapp.pages.backtest.result.pictures", None)
    monkeypatch.setattr("dashapp.pages.backtest.result.trades_card", None)
    assert content_of(dispatch, shown) == first


def test_an_interval_too_wide_to_say_anything_is_not_shown() -> None:
    assert interval_text("annual_volatility", {"annual_volatility": [0.0467, 0.3753]}) == ""
    assert interval_text("annual_volatility", {"annual_volatility": [0.1, 0.15]}) == "95 %: 10.00 % to 15.00 %"
    assert interval_text("total_return", {"total_return": [0.01, 0.3]}) == "95 %: 1.00 % to 30.00 %"
    assert interval_text("annual_volatility", {"annual_volatility": [None, None]}) == ""


@pytest.mark.parametrize(("ticker", "says"), [("ZZZZ", "ZZZZ"), ("SIM01", "Did you mean 'SIM001'")])
def test_a_ticker_that_the_store_does_not_have_is_explained(
    shown: str, dispatch: Dispatch, ticker: str, says: str
) -> None:
    view = {"shell-view.data": {"ticker": ticker, "range": "2y"}}
    assert says in text_of(dispatch(UNKNOWN_TICKER, view)[UNKNOWN_TICKER])


@pytest.mark.parametrize("view", [None, {"ticker": None, "range": "2y"}, {"ticker": "SIM001", "range": "2y"}])
def test_a_known_ticker_or_none_is_passed_over(shown: str, dispatch: Dispatch, view: Any) -> None:
    assert dispatch(UNKNOWN_TICKER, {"shell-view.data": view})[UNKNOWN_TICKER] is None


def metric_rows(content: Any) -> list[dict[str, Any]]:
    """The rows of the tables of metrics, level by level."""
    grids = [item["props"] for item in of_type(content, "AgGrid")]
    return [row for props in grids if props["id"]["name"].startswith("backtest-metrics-") for row in props["rowData"]]


def test_every_stored_metric_is_shown_under_its_level_and_explained(
    sheet: Stored, shown: str, dispatch: Dispatch
) -> None:
    content = content_of(dispatch, shown)
    assert [text_of(item) for item in with_class(content, "metric-group")] == list(LEVELS.values())
    rows = metric_rows(content)
    assert sorted(row["key"] for row in rows) == sorted(sheet.metrics)
    assert [row["key"] for row in rows] == [key for _, keys in metric_groups(sheet.metrics) for key in keys]
    for row in rows:
        metric = METRICS[row["key"]]
        assert row["metric"] == metric.label
        assert row["value"] == metric_text(row["key"], sheet.metrics[row["key"]])
        assert metric.formula in row["about"]
        assert metric.reference in row["about"]


def test_a_page_has_few_components(shown: str, dispatch: Dispatch) -> None:
    """The browser's time grows with the square of their number: 2,400 took it half a minute."""
    assert len(list(walk(content_of(dispatch, shown)))) < 700


def test_a_date_among_the_metrics_is_shown_as_one() -> None:
    assert metric_text("start_date", 18262.0) == "2020-01-01"
    assert metric_text("start_date", None) == "–"


def test_trades_say_why_they_were_entered_and_left(sheet: Stored, shown: str, dispatch: Dispatch) -> None:
    rows = grid_rows(content_of(dispatch, shown), "backtest-trades")
    assert len(rows) == len(sheet.trades) == sheet.metrics["n_trades"]
    assert {row["reason"] for row in rows} <= {"signal", "stop loss", "end of test"}
    assert "stop loss" in {row["reason"] for row in rows}
    assert all(re.search(r"\d of 7 votes", row["entry_reason"]) for row in rows)


def test_tickers_stand_side_by_side_with_each_on_its_own(sheet: Stored, shown: str, dispatch: Dispatch) -> None:
    rows = {row["ticker"]: row for row in grid_rows(content_of(dispatch, shown), "backtest-tickers")}
    assert set(rows) == set(TICKERS)
    assert sum(row["pnl"] for row in rows.values()) == pytest.approx(sheet.trades["pnl"].sum())
    for own in sheet.tickers.itertuples():
        assert rows[own.ticker]["pnl"] == pytest.approx(own.contribution)
        assert rows[own.ticker]["total_return"] == own.total_return


def test_the_sheet_says_what_is_assumed(sheet: Stored, shown: str, dispatch: Dispatch) -> None:
    said = text_of(content_of(dispatch, shown))
    assert "commission 0.05\N{NO-BREAK SPACE}%" in said
    assert "stop loss 10\N{NO-BREAK SPACE}%" in said
    assert "at most 50\N{NO-BREAK SPACE}% of the account per ticker" in said  # of two tickers, an equal share
    assert "engine Plumbline" in said
    assert asked(sheet.result) in said
    for part in ("Worst drawdowns", "Crises", "Monthly returns", "Yearly returns", "Distribution", "Rolling, one year",
                 "Exposure and turnover", "Costs", "Contribution of each ticker", "Trades", "Metrics"):  # fmt: skip
        assert part in said
    assert "COVID-19, 2020" in said


def test_a_change_of_the_stage_or_the_theme_draws_the_same_numbers(shown: str, dispatch: Dispatch) -> None:
    light, dark = (content_of(dispatch, shown, **{"shell-theme-name.data": name}) for name in ("light", "dark"))
    assert text_of(light) == text_of(dark)
    assert text_of(content_of(dispatch, shown, **{"backtest-checking.data": True})) == text_of(light)  # it is checked


# ---- results that know less --------------------------------------------------------------------------------------


def without_second_stage(sheet: Stored, workspace: Path, **changes: Any) -> str:
    """Store the same account again as it is before its check."""
    audit = {name: value for name, value in sheet.audit.items() if name not in ("verdict", "gates", "intervals")}
    columns = {name: json.dumps(sheet.result[name]) for name in ("params", "tickers", "metrics")}
    row = sheet.result | columns | {"audit": json.dumps(audit), "result_id": "e" * 64} | changes
    connection = store.open_writer(workspace, schema.WORKSPACE)
    with store.transaction(connection):
        store.insert(connection, schema.backtesting_results, {name: [value] for name, value in row.items()})
        known = [name for name in sheet.account if name not in ("cash", "turnover", "risk_free")]
        store.insert(connection, schema.backtesting_equity, sheet.account[known].assign(result_id=row["result_id"]))
        old = sheet.trades.drop(columns=["entry_reason", "spread", "impact"])
        store.insert(connection, schema.backtesting_trades, old.assign(result_id=row["result_id"]))
    connection.close()
    return str(row["result_id"])


def test_before_and_without_the_check_the_badge_says_so(
    serve: Callable[..., Any], simulated: Any, sheet: Stored, dispatch: Dispatch
) -> None:
    result_id = without_second_stage(sheet, Path(serve(db=simulated.db).workspace))
    checking = stat_cards(content_of(dispatch, result_id, **{"backtest-checking.data": True}))["Audit"]
    assert checking["value"] == "Checking …"
    content = content_of(dispatch, result_id)
    assert stat_cards(content)["Audit"]["value"] == "Not checked"
    assert "standard error" in stat_cards(content)["Sharpe ratio"]["note"]
    assert not with_class(content, "gates")


def test_a_result_of_an_earlier_version_is_still_shown(
    serve: Callable[..., Any], simulated: Any, sheet: Stored, dispatch: Dispatch
) -> None:
    made = serve(db=simulated.db)
    params = {"votes": ["rsi"], "threshold": 3, "initial_capital": 1e5, "fee_rate": 0.0005, "slippage_rate": 0.0005}
    few = {name: sheet.metrics[name] for name in HEADLINE}
    result_id = without_second_stage(
        sheet, Path(made.workspace), params=json.dumps(params), metrics=json.dumps(few | {"gone": 1.0}), audit='{"engine":"vectorbt 1.2"}',
        strategy_name="a_strategy_that_is_no_more",
    )  # fmt: skip
    content = content_of(dispatch, result_id)
    said = text_of(content)
    assert "a_strategy_that_is_no_more on SIM001, SIM002" in said
    assert "Long only; cash earns nothing" in said
    assert "engine vectorbt 1.2" in said
    assert [row["key"] for row in metric_rows(content)] == [key for key in METRICS if key in few]
    assert "nan" not in said.lower()
    report = dispatch(DOWNLOAD, {"backtest-export-report.n_clicks": 1, "backtest-shown.data": result_id},
                      changed="backtest-export-report.n_clicks")[DOWNLOAD]["content"]  # fmt: skip
    assert "Audit: not checked" in report


@pytest.mark.parametrize("sessions", [0, 1, 2, 30])
def test_a_short_test_without_a_trade_is_shown(
    serve: Callable[..., Any], simulated: Any, sheet: Stored, dispatch: Dispatch, sessions: int
) -> None:
    made = serve(db=simulated.db)
    short = Stored(sheet.result, sheet.account.head(sessions), sheet.trades.head(0), sheet.tickers.head(0))
    content = content_of(dispatch, without_second_stage(short, Path(made.workspace), metrics="{}"))
    assert "the strategy never bought" in text_of(content)
    assert ("Equity and drawdown" in text_of(content)) == (sessions > 0)
    assert html_report(short).startswith("<!DOCTYPE html>")


# ---- the badge ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verdict", "words", "tone"), [("green", "Passed", "tone-up"), ("amber", "With caution", "tone-amber"), ("red", "Do not trust", "tone-down")])  # fmt: skip
def test_the_badge_has_the_colour_of_the_verdict(verdict: str, words: str, tone: str) -> None:
    audit = {"verdict": verdict, "gates": [gate("green"), gate(verdict)]}
    badge = as_json(audit_stat(audit, checking=False))
    assert text_of(with_class(badge, tone)).startswith(f"{words}\n")
    listed = as_json(gate_list(audit))
    assert next(item["props"]["open"] for item in walk(listed) if item["type"] == "Details") == (verdict != "green")
    assert text_of(with_class(listed, "gates")).startswith(f"Gate {verdict}: because {verdict}")  # the worst first


def test_a_verdict_that_nobody_knows_is_no_verdict() -> None:
    for audit in ({}, {"verdict": None}, {"verdict": "blue", "gates": [gate("green")]}):
        assert "Not checked" in text_of(as_json(audit_stat(audit, checking=False)))
        assert gate_list(audit) == []


# ---- how our numbers compare ---------------------------------------------------------------------------------------


def test_the_comparison_shows_each_library_and_why_it_differs(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("metric,ours,quantstats,empyrical,ffn,skfolio,vectorbt,reason\n"
                    "sharpe_ratio,1.5,1.5,,1.4,1.5,1.8,365 sessions a year\nodd,,2,,,,,\n")  # fmt: skip
    props = of_type(as_json(reconciliation_view(path)), "AgGrid")[0]["props"]
    assert [item["headerName"] for item in props["columnDefs"]] == ["Metric", *LIBRARIES.values(), "Why they differ"]
    first, second = props["rowData"]
    assert (first["label"], second["label"]) == ("Sharpe ratio", "odd")
    assert first["apart"].split() == ["ffn", "vectorbt"]
    assert (second["apart"], second["ours"], second["quantstats"]) == ("", None, 2.0)
    assert first["reason"] == "365 sessions a year"


def test_without_a_comparison_the_page_says_so(tmp_path: Path) -> None:
    assert MISSING in text_of(as_json(reconciliation_view(tmp_path / "none.csv")))


@pytest.mark.skipif(not TABLE.is_file(), reason="the comparison has not been made")
def test_the_comparison_that_comes_with_the_app_gives_a_reason_for_each_difference() -> None:
    table = pd.read_csv(TABLE)
    assert {"ours", "reason", *LIBRARIES} <= set(table)
    assert set(table[table.columns[0]]) <= set(METRICS)
    others = table[[name for name in LIBRARIES if name != "ours"]]
    apart = (
        others.sub(table["ours"], axis=0).abs() > 1e-5 * table["ours"].abs().clip(lower=1.0).to_numpy()[:, None]
    ).any(axis=1)
    assert table.loc[apart, "reason"].notna().all()
    assert len(table) >= 40


def test_the_comparison_names_the_series_that_its_page_describes() -> None:
    """The page that the same command writes."""
    described = (ROOT / "docs/RECONCILIATION.md").read_text(encoding="utf-8")
    found = re.search(r"([\d,]+) weekdays from (\S+) to (\d{4}-\d\d-\d\d)", described)
    assert found is not None
    assert "{} weekdays, {} to {}".format(*found.groups()) in text_of(as_json(reconciliation_view()))


# ---- sentences ---------------------------------------------------------------------------------------------------


def test_sentences_name_what_matters(sheet: Stored) -> None:
    params = sheet.result["params"] | {
        "direction": "long_short", "fixed_fee": 1.5, "borrow_rate": 0.02, "take_profit": 0.3, "cash_interest": False,
    }  # fmt: skip
    audit = {
        "position_limit": 0.4, "volume_unknown": ["A"], "delisted": ["B"], "halted_on": "2020-03-12", "risk_free_unknown_sessions": 3,
    }  # fmt: skip
    result = sheet.result | {"params": params, "audit": audit}
    said = assumed(result).replace("\N{NO-BREAK SPACE}", " ")
    costs = (
        "$1.50 a fill",
        "borrow fee 2 % a year",
        "Long and short",
        "at most 40 % of the account",
        "take profit 30 %",
        "cash earns nothing",
        "not on the orders of A whose volume is unknown",
    )
    assert [part for part in costs if part not in said] == []
    told = " ".join(notes(result, stale=True))
    known = (
        "those that failed since",
        "earlier data run",
        "settled at the last close",
        "2020-03-12",
        "unknown on 3 sessions",
    )
    assert [part for part in known if part not in told] == []
    assert notes({**result, "tickers": ["A"], "audit": {}}, stale=False) == []


def test_what_was_done_is_said_and_not_the_rule_it_departs_from(sheet: Stored) -> None:
    def said(**audit: Any) -> str:
        none = sheet.result["metrics"] | {"total_impact": 0.0}
        return assumed(sheet.result | {"metrics": none, "audit": audit}).replace("\N{NO-BREAK SPACE}", " ")

    assert "filled at the next open, in total-return prices" in said()
    assert "impact 1.5 % ×" in said()
    late = said(filled_at_close=["SIM001"], volume_unknown=TICKERS)
    assert "filled at the next open, at the close on bars of SIM001 that have no open, in" in late
    assert "no volume is known" in late
    assert "impact 1.5 %" not in late
    assert "of the daily volume" not in late


def test_settings_and_facts_are_said_by_their_labels(sheet: Stored) -> None:
    of = {
        "params": sheet.result["params"] | {"portfolio": "max_sharpe", "window": 756},
        "strategy_name": "frontier_timed",
    }
    assert "portfolio maximum Sharpe ratio, window 756" in asked(sheet.result | of)
    assert "voting indicators ADX" in asked(sheet.result)
    found = facts(
        sheet.result | {"audit": {"orders_unfilled": 3, "position_limit": 0.5, "gates": [1], "new_fact": 12_345.0}}
    )
    assert found["New fact"] == "12,345"
    assert found["At most in one ticker"] == "50 %"
    assert found["Result"] == sheet.result["result_id"]
    assert "commission 0.05 %; fixed commission 0" in found["Asked"]
    assert "stop loss 10 %" in found["Asked"]
    assert [value for name, value in found.items() if "no cash left" in name] == ["3"]
    assert len(found) == 8


def test_a_small_price_has_the_digits_it_needs() -> None:
    assert [price(value) for value in (1234.5, 1.0, 0.3412, 0.00123456, None)] == [
        "$1,234.50",
        "$1.00",
        "$0.3412",
        "$0.001235",
        "–",
    ]


def test_values_are_spelt_out_and_long_ones_cut() -> None:
    assert words({"a": [1, 2.5], "b": None, "c": True, "d": []}) == "a 1, 2.5, b none, c yes, d none"
    assert words([str(number) for number in range(100)]).endswith("39 and 60 more")
