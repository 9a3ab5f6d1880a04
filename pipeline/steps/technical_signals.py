"""Indicators, votes and signals of every ticker whose prices changed."""

from analytics.signals import technical_signals
from pipeline import schema, store
from pipeline.queries import prices as price_queries
from pipeline.steps._step import Context, Outcome, Step


def run(context: Context) -> Outcome:
    """Recompute the signals of the changed tickers, each over its whole history."""
    tickers = sorted(price_queries.last_dates(context.reader))
    stale = tickers if context.recompute_all else [ticker for ticker in tickers if ticker in context.changed]
    rows = 0
    with store.transaction(context.connection):
        for number, ticker in enumerate(stale):
            context.report(number / len(stale), ticker)
            bars = price_queries.bars(context.reader, ticker)
            store.delete(context.connection, schema.technical_signals, ticker=ticker)
            columns = {"ticker": [ticker] * len(bars), "date": bars.dates.astype(str)} | technical_signals(bars)
            rows += store.insert(context.connection, schema.technical_signals, columns)
    return Outcome(rows, message=f"{len(stale)} of {len(tickers)} tickers recomputed")


STEP = Step("technical_signals", "Technical signals", ("instruments", "prices"), ("technical_signals",), run)
