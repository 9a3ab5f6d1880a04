"""The quality gate: which price and rate rows may enter the store, and why the others may not."""

import json
import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from analytics.conventions import DateArray, FloatArray
from pipeline import calendars

REJECT_COLUMNS = ("ticker", "date", "reason", "payload")
PRICE_FIELDS = ("open", "high", "low", "close", "adj_close")
EDGES = ("open", "high", "low")
PRICE_LIMIT = 1e7  # USD; the dearest share (BRK.A) is below 1e6, so a larger figure is a defect
VOLUME_LIMIT = 1e15
RATE_FLOOR = -0.2
RATE_LIMIT = 1.0  # a yield of 100 % or more is a percentage that was not divided by 100
NOISE = 1e-6  # relative; float noise of vendors that adjust in single precision is below this
SPIKE_FACTOR = 4.0  # one close this far from both neighbours, which agree, belongs to something else
AGREEMENT = 1.5  # neighbours agree where neither is more than this times the other
JUMP_FACTOR = 4.0  # a day's move this large is reported: a split that was not adjusted, or real
REVERSED = 0.4  # one close that moves this much away from both neighbours …
REVERSED_AGREEMENT = 1.1  # … which are within this factor of each other: it went and came back in one session
STALE_SESSIONS = 5  # bars in a row with the same four prices and no other volume: the vendor repeats itself
SATURDAY = 5
ISOLATED_PRICE, REVERSED_JUMP, STALE_BAR = "isolated price", "reversed jump", "stale bar"
SEEN_LATER = (ISOLATED_PRICE, REVERSED_JUMP, STALE_BAR)  # known only when later bars have come
US_LISTED = re.compile(r"[A-Z]{1,5}(?:[.-][A-Z])?")  # not an index, a currency, a future, or of another country
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Rows:
    """Rows under test as arrays of shape (n_rows,); `alive` marks those no earlier rule has rejected."""

    key: np.ndarray  # codes of the ticker or series
    days: DateArray  # NaT where the text is not an ISO date
    values: dict[str, FloatArray]  # NaN where unknown
    today: np.datetime64
    weekday_only: np.ndarray
    off_session: np.ndarray  # the exchange was closed on this day, as far as a calendar was given
    alive: np.ndarray

    @cached_property
    def order(self) -> np.ndarray:
        """Positions of the living rows by key and date, ties in the order of arrival."""
        living = np.flatnonzero(self.alive)
        return living[np.lexsort((self.days[living], self.key[living]))]

    def any_price(self, test: Callable[[FloatArray], np.ndarray]) -> np.ndarray:
        """Where `test` holds for at least one price of the row."""
        return np.logical_or.reduce([test(self.values[field]) for field in PRICE_FIELDS])


@dataclass(frozen=True)
class Rule:
    """One reason to reject a row: `name` is the stored reason, mask(rows) is True where it applies."""

    name: str
    message: str
    mask: Callable[[Rows], np.ndarray]


def _weekend(rows: Rows) -> np.ndarray:
    # 1970-01-01 was a Thursday, day 3 of a week that begins on Monday.
    return rows.weekday_only & ((rows.days.astype("int64") + 3) % 7 >= SATURDAY)


def _bar_violated(rows: Rows) -> np.ndarray:
    opened, high, low, close = (rows.values[field] for field in (*EDGES, "close"))
    with np.errstate(invalid="ignore"):
        too_low = high < np.fmax(opened, close) * (1 - NOISE)
        too_high = low > np.fmin(opened, close) * (1 + NOISE)
    return too_low | too_high


def _volume_invalid(rows: Rows) -> np.ndarray:
    return (rows.values["volume"] < 0) | (rows.values["volume"] >= VOLUME_LIMIT)


def _duplicate(rows: Rows) -> np.ndarray:
    order, found = rows.order, np.zeros(len(rows.key), dtype=bool)
    key, days = rows.key[order], rows.days[order]
    found[order[1:][(key[1:] == key[:-1]) & (days[1:] == days[:-1])]] = True
    return found


def _off_both_neighbours(factor: float, agreement: float) -> Callable[[Rows], np.ndarray]:
    """The close is more than `factor` times off both neighbours, which agree within `agreement`."""

    def mask(rows: Rows) -> np.ndarray:
        order, found = rows.order, np.zeros(len(rows.key), dtype=bool)
        level, key = np.log(rows.values["close"][order]), rows.key[order]
        before, here, after = level[:-2], level[1:-1], level[2:]
        distance = np.minimum(np.abs(here - before), np.abs(here - after))
        agree = np.abs(after - before) < math.log(agreement)
        found[order[1:-1][(key[2:] == key[:-2]) & (distance > math.log(factor)) & agree]] = True
        return found

    return mask


