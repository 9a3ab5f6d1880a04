"""What sources share: what a ticker may be, yields that leave the prices, rejects and fetch-log rows."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from analytics.errors import InputError
from pipeline.errors import SourceError
from pipeline.quality import check_rates
from pipeline.sources._source import FETCH_COLUMNS, RATE_COLUMNS, FetchRequest, SourceData

YIELDS = frozenset({"^IRX", "^FVX", "^TNX", "^TYX"})  # Treasury yields that Yahoo quotes in percent, as indices
PERCENT = 100.0

TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.=^-]{0,14}")  # to be matched in full: it becomes part of an address

FetchRow = tuple[str, str, int, str]  # ticker, status, rows, message
NetworkRow = tuple[str, str, int, str, int, str | None]  # and how often it was asked, and when it answered


def is_ticker(name: str) -> bool:
    """Whether a word can be a ticker, and is not the name of a file."""
    return TICKER.fullmatch(name) is not None and not name.endswith((".zip", ".csv"))


def check_tickers(tickers: Iterable[str]) -> tuple[str, ...]:
    """Return the tickers, each once; raises InputError on the first that cannot be one."""
    unique = tuple(dict.fromkeys(tickers))
    for ticker in unique:
        if not TICKER.fullmatch(ticker):
            raise InputError(
                "ticker", got=ticker[:60], allowed="1 to 15 of A-Z 0-9 . = ^ -, such as AAPL, BRK-B or ^GSPC",
                fix="Write it as Yahoo does.",
            )  # fmt: skip
    return unique


def split_yields(prices: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return (prices, rates, rejects): the closes of Treasury yields become checked rates, as fractions."""
    is_yield = prices["ticker"].isin(YIELDS)
    if not is_yield.any():
        return prices, pd.DataFrame(columns=list(RATE_COLUMNS)), check_rates(_as_rates(prices.head(0)))[1]
    rates, rejects = check_rates(_as_rates(prices[is_yield]))
    return prices[~is_yield].reset_index(drop=True), rates, rejects


def _as_rates(prices: pd.DataFrame) -> pd.DataFrame:
    rates = prices[["ticker", "date"]].assign(value=prices["close"].astype(float) / PERCENT)
    return rates.set_axis(list(RATE_COLUMNS), axis=1)


def stack(frames: Iterable[pd.DataFrame], columns: Iterable[str]) -> pd.DataFrame:
    """Concatenate the frames that have rows; an empty frame of `columns` where none has."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))


def fetch_log(rows: Iterable[FetchRow | NetworkRow]) -> pd.DataFrame:
    """Return the fetch log, one row per ticker, sorted."""
    table: Any = {row[0]: dict(zip(FETCH_COLUMNS, row, strict=False)) for row in rows}
    return pd.DataFrame([table[ticker] for ticker in sorted(table)], columns=list(FETCH_COLUMNS))


def select(data: SourceData, request: FetchRequest) -> SourceData:
    """Keep the tickers and dates asked for, log the others as empty; SourceError where nothing is left."""
    there = data.instruments["ticker"]
    asked = sorted(set(request.tickers or there))
    wanted = data.prices["ticker"].isin(asked) & (data.prices["date"] >= (request.start or ""))
    prices = data.prices[wanted].reset_index(drop=True)
    if prices.empty:
        since = f" from {request.start} on" if request.start else ""
        raise SourceError(f"The source has no prices of {', '.join(asked)}{since}; it has {', '.join(there)}.")
    rows = prices["ticker"].value_counts()
    log = fetch_log(
        (ticker, "ok", int(rows[ticker]), "")
        if ticker in rows
        else (ticker, "empty", 0, "the source has no such prices")
        for ticker in asked
    )
    named, paid = there.isin(asked), data.actions["ticker"].isin(asked)
    return replace(
        data, instruments=data.instruments[named].reset_index(drop=True), prices=prices,
        actions=data.actions[paid].reset_index(drop=True), fetch_log=log,
    )  # fmt: skip
