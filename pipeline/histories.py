"""The quality gate of whole histories: what a single row cannot show, and what contradicts the store.

A ticker whose history cannot be right is quarantined: nothing of it is stored by this update, and yesterday's data
stay. One whose past the vendor has rewritten explicably is fetched again whole. docs/DATA.md holds the table of cases.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analytics.conventions import DateArray, FloatArray
from analytics.market import Bars
from pipeline.quality import REJECT_COLUMNS

SAME = 1e-5  # relative; a close or an adjustment factor that moved by more is another history
JUMP = 0.4  # a day's move worth a look; NFLX and AMD have true ones beyond it
SPLIT_RATIOS = (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100)
NEAR_SMALL, NEAR_LARGE = 0.01, 0.1  # how near a jump lies to a ratio below 4, which a true move may reach, and above
LARGE = 4.0
RECENT = 10  # sessions; an older jump that nobody reported as a split is history, and flagged alone
NEAR_DAYS = 4  # calendar days between a split's date and the jump that it left
RESTATED = 0.005  # closes that moved by less are a restatement, whatever their number
FEW = 0.2  # of the overlap: so many closes may be corrected by any amount
CONSTANT = 0.002  # spread of a ratio that counts as one number
MISSING = 0.01  # of the known sessions that a whole history may lack
REUSED_DAYS, REUSED_LEVEL = 90, 1.4  # a gap and a change of level after which a symbol belongs to another company
CORRELATION, ENOUGH = 0.5, 30  # of daily returns, and over so many: below it, two histories are not of one company
SHOWN_ROWS = 30  # rows of a quarantined ticker kept one by one among the rejects; a longer history is kept as one


@dataclass(frozen=True)
class Verdict:
    """What may be stored (`clean`), what was refused, what to fetch again whole, and why tickers were quarantined."""

    clean: pd.DataFrame
    rejects: pd.DataFrame
    refetch: tuple[str, ...] = ()
    quarantined: dict[str, str] = field(default_factory=dict)


def judge(
    clean: pd.DataFrame, actions: pd.DataFrame, stored: Callable[[str, str | None], Bars], *, vendor: bool, whole: bool
) -> Verdict:
    """Return the verdict on rows that passed the gate of single rows, sorted by ticker and date.

    actions: the dividends and splits that came with them. stored(ticker, start) returns the stored bars from a date on,
    or all. vendor: the source may rewrite what it said, so that the store is a witness; else the source is believed.
    whole: all history came, not an overlap with the stored one.
    """
    splits = _splits(actions)
    suspects = _with_jumps(clean, splits)
    refetch, quarantined = [], {}
    for ticker, rows in clean.groupby("ticker", sort=True):
        name = str(ticker)
        reason = _jump_fault(rows, splits.get(name, ())) if name in suspects else ""
        if vendor and not reason:
            first = str(rows["date"].iloc[0])
            reason = (
                _whole_fault(rows, stored(name, None)) if whole else _overlap(rows, splits.get(name, ()), stored, first)
            )
        if reason == REFETCH:
            refetch.append(name)
        elif reason:
            quarantined[name] = reason
    kept = clean[~clean["ticker"].isin(quarantined)] if quarantined else clean
    return Verdict(kept, _rejects(clean, quarantined), tuple(refetch), quarantined)


REFETCH = "refetch"  # stands for a reason: the past was rewritten explicably

Splits = tuple[tuple[str, float], ...]  # (date, new shares per old one)


def _splits(actions: pd.DataFrame) -> dict[str, Splits]:
    found = actions[actions["kind"] == "split"]
    return {
        str(ticker): tuple(zip(rows["date"], rows["value"], strict=True)) for ticker, rows in found.groupby("ticker")
    }


def _with_jumps(clean: pd.DataFrame, splits: dict[str, Splits]) -> set[str]:
    """Tickers with a move beyond JUMP, or a split that may have left a smaller one (3:2)."""
    close, ticker = clean["close"].to_numpy(float), clean["ticker"].to_numpy()
    moved = np.abs(close[1:] / close[:-1] - 1) > JUMP
    return set(ticker[1:][moved & (ticker[1:] == ticker[:-1])]) | set(splits)


def near_split(ratio: FloatArray) -> np.ndarray:
    """Return where close / close before lies near a simple split ratio or its inverse."""
    distance = np.abs(np.abs(np.log(ratio))[:, None] - np.log(SPLIT_RATIOS)[None, :])
    allowed = np.where(np.array(SPLIT_RATIOS) < LARGE, NEAR_SMALL, NEAR_LARGE)
    return (distance <= allowed).any(axis=1)


def _jump_fault(rows: pd.DataFrame, splits: Splits) -> str:
    """A split that is still in the prices: reported, or unreported where a true move cannot be meant."""
    close, dates = rows["close"].to_numpy(float), rows["date"].to_numpy().astype("datetime64[D]")
    ratio, days = close[1:] / close[:-1], dates[1:]
    for date, value in splits:
        at = np.abs((days - np.datetime64(date, "D")).astype(int)) <= NEAR_DAYS
        off = np.abs(np.log(ratio[at] * value))  # 0 where the price fell by just the ratio
        if abs(np.log(value)) > NEAR_LARGE and (off < min(NEAR_LARGE, abs(np.log(value)) / 3)).any():
            return f"split not applied: the {value:g}:1 split of {date} is still in the prices"
    jumps = np.flatnonzero(np.abs(ratio - 1) > JUMP)
    near = jumps[near_split(ratio[jumps])]
    large = near[np.abs(np.log(ratio[near])) > np.log(LARGE) - NEAR_LARGE]
    for at in (*large, *near[near >= len(ratio) - RECENT]):
        return f"looks like a split that nobody reported: the close moves ×{ratio[at]:.3g} on {days[at]}"
    return ""


def _whole_fault(rows: pd.DataFrame, known: Bars) -> str:
    """A whole history against the stored one: shrunken, or of another company."""
    if not len(known):
        return ""
    dates = rows["date"].to_numpy().astype("datetime64[D]")
    both, here, there = np.intersect1d(dates, known.dates, return_indices=True)
    if len(both) < (1 - MISSING) * len(known):
        return f"history shrunk: {len(known) - len(both)} of {len(known)} known sessions did not come"
    fetched, stored = rows["close"].to_numpy(float)[here], known.close[there]
    if len(both) > ENOUGH and not _of_one_company(fetched, stored):
        return "another company's prices: its daily returns have nothing to do with the stored ones"
    return ""


def _of_one_company(fetched: FloatArray, stored: FloatArray) -> bool:
    """Whether two series of closes move together, whatever their scale; a split in one of them is no matter."""
    first, second = np.diff(np.log(fetched)), np.diff(np.log(stored))
    calm = (np.abs(first) < JUMP) & (np.abs(second) < JUMP)
    if calm.sum() < ENOUGH or np.allclose(first[calm], second[calm], atol=RESTATED):
        return True
    return bool(np.corrcoef(first[calm], second[calm])[0, 1] > CORRELATION)


def _overlap(rows: pd.DataFrame, splits: Splits, stored: Callable[[str, str | None], Bars], first: str) -> str:
    """The newest rows against those stored: equal, rewritten explicably (REFETCH), or contradicted."""
    known = stored(str(rows["ticker"].iloc[0]), first)
    dates = rows["date"].to_numpy().astype("datetime64[D]")
    both, here, there = np.intersect1d(dates, known.dates, return_indices=True)
    if not len(both):
        return _gap(rows, stored)
    close, adjusted = rows["close"].to_numpy(float)[here], rows["adj_close"].to_numpy(float)[here]
    ratio = close / known.close[there]
    factor = (adjusted / close) / (known.adj_close[there] / known.close[there])
    moved = np.abs(ratio - 1) > SAME
    if not moved.any():
        return REFETCH if (np.abs(factor - 1) > SAME).any() else ""  # a dividend was paid
    if np.abs(ratio - 1).max() <= RESTATED or _explained(ratio, both, splits):
        return REFETCH
    off = np.abs(ratio - 1) > RESTATED
    if np.ptp(np.log(ratio)) <= CONSTANT:
        return f"history rescaled without a split: closes are ×{np.median(ratio):.4g} of the stored ones"
    if off.mean() <= FEW:
        return REFETCH  # single days were corrected
    return f"contradicted by the overlap: {off.sum()} of {len(both)} closes are not those stored, by up to ×{ratio[np.argmax(np.abs(np.log(ratio)))]:.3g}"


def _explained(ratio: FloatArray, dates: DateArray, splits: Splits) -> bool:
    """Whether reported splits account for the ratio of every date: prices before a split are divided by it."""
    expected = np.ones(len(ratio))
    for date, value in splits:
        expected[dates < np.datetime64(date, "D")] /= value
    return bool((expected != 1).any() and (np.abs(ratio / expected - 1) <= RESTATED).all())


def _gap(rows: pd.DataFrame, stored: Callable[[str, str | None], Bars]) -> str:
    """No shared session: the ticker is new, was away, or its symbol was given to another company."""
    known = stored(str(rows["ticker"].iloc[0]), None)
    if not len(known):
        return ""
    days = int((np.datetime64(rows["date"].iloc[0], "D") - known.dates[-1]).astype(int))
    level = abs(np.log(rows["close"].iloc[0] / known.close[-1]))
    if days > REUSED_DAYS and level > np.log(REUSED_LEVEL):
        return f"symbol reused: no bar for {days} days, then another level"
    return REFETCH


def _rejects(clean: pd.DataFrame, quarantined: dict[str, str]) -> pd.DataFrame:
    """The refused rows with their reason; a long history is one row that says how long it is."""
    found: list[tuple[str, str | None, str, str]] = []
    for ticker, reason in quarantined.items():
        rows = clean[clean["ticker"] == ticker]
        if len(rows) > SHOWN_ROWS:
            span = {"rows": len(rows), "first": rows["date"].iloc[0], "last": rows["date"].iloc[-1]}
            found.append((ticker, None, reason, json.dumps(span)))
        else:
            table = rows.astype(object).where(rows.notna(), None).to_dict("records")
            found += [(ticker, row["date"], reason, json.dumps(row)) for row in table]
    return pd.DataFrame(found, columns=list(REJECT_COLUMNS))
