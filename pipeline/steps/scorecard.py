"""What every vote, the overall signal and the rating were worth, per ticker and over all stocks together."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from analytics.inference import benjamini_hochberg
from analytics.scorecard import (
    HORIZONS,
    QuarterlySums,
    bucket_codes,
    forward_returns,
    pooled,
    quarterly_sums,
    scorecard,
)
from analytics.signals import technical_signals
from pipeline import schema, store
from pipeline.queries import Reader, checks
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.steps._split import gather
from pipeline.steps._step import Context, Outcome, Step

ALL_STOCKS = "stocks"  # the scope of all of them together
Span = tuple[str, str]
Share = tuple[list[pd.DataFrame], dict[int, QuarterlySums], dict[int, Span]]


def run(context: Context) -> Outcome:
    """Judge every signal anew where a price changed: a new close ends windows, and moves every average."""
    if not context.changed and not context.recompute_all and checks.count(context.reader, "signal_scorecard"):
        return Outcome(0, message="nothing changed")
    tickers = list(price_queries.last_dates(context.reader))
    listed = instrument_queries.instruments(context.reader)
    # Those that left the universe count too: without them the record would be that of the survivors.
    stocks = frozenset(listed.loc[listed["kind"] == "stock", "ticker"])
    shares = gather(context, tickers, partial(_share, stocks=stocks))
    frames = sorted((frame for own, _, _ in shares for frame in own), key=lambda frame: str(frame["scope"].iloc[0]))
    rows = _with_q([_pooled(shares), pd.concat(frames, ignore_index=True)]) if frames else pd.DataFrame()
    with store.transaction(context.connection):
        store.delete(context.connection, schema.signal_scorecard)
        if len(rows):
            store.insert(context.connection, schema.signal_scorecard, rows)
    return Outcome(
        len(rows),
        message=f"{len({frame['scope'].iloc[0] for frame in frames})} of {len(tickers)} tickers have a record",
    )


def _share(reader: Reader, tickers: Iterator[str], *, stocks: frozenset[str]) -> Share:
    """The rows of some tickers, and by horizon the sums of the stocks among them with their first and last date."""
    frames: list[pd.DataFrame] = []
    sums: dict[int, QuarterlySums] = {}
    spans: dict[int, Span] = {}
    for ticker in tickers:
        bars = price_queries.bars(reader, ticker)
        codes = bucket_codes(technical_signals(bars))
        returns = {horizon: forward_returns(bars, horizon) for horizon in HORIZONS}
        for horizon, found in quarterly_sums(bars.dates, returns, codes).items():
            known = bars.dates[np.isfinite(returns[horizon])]
            span = str(known[0]), str(known[-1])
            rows = scorecard(found, horizon)
            if len(rows):
                frames.append(_scoped(ticker, rows, span))
            if len(rows) and ticker in stocks:
                spans[horizon] = _both([span, spans.get(horizon, span)])
                total = pooled([sums[horizon], found] if horizon in sums else [found])
                sums |= {horizon: total} if total else {}
    return frames, sums, spans


def _pooled(shares: list[Share]) -> pd.DataFrame:
    frames = []
    for horizon in HORIZONS:
        total = pooled([sums[horizon] for _, sums, _ in shares if horizon in sums])
        if total:
            span = _both([spans[horizon] for _, _, spans in shares if horizon in spans])
            frames.append(_scoped(ALL_STOCKS, scorecard(total, horizon), span))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _both(spans: list[Span]) -> Span:
    return min(first for first, _ in spans), max(last for _, last in spans)


def _scoped(scope: str, rows: pd.DataFrame, span: Span) -> pd.DataFrame:
    return rows.assign(scope=scope, first_date=span[0], last_date=span[1])


def _with_q(families: list[pd.DataFrame]) -> pd.DataFrame:
    """All rows with their q values: the tests of all stocks together are one family, those of every ticker another."""
    return pd.concat(
        [rows.assign(q_value=benjamini_hochberg(rows["p_value"])) for rows in families if len(rows)],
        ignore_index=True,
    ).sort_values([column.name for column in schema.signal_scorecard.primary_key], ignore_index=True)


STEP = Step("scorecard", "Signal scorecard", ("instruments", "prices", "technical_signals"), ("signal_scorecard",), run)
