"""Everything stored of a ticker's technical view: which columns, from which functions."""

from dataclasses import replace

import numpy as np
import pytest
from signal_bars import walk, without

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS, VOTES
from analytics.signals import (
    compute_votes,
    count_votes,
    overall_signal,
    rating_labels,
    rating_score,
    technical_signals,
)

N = 320
TOTALS = ["buy_votes", "sell_votes", "overall_signal", "rating_score", "rating_label"]
CONTRACT = {
    "sma_20", "sma_50", "sma_200", "ema_12", "ema_26", "macd", "macd_signal", "macd_hist", "rsi_14", "bb_upper",
    "bb_middle", "bb_lower", "stoch_k", "stoch_d", "atr_14", "adx_14", "plus_di_14", "minus_di_14", "cci_20",
    "williams_r_14", "mfi_14", "obv", "roc_12", "vote_sma", "vote_ema", "vote_macd", "vote_rsi", "vote_bollinger",
    "vote_stochastic", "vote_adx", "vote_cci", "vote_williams_r", "vote_mfi", "vote_obv", "vote_roc", *TOTALS,
}  # fmt: skip


def assert_same_rows(left: dict, right: dict, rows: int) -> None:
    assert left.keys() == right.keys()
    for name, values in left.items():
        if name == "rating_label":
            assert values[:rows] == right[name][:rows]
        else:
            np.testing.assert_array_equal(values[:rows], right[name][:rows], err_msg=name)


def test_columns_are_every_output_every_vote_and_the_totals() -> None:
    columns = technical_signals(walk(31))
    outputs = [output for indicator in INDICATORS.values() for output in indicator.outputs]
    assert sorted(columns) == sorted([*outputs, *(f"vote_{key}" for key in VOTES), *TOTALS])
    assert set(columns) >= CONTRACT  # names that checks outside the project read
    assert {len(values) for values in columns.values()} == {N}


def test_totals_follow_from_the_stored_votes() -> None:
    columns = technical_signals(walk(31))
    core = np.stack([columns[f"vote_{key}"] for key in CORE_VOTES])
    known = np.isfinite(core).any(axis=0)
    np.testing.assert_array_equal(columns["buy_votes"], np.where(known, (core == 1).sum(axis=0), np.nan))
    np.testing.assert_array_equal(columns["sell_votes"], np.where(known, (core == -1).sum(axis=0), np.nan))
    difference = columns["buy_votes"] - columns["sell_votes"]
    enough = np.maximum(columns["buy_votes"], columns["sell_votes"]) >= 3
    np.testing.assert_array_equal(columns["overall_signal"], np.where(known, np.sign(difference) * enough, np.nan))
    np.testing.assert_array_equal(columns["rating_score"], rating_score({key: columns[f"vote_{key}"] for key in VOTES}))
    assert columns["rating_label"] == rating_labels(columns["rating_score"])
    assert {-1.0, 0.0, 1.0} <= set(columns["overall_signal"])


def test_the_stored_signal_is_the_one_a_backtest_computes() -> None:
    bars = walk(32)
    columns, votes = technical_signals(bars), compute_votes(bars)
    np.testing.assert_array_equal(columns["overall_signal"], overall_signal(votes))
    np.testing.assert_array_equal(columns["buy_votes"], count_votes(votes)[0])


def test_dividends_do_not_enter() -> None:
    bars = walk(31)
    assert_same_rows(technical_signals(replace(bars, adj_close=bars.close * 0.5)), technical_signals(bars), N)


def test_a_close_only_source_votes_with_what_it_has() -> None:
    bars = walk(31)
    columns, whole = technical_signals(without(bars, "open", "high", "low", "volume")), technical_signals(bars)
    for key, indicator in INDICATORS.items():
        for name in (*indicator.outputs, *(vote.column for vote in indicator.votes)):
            if indicator.inputs == ("close",):
                np.testing.assert_array_equal(columns[name], whole[name], err_msg=name)
            else:
                assert np.isnan(columns[name]).all(), f"{key}: {name}"
    assert np.isfinite(columns["overall_signal"][19:]).all()
    assert None not in columns["rating_label"][19:]


def test_high_and_low_known_for_the_later_part_only() -> None:
    bars = walk(31)
    late = np.arange(N) >= 200
    ranges = ("open", "high", "low", "volume")
    columns = technical_signals(replace(bars, **{name: np.where(late, getattr(bars, name), np.nan) for name in ranges}))
    assert np.isnan(columns["vote_stochastic"][: 200 + 17]).all()
    assert np.isfinite(columns["vote_stochastic"][200 + 17 :]).all()
    assert_same_rows({"sma_200": columns["sma_200"]}, {"sma_200": technical_signals(bars)["sma_200"]}, N)


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_too_few_bars_are_unknown_and_not_neutral(n: int) -> None:
    columns = technical_signals(walk(31, n))
    for name in ("buy_votes", "sell_votes", "overall_signal", "rating_score"):
        assert np.isnan(columns[name]).all()
        assert len(columns[name]) == n
    assert columns["rating_label"] == [None] * n


@pytest.mark.parametrize("price", [0.1, 33.33, 123.456])
def test_a_price_that_never_moves_gives_no_signal(price: float) -> None:
    bars = walk(31)
    prices = dict.fromkeys(("open", "high", "low", "close", "adj_close"), np.full(N, price))
    columns = technical_signals(replace(bars, **prices))
    assert columns["buy_votes"][-1] == columns["sell_votes"][-1] == columns["overall_signal"][-1] == 0
    assert columns["rating_label"][-1] == "neutral"
