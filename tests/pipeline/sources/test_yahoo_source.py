"""The Yahoo source against a fake site on 127.0.0.1: what becomes of good, bad and half answers."""

import os
import stat
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from fake_yahoo import NEW_YORK, FakeSite, at, bars, quick, site_of, zipped

from analytics.errors import InputError
from pipeline import quality
from pipeline.sources import (
    SOURCES,
    FetchRequest,
    SourceData,
    _french_download,
    _yahoo_batch,
    _yahoo_universe,
    no_report,
    yahoo,
)

MONTHLY = b"made by X\r\n\r\n,Mkt-RF,SMB,HML,RF\r\n192607, 2.96, -2.56, -2.43, 0.22\r\n\r\nCopyright\r\n"
DAILY = b"made by X\r\n\r\n,Mom\r\n19261103, 0.56\r\n"
GICS_SECTORS = {
    "Information Technology", "Communication Services", "Consumer Discretionary", "Consumer Staples",
    "Health Care", "Industrials", "Energy", "Utilities", "Materials", "Real Estate", "Financials",
}  # fmt: skip
ONCE = {"F500": "500", "HTML": "html", "EMPTY": "empty", "TRUNC": "truncated", "CUT": "cut", "RESET": "reset"}
ASKED = ("AAA", "SILENT", "NOPE", "SPY", "^IRX", "LOGIN", *ONCE)
INFO = {
    "summaryDetail": {"marketCap": 3_000_000_000_000, "trailingPE": 30.5, "forwardPE": "Infinity",
                      "dividendYield": 0.44, "trailingAnnualDividendYield": 0.0044},
    "defaultKeyStatistics": {"priceToBook": 50.0, "sharesOutstanding": 15_000_000_000, "beta": 1.2},
    "financialData": {"returnOnEquity": 1.5, "profitMargins": -0.25, "revenueGrowth": None, "grossMargins": True},
    "assetProfile": {"sector": "Technology", "industry": "Consumer Electronics"},
}  # fmt: skip
Serve = Callable[[FakeSite], str]
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def spoilt() -> list[dict]:
    """Twenty bars with an unknown volume, a last close that is missing, and prices that nobody paid."""
    rows = bars("2024-01-02", 20)
    rows[5]["volume"] = None
    rows[6]["close"] = rows[6]["adjclose"] = -5.0
    rows[7]["close"] = rows[7]["adjclose"] = 0.0
    rows[8]["close"] = rows[8]["adjclose"] = 1e12
    rows[19]["close"] = rows[19]["adjclose"] = None
    return rows


@pytest.fixture(scope="module")
def fetched(served: Serve, tmp_path_factory: pytest.TempPathFactory) -> tuple[FakeSite, SourceData, Path]:
    """One download of good, bad and repaired tickers; AAPL is one of ours."""
    cache, site = tmp_path_factory.mktemp("cache"), site_of("AAA", "SILENT", "LOGIN", *ONCE)
    site.charts |= {"SPY": spoilt(), "^IRX": [row | {"close": row["close"] / 20} for row in bars("2024-01-02", 3)]}
    site.empty, site.infos = {"SILENT"}, {"AAA": INFO}
    site.kinds |= {"^IRX": "INDEX"} | dict.fromkeys(("LOGIN", *ONCE), "ETF")
    faults = ONCE | {"LOGIN": "401"}
    site.fault = lambda what, ticker, count: faults.get(ticker, "") if (what, count) == ("chart", 1) else ""
    site.files = {
        "F-F_Research_Data_Factors_CSV.zip": zipped("F-F_Research_Data_Factors.CSV", MONTHLY),
        "F-F_Momentum_Factor_daily_CSV.zip": zipped("F-F_Momentum_Factor_daily.CSV", DAILY),
        "F-F_Momentum_Factor_CSV.zip": b"<html>moved</html>",
    }
    request = FetchRequest(
        tickers=ASKED, start="2024-01-04", last_dates={"AAA": "2024-01-29"}, settings=quick(served(site), cache),
    )  # fmt: skip
    return site, SOURCES["yahoo"].fetch(request, no_report), cache


