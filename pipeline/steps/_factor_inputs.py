"""What the factor fits are computed from, and a word per ticker that tells whether it has changed since."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.returns import month_is_over, monthly_returns, session_returns
from pipeline import schema, store
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.steps._step import Context

ROUNDED = (
    12  # digits of a monthly return: a dividend rescales all earlier prices, and moves the last bits of their ratios
)
NOTHING = ""  # the word of a ticker that has no fit


@dataclass(frozen=True)
class Inputs:
    """Returns and factors of one frequency up to the last date that both have; `returns` are dates × tickers."""

    returns: pd.DataFrame
    factors: pd.DataFrame

    @property
    def empty(self) -> bool:
        return self.returns.empty or self.factors.empty


def fitted_tickers(context: Context) -> list[str]:
    """Every stock and fund, sorted. Indices are left out, because theirs are not total returns."""
    listed = instrument_queries.instruments(context.reader)
    return sorted(listed.loc[listed["kind"] != "index", "ticker"])


def state(context: Context, tickers: list[str], members: list[str]) -> tuple[str, str]:
    """A word for all that the fits depend on besides the prices, and the first day whose prices they do not see.

    The months of the fits are over; the newest session tells which these are.
    """
    newest = pd.Timestamp(instrument_queries.newest_date(context.reader) or "1900-01-01")  # none is active
    settings = context.settings
    found = hashlib.sha256(
        f"{settings.publication_lag_days} {settings.keep_fit_years} {newest:%Y-%m} {tickers} {members}".encode()
    )
    unseen = newest + pd.offsets.MonthBegin() if month_is_over(newest) else newest.replace(day=1)
    for frequency in ("M", "D"):
        factors = factor_queries.factor_returns(context.reader, frequency)
        factors = factors[factors.index < unseen]
        found.update(factors.to_numpy(float).tobytes() + factors.index.to_numpy().tobytes())
    return found.hexdigest(), str(unseen.date())


def monthly(context: Context, tickers: list[str]) -> Inputs:
    """Complete months of every ticker, and the monthly factors."""
    factors = factor_queries.factor_returns(context.reader, "M")
    if factors.empty or not tickers:
        return Inputs(pd.DataFrame(), factors)
    returns = monthly_returns(price_queries.month_end_closes(context.reader, tickers))
    return Inputs(returns[returns.index <= factors.index[-1]], factors)


def daily(context: Context, tickers: list[str], *, end: pd.Timestamp) -> Inputs:
    """Sessions of every ticker, and the daily factors, up to the last complete month: the fits change once a month."""
    factors = _daily_factors(context, end)
    if factors.empty or not tickers:
        return Inputs(pd.DataFrame(), factors)
    closes = price_queries.adjusted_closes(context.reader, tickers)
    returns = closes.apply(session_returns, sessions=factors.index)
    return Inputs(returns.loc[returns.notna().any(axis=1).idxmax() :], factors)


def monthly_word(inputs: Inputs, ticker: str, head: str, *, last: pd.Timestamp | None = None) -> str:
    """A word for the monthly input of a ticker up to `last` (by default all of it): head, last month, checksum."""
    end = inputs.returns.index[-1] if last is None else last
    factors = inputs.factors[inputs.factors.index <= end]
    returns = inputs.returns.loc[inputs.returns.index <= end, ticker]
    found = hashlib.sha256(np.ascontiguousarray(factors.to_numpy(float)).tobytes())
    found.update(f"{factors.index[0]} {returns.index[0]}".encode())
    found.update(np.round(returns.to_numpy(float), ROUNDED).tobytes())
    return f"{head} {end.date()} {found.hexdigest()}"


def is_extended(inputs: Inputs, ticker: str, word: str, head: str) -> bool:
    """Whether the present input begins with the one that `word` stands for: months were added, and none changed."""
    parts = word.rsplit(" ", 2)
    if len(parts) != 3 or parts[0] != head:
        return False
    last = pd.Timestamp(parts[1])
    return bool(last <= inputs.returns.index[-1]) and monthly_word(inputs, ticker, head, last=last) == word


def daily_words(context: Context, tickers: list[str], *, end: pd.Timestamp) -> Mapping[str, str]:
    """A word for the daily input of each ticker, from checksums of the years that are over and the bars of the last."""
    factors = _daily_factors(context, end)
    if factors.empty:
        return dict.fromkeys(tickers, NOTHING)
    last = factors.index[-1]
    shared = hashlib.sha256(np.ascontiguousarray(factors.to_numpy(float)).tobytes())
    shared.update(f"{factors.index[0]} {last}".encode())
    found = {ticker: shared.copy() for ticker in tickers}
    for part, (_, checksum) in store.noted_digests(context.connection, schema.prices).items():
        ticker, year = part.rsplit("/", 1)
        if ticker in found and int(year) < last.year:
            found[ticker].update(f"{year} {checksum}".encode())
    recent = price_queries.adjusted_closes(context.reader, tickers, start=f"{last.year}-01-01")
    recent = recent[recent.index <= last]
    for ticker in recent.columns:
        known = recent[ticker].dropna()
        found[str(ticker)].update(known.to_numpy(float).tobytes() + known.index.to_numpy().tobytes())
    return {ticker: digest.hexdigest() for ticker, digest in found.items()}


def _daily_factors(context: Context, end: pd.Timestamp) -> pd.DataFrame:
    factors = factor_queries.factor_returns(context.reader, "D")
    return factors[factors.index <= end]
