"""Bars that are kept on disk are those of the store, to the bit, and of no other edition of it."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from analytics.market import FIELDS, Bars
from pipeline import backtests, kept_bars
from pipeline.backtests import BacktestRequest
from pipeline.queries import connect, prices

TICKERS, END = ("SIM001", "SIM002"), "2019-06-28"


def kept(db: Path, folder: Path, *, edition: str = "one", end: str = END, tickers: tuple[str, ...] = TICKERS) -> Any:
    with connect(db) as reader:
        return kept_bars.bars(reader, tickers, end=end, folder=folder, edition=edition)


def assert_same(found: dict[str, Bars], expected: dict[str, Bars]) -> None:
    assert found.keys() == expected.keys()
    for ticker, bars in expected.items():
        for name in ("dates", *FIELDS):
            own, theirs = getattr(found[ticker], name), getattr(bars, name)
            assert own.dtype == theirs.dtype
            assert own.tobytes() == theirs.tobytes(), (ticker, name)


def test_what_is_kept_is_what_the_store_holds(simulated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(simulated.db) as reader:
        expected = prices.all_bars(reader, TICKERS, end=END)
        early = prices.all_bars(reader, TICKERS, end="1900-01-01")
    assert_same(kept(simulated.db, tmp_path / "bars"), expected)
    monkeypatch.setattr(prices, "bars", lambda *_a, **_k: pytest.fail("the store was read again"))
    assert_same(kept(simulated.db, tmp_path / "bars"), expected)
    assert_same(kept(simulated.db, tmp_path / "bars", end="1900-01-01"), early)
    with pytest.raises(pytest.fail.Exception):
        kept(simulated.db, tmp_path / "bars", edition="two")


def test_a_ticker_that_the_store_does_not_know_has_no_bars(simulated: Any, tmp_path: Path) -> None:
    assert kept(simulated.db, tmp_path / "bars", tickers=("NONE",)) == {}
    assert kept(simulated.db, tmp_path / "bars", tickers=("NONE",)) == {}


@pytest.mark.parametrize("spoil", ["empty", "short", "changed", "database", "folder"])
def test_what_cannot_be_read_back_is_read_from_the_store(
    simulated: Any, tmp_path: Path, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bars"
    expected = kept(simulated.db, folder)
    spoilt: dict[str, Callable[[bytes], bytes]] = {
        "empty": lambda raw: b"",
        "short": lambda raw: raw[: 7 * 8 * 100],
        "changed": lambda raw: raw[:-1] + b"x",
    }
    if spoil in spoilt:
        for path in folder.rglob("*.val"):
            path.write_bytes(spoilt[spoil](path.read_bytes()))
    elif spoil == "database":
        (folder / "cache.db").write_bytes(b"garbage" * 1_000)
    else:
        (tmp_path / "file").write_text("")
        folder = tmp_path / "file" / "bars"
    assert_same(kept(simulated.db, folder), expected)
    if spoil in spoilt:  # and is kept anew
        with monkeypatch.context() as patched:
            patched.setattr(prices, "bars", lambda *_a, **_k: pytest.fail("the store was read again"))
            assert_same(kept(simulated.db, folder), expected)


def test_a_changed_price_is_not_answered_from_what_was_kept(simulated: Any, tmp_path: Path) -> None:
    db, folder = tmp_path / "data.db", tmp_path / "bars"
    shutil.copy(simulated.db, db)
    request = BacktestRequest.of(tickers=list(TICKERS), start="2018-01-02", end=END)
    first = backtests.run(request, db=db, workspace=tmp_path / "kept.db", bars=folder)
    for run_id in (None, "the next run"):  # by another hand, and by an update
        change(db, run_id)
        found = backtests.run(request, db=db, workspace=tmp_path / "kept.db", bars=folder)
        assert found == backtests.run(request, db=db, workspace=tmp_path / f"{run_id}.db")
        assert found != first
        first = found


def test_nothing_is_kept_of_a_store_that_changes_while_it_is_opened(
    simulated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, folder = tmp_path / "data.db", tmp_path / "bars"
    shutil.copy(simulated.db, db)
    request, resolve = BacktestRequest.of(tickers=list(TICKERS), start="2018-01-02", end=END), backtests.resolve
    seen = []

    def resolve_late(reader: Any, *arguments: Any) -> Any:
        seen.append(prices.bars(reader, TICKERS[0]))  # the snapshot is taken
        if len(seen) == 2:  # that of the run itself
            change(db, None)
        return resolve(reader, *arguments)

    monkeypatch.setattr(backtests, "resolve", resolve_late)
    backtests.run(request, db=db, workspace=tmp_path / "w.db", bars=folder)
    assert len(seen) == 2
    assert not folder.exists()


def change(db: Path, run_id: str | None) -> None:
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute(
            "UPDATE prices SET adj_close = adj_close * 1.01, volume = volume + 1 WHERE ticker = 'SIM001'"
        )
        if run_id is not None:
            connection.execute("UPDATE published SET run_id = ?", (run_id,))


def test_a_backtest_is_the_same_with_bars_that_were_kept(simulated: Any, tmp_path: Path) -> None:
    folder = tmp_path / "bars"
    request = BacktestRequest.of(tickers=list(TICKERS), start="2018-01-02", end=END)
    found = [
        backtests.run(request, db=simulated.db, workspace=tmp_path / f"{number}.db", bars=bars)
        for number, bars in enumerate((None, folder, folder))
    ]
    assert len(set(found)) == 1
    stored = [backtests.load(found[0], workspace=tmp_path / f"{number}.db")["metrics"] for number in range(3)]
    assert stored[0] == stored[1] == stored[2]
    assert len(list(folder.rglob("*.val"))) == len(TICKERS)
