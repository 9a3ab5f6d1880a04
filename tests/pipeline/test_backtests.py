"""The one door to a backtest: what names an answer, what brings it back, what is stored, and in which order."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analytics.backtest import Costs, Rules
from analytics.backtest.checks import Checks
from analytics.errors import InputError, MissingDataError, UnknownKeyError
from analytics.metrics import METRICS
from pipeline import backtests, version
from pipeline.backtests import BacktestRequest
from pipeline.queries import connect, results
from pipeline.runner import UpdateRequest, update
from pipeline.workspace import reading


@pytest.fixture
def store(simulated: Any, tmp_path: Path) -> Path:
    """A copy of a published store that a test may change; nobody writes to the original meanwhile."""
    copy = tmp_path / "data.db"
    shutil.copy(simulated.db, copy)
    return copy


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are checked by nodding, for tests of everything else."""
    nod = Checks({"verdict": "green", "gates": [], "intervals": {}}, pd.DataFrame({"ticker": ["SIM001"]}))
    monkeypatch.setattr("pipeline.backtests.check", lambda *_, **__: nod)


def ask(store: Path, folder: Path, **options: Any) -> str:
    request = BacktestRequest.of(**({"tickers": ["SIM001", "SIM002"]} | options))
    return backtests.run(request, db=store, workspace=folder / "w.db")


def change(store: Path, sql: str) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        assert connection.execute(sql).rowcount > 0


# ---- what names an answer -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_the_name_does_not_depend_on_order_case_or_spelled_defaults(store: Path, tmp_path: Path) -> None:
    first = ask(store, tmp_path)
    assert ask(store, tmp_path, tickers=["sim002", "SIM001"]) == first
    assert ask(store, tmp_path, parameters={"threshold": "3"}, costs={"fee_rate": 0.0005, "fixed_fee": None}) == first
    assert ask(store, tmp_path, rules={"stop_loss": "0", "cash_interest": "on"}, engine="kernel") == first
    assert ask(store, tmp_path, costs={"borrow_rate": "0.01", "fee_rate": "0.0005"}, initial_capital=1e5) == first
    others = [
        {"parameters": {"threshold": 2}}, {"costs": {"fee_rate": 0.001}}, {"costs": {"participation_cap": 0.2}},
        {"rules": {"stop_loss": 0.1}}, {"rules": {"cash_interest": False}}, {"rules": {"direction": "long_short"}},
        {"initial_capital": 1e6}, {"start": "2019-01-01"}, {"end": "2023-01-03"}, {"tickers": ["SIM001"]},
        {"strategy": "buy_and_hold"},
    ]  # fmt: skip
    names = [ask(store, tmp_path, **other) for other in others]
    assert len({first, *names}) == len(others) + 1


@pytest.mark.usefixtures("quick")
def test_a_changed_price_is_another_question_even_in_the_same_run(store: Path, tmp_path: Path) -> None:
    first = ask(store, tmp_path)
    change(
        store,
        "UPDATE prices SET close = close * 1.01, high = high * 1.02 WHERE ticker = 'SIM001' AND date > '2023-01-01'",
    )
    second = ask(store, tmp_path)
    assert second != first
    change(store, "UPDATE prices SET volume = volume + 1 WHERE ticker = 'SIM003'")  # not among those asked for
    assert ask(store, tmp_path) == second
    change(store, "UPDATE prices SET volume = volume + 1 WHERE ticker = 'SIM002'")
    assert ask(store, tmp_path) not in (first, second)