class TestDownload:
    """What came of one download."""

    def test_every_ticker_has_its_own_status(self, fetched: tuple) -> None:
        log = fetched[1].fetch_log.set_index("ticker")
        assert log["status"][["AAA", "SPY", "^IRX", "LOGIN"]].tolist() == ["ok"] * 4
        assert log.loc["LOGIN", "attempts"] == 1, "yfinance logs in and asks again by itself"
        assert log.loc["SILENT", "status"] == "empty"
        assert log.loc["NOPE", ["status", "message"]].tolist() == ["not_found", "Yahoo does not know it (HTTP 404)"]
        assert not log["message"].str.contains("delisted").any()
        assert log.loc["AAA", "fetched_at"].endswith("Z")

    @pytest.mark.parametrize("ticker", ONCE)
    def test_t4_a_fault_that_passes_is_mended_in_the_same_update(self, fetched: tuple, ticker: str) -> None:
        data = fetched[1]
        assert data.fetch_log.set_index("ticker").loc[ticker, ["status", "attempts"]].tolist() == ["ok", 2]
        assert (data.prices["ticker"] == ticker).sum() == 18

    def test_one_request_per_answer_and_none_for_a_crumb(self, fetched: tuple) -> None:
        site = fetched[0]
        charts = Counter(ticker for what, ticker, _ in site.asked if what == "chart")
        assert all(charts[ticker] == 1 for ticker in ("AAA", "SILENT", "NOPE", "^IRX"))
        assert all(charts[ticker] == 2 for ticker in (*ONCE, "LOGIN"))
        assert site.counts["file", "AAA"] == 0, "yfinance asked for key statistics that nobody wants"

    def test_a_known_ticker_is_asked_for_the_overlap_alone(self, fetched: tuple) -> None:
        site, data, _ = fetched
        (query,) = [query for what, ticker, query in site.asked if (what, ticker) == ("chart", "AAA")]
        assert datetime.fromtimestamp(int(query["period1"][0]), NEW_YORK).date().isoformat() == "2024-01-11"
        dates = data.prices[data.prices["ticker"] == "AAA"]["date"]
        assert dates.tolist()[0] == "2024-01-11"
        assert dates.tolist()[-1] == "2024-01-29"

    def test_prices_are_not_auto_adjusted(self, fetched: tuple) -> None:
        row = fetched[1].prices.query("ticker == 'SPY' and date == '2024-01-04'").iloc[0]
        assert row[["open", "high", "low", "close", "volume"]].tolist() == [101.5, 103.0, 101.0, 102.0, 1002.0]
        assert row["adj_close"] == pytest.approx(91.8)

    def test_t6_a_missing_last_close_and_absurd_prices_reach_the_gate(self, fetched: tuple) -> None:
        prices = fetched[1].prices.query("ticker == 'SPY'").set_index("date")
        assert np.isnan(prices.loc["2024-01-29", "close"])
        assert np.isnan(prices.loc["2024-01-09", "volume"]), "Yahoo did not say 0"
        rejects = quality.check_prices(prices.reset_index(), today="2024-02-01")[1]
        assert rejects.set_index("date")["reason"].to_dict() == {
            "2024-01-10": "price not positive", "2024-01-11": "price not positive", "2024-01-12": "price too large",
            "2024-01-29": "missing close",
        }  # fmt: skip

    def test_yields_go_to_rates_and_names_come_from_our_list_or_yahoo(self, fetched: tuple) -> None:
        data = fetched[1]
        assert data.rates.to_numpy().tolist() == [["^IRX", "2024-01-04", pytest.approx(0.051)]]
        names = data.instruments.set_index("ticker")
        assert names.loc["SPY", ["name", "kind"]].tolist() == ["SPDR S&P 500 ETF", "etf"]
        assert names.loc["AAA", ["name", "kind", "exchange"]].tolist() == ["AAA Incorporated", "stock", "NMS"]
        assert names.loc["AAA", ["sector", "industry"]].tolist() == ["Technology", "Consumer Electronics"]

    def test_actions(self, fetched: tuple) -> None:
        actions = fetched[1].actions
        assert actions[actions["ticker"] == "SPY"].to_numpy().tolist() == [["SPY", "2024-01-04", "split", 4.0]]

    def test_fundamentals_are_fractions_and_what_is_unknown_is_absent(self, fetched: tuple) -> None:
        site, data, _ = fetched
        table = data.fundamentals.set_index("metric")
        assert table["value"].to_dict() == {
            "market_cap": 3e12, "trailing_pe": 30.5, "dividend_yield": 0.0044, "price_to_book": 50.0,
            "shares_outstanding": 1.5e10, "return_on_equity": 1.5, "profit_margin": -0.25,
        }  # fmt: skip
        assert set(table["ticker"]) == {"AAA"}
        assert set(table["as_of"]) == {datetime.now(ZoneInfo("America/New_York")).date().isoformat()}
        assert table["fetched_at"].str.endswith("Z").all()
        assert {ticker for what, ticker, _ in site.asked if what == "info"} == {"AAA"}, "funds have none"
        assert data.fetch_log.set_index("ticker").loc["company fundamentals", "message"] == "1 of 1 companies"

    def test_a_factor_file_that_fails_is_logged_and_spoils_nothing(self, fetched: tuple) -> None:
        data = fetched[1]
        assert data.factors[["frequency", "date", "mkt_rf", "mom"]].fillna(-1).to_numpy().tolist() == [
            ["D", "1926-11-03", -1, pytest.approx(0.0056)], ["M", "1926-07-31", pytest.approx(0.0296), -1],
        ]  # fmt: skip
        log = data.fetch_log.set_index("ticker").loc[list(_french_download.FILES)]
        assert sorted(log["status"]) == ["error"] * 4 + ["ok"] * 2
        assert "BadZipFile" in log.loc["F-F_Momentum_Factor_CSV.zip", "message"]

    def test_the_cache_of_cookies_is_private(self, fetched: tuple) -> None:
        for folder in ("yahoo", "yahoo/answers"):
            assert stat.S_IMODE(os.stat(fetched[2] / folder).st_mode) == 0o700

    def test_former_members_and_names_come_with_it(self, fetched: tuple) -> None:
        data = fetched[1]
        assert data.members.query("ticker == 'TWTR' or ticker == 'YHOO'")["end_date"].tolist() == ["2017-06-19"]
        assert data.changes.set_index("ticker")["successor"]["FB"] == "META"