def _stale(rows: Rows) -> np.ndarray:
    """Bars that repeat the one before, in a run of STALE_SESSIONS or more; the first of the run is believed."""
    order, found = rows.order, np.zeros(len(rows.key), dtype=bool)
    table = np.column_stack([rows.values[field][order] for field in (*EDGES, "close")])
    volume, key = rows.values["volume"][order], rows.key[order]
    same = (key[1:] == key[:-1]) & (table[1:] == table[:-1]).all(axis=1)  # unknown prices are equal to nothing
    same &= (volume[1:] == volume[:-1]) | (volume[1:] == 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], same.astype(np.int8), [0]])))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= STALE_SESSIONS - 1:
            found[order[first + 1 : last + 1]] = True
    return found


_DATES = (
    Rule(
        "not a date",
        "the date is not a calendar date written YYYY-MM-DD",
        lambda rows: np.isnat(rows.days),
    ),
    Rule(
        "date in the future",
        "the date lies after the day of the update",
        lambda rows: rows.days > rows.today,
    ),
    Rule("weekend", "no exchange is open on a Saturday or Sunday", _weekend),
    Rule("not a session", "the exchange was closed on this day", lambda rows: rows.off_session),
)
_DUPLICATE = Rule("duplicate date", "the ticker has an earlier row of this date, which is kept", _duplicate)

# In this order: the first rule that applies is the reason; the last see only rows that passed the others.
PRICE_RULES = (
    *_DATES,
    Rule("missing close", "the row has no close", lambda rows: np.isnan(rows.values["close"])),
    Rule(
        "missing adjusted close",
        "the row has no adjusted close, so no total return",
        lambda rows: np.isnan(rows.values["adj_close"]),
    ),
    Rule("price not finite", "a price is infinite", lambda rows: rows.any_price(np.isinf)),
    Rule(
        "price not positive",
        "a price is zero or negative",
        lambda rows: rows.any_price(lambda price: price <= 0),
    ),
    Rule(
        "price too large",
        f"a price is {PRICE_LIMIT:,.0f} USD or more",
        lambda rows: rows.any_price(lambda price: price >= PRICE_LIMIT),
    ),
    Rule(
        "high or low violated",
        "the high is below, or the low above, the open or the close",
        _bar_violated,
    ),
    Rule("volume not valid", f"the volume is negative or {VOLUME_LIMIT:.0e} or more", _volume_invalid),
    _DUPLICATE,
    Rule(
        ISOLATED_PRICE,
        f"the close is more than {SPIKE_FACTOR:g} times off both its neighbours, which agree",
        _off_both_neighbours(SPIKE_FACTOR, AGREEMENT),
    ),
    Rule(
        REVERSED_JUMP,
        f"the close moves by more than {REVERSED:.0%} and back again in the next session",
        _off_both_neighbours(1 + REVERSED, REVERSED_AGREEMENT),
    ),
    Rule(STALE_BAR, f"the bar repeats the one before, {STALE_SESSIONS} sessions or more in a row", _stale),
)
RATE_RULES = (
    *_DATES,
    Rule("missing value", "the row has no yield", lambda rows: np.isnan(rows.values["value"])),
    Rule(
        "rate out of range",
        f"the yield is not between {RATE_FLOOR:.0%} and {RATE_LIMIT:.0%}",
        lambda rows: (rows.values["value"] <= RATE_FLOOR) | (rows.values["value"] >= RATE_LIMIT),
    ),
    _DUPLICATE,
)


