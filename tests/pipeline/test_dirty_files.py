"""Defective files end to end: what is sound of them is stored, the rest stands in rejects, and nothing is silent."""

import gzip
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scratch import settings_in

from pipeline.runner import UpdateRequest, update

DAYS = [str(day) for day in np.busday_offset("2024-01-01", range(40), roll="forward")]
HEADER = "Date,Open,High,Low,Close,Adj Close,Volume\n"


def bar(day: str, close: float, volume: int = 100) -> str:
    return f"{day},{close},{close * 1.01},{close * 0.99},{close},{close},{volume}\n"


def bars(level: float = 72.0) -> list[str]:
    """Forty bars that move a little every day."""
    return [bar(day, level + (number % 5) / 10, 100 + number) for number, day in enumerate(DAYS)]


Told = Callable[..., Any]  # asks the published file


def updated(folder: Path, files: dict[str, bytes]) -> tuple[Told, Any]:
    """Update from a folder that holds these files and a good one; return a way to ask the store, and the summary."""
    (folder / "csv" / "prices").mkdir(parents=True)
    for name, content in ({"GOOD.csv": (HEADER + "".join(bars())).encode()} | files).items():
        (folder / "csv" / "prices" / name).write_bytes(content)
    settings = settings_in(folder)
    summary = update(UpdateRequest(source="csv", path=folder / "csv"), settings=settings)

    def told(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(settings.db)) as connection:
            return connection.execute(sql, parameters).fetchall()

    return told, summary


def reasons(told: Told, ticker: str) -> dict[str, int]:
    """How many rows of a ticker were refused, by the beginning of the reason."""
    return Counter(reason.split(":")[0] for (reason,) in told("SELECT reason FROM rejects WHERE ticker = ?", ticker))


def rows(told: Told, ticker: str) -> int:
    return int(told("SELECT count(*) FROM prices WHERE ticker = ?", ticker)[0][0])


# ---- twins of the defects, made up, so that they are tested without the real files ------------------------------

