"""Indicators, votes, ratings and candlestick patterns of every ticker whose prices changed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from analytics.market import Bars
from analytics.signals import TIMEFRAMES, technical_signals, timeframe_rating
from analytics.signals.candlesticks import candlestick_patterns
from pipeline import schema
from pipeline.queries import Reader
from pipeline.queries import prices as price_queries
from pipeline.queries import signals as signal_queries
from pipeline.steps._split import Rows, store_each
from pipeline.steps._step import Context, Outcome, Step

TABLES = (schema.technical_signals, schema.technical_ratings, schema.candlestick_patterns)


def run(context: Context) -> Outcome:
    """Recompute the signals of the changed tickers over their whole history; store the years since the change.

    No signal depends on a later bar, so the years before it stay what they are.
    """
    tickers = price_queries.last_dates(context.reader)
    since = dict.fromkeys(tickers, "") if context.recompute_all else {
        ticker: _year_of_session_before(context.reader, ticker, day)
        for ticker, day in context.changed.items() if ticker in tickers
    }  # fmt: skip
    rows = store_each(context, TABLES, since, _of_ticker)
    return Outcome(rows, message=f"{len(since)} of {len(tickers)} tickers recomputed")


def _year_of_session_before(reader: Reader, ticker: str, day: str) -> str:
    """A new bar also ends the week and the month of the one before it, however long ago that was."""
    return (signal_queries.last_date_before(reader, ticker, day) or "")[:4]


def _of_ticker(reader: Reader, ticker: str, year: str) -> tuple[Rows, ...]:
    """The rows of one ticker from a year on, in the order of TABLES."""
    bars = price_queries.bars(reader, ticker)
    first = int(np.searchsorted(bars.dates, np.datetime64(year, "D"))) if year else 0
    recent = {name: column[first:] for name, column in technical_signals(bars).items()}
    signals = {"ticker": [ticker] * (len(bars) - first), "date": bars.dates[first:].astype(str)} | recent
    return signals, _ratings(bars, year), _since(candlestick_patterns(bars), ticker, year)


def _ratings(bars: Bars, year: str) -> Rows:
    found = {timeframe: timeframe_rating(bars, timeframe) for timeframe in sorted(TIMEFRAMES)}
    names = [timeframe for timeframe, rating in found.items() for _ in rating["date"]]
    columns = {
        name: np.concatenate([np.asarray(rating[name], dtype=object if name == "rating_label" else None) for rating in found.values()])
        for name in found["W"]
    }  # fmt: skip
    return _since({"timeframe": np.array(names, dtype=object)} | columns, bars.ticker, year)


def _since(columns: Mapping[str, Any], ticker: str, year: str) -> Rows:
    """The rows from a year on, with their ticker, in the columns' own order."""
    dates = columns["date"].astype(str)
    kept = dates >= year
    return (
        {"ticker": [ticker] * int(kept.sum())}
        | {name: values[kept] for name, values in columns.items()}
        | {"date": dates[kept]}
    )


STEP = Step(
    "technical_signals", "Technical signals", ("instruments", "prices"),
    ("technical_signals", "technical_ratings", "candlestick_patterns"), run,
)  # fmt: skip
