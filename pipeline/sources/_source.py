"""What a source declares, what it is asked for and what it returns."""

from collections.abc import Callable, Mapping, Sequence
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
FUNDAMENTAL_COLUMNS = ("ticker", "as_of", "metric", "value", "fetched_at")
CHANGE_COLUMNS = ("ticker", "date", "successor")
FETCH_COLUMNS = ("ticker", "status", "rows", "message", "attempts", "fetched_at")
REJECT_COLUMNS = ("ticker", "date", "reason", "payload")

# What became of one ticker or file. ok: it came. empty: nothing came, which says nothing about the company.
# not_found: the vendor does not know it although it knew another ticker a moment ago. The others are asked again next time.
FETCH_STATUSES = ("ok", "empty", "not_found", "rate_limited", "net_error", "timeout", "error", "not_asked")

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
    resume: bool = False  # the update before this one was stopped: what it had fetched may be used
    fundamentals_as_of: Mapping[str, str] = field(default_factory=dict)  # newest stored date per ticker
    prices_only: bool = False  # neither fundamentals nor factors: they came a moment ago


@dataclass(frozen=True)
class SourceData:
    """Everything one fetch brought, as long frames with the columns above, sorted by their keys.

    prices may hold defective rows: the quality gate of the prices step decides. rejects holds what could not
    even be parsed. fetch_log has one row per ticker asked for: status (see FETCH_STATUSES), rows, a message, how
    often it was asked and when it answered. fundamentals holds known values only: what a source does not say is absent.
    changes maps a ticker that is no longer used to its successor. Fractions, not percent; yields go to rates.
    """

    instruments: pd.DataFrame = _empty(INSTRUMENT_COLUMNS)
    prices: pd.DataFrame = _empty(PRICE_COLUMNS)
    rates: pd.DataFrame = _empty(RATE_COLUMNS)
    actions: pd.DataFrame = _empty(ACTION_COLUMNS)
    factors: pd.DataFrame = _empty(FACTOR_COLUMNS)
    members: pd.DataFrame = _empty(MEMBER_COLUMNS)
    fundamentals: pd.DataFrame = _empty(FUNDAMENTAL_COLUMNS)
    changes: pd.DataFrame = _empty(CHANGE_COLUMNS)
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
    calendar: str = "NYSE"  # of pipeline.calendars: the sessions that are missed where a bar is missing
    sessions_only: bool = False  # a US stock or fund has no bar on another day: such a row is refused
    required: tuple[str, ...] = ()  # the update fails where one of these was asked for and did not come
    # Names what fetch would bring; where it is there, many tickers are fetched in portions, so that memory is bounded.
    tickers: Callable[[FetchRequest], Sequence[str]] | None = None
    tolerated: float = 1.0  # share of tickers that may stay out; the update fails beyond it