@pytest.mark.usefixtures("quick")
def test_t27_an_update_that_lands_while_a_backtest_reads_is_not_seen(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ask(store, tmp_path)
    read, landed = backtests.read_inputs, []

    def read_late(*arguments: Any, **options: Any) -> Any:
        if not landed:  # the question is resolved; now the night's run is published
            landed.append(True)
            change(store, "UPDATE prices SET close = close * 1.01, high = high * 1.02 WHERE ticker = 'SIM001'")
            change(store, "UPDATE published SET run_id = 'the next run'")
        return read(*arguments, **options)

    monkeypatch.setattr(backtests, "read_inputs", read_late)
    other = tmp_path / "other"
    during = ask(store, other)
    assert landed
    assert during == before
    stored = [backtests.load(before, workspace=folder / "w.db") for folder in (tmp_path, other)]
    assert stored[0]["data_run_id"] == stored[1]["data_run_id"] != "the next run"
    assert stored[0]["metrics"] == stored[1]["metrics"]
    after = ask(store, other)
    assert after != before
    assert backtests.load(after, workspace=other / "w.db")["data_run_id"] == "the next run"


@pytest.mark.usefixtures("quick")
def test_a_changed_risk_free_rate_is_another_answer(store: Path, tmp_path: Path) -> None:
    first = ask(store, tmp_path)
    change(store, "UPDATE factor_returns SET rf = rf + 0.0001")
    assert ask(store, tmp_path) != first


@pytest.mark.usefixtures("quick")
def test_a_changed_factor_fit_is_another_answer_of_the_strategies_that_read_it(store: Path, tmp_path: Path) -> None:
    technical, fundamental = ask(store, tmp_path), ask(store, tmp_path, strategy="fundamental")
    change(store, "UPDATE factor_model_fits SET alpha = alpha + 0.001 WHERE ticker = 'SIM001'")
    assert ask(store, tmp_path) == technical
    assert ask(store, tmp_path, strategy="fundamental") != fundamental


@pytest.mark.usefixtures("quick")
def test_a_changed_membership_is_another_answer(store: Path, tmp_path: Path) -> None:
    """The audit says of the members who left during the test: it belongs to the answer."""
    first = ask(store, tmp_path)
    insert = "INSERT INTO universe_members (universe, ticker, start_date) VALUES ('sp500', 'SIM001', '2015-01-02')"
    change(store, insert)
    joined = ask(store, tmp_path)
    assert joined != first
    change(store, "UPDATE universe_members SET end_date = '2022-03-01' WHERE ticker = 'SIM001'")
    left = ask(store, tmp_path)
    assert left not in (first, joined)
    change(store, "DELETE FROM universe_members WHERE ticker = 'SIM001'")
    assert ask(store, tmp_path) == first


def test_a_question_has_one_name_whoever_asks_it_on_the_same_data(store: Path) -> None:
    def name_of(**options: Any) -> str:
        return backtests.ask(BacktestRequest.of(**({"tickers": ["SIM001", "SIM002"]} | options)), db=store).key()

    first = name_of()
    assert name_of(tickers=["sim002", "SIM001"], parameters={"threshold": "3"}, initial_capital="100000") == first
    others = [
        {"tickers": ["SIM001"]},
        {"costs": {"fee_rate": 0.001}},
        {"rules": {"stop_loss": 0.1}},
        {"end": "2023-01-03"},
    ]
    assert len({first, *(name_of(**other) for other in others)}) == 5
    change(store, "UPDATE prices SET volume = volume + 1 WHERE ticker = 'SIM001'")
    assert name_of() != first
    with pytest.raises(UnknownKeyError, match="Did you mean 'SIM001'"):
        name_of(tickers=["SIM01"])


@pytest.mark.usefixtures("quick")
def test_changed_code_is_another_question(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(store, tmp_path)
    monkeypatch.setattr(backtests, "code_version", lambda: "another")
    assert ask(store, tmp_path) != first
    assert version.code_version() != "another"


@pytest.mark.usefixtures("quick")
def test_a_new_run_with_the_same_prices_finds_the_old_answer_at_once(settings: Any, tmp_path: Path) -> None:
    update(UpdateRequest(source="simulated"), settings=settings)
    first = ask(settings.db, tmp_path)
    update(UpdateRequest(), settings=settings)
    request = BacktestRequest.of(tickers=["SIM001", "SIM002"])
    assert backtests.find(request, db=settings.db, workspace=tmp_path / "w.db") is None
    assert ask(settings.db, tmp_path) == first
    assert backtests.find(request, db=settings.db, workspace=tmp_path / "w.db") == first
    with connect(settings.db) as market:
        run_id = market.one("SELECT run_id FROM published")[0]
    with reading(tmp_path / "w.db") as reader:
        assert results.is_current(reader, first, run_id)
        assert not results.is_current(reader, first, "another run")


@pytest.mark.usefixtures("quick")
def test_prices_after_a_date_do_not_change_what_was_traded_before(store: Path, tmp_path: Path) -> None:
    cut = "2022-06-01"

    def before(result_id: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
            return connection.execute(
                "SELECT ticker, entry_date, entry_price, quantity FROM backtesting_trades "
                "WHERE result_id = ? AND entry_date < ? ORDER BY trade_id", (result_id, cut)).fetchall()  # fmt: skip

    # all at once: an order that waits for volume at the cut would buy its rest, at other prices, after it
    options = {"costs": {"participation_cap": 0}}
    first = before(ask(store, tmp_path, **options))
    factors = "open = open * 3, high = high * 3, low = low * 3, close = close * 3, adj_close = adj_close * 3"
    change(store, f"UPDATE prices SET {factors} WHERE date >= '{cut}'")
    assert before(ask(store, tmp_path, **options)) == first
    assert len(first) > 20


# ---- the answer first, then its checks ------------------------------------------------------------------------


def test_the_answer_is_stored_first_and_its_checks_with_it_afterwards(store: Path, tmp_path: Path) -> None:
    workspace, seen = tmp_path / "w.db", []
    request = BacktestRequest.of(tickers=["SIM001", "SIM002"], start="2021-01-01")

    def stored(result_id: str) -> None:
        early = backtests.load(result_id, workspace=workspace)
        seen.append((result_id, set(early["audit"]) & {"verdict", "gates", "intervals"}, early["metrics"]))

    steps: list[tuple[float, str]] = []
    result_id = backtests.run(
        request, db=store, workspace=workspace, stored=stored, report=lambda *step: steps.append(step)
    )
    result = backtests.load(result_id, workspace=workspace)
    assert seen == [(result_id, set(), result["metrics"])]
    fractions = [fraction for fraction, _ in steps]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < fractions[-1] <= 1
    assert any("checking for look-ahead" in message for _, message in steps)

    audit = result["audit"]
    assert audit["verdict"] in ("green", "amber", "red")
    assert {"key", "label", "verdict", "detail"} == set(audit["gates"][0])
    assert audit["engine"].startswith("Plumbline kernel")  # what the first stage said is still there
    for low, high in (bounds for bounds in audit["intervals"].values() if None not in bounds):
        assert low <= high
    low, high = audit["intervals"]["annual_volatility"]
    assert low < result["metrics"]["annual_volatility"] < high
    with reading(workspace) as reader:
        assert results.is_checked(reader, result_id)
        tickers, trades = results.tickers(reader, result_id), results.trades(reader, result_id)
    assert tickers["ticker"].tolist() == ["SIM001", "SIM002"]
    assert tickers["contribution"].sum() == pytest.approx(trades["pnl"].sum(), rel=1e-12)
    assert tickers.drop(columns="win_rate").notna().all(axis=None)


def test_checks_that_were_interrupted_are_made_the_next_time(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, told = tmp_path / "w.db", []
    request = BacktestRequest.of(tickers=["SIM001"], start="2023-01-01")

    def stop(*_: Any, **__: Any) -> Checks:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr("pipeline.backtests.check", stop)
        with pytest.raises(KeyboardInterrupt):
            backtests.run(request, db=store, workspace=workspace, stored=told.append)
    (result_id,) = told
    before = backtests.load(result_id, workspace=workspace)
    assert "verdict" not in before["audit"]
    assert backtests.find(request, db=store, workspace=workspace) is None
    assert backtests.run(request, db=store, workspace=workspace) == result_id
    after = backtests.load(result_id, workspace=workspace)
    assert "verdict" in after["audit"]
    assert backtests.find(request, db=store, workspace=workspace) == result_id
    assert {name: after[name] for name in after if name != "audit"} == {
        name: before[name] for name in before if name != "audit"
    }


@pytest.mark.usefixtures("quick")
def test_an_answer_that_is_there_is_not_computed_again(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(store, tmp_path)
    for name in ("read_inputs", "run_backtest"):
        monkeypatch.setattr(backtests, name, lambda *_, **__: pytest.fail("computed again"))
    assert ask(store, tmp_path) == first


# ---- what is stored -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_everything_that_was_chosen_and_measured_is_stored(store: Path, tmp_path: Path) -> None:
    rules = {"direction": "long_short", "stop_loss": 0.08, "max_position": 0.5}
    result_id = ask(store, tmp_path, rules=rules, costs={"fixed_fee": 1})
    result = backtests.load(result_id, workspace=tmp_path / "w.db")
    chosen = asdict(Costs(fixed_fee=1)) | asdict(Rules(**rules))
    chosen |= {"initial_capital": 100_000.0, "engine": "kernel", "threshold": 3}
    assert chosen.items() <= result["params"].items()
    assert set(result["metrics"]) == set(METRICS)
    assert (result["tickers"], result["strategy_name"]) == (["SIM001", "SIM002"], "technical_vote")
    with reading(tmp_path / "w.db") as reader:
        equity, trades = results.equity(reader, result_id), results.trades(reader, result_id)
    assert equity.notna().all(axis=None)
    assert (equity["date"].iloc[0], equity["date"].iloc[-1]) == (result["start_date"], result["end_date"])
    assert len(equity) == result["audit"]["sessions"]
    invested = equity["equity"] * equity["net_exposure"]
    pd.testing.assert_series_equal(equity["cash"] + invested, equity["equity"], check_names=False)
    assert trades.notna().all(axis=None)
    assert set(trades["direction"]) == {"long", "short"}
    assert {"signal", "stop loss"} <= set(trades["reason"])
    assert (trades["entry_reason"].str.len() > 0).mean() > 0.9
    assert trades["borrow"][trades["direction"] == "short"].min() >= 0
    assert result["metrics"]["n_trades"] == len(trades)
    gained = equity["equity"].iloc[-1] - 100_000
    assert trades["pnl"].sum() + result["metrics"]["total_interest"] == pytest.approx(gained, abs=1e-4)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


@pytest.mark.usefixtures("quick")
def test_a_description_names_the_verdict_and_every_metric(store: Path, tmp_path: Path) -> None:
    result = backtests.load(ask(store, tmp_path), workspace=tmp_path / "w.db")
    told = backtests.describe(result)
    assert "Audit: green" in told
    assert all(metric.label in told for metric in METRICS.values())
    del result["audit"]["verdict"]
    assert "Audit" not in backtests.describe(result)


# ---- what is refused ------------------------------------------------------------------------------------------


def test_bad_requests_are_explained(store: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownKeyError, match="Did you mean 'SIM001'"):
        ask(store, tmp_path, tickers=["SIM01"])
    with pytest.raises(InputError, match="at least one ticker"):
        ask(store, tmp_path, tickers=[])
    with pytest.raises(InputError, match="Swap the two dates"):
        ask(store, tmp_path, start="2020-01-01", end="2019-01-01")
    with pytest.raises(UnknownKeyError, match="Did you mean 'borrow_rate'"):
        ask(store, tmp_path, costs={"borow_rate": 0.1})
    with pytest.raises(UnknownKeyError, match="Did you mean 'stop_loss'"):
        ask(store, tmp_path, rules={"stoploss": 0.1})
    with pytest.raises(InputError, match="take_profit: got -1"):
        ask(store, tmp_path, rules={"take_profit": -1})
    with pytest.raises(MissingDataError, match="No prices of SIM001"):
        ask(store, tmp_path, start="2090-01-01")
    with pytest.raises(
        InputError, match=r"market impact, participation cap, interest on cash.*choose the other engine"
    ):
        ask(store, tmp_path, engine="vectorbt")
    with pytest.raises(InputError, match="threshold: got 3; allowed: at most the number of voting indicators, 1"):
        ask(store, tmp_path, parameters={"votes": ["rsi"]})
    with pytest.raises(MissingDataError, match="no stored result"):
        backtests.load("0" * 64, workspace=tmp_path / "w.db")


@pytest.mark.parametrize("tickers", ["SIM001", 7, 1.5, True, object()])
def test_tickers_that_are_no_list_are_refused(tickers: Any) -> None:
    with pytest.raises(InputError, match=r"tickers: got .*; allowed: a list of tickers"):
        BacktestRequest.of(tickers=tickers)
    assert BacktestRequest.of(tickers=iter(["sim001"])).tickers == ("SIM001",)


@pytest.mark.parametrize(
    "nonsense", [{"strategy": ["a"]}, {"engine": {}}, {"initial_capital": 10**400}, {"initial_capital": True}]
)
def test_values_that_no_form_could_send_are_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(nonsense))}: got .*; allowed: "):
        BacktestRequest.of(**nonsense)


def test_a_strategy_without_its_factor_fits_says_what_to_run(store: Path, tmp_path: Path) -> None:
    change(store, "DELETE FROM factor_loadings")
    change(store, "DELETE FROM factor_model_fits")
    with pytest.raises(MissingDataError, match=r"needs factor fits.*Run: make update"):
        ask(store, tmp_path, strategy="fundamental")
