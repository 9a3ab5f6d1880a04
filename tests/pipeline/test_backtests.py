"""The one door to a backtest: what names an answer, what brings it back, and what does not."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from analytics.errors import InputError, MissingDataError, UnknownKeyError
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


def ask(store: Path, folder: Path, **options: Any) -> str:
    request = BacktestRequest.of(**({"tickers": ["SIM001", "SIM002"]} | options))
    return backtests.run(request, db=store, workspace=folder / "w.db")


def change(store: Path, sql: str) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(sql)


def test_the_name_does_not_depend_on_order_case_or_spelled_defaults(store: Path, tmp_path: Path) -> None:
    first = ask(store, tmp_path)
    assert ask(store, tmp_path, tickers=["sim002", "SIM001"]) == first
    assert ask(store, tmp_path, parameters={"threshold": "3"}, fee_rate=0.0005) == first
    assert ask(store, tmp_path, parameters={"threshold": 2}) != first
    assert ask(store, tmp_path, fee_rate=0.001) != first
    assert ask(store, tmp_path, start="2019-01-01") != first


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


def test_a_changed_risk_free_rate_is_another_answer(store: Path, tmp_path: Path) -> None:
    first = ask(store, tmp_path)
    change(store, "UPDATE factor_returns SET rf = rf + 0.0001")
    assert ask(store, tmp_path) != first


def test_changed_code_is_another_question(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(store, tmp_path)
    monkeypatch.setattr(backtests, "code_version", lambda: "another")
    assert ask(store, tmp_path) != first
    assert version.code_version() != "another"


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


def test_prices_after_a_date_do_not_change_what_was_traded_before(store: Path, tmp_path: Path) -> None:
    cut = "2022-06-01"

    def before(result_id: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
            return connection.execute(
                "SELECT ticker, entry_date, entry_price, quantity FROM backtesting_trades "
                "WHERE result_id = ? AND entry_date < ? ORDER BY trade_id", (result_id, cut)).fetchall()  # fmt: skip

    first = before(ask(store, tmp_path))
    factors = "open = open * 3, high = high * 3, low = low * 3, close = close * 3, adj_close = adj_close * 3"
    change(store, f"UPDATE prices SET {factors} WHERE date >= '{cut}'")
    assert before(ask(store, tmp_path)) == first
    assert len(first) > 20


def test_bad_requests_are_explained(store: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownKeyError, match="Did you mean 'SIM001'"):
        ask(store, tmp_path, tickers=["SIM01"])
    with pytest.raises(InputError, match="at least one ticker"):
        ask(store, tmp_path, tickers=[])
    with pytest.raises(InputError, match="Swap the two dates"):
        ask(store, tmp_path, start="2020-01-01", end="2019-01-01")
    with pytest.raises(MissingDataError, match="No prices of SIM001"):
        ask(store, tmp_path, start="2090-01-01")
    with pytest.raises(MissingDataError, match="no stored result"):
        backtests.load("0" * 64, workspace=tmp_path / "w.db")
