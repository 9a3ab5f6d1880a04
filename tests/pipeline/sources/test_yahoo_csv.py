"""One price file: the layouts that are read, and the defects that are refused with a reason."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import SourceError
from pipeline.sources._yahoo_csv import read_bytes, read_prices

HEADER = b"Date,Open,High,Low,Close,Adj Close,Volume\n"
ROW = b"2024-01-02,10,11,9,10.5,10.25,100\n"


def test_yahoo_columns() -> None:
    file = read_prices(HEADER + ROW, "AAA")
    assert file.prices.iloc[0].tolist() == ["AAA", "2024-01-02", 10.0, 11.0, 9.0, 10.5, 10.25, 100.0]
    assert file.rejects.empty
    assert file.remark == ""


def test_date_and_close_alone_leave_the_rest_unknown_and_say_so() -> None:
    file = read_prices(b"\xef\xbb\xbfDate,Close\n2024-01-02,3.5\n", "AAA")
    row = file.prices.iloc[0]
    assert row["close"] == row["adj_close"] == 3.5
    assert np.isnan(row[["open", "high", "low", "volume"]].to_numpy(dtype=float)).all()
    assert "no Adj Close column" in file.remark


def test_dollar_signs_us_dates_and_newest_first() -> None:
    text = b'Date,Close/Last,Volume\n03/01/2024,$1179.66,"73,563,080"\n2/29/2024,$180.75,"1,000"\n'
    prices = read_prices(text, "AAPL").prices
    assert prices["date"].tolist() == ["2024-02-29", "2024-03-01"]
    assert prices["close"].tolist() == [180.75, 1179.66]
    assert prices["volume"].tolist() == [1000.0, 73_563_080.0]


def test_three_line_header_of_yfinance() -> None:
    text = b"Price,Adj Close,Close\nTicker,SPY,SPY\nDate,,\n2010-01-04,84.5,113.3\n"
    prices = read_prices(text, "SPY").prices
    assert prices[["close", "adj_close"]].to_numpy().tolist() == [[113.3, 84.5]]
    with pytest.raises(SourceError, match="holds SPY, but its name says QQQ"):
        read_prices(text, "QQQ")


def test_a_time_zone_after_the_date_is_dropped() -> None:
    assert read_prices(b"Date,Close\n2024-01-02 00:00:00-05:00,3\n", "AAA").prices["date"].tolist() == ["2024-01-02"]


def test_lines_that_are_no_bars_become_rejects() -> None:
    text = HEADER + b'    "finance": {\n' + ROW + b"2024-01-03,10,11,9,abc,10,100\n" + b"2024-01-04,1,234,5,6,7,8,9\n"
    file = read_prices(text, "AAA")
    assert file.prices["date"].tolist() == ["2024-01-02"]
    assert sorted(file.rejects["reason"]) == [
        "a number cannot be read", "the line is not a bar: no date", "the line is not a bar: too many cells",
    ]  # fmt: skip
    assert (file.rejects["ticker"] == "AAA").all()
    assert file.rejects["payload"].str.contains("finance").sum() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"404 Not Found: No data found, symbol may be delisted", "no Date and Close.*404 Not Found"),
        (b"<html><body>Too many requests</body></html>", "no Date and Close.*<html>"),
        (b"", "no Date and Close"),
        (HEADER, "a header and no rows"),
        (b"Date,Open,Open,Close,Close\n2024-01-02,1,2,3,4\n", "open, close appears twice"),
        (b"date,1. open,4. close\n2024-01-02,1,2\n", "Alpha Vantage's unadjusted"),
        (b"Date,Symbol,Close\n2024-01-02,BBB,1\n", "holds BBB, but its name says AAA"),
        (b"Date,Close\n31/12/2023,1\n01/02/2024,2\n", "31/12/2023 is day/month/year"),
        (HEADER + b'2024-01-02,"10,11\n', "cannot be read as a table"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_prices(text, "AAA")


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "AAA.csv.gz"
    path.write_bytes(gzip.compress(HEADER + ROW * 100)[:-20])
    with pytest.raises(SourceError, match="cannot be opened"):
        read_bytes(path)
    path.write_bytes(b"not gzip")
    with pytest.raises(SourceError, match="cannot be opened"):
        read_bytes(path)
