"""What is odd in the stored prices: sessions that are missing, bars that repeat, jumps, dividends that do not fit."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from analytics.market import Bars
from pipeline import calendars, schema, store
from pipeline.histories import JUMP
from pipeline.queries import Reader
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.queries import quality as quality_queries
from pipeline.steps._split import store_each
from pipeline.steps._step import Context, Outcome, Step

OTHER_CALENDAR = 0.02  # of the bars; so many on days without a session, and the ticker follows another calendar
DIVIDEND_AGREEMENT = 1e-3  # of the dividend; Adj Close carries enough digits for that
SMALLEST_DIVIDEND = 1e-3  # of the price; below it the rounding of Adj Close shows
LOOK_BACK = np.timedelta64(20, "D")  # before the first day that is judged anew
COLUMNS = ("ticker", "date", "check_name", "message")
COUNTED = {"missing session": "missing_sessions", "stale bar": "stale_sessions", "jump": "jumps"}

Flag = tuple[str, str, str]  # date, check, message


def run(context: Context) -> Outcome:
    """Flag the odd days of the changed tickers since the change, and score every ticker."""
    calendar = context.source.calendar
    known = price_queries.last_dates(context.reader)
    since = dict.fromkeys(known, "") if context.recompute_all else {
        ticker: day[:4] for ticker, day in context.changed.items() if ticker in known
    }  # fmt: skip
    store_each(context, (schema.quality_flags,), since, partial(_found, calendar=calendar))
    scores = _scores(context)
    with store.transaction(context.connection):
        store.delete(context.connection, schema.quality_scores)
        store.insert(context.connection, schema.quality_scores, scores)
    doubtful = int((scores["score"] < 1).sum())
    return Outcome(len(since), message=f"{len(since)} of {len(known)} tickers looked at, {doubtful} with remarks")


def _found(reader: Reader, ticker: str, year: str, *, calendar: str) -> tuple[pd.DataFrame]:
    """The flags of one ticker from a year on, as they are stored."""
    flags = sorted(flag for flag in _flags(reader, ticker, year, calendar) if flag[0] >= year)
    return (pd.DataFrame([(ticker, *flag) for flag in flags], columns=list(COLUMNS)),)


def _flags(reader: Reader, ticker: str, year: str, calendar: str) -> Iterator[Flag]:
    """Every odd day of one ticker from a year on; a day appears once per check."""
    start = str(np.datetime64(year, "D") - LOOK_BACK) if year else None
    bars = price_queries.bars(reader, ticker, start=start)
    if not len(bars):
        return
    yield from _missing(bars, calendar)
    yield from _stale(bars)
    yield from _jumps(bars)
    yield from _dividends(bars, price_queries.dividends(reader, ticker, start=start))


def _missing(bars: Bars, calendar: str) -> Iterator[Flag]:
    expected = calendars.between(calendar, str(bars.dates[0]), str(bars.dates[-1]))
    off = ~np.isin(bars.dates, expected)
    if off.mean() > OTHER_CALENDAR:
        return
    for day in np.setdiff1d(expected, bars.dates):
        yield str(day), "missing session", "the exchange was open, and there is no bar"
    for day in bars.dates[off]:
        yield str(day), "not a session", "the exchange was closed, and there is a bar"


def _stale(bars: Bars) -> Iterator[Flag]:
    table = np.column_stack([bars.open, bars.high, bars.low, bars.close])
    same = (table[1:] == table[:-1]).all(axis=1)
    for day in bars.dates[1:][same]:
        yield str(day), "stale bar", "the same four prices as the session before"


def _jumps(bars: Bars) -> Iterator[Flag]:
    moves = bars.close[1:] / bars.close[:-1] - 1
    for at in np.flatnonzero(np.abs(moves) > JUMP):
        yield str(bars.dates[at + 1]), "jump", f"the close moves by {moves[at]:+.0%} in one session"


def _dividends(bars: Bars, paid: list[tuple[str, float]]) -> Iterator[Flag]:
    """Dividends that the adjusted closes do not contain: close before × (1 − factor before / factor)."""
    factor = bars.adj_close / bars.close
    for date, stated in paid:
        at = int(np.searchsorted(bars.dates, np.datetime64(date, "D")))
        if not 0 < at < len(bars) or str(bars.dates[at]) != date or stated < SMALLEST_DIVIDEND * bars.close[at - 1]:
            continue
        contained = bars.close[at - 1] * (1 - factor[at - 1] / factor[at])
        if abs(contained / stated - 1) > DIVIDEND_AGREEMENT:
            yield date, "dividend", f"{stated:.4g} USD were paid, the adjusted close contains {contained:.4g}"


def _scores(context: Context) -> pd.DataFrame:
    """The share of each ticker's sessions without a remark: missing, repeated, jumped or refused in this run."""
    noted = pd.DataFrame(
        [(part.rsplit("/", 1)[0], rows) for part, (rows, _) in store.noted_digests(context.connection, schema.prices).items()],
        columns=["ticker", "sessions"],
    ).groupby("ticker")["sessions"].sum()  # fmt: skip
    counts = quality_queries.flag_counts(context.reader)
    table = pd.DataFrame(0, index=noted.index, columns=list(COUNTED.values()))
    for check, column in COUNTED.items():
        found = (
            counts.loc[counts["check_name"] == check].set_index("ticker")["count"]
            if len(counts)
            else pd.Series(dtype=int)
        )
        table[column] = found.reindex(noted.index).fillna(0).astype(int)
    rejected = pd.Series(quality_queries.rejected_rows(context.reader, context.run_id), dtype=float)
    table["rejected_rows"] = rejected.reindex(noted.index).fillna(0).astype(int)
    remarks = table.sum(axis=1)
    score = 1 - remarks / (noted + table["missing_sessions"] + table["rejected_rows"])
    listed = list(instrument_queries.instruments(context.reader)["ticker"])
    table = table.assign(score=score.clip(0, 1), sessions=noted)
    return table[table.index.isin(listed)].reset_index()


STEP = Step(
    "quality",
    "Quality",
    ("instruments", "prices", "corporate_actions", "rejects"),
    ("quality_scores", "quality_flags"),
    run,
)