def check_prices(
    prices: pd.DataFrame, *, today: str | None = None, trades_weekends: Collection[str] = (), calendar: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split price rows into (clean, rejects): every row ends in exactly one of them.

    prices: the columns of the prices table in any order of rows, USD and shares; today: ISO date, None for no
    check of the future; trades_weekends: tickers that the weekend rule spares; calendar: where it is given, US stocks
    and funds have no bar on a day that is not one of its sessions. clean is sorted by ticker and
    date; highs and lows within float noise (1e-6) of the open or close are moved onto it. rejects has ticker,
    date, reason (the name of one of PRICE_RULES) and payload, the row as JSON. NaN when: open, high and low
    are all unknown as soon as one of them is, because such a bar cannot be checked; close and volume stay.
    """
    numbers = _numbers(prices, (*PRICE_FIELDS, "volume"))
    clean, rejects = _apply(prices, "ticker", numbers, PRICE_RULES, today, trades_weekends, calendar)
    edges = clean[list(EDGES)].to_numpy()
    partial = np.isnan(edges).any(axis=1)
    edges[partial] = np.nan
    body = np.column_stack([edges[:, 0], clean["close"].to_numpy()])
    clean["open"] = edges[:, 0]
    clean["high"] = np.where(partial, np.nan, np.maximum(edges[:, 1], body.max(axis=1)))
    clean["low"] = np.where(partial, np.nan, np.minimum(edges[:, 2], body.min(axis=1)))
    return clean, rejects


def check_rates(rates: pd.DataFrame, *, today: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rate rows (series, date, value as a fraction, which may be negative) into (clean, rejects).

    The reasons are the names of RATE_RULES; the series stands in the ticker column of rejects.
    """
    return _apply(rates, "series", _numbers(rates, ("value",)), RATE_RULES, today, ())


def find_jumps(prices: pd.DataFrame) -> pd.DataFrame:
    """Return ticker, date and ratio (close / close before) of moves by a factor of 4 or more in one session.

    prices: PRICE_COLUMNS sorted by ticker and date. Such a move is an unadjusted split or the truth; it is
    reported, not rejected, because a row alone cannot tell. Empty where there is none.
    """
    known = prices[prices["close"] > 0]
    ratio = (known["close"] / known["close"].shift()).where(known["ticker"] == known["ticker"].shift())
    jumped = (ratio >= JUMP_FACTOR) | (ratio <= 1 / JUMP_FACTOR)
    return known.loc[jumped, ["ticker", "date"]].assign(ratio=ratio[jumped]).reset_index(drop=True)


def parse_dates(dates: pd.Series) -> DateArray:
    """Return days of shape (n_rows,); NaT where the text is not an existing date written YYYY-MM-DD."""
    codes, unique = pd.factorize(dates)
    days = np.array([*map(_parse_date, unique), np.datetime64("NaT", "D")], dtype="datetime64[D]")
    return days[codes]  # the sentinel −1 picks the NaT at the end


def _parse_date(text: object) -> np.datetime64:
    try:
        return np.datetime64(date.fromisoformat(text) if ISO_DATE.fullmatch(text) else "NaT", "D")  # type: ignore[arg-type, call-overload]
    except (TypeError, ValueError):  # not text, or no such day
        return np.datetime64("NaT", "D")


def _numbers(frame: pd.DataFrame, fields: Sequence[str]) -> dict[str, FloatArray]:
    return {
        field: pd.to_numeric(frame[field], errors="coerce").to_numpy(dtype=float, na_value=np.nan) for field in fields
    }


def _apply(
    frame: pd.DataFrame,
    key: str,
    numbers: dict[str, FloatArray],
    rules: Sequence[Rule],
    today: str | None,
    trades_weekends: Collection[str],
    calendar: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    alive, reason = np.ones(len(frame), dtype=bool), np.full(len(frame), -1)
    codes, names = pd.factorize(frame[key], sort=True)
    weekday_only = ~np.append(np.isin(np.asarray(names, dtype=object), list(trades_weekends)), [False])[codes]
    last_day = np.datetime64(today or "9999-12-31", "D")
    days = parse_dates(frame["date"])
    off_session = np.zeros(len(frame), dtype=bool)
    if calendar:
        listed = np.array([*(bool(US_LISTED.fullmatch(str(name))) for name in names), False], dtype=bool)
        off_session = listed[codes] & ~calendars.is_session(calendar, days)
    for number, rule in enumerate(rules):
        found = rule.mask(Rows(codes, days, numbers, last_day, weekday_only, off_session, alive)) & alive
        reason[found] = number
        alive = alive & ~found
    order = Rows(codes, days, numbers, last_day, weekday_only, off_session, alive).order
    clean = frame.assign(**numbers).iloc[order].reset_index(drop=True)
    return clean, _rejects(frame[~alive], key, [rules[number].name for number in reason[~alive]])


def _rejects(rows: pd.DataFrame, key: str, reasons: list[str]) -> pd.DataFrame:
    payload = [json.dumps({name: _plain(value) for name, value in row.items()}) for row in rows.to_dict("records")]
    columns = dict(zip(REJECT_COLUMNS, (rows[key].to_list(), rows["date"].to_list(), reasons, payload), strict=True))
    return pd.DataFrame(columns, columns=list(REJECT_COLUMNS))


def _plain(value: object) -> object:
    """A JSON value: NaN becomes null, an infinity its name, anything odd its text."""
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, (str, int, type(None))):
        return value
    return None if value is pd.NaT or value is pd.NA else str(value)
