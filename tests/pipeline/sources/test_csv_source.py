"""The folder source: its layout, its errors, and the shared folder of real files."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tolerances import EXACT

from pipeline import quality
from pipeline.errors import SourceError
from pipeline.sources import SOURCES, FetchRequest, SourceData, no_report

HEADER = "Date,Open,High,Low,Close,Adj Close,Volume\n"
ROWS = "2024-01-02,10,11,9,10.5,10.25,100\n2024-01-03,10.5,11,9,10,9.75,200\n"
SHARED = os.environ.get("PLUMBLINE_TEST_DATA")
needs_shared = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not SHARED, reason="PLUMBLINE_TEST_DATA is not set"),
]


def fetch(path: Path | None, **request: object) -> SourceData:
    return SOURCES["csv"].fetch(FetchRequest(path=path, **request), no_report)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write files by relative path and return the folder."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def test_kind_from_the_folder_and_name_from_the_ticker(folder: Callable) -> None:
    data = fetch(folder(**{"prices/aaa.csv": HEADER + ROWS, "etf/SPY.csv": HEADER + ROWS,
                           "index/^GSPC.csv": "Date,Close\n2024-01-02,4700\n"}))  # fmt: skip
    assert data.instruments[["ticker", "name", "kind"]].to_numpy().tolist() == [
        ["AAA", "AAA", "stock"], ["SPY", "SPY", "etf"], ["^GSPC", "^GSPC", "index"],
    ]  # fmt: skip
    assert data.fetch_log[["status", "rows", "message"]].to_numpy().tolist() == [
        ["ok", 2, ""],
        ["ok", 2, ""],
        ["ok", 1, ""],
    ]
    assert data.members.empty


def test_yields_become_rates_as_fractions(folder: Callable) -> None:
    text = "Date,Close\n2024-01-02,5.25\n2024-01-03,null\n"
    data = fetch(folder(**{"prices/AAA.csv": HEADER + ROWS, "index/^TNX.csv": text}))
    assert data.rates.to_numpy().tolist() == [["^TNX", "2024-01-02", 0.0525]]
    assert data.rejects["reason"].tolist() == ["missing value"]
    assert set(data.prices["ticker"]) == {"AAA"}


def test_instruments_and_actions(folder: Callable) -> None:
    one_file = "Ticker,Date,Dividend\nAAA,2024-01-03,0.25\nZZZ,2024-01-03,1\nAAA,2024-01-04,x\n"
    of_one_ticker = "Date,Dividends,Stock Splits\n2024-01-03 00:00:00-05:00,9,0\n2024-01-05,0,4\n"
    files = {
        "prices/AAA.csv": HEADER + ROWS,
        "instruments.csv": 'ticker,name,kind,sector\nAAA,"Alpha, Inc.",stock,Energy\n',
        "actions/etf_dividends.csv": one_file,
        "actions/more/AAA_dividends.csv": of_one_ticker,
    }
    data = fetch(folder(**files))
    assert data.instruments.iloc[0][["name", "sector"]].tolist() == ["Alpha, Inc.", "Energy"]
    assert data.actions.to_numpy().tolist() == [
        ["AAA", "2024-01-03", "dividend", 0.25],  # the first file's, not 9
        ["AAA", "2024-01-05", "split", 4.0],
    ]
    assert data.rejects["reason"].tolist() == ["dividend without a date or a positive value"]


def test_one_bad_file_of_each_sort_spoils_nothing(folder: Callable) -> None:
    bad = {
        "BBB": ("prices/BBB.csv", "404 Not Found"),
        "prices/no ticker.csv": ("prices/no ticker.csv", HEADER + ROWS),
        "etf/AAA.csv": ("etf/AAA.csv", HEADER + ROWS),
        "actions/x.csv": ("actions/x.csv", "a,b\n1,2\n"),
        "ff/x.csv": ("ff/x.csv", "nothing"),
        "instruments.csv": ("instruments.csv", "a\n1\n"),
    }
    data = fetch(folder(**{"prices/AAA.csv": HEADER + ROWS} | dict(bad.values())))
    assert set(data.prices["ticker"]) == {"AAA"}
    assert set(data.fetch_log[data.fetch_log["status"] == "error"]["ticker"]) == set(bad)
    assert set(data.rejects["ticker"]) == set(bad)
    assert data.factors.empty


def test_an_unadjusted_split_is_named_in_the_log(folder: Callable) -> None:
    text = "Date,Close\n2024-06-07,1208.88\n2024-06-10,121.79\n"
    data = fetch(folder(**{"prices/NVDA.csv": text}))
    assert data.fetch_log["message"][0].endswith("close moves ×0.101 on 2024-06-10")


def test_tickers_and_start_select(folder: Callable) -> None:
    path = folder(**{"prices/AAA.csv": HEADER + ROWS, "prices/BBB.csv": HEADER + ROWS})
    data = fetch(path, tickers=("BBB", "CCC"), start="2024-01-03")
    assert data.prices[["ticker", "date"]].to_numpy().tolist() == [["BBB", "2024-01-03"]]
    assert data.fetch_log[["ticker", "status"]].to_numpy().tolist() == [["BBB", "ok"], ["CCC", "empty"]]
    with pytest.raises(SourceError, match="has no file for ZZZ"):
        fetch(path, tickers=("ZZZ",))


def test_a_folder_that_cannot_be_used_says_why_and_how_to_lay_it_out(folder: Callable, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="name it with --path"):
        fetch(None)
    with pytest.raises(SourceError, match=r"is not there.*Lay the folder out as prices/TICKER.csv"):
        fetch(tmp_path / "missing")
    with pytest.raises(SourceError, match=r"it holds nothing.*Lay the folder out"):
        fetch(tmp_path)
    folder(**{"notes.txt": "x"})
    with pytest.raises(SourceError, match="is not a folder"):
        fetch(tmp_path / "notes.txt")
    with pytest.raises(SourceError, match=r"no CSV file in prices/, etf/ or index/; it holds notes.txt"):
        fetch(tmp_path)
    folder(**{"prices/AAA.csv": "404 Not Found"})
    with pytest.raises(SourceError, match=r"none of 1 price files can be read .AAA: no Date and Close"):
        fetch(tmp_path)


@pytest.fixture(scope="module")
def data() -> SourceData:
    return fetch(Path(SHARED or ""))


DIRTY = [
    (
        "kcjpop_NVDA.csv.gz",
        "NVDA",
        6102,
        {"the line is not a bar: no date": 616, "duplicate date": 8, "missing close": 1},
    ),
    (
        "kcjpop_ES.csv.gz",
        "ES",
        6187,
        {"duplicate date": 44, "missing close": 1, "high or low violated": 1, "isolated price": 1},
    ),
    ("nasdaqcom_AAPL_dollar-signs.csv.gz", "AAPL", 2518, {}),
    ("yfinance_multiheader_SPY.csv.gz", "SPY", 3773, {}),
    ("yahoo_null-rows_TNX.csv.gz", "TNX", 1872, {"weekend": 389, "missing close": 3, "reversed jump": 1}),
]


class TestSharedFolder:
    """The real folder: 57 price files, six factor files."""

    pytestmark = needs_shared

    def test_counts(self, data: SourceData) -> None:
        kinds = data.instruments[data.instruments["ticker"].isin(data.prices["ticker"])]["kind"].value_counts()
        assert kinds.to_dict() == {"stock": 30, "etf": 22, "index": 3}
        assert len(data.prices) == 104_965 + 74_938 + 2 * 3569 + 3583
        assert data.rates.groupby("series").size().to_dict() == {"^IRX": 3567, "^TNX": 3567}
        assert data.factors.groupby("frequency").size().to_dict() == {"D": 25_795, "M": 1178}
        assert len(data.fetch_log) == 57
        assert (data.fetch_log["status"] == "ok").all()
        assert data.rejects.empty

    def test_dividends_of_another_split_vintage_are_named(self, data: SourceData) -> None:
        messages = data.fetch_log.set_index("ticker")["message"]
        assert messages[messages != ""].to_dict() == dict.fromkeys(
            ["AVGO", "NVDA"], "dividends are 0.1 of what Adj Close contains: another split vintage?"
        )

    def test_values(self, data: SourceData) -> None:
        prices, rates = (
            data.prices.set_index(["ticker", "date"]),
            data.rates.set_index(["series", "date"])["value"],
        )
        assert prices.loc[("AAPL", "2010-01-04"), "close"] == 7.643214
        assert prices.loc[("AAPL", "2010-01-04"), "adj_close"] == 6.470741
        assert rates[("^IRX", "2010-01-04")] == pytest.approx(0.00055, abs=1e-9)  # the file holds single precision
        assert rates["^IRX"].min() == pytest.approx(-0.00105, abs=1e-9)
        factors = data.factors.set_index(["frequency", "date"])
        assert factors.loc[("M", "1926-07-31"), "mkt_rf"] == pytest.approx(0.0296, abs=EXACT)
        assert factors.loc[("M", "2024-08-31"), ["smb", "smb5", "cma"]].tolist() == pytest.approx(
            [-0.0355, -0.0365, 0.0086]
        )
        assert np.isnan(factors.loc[("M", "2024-08-31"), "mom"])
        assert factors.loc[("D", "2024-07-31"), ["mkt_rf", "mom", "rf"]].tolist() == pytest.approx(
            [0.0152, 0.0102, 0.00021]
        )
        apple = data.actions[data.actions["ticker"] == "AAPL"]
        assert apple.iloc[0].tolist() == ["AAPL", "2012-08-09", "dividend", 0.094643]

    def test_the_gate_accepts_every_row(self, data: SourceData) -> None:
        clean, rejects = quality.check_prices(data.prices, today="2024-03-09")
        assert rejects.empty
        assert len(clean) == len(data.prices)

    def test_prices_equal_a_plain_reading(self, data: SourceData) -> None:
        plain = pd.read_csv(Path(SHARED or "") / "prices" / "MSFT.csv.gz")
        ours = data.prices[data.prices["ticker"] == "MSFT"]
        names = ["Open", "High", "Low", "Close", "Adj Close", "Volume"]
        np.testing.assert_array_equal(ours[["open", "high", "low", "close", "adj_close", "volume"]], plain[names])
        assert ours["date"].tolist() == plain["Date"].tolist()

    @pytest.mark.parametrize(("file", "ticker", "kept", "reasons"), DIRTY)
    def test_dirty_files_are_read_as_far_as_they_are_bars(
        self, tmp_path: Path, file: str, ticker: str, kept: int, reasons: dict
    ) -> None:
        (tmp_path / "prices").mkdir()
        dirty = (Path(SHARED or "") / "dirty" / file).read_bytes()
        (tmp_path / "prices" / f"{ticker}.csv.gz").write_bytes(dirty)
        data = fetch(tmp_path)
        clean, rejects = quality.check_prices(data.prices, today="2026-01-01")
        assert len(clean) == kept
        assert pd.concat([data.rejects, rejects])["reason"].value_counts().to_dict() == reasons

    @pytest.mark.parametrize("name", ["alphavantage_SPY_unadjusted.csv.gz", "kcjpop_BRK.B.csv",
                                      "growwanalysis_COST_and_CSCO_two-tickers_CSCO.csv.gz"])  # fmt: skip
    def test_dirty_files_that_cannot_be_trusted_are_refused_whole(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "prices").mkdir()
        (tmp_path / "prices" / "AAA.csv").write_text(HEADER + ROWS)
        suffix = ".csv.gz" if name.endswith(".gz") else ".csv"
        (tmp_path / "prices" / f"BBB{suffix}").write_bytes((Path(SHARED or "") / "dirty" / name).read_bytes())
        data = fetch(tmp_path)
        assert set(data.prices["ticker"]) == {"AAA"}
        assert data.fetch_log.set_index("ticker").loc["BBB", "status"] == "error"
        assert data.rejects["ticker"].tolist() == ["BBB"]
