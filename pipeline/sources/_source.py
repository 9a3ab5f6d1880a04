"""What a source declares, what it is asked for and what it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

# The columns of each frame a source returns; dates are ISO text, exchange-local; NaN or None is "unknown".
INSTRUMENT_COLUMNS = ("ticker", "name", "kind", "sector", "industry", "currency", "exchange")
PRICE_COLUMNS = ("ticker", "date", "open", "high", "low", "close", "adj_close", "volume")
RATE_COLUMNS = ("series", "date", "value")
ACTION_COLUMNS = ("ticker", "date", "kind", "value")
FACTOR_COLUMNS = ("frequency", "date", "mkt_rf", "smb", "hml", "smb5", "rmw", "cma", "mom", "rf")
MEMBER_COLUMNS = ("universe", "ticker", "start_date", "end_date")
FETCH_COLUMNS = ("ticker", "status", "rows", "message")
REJECT_COLUMNS = ("ticker", "date", "reason", "payload")

Report = Callable[[float, str], None]  # (fraction done 0…1, what is being done)


def no_report(_fraction: float, _message: str) -> None:
    """Report nothing: for callers that do not watch."""


def _empty(columns: tuple[str, ...]) -> Any:
    return field(default_factory=lambda: pd.DataFrame(columns=list(columns)))


@dataclass(frozen=True)
class FetchRequest:
    """What to fetch. `last_dates` holds the newest stored date per ticker; empty means everything."""

    path: Path | None = None
    tickers: tuple[str, ...] | None = None  # None: all that the source has; limits prices, never deletes
    start: str | None = None
    last_dates: Mapping[str, str] = field(default_factory=dict)
    settings: Any = None


@dataclass(frozen=True)
class SourceData:
    """Everything one fetch brought, as long frames with the columns above, sorted by their keys.

    prices may hold defective rows: the quality gate of the prices step decides. rejects holds what could not
    even be parsed. fetch_log has one row per ticker asked for: status ok, empty (unknown, never "delisted"),
    error; rows; a message. fractions, not percent; yields go to rates.
    """

    instruments: pd.DataFrame = _empty(INSTRUMENT_COLUMNS)
    prices: pd.DataFrame = _empty(PRICE_COLUMNS)
    rates: pd.DataFrame = _empty(RATE_COLUMNS)
    actions: pd.DataFrame = _empty(ACTION_COLUMNS)
    factors: pd.DataFrame = _empty(FACTOR_COLUMNS)
    members: pd.DataFrame = _empty(MEMBER_COLUMNS)
    fetch_log: pd.DataFrame = _empty(FETCH_COLUMNS)
    rejects: pd.DataFrame = _empty(REJECT_COLUMNS)


@dataclass(frozen=True)
class Source:
    """One place prices come from. fetch(request, report) returns SourceData or raises SourceError."""

    key: str
    label: str  # shown in the app's header
    description: str  # what it is, where from, what it lacks: shown in the app and required in docs/DATA.md
    fetch: Callable[[FetchRequest, Report], SourceData]
    badge: str = ""  # a warning for the header, such as SIMULATED
    price_basis: str = "adjusted for splits, not for dividends"  # of the closes; said beside every price chart
    incremental: bool = False  # it honours last_dates; else every fetch brings everything
