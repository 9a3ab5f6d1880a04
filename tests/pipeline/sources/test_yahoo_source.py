"""The Yahoo source against a fake site on 127.0.0.1: answers, silence, a 404, a hang, the factor files."""

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_yahoo import NEW_YORK, FakeSite, at, bars, serve, zipped

from config import load_settings
from pipeline.errors import SourceError
from pipeline.sources import (
    SOURCES,
    FetchRequest,
    SourceData,
    _french_download,
    _yahoo_batch,
    no_report,
    yahoo,
)

MONTHLY = b"made by X\r\n\r\n,Mkt-RF,SMB,HML,RF\r\n192607, 2.96, -2.56, -2.43, 0.22\r\n\r\nCopyright\r\n"
DAILY = b"made by X\r\n\r\n,Mom\r\n19261103, 0.56\r\n"
GICS_SECTORS = {
    "Information Technology", "Communication Services", "Consumer Discretionary", "Consumer Staples",
    "Health Care", "Industrials", "Energy", "Utilities", "Materials", "Real Estate", "Financials",
}  # fmt: skip
local_only = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeSite, SourceData, Path]]:
    """One download of a good, an empty, a missing and a hanging ticker, a yield and a fund."""
    cache = tmp_path_factory.mktemp("cache")
    site = FakeSite()
    site.charts = {ticker: bars("2024-01-02", 20) for ticker in ("AAA", "SILENT", "SPY", "HANGS")}
    site.charts["^IRX"] = [row | {"close": row["close"] / 20} for row in bars("2024-01-02", 3)]
    site.empty, site.hangs, site.kinds = {"SILENT"}, {"HANGS"}, {"SPY": "ETF"}
    site.files = {
        "F-F_Research_Data_Factors_CSV.zip": zipped("F-F_Research_Data_Factors.CSV", MONTHLY),
        "F-F_Momentum_Factor_daily_CSV.zip": zipped("F-F_Momentum_Factor_daily.CSV", DAILY),
        "F-F_Momentum_Factor_CSV.zip": b"<html>moved</html>",
    }
    with pytest.MonkeyPatch.context() as patch, serve(site) as address:
        patch.setenv("PLUMBLINE_YAHOO_URL", address)
        patch.setenv("NO_PROXY", "127.0.0.1")
        settings = load_settings({}, cache_dir=cache, french_url=address, yahoo_batch=6, yahoo_batch_seconds=6.0)
        request = FetchRequest(
            tickers=("AAA", "SILENT", "NOPE", "SPY", "^IRX", "HANGS"), start="2024-01-04",
            last_dates={"AAA": "2024-01-29"}, settings=settings,
        )  # fmt: skip
        yield site, SOURCES["yahoo"].fetch(request, no_report), cache


@local_only
class TestDownload:
    """What came of one batch that was killed at its deadline."""

    def test_every_ticker_has_its_own_status(self, fetched: tuple) -> None:
        log = fetched[1].fetch_log.set_index("ticker")
        assert log["status"][["AAA", "SPY", "^IRX"]].tolist() == ["ok", "ok", "ok"]
        assert log.loc["SILENT", "status"] == "empty"
        assert log.loc["NOPE", "status"] == "error"
        assert "404" in log.loc["NOPE", "message"]
        assert log.loc["HANGS", ["status", "message"]].tolist() == ["error", "no answer within 6 s"]
        assert not log["message"].str.contains("delisted").any()

    def test_a_known_ticker_is_asked_for_the_overlap_alone(self, fetched: tuple) -> None:
        site, data, _ = fetched
        asked = [query for ticker, query in site.asked if ticker == "AAA" and "period1" in query]
        assert len(asked) == 1
        assert datetime.fromtimestamp(int(asked[0]["period1"][0]), NEW_YORK).date().isoformat() == "2024-01-11"
        dates = data.prices[data.prices["ticker"] == "AAA"]["date"]
        assert dates.tolist()[0] == "2024-01-11"
        assert dates.tolist()[-1] == "2024-01-29"

    def test_prices_are_not_auto_adjusted(self, fetched: tuple) -> None:
        row = fetched[1].prices.query("ticker == 'SPY' and date == '2024-01-04'").iloc[0]
        assert row[["open", "high", "low", "close", "volume"]].tolist() == [
            101.5,
            103.0,
            101.0,
            102.0,
            1002.0,
        ]
        assert row["adj_close"] == pytest.approx(91.8)

    def test_yields_go_to_rates_and_names_come_from_our_list_or_yahoo(self, fetched: tuple) -> None:
        data = fetched[1]
        assert data.rates.to_numpy().tolist() == [["^IRX", "2024-01-04", pytest.approx(0.051)]]
        names = data.instruments.set_index("ticker")
        assert names.loc["SPY", ["name", "kind"]].tolist() == ["SPDR S&P 500 ETF", "etf"]
        assert names.loc["AAA", ["name", "kind", "exchange"]].tolist() == ["AAA Incorporated", "stock", "NMS"]

    def test_actions(self, fetched: tuple) -> None:
        actions = fetched[1].actions
        assert actions[actions["ticker"] == "SPY"].to_numpy().tolist() == [["SPY", "2024-01-04", "split", 4.0]]

    def test_a_factor_file_that_fails_is_logged_and_spoils_nothing(self, fetched: tuple) -> None:
        data = fetched[1]
        assert data.factors[["frequency", "date", "mkt_rf", "mom"]].fillna(-1).to_numpy().tolist() == [
            ["D", "1926-11-03", -1, pytest.approx(0.0056)], ["M", "1926-07-31", pytest.approx(0.0296), -1],
        ]  # fmt: skip
        log = data.fetch_log.set_index("ticker").loc[list(_french_download.FILES)]
        assert sorted(log["status"]) == ["error"] * 4 + ["ok"] * 2
        assert "BadZipFile" in log.loc["F-F_Momentum_Factor_CSV.zip", "message"]

    def test_the_cache_of_cookies_is_private(self, fetched: tuple) -> None:
        assert stat.S_IMODE(os.stat(fetched[2] / "yahoo").st_mode) == 0o700


