"""Falls of the market with a name, by date: what the strategy did while everybody lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.tear_sheet import Record
from analytics.conventions import FloatArray
from analytics.metrics._arithmetic import wealth

COLUMNS = (
    "label", "start", "end", "sessions", "is_whole", "total_return", "benchmark_total_return", "max_drawdown",
    "benchmark_max_drawdown", "reference",
)  # fmt: skip


@dataclass(frozen=True)
class Crisis:
    """A fall of the S&P 500 from one closing high, `start`, to the closing low that ended it, `end` (ISO dates)."""

    key: str
    label: str
    start: str
    end: str
    reference: str


# Closing highs and lows of the S&P 500 (S&P Dow Jones Indices); the reference says what the fall is named after.
CRISES: Final = (
    Crisis("crash_1987", "Crash of 1987", "1987-08-25", "1987-12-04", "Brady Commission (1988)"),
    Crisis("gulf_1990", "Gulf War, 1990", "1990-07-16", "1990-10-11", "NBER recession July 1990 to March 1991"),
    Crisis("asia_1997", "Asian crisis, 1997", "1997-10-07", "1997-10-27", "SEC, Trading Analysis of October 27 and 28, 1997"),
    Crisis("ltcm_1998", "Russia and LTCM, 1998", "1998-07-17", "1998-08-31", "President's Working Group (1999), Hedge Funds"),
    Crisis("dot_com", "Dot-com, 2000–2002", "2000-03-24", "2002-10-09", "NBER recession March to November 2001"),
    Crisis("financial_crisis", "Financial crisis, 2007–2009", "2007-10-09", "2009-03-09", "Financial Crisis Inquiry Commission (2011)"),
    Crisis("flash_crash_2010", "Flash crash, 2010", "2010-04-23", "2010-07-02", "CFTC and SEC (2010), Market Events of May 6, 2010"),
    Crisis("euro_2011", "Euro debt, 2011", "2011-04-29", "2011-10-03", "ECB Financial Stability Review, December 2011"),
    Crisis("china_2015", "China and oil, 2015–2016", "2015-05-21", "2016-02-11", "BIS Quarterly Review, March 2016"),
    Crisis("rates_2018", "Fourth quarter of 2018", "2018-09-20", "2018-12-24", "BIS Quarterly Review, March 2019"),
    Crisis("covid_2020", "COVID-19, 2020", "2020-02-19", "2020-03-23", "NBER recession February to April 2020"),
    Crisis("inflation_2022", "Inflation, 2022", "2022-01-03", "2022-10-12", "BIS Annual Economic Report 2023"),
    Crisis("tariffs_2025", "Tariffs, 2025", "2025-02-19", "2025-04-08", "BIS Annual Economic Report 2025"),
)  # fmt: skip


def crisis_table(record: Record, crises: Sequence[Crisis] = CRISES) -> pd.DataFrame:
    """Return a row per crisis that the test overlaps, oldest first, columns COLUMNS; returns as fractions.

    total_return and max_drawdown count the sessions after `start` up to and including `end`; is_whole: whether the
    test covers all of that time. NaN when: a return in between is unknown.
    """
    rows = []
    for crisis in crises:
        start, end = np.datetime64(crisis.start), np.datetime64(crisis.end)
        within = (record.dates > start) & (record.dates <= end)
        if not within.any():
            continue
        rows.append({
            "label": crisis.label, "start": crisis.start, "end": crisis.end, "sessions": int(within.sum()),
            "is_whole": bool(record.dates[0] <= start and record.dates[-1] >= end),
            **_fall(record.returns[within], ""), **_fall(record.benchmark_returns[within], "benchmark_"),
            "reference": crisis.reference,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def _fall(returns: FloatArray, prefix: str) -> dict[str, float]:
    value = wealth(returns)
    deepest = np.min(value / np.maximum.accumulate(value)) - 1.0
    return {f"{prefix}total_return": float(value[-1] - 1.0), f"{prefix}max_drawdown": float(deepest)}
