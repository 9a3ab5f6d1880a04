"""Assembling what a source returns: yields leave the prices, rejects and fetch-log rows get their columns."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeline.errors import SourceError
from pipeline.quality import check_rates
from pipeline.sources._source import FETCH_COLUMNS, RATE_COLUMNS, FetchRequest, SourceData

YIELDS = frozenset({"^IRX", "^FVX", "^TNX", "^TYX"})  # Treasury yields that Yahoo quotes in percent, as indices
PERCENT = 100.0

FetchRow = tuple[str, str, int, str]  # ticker, status, rows, message


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


def fetch_log(rows: Iterable[FetchRow]) -> pd.DataFrame:
    """Return the fetch log of (ticker, status, rows, message), one row per ticker, sorted."""
    table: Any = {row[0]: row for row in rows}
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