def test_nothing_at_all_is_an_error_and_later_batches_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fail(starts: dict, *_arguments: object) -> list[dict]:
        asked.append(list(starts))
        return [{"ticker": ticker, "status": "error", "message": "no network"} for ticker in starts]

    monkeypatch.setattr(_yahoo_batch, "_run", fail)
    monkeypatch.setattr(_yahoo_batch, "_private", lambda folder: folder)
    settings = load_settings({}, yahoo_batch=1)
    request = FetchRequest(tickers=("A", "B", "C", "D"), settings=settings)
    with pytest.raises(SourceError, match=r"nothing could be fetched: no network.*The store is unchanged\."):
        SOURCES["yahoo"].fetch(request, no_report)
    assert asked == [["A"], ["B"]]


def test_a_line_cut_short_is_no_answer() -> None:
    printed = '{"ticker": "A", "status": "ok", "message": ""}\n{"ticker": "B", "sta'
    assert list(_yahoo_batch._answers(printed)) == ["A"]


@pytest.mark.parametrize(
    ("clock", "last"),
    [("15:59", "2024-01-04"), ("16:29", "2024-01-04"), ("16:30", "2024-01-05"), ("23:00", "2024-01-05")],
)
def test_an_unfinished_bar_is_left_out(clock: str, last: str) -> None:
    prices = pd.DataFrame({"date": ["2024-01-04", "2024-01-05"]})
    now = datetime.fromisoformat(f"2024-01-05T{clock}").replace(tzinfo=NEW_YORK)
    assert yahoo._without_unfinished(prices, now)["date"].iloc[-1] == last


def test_the_overlap_covers_ten_sessions_over_christmas() -> None:
    start = yahoo._start("A", {"A": "2024-01-05"}, None)
    sessions = np.busday_count(start, "2024-01-05", holidays=["2023-12-25", "2024-01-01"])
    assert sessions >= 10
    assert yahoo._start("B", {"A": "2024-01-05"}, None) == "2000-01-01"
    assert yahoo._start("B", {}, "2020-01-01") == "2020-01-01"


def test_the_universe_has_true_sectors_and_its_history_adds_up() -> None:
    instruments, members = yahoo._universe(), yahoo._members()
    stocks = instruments[instruments["kind"] == "stock"]
    assert len(stocks) == 101
    assert set(stocks["sector"]) <= GICS_SECTORS
    assert stocks[["name", "industry"]].notna().all(axis=None)
    assert set(members[members["end_date"].isna()]["ticker"]) == set(stocks["ticker"])
    for day, size in (("2015-01-01", 105), ("2020-01-01", 103), ("2024-01-01", 101), ("2026-01-20", 101)):
        in_force = members[(members["start_date"] <= day) & ~(members["end_date"] <= day)]
        assert len(in_force) == size, day
        assert in_force["ticker"].is_unique


@local_only
@pytest.mark.parametrize(("url", "message"), [("file:///etc", "not a web address"), ("http://127.0.0.1:1", "URLError")])
def test_a_library_that_cannot_be_reached_leaves_no_factors(url: str, message: str) -> None:
    factors, log = _french_download.download(url)
    assert factors.empty
    assert [row[1] for row in log] == ["error"] * 6
    assert all(message in row[3] for row in log)


def test_the_fake_serves_new_york_mornings() -> None:
    assert bars("2024-01-02", 1)[0]["timestamp"] == at("2024-01-02") + 14.5 * 3600