@pytest.mark.parametrize(
    "ticker",
    ["AAPL?range=max#", "../../v1/x", "AAPL\r\nHost: x", "AAPL\n", "A" * 5000, "ААРL", "", "aapl", "-A", "A/B", "A B"],
)
def test_t37_what_cannot_be_a_ticker_is_refused_before_anything_is_asked(
    ticker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_yahoo_batch, "download", lambda *_, **__: pytest.fail("it was asked"))
    monkeypatch.setattr(_french_download, "download", lambda *_: pytest.fail("it was asked"))
    with pytest.raises(InputError, match=r"ticker: got .* allowed: 1 to 15 of A-Z") as caught:
        SOURCES["yahoo"].fetch(FetchRequest(tickers=("SPY", ticker), settings=quick("http://x", tmp_path)), no_report)
    assert len(str(caught.value)) < 300


def test_t5_partial_success_is_declared_to_the_prices_step() -> None:
    source = SOURCES["yahoo"]
    assert (source.required, source.tolerated) == (("SPY", "^IRX"), 0.05)


def test_fundamentals_are_asked_again_after_days(tmp_path: Path) -> None:
    today = date(2024, 6, 10)
    meta: dict[str, Any] = {"meta": {"instrumentType": "EQUITY"}}
    known = {"OLD": "2024-06-03", "NEW": "2024-06-04", "AAPL": "2024-06-09"}
    request = FetchRequest(settings=quick("http://x", tmp_path), fundamentals_as_of=known)
    good = dict.fromkeys(("OLD", "NEW", "NEVER", "AAPL", "SPY"), meta) | {"FUND": {"meta": {"instrumentType": "ETF"}}}
    assert yahoo._companies(request, good, today) == ["OLD", "NEVER"]


