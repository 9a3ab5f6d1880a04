"""Fetch, check and store prices, rates, corporate actions, factor returns, fundamentals and instruments."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy import Table

from analytics.market import FIELDS
from pipeline import histories, quality, schema, store
from pipeline.errors import SourceError
from pipeline.queries import prices as price_queries
from pipeline.sources import FetchRequest, Report, SourceData
from pipeline.sources._frames import is_ticker
from pipeline.steps._step import Context, Outcome, Step

UNANSWERED = ("rate_limited", "net_error", "timeout", "error", "not_asked")  # it may be there: asked again next time
PORTION = 500  # tickers fetched and stored at a time: 25 years of them are about half a gigabyte
SESSIONS_MISSED = 5  # without a bar of a ticker, while others of its kind have them, before it counts as gone


@dataclass(frozen=True)
class _Fetched:
    """What came, after the quality gate. `whole` holds the tickers of which all history came, not an overlap alone."""

    data: SourceData
    clean: pd.DataFrame
    rejects: pd.DataFrame
    quarantined: dict[str, str]
    whole: frozenset[str]


def run(context: Context) -> Outcome:
    """Bring the store up to date with the source; see the module's first line."""
    portions = _portions(context)
    rows, tickers, parts = 0, 0, []
    for number, names in enumerate(portions):
        report = context.report if len(portions) == 1 else _of_portion(context.report, number, len(portions))
        fetched = _fetch_and_check(context, replace(context.request, tickers=names), report)
        with store.transaction(context.connection):
            rows += _store_prices(context, fetched)
        tickers += fetched.clean["ticker"].nunique()
        parts.append(
            replace(
                fetched, clean=fetched.clean.head(0), data=replace(fetched.data, prices=fetched.data.prices.head(0))
            )
        )
    data, rejects = (
        _joined([part.data for part in parts]),
        pd.concat([part.rejects for part in parts], ignore_index=True),
    )
    with store.transaction(context.connection):
        _store_reference(context, data)
        store.upsert(context.connection, schema.fetch_log, data.fetch_log.assign(run_id=context.run_id))
        store.insert(
            context.connection, schema.rejects, rejects.assign(run_id=context.run_id, number=range(len(rejects)))
        )
        _deactivate(context, data)
    failed = data.fetch_log.loc[data.fetch_log["status"] != "ok", "ticker"]
    quarantined = [ticker for part in parts for ticker in part.quarantined]
    message = f"{tickers} tickers, {len(context.changed)} changed"
    for word, which in (("nothing came for", list(failed)), ("kept as they were", quarantined)):
        if which:
            message += f"; {word}: {', '.join(which[:5])}{' …' if len(which) > 5 else ''}"
    return Outcome(rows, len(rejects), message, partial=bool(len(failed) or quarantined))


def _portions(context: Context) -> list[tuple[str, ...] | None]:
    """The tickers to be fetched at a time: all that are asked for, or so many that memory holds them."""
    asked, source = context.request.tickers, context.source
    if source.tickers is None or asked is not None:
        return [asked]
    names = source.tickers(context.request)
    if len(names) <= PORTION:
        return [None]
    return [tuple(names[first : first + PORTION]) for first in range(0, len(names), PORTION)]


def _of_portion(report: Report, number: int, count: int) -> Report:
    return lambda fraction, message: report((number + fraction) / count, message)


def _joined(parts: list[SourceData]) -> SourceData:
    """Everything but prices of several fetches; what each of them brought again is kept once."""
    if len(parts) == 1:
        return parts[0]
    keys = {"factors": ["frequency", "date"], "rates": ["series", "date"]}
    frames = {}
    for name in (field.name for field in fields(SourceData)):
        found = [frame for part in parts if len(frame := getattr(part, name))] or [getattr(parts[0], name)]
        frames[name] = pd.concat(found, ignore_index=True).drop_duplicates(keys.get(name))
    return SourceData(**frames)


