"""What whole histories show: each case of the table in docs/DATA.md, and the clean data that must pass."""

import json

import numpy as np
import pandas as pd
import pytest

from analytics.market import FIELDS, Bars
from pipeline.histories import Verdict, judge, near_split
from pipeline.quality import check_prices
from pipeline.sources._source import ACTION_COLUMNS

DAYS = pd.bdate_range("2023-01-02", periods=400).strftime("%Y-%m-%d").to_numpy()
NONE = pd.DataFrame(columns=list(ACTION_COLUMNS))


def closes(count: int = 400, seed: int = 1) -> np.ndarray:
    return 100 * np.cumprod(1 + np.random.default_rng(seed).normal(0, 0.01, count))


def frame(close: np.ndarray, first: int = 0, factor: float | np.ndarray = 1.0, ticker: str = "AAA") -> pd.DataFrame:
    days = DAYS[first : first + len(close)]
    bars = dict.fromkeys(("open", "high", "low", "close"), close) | {
        "adj_close": close * factor,
        "volume": np.arange(len(close)) + 1.0,
    }
    return pd.DataFrame({"ticker": ticker, "date": days} | bars)


def bars(prices: pd.DataFrame) -> Bars:
    dates = prices["date"].to_numpy().astype("datetime64[D]")
    return Bars("AAA", dates, *(prices[name].to_numpy(float) for name in FIELDS))


def split(day: str, ratio: float) -> pd.DataFrame:
    return pd.DataFrame([("AAA", day, "split", ratio)], columns=list(ACTION_COLUMNS))


def verdict(
    fetched: pd.DataFrame, stored: pd.DataFrame | None = None, actions: pd.DataFrame = NONE, *, whole: bool = False
) -> Verdict:
    known = bars(stored if stored is not None else fetched.head(0))

    def look_up(_ticker: str, start: str | None) -> Bars:
        return known.rows(known.dates >= np.datetime64(start or "0001", "D"))

    found = judge(fetched, actions, look_up, vendor=stored is not None, whole=whole)
    assert len(found.clean) == (0 if found.quarantined else len(fetched))
    assert bool(len(found.rejects)) == bool(found.quarantined)
    return found


def reason(found: Verdict) -> str:
    return "refetch" if found.refetch else found.quarantined.get("AAA", "")


STORED = frame(closes()[:380])
OVERLAP = frame(closes()[370:390], first=370)


def changed(**columns: object) -> pd.DataFrame:
    return OVERLAP.assign(**columns)


ONE_DAY = np.where(np.arange(20) == 4, 1.3, 1.0)
MANY_DAYS = np.where(np.arange(20) % 2 == 0, 1.3, 1.0)
CASES = {
    "nothing but news": (OVERLAP, NONE, ""),
    "a dividend was paid": (changed(adj_close=OVERLAP["close"] * np.where(np.arange(20) < 12, 0.99, 1.0)), NONE, "refetch"),
    "a split was applied": (changed(close=OVERLAP["close"] / 4, adj_close=OVERLAP["close"] / 4), split(DAYS[385], 4.0), "refetch"),
    "a split applied to the days before it alone": (
        changed(close=OVERLAP["close"] / np.where(np.arange(20) < 5, 2, 1), adj_close=OVERLAP["close"]), split(DAYS[375], 2.0), "refetch"),
    "a reverse split was applied": (changed(close=OVERLAP["close"] * 10), split(DAYS[385], 0.1), "refetch"),
    "a split was applied twice": (changed(close=OVERLAP["close"] / 16), split(DAYS[385], 4.0), "history rescaled without a split"),
    "rescaled without a split": (changed(close=OVERLAP["close"] / 4), NONE, "history rescaled without a split"),
    "a phantom split that moved nothing": (OVERLAP, split(DAYS[385], 3.0), ""),
    "a small restatement": (changed(close=OVERLAP["close"] * (1 + 0.002 * (np.arange(20) % 3))), NONE, "refetch"),
    "one day corrected": (changed(close=OVERLAP["close"] * ONE_DAY), NONE, "refetch"),
    "many days contradicted": (changed(close=OVERLAP["close"] * MANY_DAYS), NONE, "contradicted by the overlap"),
    "another company": (frame(7 + closes(20, seed=5) / 50, first=370), NONE, "contradicted by the overlap"),
}  # fmt: skip


@pytest.mark.parametrize(("fetched", "actions", "wanted"), CASES.values(), ids=list(CASES))
def test_t8_an_overlap_with_the_store(fetched: pd.DataFrame, actions: pd.DataFrame, wanted: str) -> None:
    assert reason(verdict(fetched, STORED, actions)).startswith(wanted)
    assert bool(reason(verdict(fetched, STORED, actions))) == bool(wanted)


def test_t9_a_symbol_that_was_given_to_another_company() -> None:
    later = frame(closes(30, seed=9) * 3, first=370)
    assert reason(verdict(later, STORED.head(250))).startswith("symbol reused: no bar for")
    assert reason(verdict(frame(closes()[370:], first=370), STORED.head(365))) == "refetch"  # it was away for a week


def test_t7_a_history_that_shrank() -> None:
    assert reason(verdict(STORED.tail(5), STORED, whole=True)).startswith("history shrunk: 375 of 380 known sessions")
    assert reason(verdict(STORED.drop(index=[3, 50]), STORED, whole=True)) == ""
    assert reason(verdict(STORED.drop(index=range(3, 9)), STORED, whole=True)).startswith("history shrunk: 6 of 380")


