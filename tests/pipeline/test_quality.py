"""The quality gate: each rule on one bad row, and every row in exactly one of the two results."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality import (
    PRICE_RULES,
    RATE_RULES,
    REJECT_COLUMNS,
    check_prices,
    check_rates,
    find_jumps,
    parse_dates,
)
from pipeline.sources import _source

TODAY = "2024-06-03"
GOOD = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "adj_close": 10.0, "volume": 100.0}


def frame(*changes: dict) -> pd.DataFrame:
    """Rows of AAA on successive weekdays from 2024-01-01, each good but for its changes."""
    days = pd.bdate_range("2024-01-01", periods=len(changes)).strftime("%Y-%m-%d")
    rows = [{"ticker": "AAA", "date": day} | GOOD | change for day, change in zip(days, changes, strict=True)]
    return pd.DataFrame(rows, columns=list(_source.PRICE_COLUMNS))


BAD = {
    "not a date": {"date": "2024-02-30"},
    "date in the future": {"date": "2024-06-04"},
    "weekend": {"date": "2024-01-06"},
    "missing close": {"close": np.nan},
    "missing adjusted close": {"adj_close": np.nan},
    "price not finite": {"high": np.inf},
    "price not positive": {"low": 0.0},
    "price too large": {"high": 1e7},
    "high or low violated": {"high": 10.4},
    "volume not valid": {"volume": -1.0},
    "duplicate date": {"date": "2024-01-01"},
    "isolated price": {"open": 50.0, "high": 50.0, "low": 50.0, "close": 50.0},
    "reversed jump": {"open": 16.0, "high": 16.0, "low": 16.0, "close": 16.0},
}
IN_RUNS = ["not a session", "stale bar"]  # one bad row alone does not show them: see the tests of their own


def test_every_rule_has_a_case() -> None:
    assert [*BAD, *IN_RUNS] == sorted((rule.name for rule in PRICE_RULES), key=[*BAD, *IN_RUNS].index)


@pytest.mark.parametrize(("reason", "change"), BAD.items(), ids=list(BAD))
def test_bad_row_is_rejected_for_its_reason(reason: str, change: dict) -> None:
    prices = frame({}, change, {})
    clean, rejects = check_prices(prices, today=TODAY)
    assert rejects["reason"].tolist() == [reason]
    assert rejects["date"].tolist() == [prices["date"][1]]
    assert clean["date"].tolist() == [prices["date"][0], prices["date"][2]]


def test_rejects_carry_the_contract_columns_and_the_row_as_json() -> None:
    assert REJECT_COLUMNS == _source.REJECT_COLUMNS
    _, rejects = check_prices(frame({"close": np.nan, "high": np.inf}))
    assert list(rejects.columns) == list(REJECT_COLUMNS)
    payload = json.loads(rejects["payload"][0])
    assert payload["close"] is None
    assert payload["high"] == "inf"
    assert payload["open"] == 10.0


def test_the_first_of_two_equal_dates_is_kept_unless_it_is_bad() -> None:
    clean, rejects = check_prices(frame({"close": np.nan}, {"date": "2024-01-01", "close": 10.25}))
    assert clean["close"].tolist() == [10.25]
    assert rejects["reason"].tolist() == ["missing close"]


def test_a_bar_with_an_unknown_edge_keeps_close_and_volume_only() -> None:
    clean, rejects = check_prices(frame({"low": np.nan}))
    assert rejects.empty
    assert clean[["open", "high", "low"]].isna().all(axis=None)
    assert clean[["close", "adj_close", "volume"]].to_numpy().tolist() == [[10.5, 10.0, 100.0]]


def test_float_noise_is_moved_onto_the_bar_and_a_real_violation_is_not() -> None:
    clean, rejects = check_prices(frame({"high": 10.5 * (1 - 5e-7)}, {"high": 10.5 * (1 - 5e-6)}))
    assert clean["high"].tolist() == [10.5]
    assert rejects["reason"].tolist() == ["high or low violated"]


def test_two_neighbours_that_disagree_do_not_make_a_spike() -> None:
    bar = {"open": np.nan, "high": np.nan, "low": np.nan}
    clean, rejects = check_prices(frame(bar, bar | {"close": 50.0}, bar | {"close": 40.0}))
    assert len(clean) == 3
    assert rejects.empty


def test_weekend_traders_are_spared() -> None:
    prices = frame({"date": "2024-01-06"})
    assert len(check_prices(prices, trades_weekends={"AAA"})[0]) == 1
    assert len(check_prices(prices)[0]) == 0


def test_clean_is_sorted_and_the_future_needs_a_today() -> None:
    clean, _ = check_prices(frame({"date": "2030-01-03"}, {"date": "2030-01-02"}))
    assert clean["date"].tolist() == ["2030-01-02", "2030-01-03"]


def test_an_empty_frame_stays_empty() -> None:
    clean, rejects = check_prices(frame())
    assert clean.empty
    assert rejects.empty


@pytest.mark.parametrize("text", ["2024-2-3", "20240203", "02/03/2024", "2024-02-30", "2023-02-29", "", None, 5.0])
def test_what_is_not_an_iso_day_is_not_a_date(text: object) -> None:
    days = parse_dates(pd.Series(["2024-02-29", text], dtype=object))
    assert str(days[0]) == "2024-02-29"
    assert np.isnat(days[1])


def test_rates_may_be_negative_but_not_percent() -> None:
    rows = [("^IRX", "2020-03-25", -0.00105), ("^IRX", "2020-03-26", 1.05), ("^IRX", "2020-03-27", np.nan),
            ("^IRX", "2020-03-25", 0.01)]  # fmt: skip
    clean, rejects = check_rates(pd.DataFrame(rows, columns=list(_source.RATE_COLUMNS)))
    assert clean["value"].tolist() == [-0.00105]
    assert rejects["reason"].tolist() == ["rate out of range", "missing value", "duplicate date"]
    assert rejects["ticker"].tolist() == ["^IRX"] * 3
    assert set(rejects["reason"]) <= {rule.name for rule in RATE_RULES}


def test_jumps_name_the_day_and_the_ratio() -> None:
    bar = {"open": np.nan, "high": np.nan, "low": np.nan}
    jumps = find_jumps(frame(bar | {"close": 1208.88}, bar | {"close": 121.79}, bar | {"close": 120.0}))
    assert jumps["date"].tolist() == ["2024-01-02"]
    assert jumps["ratio"][0] == pytest.approx(0.100746, abs=1e-6)


numbers = st.sampled_from([10.0, 10.5, 9.5, 0.0, -1.0, 1e7, 60.0, np.nan, np.inf])
dates = st.sampled_from(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-06", "x", None])
row = st.tuples(st.sampled_from(["AAA", "BBB"]), dates, *(numbers for _ in range(6)))


@given(st.lists(row, max_size=12))
@settings(max_examples=50, deadline=None)
def test_every_row_is_in_exactly_one_result_and_clean_meets_the_store(rows: list[tuple]) -> None:
    prices = pd.DataFrame(rows, columns=list(_source.PRICE_COLUMNS))
    clean, rejects = check_prices(prices, today=TODAY)
    assert len(clean) + len(rejects) == len(prices)
    kept = sorted(zip(clean["ticker"], clean["date"], clean["close"], strict=True))
    given_rows = [tuple(item) for item in prices[["ticker", "date", "close"]].to_numpy()]
    assert all(item in given_rows for item in kept)
    assert not clean.duplicated(["ticker", "date"]).any()
    full = clean.dropna(subset=["high"])
    assert (full["high"] >= full[["open", "close"]].max(axis=1)).all()
    assert (full["low"] <= full[["open", "close"]].min(axis=1)).all()
    assert clean["close"].between(0, 1e7, inclusive="neither").all()
    again, none = check_prices(clean, today=TODAY)
    assert none["reason"].isin(["isolated price", "reversed jump"]).all()  # a removed spike may leave another one alone
    assert len(again) + len(none) == len(clean)


def test_two_hundred_thousand_rows_take_a_moment() -> None:
    days = pd.bdate_range("2000-01-03", periods=4000).strftime("%Y-%m-%d")
    prices = pd.concat([pd.DataFrame({"ticker": f"T{n}", "date": days} | GOOD) for n in range(50)], ignore_index=True)
    prices["volume"] = range(len(prices))
    begin = time.process_time()
    clean, _ = check_prices(prices, today=TODAY)
    assert len(clean) == 200_000
    assert time.process_time() - begin < 2.0  # 0.1 s alone; the limit only catches a loop over rows


# ---- rules that take more than one row, or a calendar -----------------------------------------------------------


@pytest.mark.parametrize(("repeats", "refused"), [(3, 0), (4, 4), (5, 5), (9, 9)])
def test_t7_a_bar_that_repeats_itself_is_stale(repeats: int, refused: int) -> None:
    """Five equal bars and more: the first is believed, the others are refused."""
    moving = [{"volume": 100.0 + n} for n in range(4)]
    prices = frame(*moving, *[{"volume": 103.0}] * repeats, {"close": 10.6, "volume": 90.0})
    clean, rejects = check_prices(prices, today=TODAY)
    assert rejects["reason"].tolist() == ["stale bar"] * refused
    assert rejects["date"].tolist() == prices["date"][4 : 4 + refused].tolist()
    assert len(clean) + len(rejects) == len(prices)


def test_a_stale_bar_without_trades_is_stale_and_one_with_trades_is_not() -> None:
    quiet = frame({}, *[{"volume": 0.0}] * 5, {"close": 10.6})
    assert check_prices(quiet, today=TODAY)[1]["reason"].tolist() == ["stale bar"] * 5
    traded = frame({}, *[{"volume": 50.0 + n} for n in range(8)])
    assert check_prices(traded, today=TODAY)[1].empty
    closes_only = frame(*[{"open": np.nan, "high": np.nan, "low": np.nan, "volume": np.nan}] * 18)  # a T-bill fund
    assert check_prices(closes_only, today=TODAY)[1].empty


@pytest.mark.parametrize(
    ("ticker", "refused"), [("AAPL", True), ("BRK-B", True), ("^VIX", False), ("BTC-USD", False), ("SAP.DE", False)]
)
def test_a_us_stock_has_no_bar_on_a_day_its_exchange_is_closed(ticker: str, refused: bool) -> None:
    prices = frame({}, {}, {}).assign(ticker=ticker, volume=[1.0, 2.0, 3.0])  # 2024-01-01 was New Year's Day
    assert check_prices(prices, today=TODAY, calendar="NYSE")[1]["reason"].tolist() == ["not a session"] * refused
    assert check_prices(prices, today=TODAY)[1].empty


@pytest.mark.parametrize(("closes", "refused"), [
    ([10.0, 14.5, 10.2], ["reversed jump"]), ([10.0, 6.9, 9.8], ["reversed jump"]), ([10.0, 14.5, 14.2], []), ([10.0, 13.5, 10.2], []),
])  # fmt: skip
def test_t8_a_jump_that_comes_back_is_refused_and_one_that_stays_is_not(
    closes: list[float], refused: list[str]
) -> None:
    bars = [{"open": close, "high": close, "low": close, "close": close, "volume": n} for n, close in enumerate(closes)]
    assert check_prices(frame(*bars), today=TODAY)[1]["reason"].tolist() == refused


def test_t7_exactly_the_planted_rows_are_refused() -> None:
    good = [{"volume": 100.0 + n} for n in range(60)]
    planted = {
        5: {"close": -5.0}, 9: {"close": 0.0}, 14: {"close": 1e12, "high": 1e12}, 20: {"high": np.inf}, 27: {"high": 9.5},
        33: {"date": "2024-01-01"}, 41: {"close": np.nan}, 48: {"volume": -1.0},
    }  # fmt: skip
    prices = frame(*(row | planted.get(number, {}) for number, row in enumerate(good)))
    clean, rejects = check_prices(prices, today=TODAY)
    assert sorted(rejects["payload"].map(lambda text: json.loads(text)["volume"])) == sorted(
        -1.0 if number == 48 else 100.0 + number for number in planted
    )
    assert len(clean) == 60 - len(planted)