def _fetch_and_check(context: Context, request: FetchRequest, report: Report) -> _Fetched:
    """Fetch, refuse what is defective, and fetch again whole what the vendor has rewritten."""
    data, clean, refused = _fetch(context, request, report)
    _check_enough(context, request, data)
    overlap = set(request.last_dates) if context.source.incremental and request.start is None else set()
    verdict = _judge(context, data, clean, whole=not overlap and request.start is None)
    whole = set(verdict.clean["ticker"].unique()) - overlap if request.start is None else set()
    clean, rejects = verdict.clean, [data.rejects, refused, verdict.rejects]
    quarantined = dict(verdict.quarantined)
    if verdict.refetch:
        report(0.0, f"history rewritten for {len(verdict.refetch)} tickers: fetching it whole")
        rewritten = replace(request, tickers=verdict.refetch, last_dates={}, resume=False, prices_only=True)
        again, fresh, refused = _fetch(context, rewritten, report)
        second = _judge(context, again, fresh, whole=True)
        clean = pd.concat([clean[~clean["ticker"].isin(verdict.refetch)], second.clean], ignore_index=True)
        rejects += [again.rejects, refused, second.rejects]
        quarantined |= second.quarantined
        whole |= set(second.clean["ticker"].unique())
    return _Fetched(data, clean, pd.concat(rejects, ignore_index=True), quarantined, frozenset(whole))


def _fetch(context: Context, request: FetchRequest, report: Report) -> tuple[SourceData, pd.DataFrame, pd.DataFrame]:
    """Return what the source brought, its clean price rows and the refused ones; the log of a failure is kept."""
    try:
        data = context.source.fetch(request, report)
    except SourceError as error:
        if error.fetch_log is not None:
            store.upsert(context.connection, schema.fetch_log, error.fetch_log.assign(run_id=context.run_id))
        raise
    calendar = context.source.calendar if context.source.sessions_only else ""
    return data, *quality.check_prices(data.prices, today=datetime.now(UTC).date().isoformat(), calendar=calendar)


def _judge(context: Context, data: SourceData, clean: pd.DataFrame, *, whole: bool) -> histories.Verdict:
    return histories.judge(
        clean, data.actions, lambda ticker, start: price_queries.bars(context.reader, ticker, start=start),
        vendor=context.source.incremental, whole=whole,
    )  # fmt: skip


def _check_enough(context: Context, request: FetchRequest, data: SourceData) -> None:
    """Raise SourceError where too little came to publish a run that an analyst would take for the market."""
    log = data.fetch_log  # it also names files, such as the factors'
    asked = log[log["ticker"].isin(request.tickers) if request.tickers else log["ticker"].map(is_ticker)]
    missing = asked.loc[asked["status"].isin(UNANSWERED), "ticker"]
    needed = [
        ticker for ticker in context.source.required if ticker in set(asked.loc[asked["status"] != "ok", "ticker"])
    ]
    if needed or len(missing) > context.source.tolerated * max(len(asked), 1):
        what = f"{', '.join(needed)} did not come" if needed else f"{len(missing)} of {len(asked)} tickers did not come"
        store.upsert(context.connection, schema.fetch_log, log.assign(run_id=context.run_id))
        raise SourceError(
            f"{what}, so nothing was published: the store shows the run before. What came is kept for the next update, "
            "which asks for the rest."
        )


def _store_prices(context: Context, fetched: _Fetched) -> int:
    """Write instruments and the rows of every ticker that differs from what is stored."""
    described = fetched.data.instruments
    described = described[described["ticker"].isin(fetched.clean["ticker"].unique())].assign(active=1)
    store.upsert(context.connection, schema.instruments, described)
    noted: dict[str, dict[str, tuple[int, str]]] = {}
    for part, digest in store.noted_digests(context.connection, schema.prices).items():
        noted.setdefault(part.rsplit("/", 1)[0], {})[part] = digest
    written = 0
    for ticker, rows in fetched.clean.groupby("ticker", sort=True):
        if ticker in fetched.whole:
            written += _store_whole(context, str(ticker), rows, noted.get(str(ticker), {}))
        else:
            written += _store_overlap(context, str(ticker), rows)
    _drop_spikes(context, fetched)
    ranges = price_queries.date_ranges(context.reader)
    store.upsert(context.connection, schema.instruments, described.merge(ranges, on="ticker"))
    return written


def _store_whole(context: Context, ticker: str, rows: pd.DataFrame, noted: dict[str, tuple[int, str]]) -> int:
    """Replace a ticker's history from the first year on in which it differs from what is stored."""
    found = store.fetched_digests(schema.prices, rows)
    differing = [part for part in found.keys() | noted.keys() if found.get(part) != noted.get(part)]
    if not differing:
        return 0
    since = min(part.rsplit("/", 1)[1] for part in differing)
    context.changed[ticker] = since
    found = {part: digest for part, digest in found.items() if part >= f"{ticker}/{since}"}
    rows = rows[rows["date"] >= since] if noted else rows
    return store.replace(context.connection, schema.prices, rows, owner=ticker, since=since, digests=found)


