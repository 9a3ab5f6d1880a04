"""The embedded sample: counts, dates and values of the bundled files, and nothing heavy is imported."""

import csv
import gzip
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tolerances import EXACT, PARITY

from config import ROOT
from pipeline import quality
from pipeline.errors import SourceError
from pipeline.sources import SOURCES, FetchRequest, SourceData, no_report, sample


@pytest.fixture(scope="module")
def data() -> SourceData:
    return SOURCES["sample"].fetch(FetchRequest(), no_report)


def bar(data: SourceData, ticker: str, date: str) -> pd.Series:
    prices = data.prices
    return prices[(prices["ticker"] == ticker) & (prices["date"] == date)].iloc[0]


def test_coverage(data: SourceData) -> None:
    counts = data.prices.groupby("ticker")["date"].agg(["count", "min", "max"])
    stocks = counts.drop(["^GSPC", "^IXIC"])
    assert len(stocks) == 20
    assert (stocks == [8313, "1990-01-02", "2022-12-28"]).all(axis=None)
    assert counts.loc["^GSPC"].tolist() == [8313, "1990-01-02", "2022-12-28"]
    assert counts.loc["^IXIC"].tolist() == [5031, "1999-01-04", "2018-12-31"]
    assert len(data.fetch_log) == 22
    assert (data.fetch_log["status"] == "ok").all()


def test_values(data: SourceData) -> None:
    assert bar(data, "UNH", "1990-01-02")["close"] == 0.31
    assert bar(data, "AAPL", "2022-12-28")["close"] == 125.674
    assert bar(data, "^GSPC", "1990-01-02")["close"] == 359.69
    full = bar(data, "^GSPC", "1999-01-04")
    assert full[["open", "high", "low", "close"]].tolist() == [
        1229.22998,
        1248.810059,
        1219.099976,
        1228.099976,
    ]
    assert full["volume"] == 877_000_000


def test_stocks_have_closes_alone_and_close_is_adjusted(data: SourceData) -> None:
    stocks = data.prices[~data.prices["ticker"].str.startswith("^")]
    assert stocks[["open", "high", "low", "volume"]].isna().all(axis=None)
    assert (stocks["close"] == stocks["adj_close"]).all()


def test_the_two_sources_of_the_sp500_agree_where_they_overlap() -> None:
    closes = sample._read(sample.SP500_CLOSES).iloc[:, 0]
    both = sample._bars(sample.SP500_BARS)["close"].to_frame().join(closes, how="inner")
    assert len(both) == 5031
    assert (both["SP500"] / both["close"] - 1).abs().max() < 6e-8


def test_factors_are_fractions_on_calendar_month_ends(data: SourceData) -> None:
    factors = data.factors
    assert len(factors) == 1109
    assert factors.iloc[0][["frequency", "date"]].tolist() == ["M", "1926-07-31"]
    assert factors["date"].iloc[-1] == "2018-11-30"
    assert factors["mkt_rf"].iloc[0] == pytest.approx(0.0296, abs=EXACT)
    assert factors["rf"].iloc[-1] == pytest.approx(0.0018, abs=EXACT)
    assert factors["date"].is_unique


def test_factors_equal_the_file_read_without_pandas(data: SourceData) -> None:
    package = Path(find_spec("arch").submodule_search_locations[0])
    with gzip.open(package / "data/frenchdata/frenchdata.csv.gz", "rt") as file:
        rows = [[float(cell) for cell in row[1:]] for row in list(csv.reader(file))[1:]]
    ours = data.factors[["mkt_rf", "smb", "hml", "rf"]].to_numpy()
    np.testing.assert_allclose(ours * 100, rows, rtol=0, atol=PARITY)


def test_the_gate_accepts_every_row(data: SourceData) -> None:
    clean, rejects = quality.check_prices(data.prices, today="2023-01-01")
    assert len(clean) == len(data.prices) == 179_604
    assert rejects.empty


def test_every_stock_has_a_name_and_a_sector(data: SourceData) -> None:
    stocks = data.instruments[data.instruments["kind"] == "stock"]
    assert len(stocks) == 20
    assert stocks[["name", "sector", "industry", "currency"]].notna().all(axis=None)
    assert stocks["sector"].nunique() == 7


def test_tickers_and_start_select_and_an_unknown_ticker_is_logged_as_empty() -> None:
    request = FetchRequest(tickers=("KO", "NOPE"), start="2022-12-01")
    chosen = SOURCES["sample"].fetch(request, no_report)
    assert chosen.prices["ticker"].unique().tolist() == ["KO"]
    assert chosen.prices["date"].min() == "2022-12-01"
    assert chosen.fetch_log[["ticker", "status"]].to_numpy().tolist() == [["KO", "ok"], ["NOPE", "empty"]]
    with pytest.raises(SourceError, match="no prices of NOPE; it has AAPL"):
        SOURCES["sample"].fetch(FetchRequest(tickers=("NOPE",)), no_report)


def test_a_missing_package_or_file_says_what_to_do() -> None:
    with pytest.raises(SourceError, match=r"needs the package nosuchpackage.*make install"):
        sample._read(("nosuchpackage", "x.csv.gz"))
    with pytest.raises(SourceError, match=r"expects arch to bundle data/gone\.csv"):
        sample._read(("arch", "data/gone.csv"))


def test_reading_the_sample_imports_neither_package() -> None:
    code = (
        "import sys; from pipeline.sources import SOURCES, FetchRequest, no_report;"
        "SOURCES['sample'].fetch(FetchRequest(), no_report);"
        "print([m for m in ('arch', 'skfolio', 'sklearn', 'scipy.stats', 'yfinance') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
