"""Indicators, votes and signals of every ticker whose prices changed."""

import numpy as np

from analytics.signals import technical_signals
from pipeline import schema
from pipeline.queries import Reader
from pipeline.queries import prices as price_queries
from pipeline.steps._split import Rows, store_each
from pipeline.steps._step import Context, Outcome, Step


def run(context: Context) -> Outcome:
    """Recompute the signals of the changed tickers over their whole history; store the years since the change.

    No signal depends on a later bar, so the years before it stay what they are.
    """
    tickers = price_queries.last_dates(context.reader)
    since = dict.fromkeys(tickers, "") if context.recompute_all else {
        ticker: day[:4] for ticker, day in context.changed.items() if ticker in tickers
    }  # fmt: skip
    rows = store_each(context, schema.technical_signals, since, _signals)
    return Outcome(rows, message=f"{len(since)} of {len(tickers)} tickers recomputed")


def _signals(reader: Reader, ticker: str, year: str) -> Rows:
    """The stored columns of one ticker from a year on."""
    bars = price_queries.bars(reader, ticker)
    first = int(np.searchsorted(bars.dates, np.datetime64(year, "D"))) if year else 0
    recent = {name: column[first:] for name, column in technical_signals(bars).items()}
    return {"ticker": [ticker] * (len(bars) - first), "date": bars.dates[first:].astype(str)} | recent


STEP = Step("technical_signals", "Technical signals", ("instruments", "prices"), ("technical_signals",), run)