LINES = bars()
TWINS: dict[str, tuple[str, int, dict[str, int]]] = {  # name: (file, rows stored, rows refused by reason)
    "an error message between the rows": (
        HEADER + "".join(LINES[:20]) + '{"error": "Invalid cookie",\n"code": 401}\n' + "".join(LINES[20:]),
        40, {"the line is not a bar": 2},
    ),
    "a row of nulls, a weekend, a date twice": (
        HEADER + "".join(LINES) + "2024-02-26,null,null,null,null,null,null\n" + bar("2024-01-06", 72.0) + bar(DAYS[3], 72.1),
        40, {"missing close": 1, "weekend": 1, "duplicate date": 1},
    ),
    "another company's bar": (
        HEADER + "".join([*LINES[:20], bar(DAYS[20], 7.64), *LINES[21:]]), 39, {"isolated price": 1},
    ),
    "a split that nobody adjusted": (
        HEADER + "".join([bar(day, 1208.88 + n) for n, day in enumerate(DAYS[:20])] + [bar(day, 121.79 + n) for n, day in enumerate(DAYS[20:])]),
        0, {"looks like a split that nobody reported": 1},
    ),
    "an error page": ("404: Not Found", 0, {"no Date and Close": 1}),
    "two tickers in one file": (
        "Date,Close,Close,Symbol\n2024-01-02,650.1,50.2,TWIN\n2024-01-03,651.0,50.3,TWIN\n", 0, {"appears twice": 1},
    ),
    "dollar signs, newest first": (
        'Date,Close/Last,Volume,Open,High,Low\n01/03/2024,$179.66,"73,563,080",$179.55,$180.53,$177.38\n'
        '01/02/2024,$175.10,"1,000",$176.15,$176.90,$173.79\n', 2, {},
    ),
    "a header of three lines": (
        "Price,Adj Close,Close,High,Low,Open,Volume\nTicker,TWIN,TWIN,TWIN,TWIN,TWIN,TWIN\nDate,,,,,,\n"
        "2024-01-02,9.5,10,11,9,10,100\n2024-01-03,9.6,10.1,11,9,10,200\n", 2, {},
    ),
    "closes that are not adjusted at all": (
        "timestamp,1. open,2. high,3. low,4. close,5. volume\n2024-01-02,10,11,9,10,100\n", 0, {"unadjusted prices": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_of_each_defect(tmp_path: Path, name: str) -> None:
    text, stored, refused = TWINS[name]
    told, summary = updated(tmp_path, {"TWIN.csv": text.encode()})
    assert rows(told, "TWIN") == stored
    found = reasons(told, "TWIN")
    assert sum(found.values()) == sum(refused.values()), found
    for word in refused:
        assert any(word in reason for reason in found), found
    assert rows(told, "GOOD") == 40
    assert summary.partial == (stored == 0)  # a ticker of which nothing is stored is not passed over in silence


# ---- the real files ---------------------------------------------------------------------------------------------

DIRTY: dict[str, tuple[str, int, dict[str, int]]] = {
    "NVDA": ("kcjpop_NVDA.csv.gz", 0, {"the line is not a bar": 616, "duplicate date": 8, "missing close": 1,
                                       "looks like a split that nobody reported": 1}),
    "ES": ("kcjpop_ES.csv.gz", 6187, {"duplicate date": 44, "missing close": 1, "high or low violated": 1, "isolated price": 1}),
    "BRK-B": ("kcjpop_BRK.B.csv", 0, {"no Date and Close": 1}),
    "CSCO": ("growwanalysis_COST_and_CSCO_two-tickers_CSCO.csv.gz", 0, {"appears twice": 1}),
    "AAPL": ("nasdaqcom_AAPL_dollar-signs.csv.gz", 2518, {}),
    "SPY": ("yfinance_multiheader_SPY.csv.gz", 3773, {}),
    "QQQ": ("alphavantage_SPY_unadjusted.csv.gz", 0, {"unadjusted prices": 1}),
    "TNX": ("yahoo_null-rows_TNX.csv.gz", 1872, {"weekend": 389, "missing close": 3, "reversed jump": 1}),
}  # fmt: skip


@pytest.mark.shared_data
def test_all_eight_dirty_files(tmp_path: Path, shared_data: Path) -> None:
    assert {file for file, *_ in DIRTY.values()} == {path.name for path in (shared_data / "dirty").iterdir()}
    files = {}
    for ticker, (name, _, _) in DIRTY.items():
        content = (shared_data / "dirty" / name).read_bytes()
        files[f"{ticker}.csv"] = gzip.decompress(content) if name.endswith(".gz") else content
    told, summary = updated(tmp_path, files)
    assert summary.partial
    for ticker, (_, stored, refused) in DIRTY.items():
        assert rows(told, ticker) == stored, ticker
        found = reasons(told, ticker)
        for word, count in refused.items():
            assert sum(number for reason, number in found.items() if word in reason) == count, (ticker, found)
        assert sum(found.values()) == sum(refused.values()), (ticker, found)
    (wrong,) = told(
        "SELECT payload FROM rejects WHERE ticker = 'ES' AND date = '2023-07-18' AND reason = 'isolated price'"
    )
    assert "7.64" in wrong[0]


@pytest.mark.shared_data
def test_the_known_traps_of_clean_files(real: Any) -> None:
    def told(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(real.db)) as connection:
            return connection.execute(sql).fetchall()

    before, after = told(
        "SELECT close, adj_close FROM prices WHERE ticker = 'MDLZ' AND date IN ('2012-10-01', '2012-10-02') ORDER BY date"
    )
    assert after[0] / before[0] - 1 == pytest.approx(-0.34, abs=0.01)  # a spin-off: the close falls,
    assert abs(after[1] / before[1] - 1) < 0.05  # the adjusted close does not
    assert told("SELECT count(*) FROM prices WHERE ticker = 'AMD' AND volume = 0") == [(1,)]
    assert told("SELECT count(*) FROM prices WHERE ticker = 'XLRE' AND volume = 0") == [(5,)]
    assert told("SELECT count(*) FROM rates WHERE series = '^IRX' AND date LIKE '2020-03%' AND value <= 0") == [
        (7,)
    ]  # of its closes
    assert told("SELECT max(value) < 0.06 FROM rates WHERE series = '^IRX'") == [(1,)]  # the absurd High is not read
    assert told("SELECT count(*) FROM rates WHERE series = '^IRX' AND date IN ('2010-10-11', '2016-11-11')") == [(0,)]
    assert told("SELECT count(*) FROM quality_flags WHERE ticker = '^VIX' AND check_name = 'not a session'") == [(14,)]
    assert told("SELECT count(*) FROM quality_flags WHERE check_name = 'jump' AND ticker IN ('NFLX', 'AMD')")[0][0] >= 1
    assert told("SELECT count(*) FROM rejects") == [(0,)]
    assert told("SELECT min(score) > 0.9 FROM quality_scores WHERE ticker <> 'BIL'") == [(1,)]
    assert (
        told("SELECT count(*) FROM factor_returns WHERE frequency = 'D' AND strftime('%w', date) = '6'")[0][0] == 1158
    )
    assert told("SELECT count(*) FROM factor_returns WHERE frequency = 'M' AND smb <> smb5")[0][0] > 500
    assert told("SELECT min(date) FROM factor_returns WHERE frequency = 'D' AND mom IS NOT NULL") == [("1926-11-03",)]
    assert told("SELECT max(date) FROM factor_returns WHERE frequency = 'M' AND mom IS NOT NULL") == [("2022-12-31",)]
    assert told("SELECT count(*) FROM factor_returns WHERE min(mkt_rf, rf) <= -0.99") == [(0,)]  # −99.99 is unknown
