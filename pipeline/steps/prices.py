"""Fetch, check and store prices, rates, corporate actions, factor returns and instruments."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from analytics.market import FIELDS
from pipeline import quality, schema, store
from pipeline.queries import prices as price_queries
from pipeline.sources import SourceData
from pipeline.steps._step import Context, Outcome, Step

REWRITTEN = 1e-5  # a close or an adjustment factor that moved by more than this ratio is another history


def run(context: Context) -> Outcome:
    """Bring the store up to date with the source; see the module's first line."""
    data = context.source.fetch(context.request, context.report)
    today = datetime.now(UTC).date().isoformat()
    clean, rejected = quality.check_prices(data.prices, today=today)
    if rewritten := _rewritten_tickers(context, clean):
        context.report(0.0, f"history rewritten for {len(rewritten)} tickers: fetching it whole")
        again = context.source.fetch(replace(context.request, tickers=rewritten, last_dates={}), context.report)
        fresh, more = quality.check_prices(again.prices, today=today)
        clean = pd.concat([clean[~clean["ticker"].isin(set(fresh["ticker"]))], fresh], ignore_index=True)
        rejected = pd.concat([rejected, more], ignore_index=True)
    with store.transaction(context.connection):
        rows = _store_prices(context, data, clean, rejected)
        _store_reference(context, data)
        refused = pd.concat([data.rejects, rejected], ignore_index=True)
        store.insert(context.connection, schema.rejects, refused.assign(
            run_id=context.run_id, number=range(len(refused))))  # fmt: skip
    failed = data.fetch_log[data.fetch_log["status"] != "ok"]
    message = f"{clean['ticker'].nunique()} tickers, {len(context.changed)} changed"
    if len(failed):
        message += f"; nothing came for {', '.join(failed['ticker'].head(5))}{' …' if len(failed) > 5 else ''}"
    return Outcome(rows, len(refused), message, partial=bool(len(failed)))


def _rewritten_tickers(context: Context, fetched: pd.DataFrame) -> tuple[str, ...]:
    """Tickers whose fetched overlap contradicts what is stored: a split, a dividend or a restatement."""
    if not (context.source.incremental and context.request.last_dates):
        return ()
    found = []
    for ticker, rows in fetched.groupby("ticker"):
        stored = price_queries.bars(context.reader, str(ticker), start=rows["date"].min(), end=rows["date"].max())
        both = rows[rows["date"].isin(set(stored.dates.astype(str)))]
        known = np.isin(stored.dates.astype(str), both["date"])
        close, adjusted = stored.close[known], stored.adj_close[known]
        moved = np.abs(both["close"].to_numpy(float) / close - 1) > REWRITTEN
        factor = both["adj_close"].to_numpy(float) / both["close"].to_numpy(float)
        moved |= np.abs(factor / (adjusted / close) - 1) > REWRITTEN
        if moved.any():
            found.append(str(ticker))
    return tuple(found)


def _is_complete(context: Context) -> bool:
    """Whether the source brought all it has, so that what it no longer has must go."""
    request = context.request
    return not context.source.incremental and request.tickers is None and request.start is None


def _store_prices(context: Context, data: SourceData, clean: pd.DataFrame, rejected: pd.DataFrame) -> int:
    """Write instruments and the rows of every ticker that differs from what is stored."""
    described = data.instruments[data.instruments["ticker"].isin(set(clean["ticker"]))]
    store.upsert(context.connection, schema.instruments, described.assign(active=1))
    changed = [rows for ticker, rows in clean.groupby("ticker", sort=True) if _differs(context, str(ticker), rows)]
    context.changed.update(str(rows["ticker"].iloc[0]) for rows in changed)
    if _is_complete(context):
        for ticker in context.changed:
            store.delete(context.connection, schema.prices, ticker=ticker)
        _deactivate_missing(context, data)
    else:
        _drop_refused(context, clean, rejected)
    written = store.upsert(context.connection, schema.prices, pd.concat(changed)) if changed else 0
    ranges = price_queries.date_ranges(context.reader)
    store.upsert(context.connection, schema.instruments, described.assign(active=1).merge(ranges, on="ticker"))
    return written


def _deactivate_missing(context: Context, data: SourceData) -> None:
    """A ticker the source does not even mention any more keeps its history and leaves the universe."""
    for ticker in set(price_queries.last_dates(context.reader)) - set(data.fetch_log["ticker"]):
        store.update(context.connection, schema.instruments, {"ticker": ticker}, active=0)


def _drop_refused(context: Context, clean: pd.DataFrame, rejected: pd.DataFrame) -> None:
    """Delete stored spikes: one is only known for a spike when the next bar has come. Other refusals delete nothing."""
    kept = set(zip(clean["ticker"], clean["date"], strict=True))
    spikes = rejected[rejected["reason"] == quality.ISOLATED_PRICE]
    for ticker, date in zip(spikes["ticker"], spikes["date"], strict=True):
        if (ticker, date) not in kept and store.delete(context.connection, schema.prices, ticker=ticker, date=date):
            context.changed.add(ticker)


def _differs(context: Context, ticker: str, rows: pd.DataFrame) -> bool:
    span = {} if _is_complete(context) else {"start": rows["date"].iloc[0], "end": rows["date"].iloc[-1]}
    stored = price_queries.bars(context.reader, ticker, **span)
    if len(stored) != len(rows) or list(stored.dates.astype(str)) != rows["date"].tolist():
        return True
    return not all(
        np.array_equal(getattr(stored, field), rows[field].to_numpy(float), equal_nan=True) for field in FIELDS
    )


def _store_reference(context: Context, data: SourceData) -> None:
    """Write everything else that came with the prices."""
    known = set(price_queries.last_dates(context.reader))
    actions = data.actions[data.actions["ticker"].isin(known)]
    for table, rows in (
        (schema.rates, data.rates), (schema.corporate_actions, actions), (schema.factor_returns, data.factors),
        (schema.universe_members, data.members),
    ):  # fmt: skip
        if _is_complete(context):
            store.delete(context.connection, table)
        store.upsert(context.connection, table, rows)
    store.insert(context.connection, schema.fetch_log, data.fetch_log.assign(run_id=context.run_id))


STEP = Step(
    key="prices",
    label="Prices",
    reads=(),
    writes=("instruments", "universe_members", "prices", "rates", "corporate_actions", "factor_returns",
            "fetch_log", "rejects"),
    run=run,
)  # fmt: skip