def _store_overlap(context: Context, ticker: str, rows: pd.DataFrame) -> int:
    """Add what is new, and what differs, in the rows since a little before the newest stored one."""
    stored = price_queries.bars(context.reader, ticker, start=rows["date"].iloc[0], end=rows["date"].iloc[-1])
    known = pd.DataFrame({field: getattr(stored, field) for field in FIELDS}, index=stored.dates.astype(str))
    known = known.reindex(rows["date"]).to_numpy()
    fresh = rows[list(FIELDS)].to_numpy(float)
    new = rows[~((fresh == known) | (np.isnan(fresh) & np.isnan(known))).all(axis=1)]
    if new.empty:
        return 0
    context.changed[ticker] = new["date"].iloc[0]
    store.upsert(context.connection, schema.prices, new)
    store.seal(context.connection, schema.prices, store.parts_of(schema.prices, new))
    return len(new)


def _drop_spikes(context: Context, fetched: _Fetched) -> None:
    """Delete stored bars that later ones have shown to be defective, such as a spike. Other refusals delete nothing."""
    rejects = fetched.rejects
    spikes = rejects[rejects["reason"].isin(quality.SEEN_LATER) & ~rejects["ticker"].isin(fetched.whole)]
    if spikes.empty:
        return
    kept = set(zip(fetched.clean["ticker"], fetched.clean["date"], strict=True))
    for ticker, date in zip(spikes["ticker"], spikes["date"], strict=True):
        if (ticker, date) not in kept and store.delete(context.connection, schema.prices, ticker=ticker, date=date):
            store.seal(context.connection, schema.prices, {f"{ticker}/{date[:4]}"})
            context.changed[ticker] = min(date, context.changed.get(ticker, date))


def _is_complete(context: Context) -> bool:
    """Whether the source brought all it has, so that what it no longer has must go."""
    request = context.request
    return not context.source.incremental and request.tickers is None and request.start is None


def _deactivate(context: Context, data: SourceData) -> None:
    """A ticker that is gone keeps its history and leaves the universe.

    Gone is what a complete source does not mention any more, and what a vendor does not know although others of
    its kind have come for a week: an outage or a slow day removes nobody.
    """
    last = price_queries.last_dates(context.reader)
    if _is_complete(context):
        gone = set(last) - set(data.fetch_log["ticker"])
    else:
        log = data.fetch_log
        unknown = set(log.loc[log["status"].isin(("not_found", "empty")), "ticker"]) & set(last)
        newest = max(last.values(), default="")
        gone = {ticker for ticker in unknown if np.busday_count(last[ticker], newest) > SESSIONS_MISSED}
    for ticker in gone:
        store.update(context.connection, schema.instruments, {"ticker": ticker}, active=0)


def _store_reference(context: Context, data: SourceData) -> None:
    """Write everything else that came with the prices."""
    known = set(price_queries.last_dates(context.reader))
    for table, rows in (
        (schema.rates, data.rates), (schema.corporate_actions, data.actions[data.actions["ticker"].isin(known)]),
        (schema.factor_returns, data.factors), (schema.universe_members, data.members),
        (schema.company_fundamentals, data.fundamentals[data.fundamentals["ticker"].isin(known)]),
        (schema.ticker_changes, data.changes),
    ):  # fmt: skip
        _store_table(context, table, rows)


def _store_table(context: Context, table: Table, rows: pd.DataFrame) -> None:
    """Bring a table to the rows that came; a complete source's table holds nothing else."""
    if _is_complete(context):
        store.delete(context.connection, table)
        store.insert(context.connection, table, rows)
        store.seal(context.connection, table)
    elif len(rows):
        store.upsert(context.connection, table, rows)
        store.seal(context.connection, table, store.parts_of(table, rows))


STEP = Step(
    key="prices",
    label="Prices",
    reads=(),
    writes=("instruments", "universe_members", "prices", "rates", "corporate_actions", "factor_returns",
            "company_fundamentals", "ticker_changes", "fetch_log", "rejects"),
    run=run,
)  # fmt: skip