def test_t9_who_left_the_index_is_followed_and_who_changed_its_ticker_is_not() -> None:
    wanted = _yahoo_universe.followed({"YHOO": "2017-06-16", "FB": "2022-06-08", "LULU": "2025-12-19"})
    assert len(wanted) == len(set(wanted))
    assert {"AAPL", "META", "SPY", "^IRX", "^VIX", "LULU"} <= set(wanted)
    assert not {"YHOO", "FB"} & set(wanted), "today these may name other companies"


def test_the_changes_of_tickers_are_whole() -> None:
    changes = _yahoo_universe.changes()
    assert changes.notna().all(axis=None)
    assert not changes.duplicated(["ticker", "date"]).any()
    assert all(date(2015, 1, 1) < date.fromisoformat(day) < date(2026, 1, 1) for day in changes["date"])
    assert not set(changes["ticker"]) & set(_yahoo_universe.described()["ticker"])


def frozen(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Set the clock of this process."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return moment.astimezone(tz)

    monkeypatch.setattr(yahoo, "datetime", Clock)
    monkeypatch.setattr(_yahoo_batch, "utc_now", lambda: moment.astimezone(UTC).isoformat().replace("+00:00", "Z"))


def test_t10_the_same_rows_in_tokyo_and_new_york_and_with_a_clock_a_day_ahead(
    served: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = datetime(2024, 3, 12, 15, 0, tzinfo=NEW_YORK)  # Tuesday, trading, two days after clocks went forward
    site = site_of()
    site.charts = {"SPY": bars("2024-02-26", 12)}  # to 12 March, the day that is not over; 29 February is in it
    site.clock = lambda: live.astimezone(UTC)
    address, found = served(site), []
    for zone, ahead in (("Asia/Tokyo", 0), ("America/New_York", 1)):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        frozen(monkeypatch, live + timedelta(days=ahead))
        request = FetchRequest(tickers=("SPY",), start="2024-02-26", settings=quick(address, tmp_path / zone))
        found.append(SOURCES["yahoo"].fetch(request, no_report).prices)
    monkeypatch.undo()
    time.tzset()
    assert found[0]["date"].tolist() == [
        "2024-02-26", "2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-04", "2024-03-05",
        "2024-03-06", "2024-03-07", "2024-03-08", "2024-03-11",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(found[0], found[1])


def test_the_overlap_covers_ten_sessions_over_christmas() -> None:
    start = yahoo._start("A", {"A": "2024-01-05"}, None)
    sessions = np.busday_count(start, "2024-01-05", holidays=["2023-12-25", "2024-01-01"])
    assert sessions >= 10
    assert yahoo._start("B", {"A": "2024-01-05"}, None) == "2000-01-01"
    assert yahoo._start("B", {}, "2020-01-01") == "2020-01-01"


def test_the_universe_has_true_sectors_and_its_history_adds_up() -> None:
    instruments, members = _yahoo_universe.described(), _yahoo_universe.members()
    stocks = instruments[instruments["kind"] == "stock"]
    assert len(stocks) == 101
    assert set(stocks["sector"]) <= GICS_SECTORS
    assert stocks[["name", "industry"]].notna().all(axis=None)
    listed = members[(members["start_date"] <= "2026-01-20") & ~(members["end_date"] <= "2026-01-20")]
    assert set(listed["ticker"]) == set(stocks["ticker"])
    for day, size in (("2015-01-01", 105), ("2020-01-01", 103), ("2024-01-01", 101), ("2026-01-20", 101)):
        in_force = members[(members["start_date"] <= day) & ~(members["end_date"] <= day)]
        assert len(in_force) == size, day
        assert in_force["ticker"].is_unique


def test_the_fake_serves_new_york_mornings() -> None:
    assert bars("2024-01-02", 1)[0]["timestamp"] == at("2024-01-02") + 14.5 * 3600
