"""Bars that are kept on disk are those of the store, to the bit, and of no other edition of it."""

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


@pytest.mark.parametrize("spoil", ["file", "database", "folder"])
def test_what_cannot_be_read_back_is_read_from_the_store(simulated: Any, tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "bars"
    expected = kept(simulated.db, folder)
    if spoil == "file":
        for path in folder.rglob("*.val"):
            path.write_bytes(b"12345")
    elif spoil == "database":
        (folder / "cache.db").write_bytes(b"garbage" * 1_000)
    else:
        (tmp_path / "file").write_text("")
        folder = tmp_path / "file" / "bars"
    assert_same(kept(simulated.db, folder), expected)


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