def test_a_whole_history_of_another_company() -> None:
    assert reason(verdict(frame(closes(380, seed=7)), STORED, whole=True)).startswith("another company's prices")
    halved = STORED.assign(close=STORED["close"] / 2 * 1.0001)
    assert reason(verdict(halved, STORED, whole=True)) == ""  # a split in between is no matter


SPLIT_DAY = 200


@pytest.mark.parametrize("ratio", [1.5, 2.0, 4.0, 10.0, 0.1])
def test_t8_a_reported_split_that_is_still_in_the_prices(ratio: float) -> None:
    raw = closes() / np.where(np.arange(400) >= SPLIT_DAY, ratio, 1.0)
    for late in (0, 2):  # a day or two beside its date
        found = reason(verdict(frame(raw), actions=split(DAYS[SPLIT_DAY - late], ratio), whole=True))
        assert found.startswith(f"split not applied: the {ratio:g}:1 split"), (ratio, late)
    assert reason(verdict(frame(closes()), actions=split(DAYS[SPLIT_DAY], ratio), whole=True)) == ""


@pytest.mark.parametrize(("jump", "at", "wanted"), [
    (1 / 10, 200, "looks like a split that nobody reported"), (4.05, 200, "looks like a split that nobody reported"),
    (0.5, 395, "looks like a split that nobody reported"), (1.5, 398, "looks like a split that nobody reported"),
    (0.5, 200, ""),        # long ago, and true falls of a half exist
    (1.5229, 395, ""),     # AMD on 2016-04-22
    (1.4221, 395, ""),     # NFLX on 2013-01-24
    (0.66, 395, ""), (1.7, 395, ""), (0.56, 395, ""),
])  # fmt: skip
def test_t8_jumps_that_nobody_reported(jump: float, at: int, wanted: str) -> None:
    calm = np.full(400, 100.0) + np.arange(400) % 3 * 0.01
    found = reason(verdict(frame(np.where(np.arange(400) >= at, calm * jump, calm)), whole=True))
    assert found.startswith(wanted)
    assert bool(found) == bool(wanted)


def test_ratios_near_a_split() -> None:
    assert near_split(np.array([2.0, 0.5, 1.985, 0.1, 9.6, 3.02, 1 / 3])).all()
    assert not near_split(np.array([1.9, 2.3, 0.6, 1.45, 1.523, 0.55])).any()


def test_a_quarantined_history_is_one_reject_and_an_overlap_one_for_each_row() -> None:
    whole = verdict(frame(closes() / np.where(np.arange(400) >= 200, 10, 1.0)), whole=True)
    assert len(whole.rejects) == 1
    assert json.loads(whole.rejects["payload"][0]) == {"rows": 400, "first": DAYS[0], "last": DAYS[399]}
    overlap = verdict(changed(close=OVERLAP["close"] / 4), STORED)
    assert overlap.rejects["date"].tolist() == OVERLAP["date"].tolist()
    assert json.loads(overlap.rejects["payload"][0])["close"] == OVERLAP["close"].iloc[0] / 4


def test_other_tickers_are_not_touched() -> None:
    both = pd.concat(
        [changed(close=OVERLAP["close"] / 4), frame(closes(20, seed=3), first=370, ticker="BBB")], ignore_index=True
    )
    known = {"AAA": bars(STORED), "BBB": bars(frame(closes(20, seed=3), first=370))}
    found = judge(both, NONE, lambda ticker, _start: known[ticker], vendor=True, whole=False)
    assert list(found.quarantined) == ["AAA"]
    assert set(found.clean["ticker"]) == {"BBB"}


def test_the_clean_market_data_pass(shared_data, real) -> None:
    """52 series of stocks and funds: no row is refused, no ticker quarantined."""
    from pipeline.queries import connect

    with connect(real.db) as reader:
        refused = reader.frame("SELECT ticker, date, reason FROM rejects WHERE ticker NOT LIKE '^%'")
        jumps = reader.frame(
            "SELECT ticker, date FROM quality_flags WHERE check_name = 'jump' AND ticker IN ('AMD', 'NFLX')"
        )
        stored = {row[0] for row in reader.rows("SELECT ticker FROM instruments WHERE kind <> 'index'")}
    assert refused.empty, refused
    assert len(stored) == 52
    assert {("AMD", "2016-04-22"), ("NFLX", "2013-01-24")} <= set(jumps.itertuples(index=False, name=None))


def test_one_row_gate_and_one_history_gate_take_a_moment() -> None:
    import time

    days = pd.bdate_range("2000-01-03", periods=4000).strftime("%Y-%m-%d")
    prices = pd.concat([
        pd.DataFrame({"ticker": f"T{n:03d}", "date": days} | {name: closes(4000, n) for name in ("open", "high", "low", "close", "adj_close")}
                     | {"volume": 1.0 + np.arange(4000)}) for n in range(50)
    ], ignore_index=True)  # fmt: skip
    begin = time.process_time()
    clean, _ = check_prices(prices)
    judge(clean, NONE, lambda *_: bars(prices.head(0)), vendor=True, whole=True)
    assert time.process_time() - begin < 5  # it takes a tenth of that
