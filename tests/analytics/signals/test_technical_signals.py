"""Everything stored of a ticker's technical view: which columns, from which functions, and never from the future."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS
from analytics.market import FIELDS, Bars
from analytics.signals import compute_votes, count_votes, overall_signal, rating_labels, technical_signals

N = 320
CUTS = [*range(0, 60, 4), *range(70, N - 1, 15)]
OUTPUTS = [
    "sma_20", "sma_50", "sma_200", "ema_12", "ema_26", "macd", "macd_signal", "macd_hist", "rsi_14", "bb_upper",
    "bb_middle", "bb_lower", "stoch_k", "stoch_d", "atr_14", "adx_14", "plus_di_14", "minus_di_14", "cci_20",
    "williams_r_14", "mfi_14", "obv", "roc_12",
]  # fmt: skip
VOTES = [
    f"vote_{key}"
    for key in (
        "sma", "ema", "macd", "rsi", "bollinger", "stochastic", "adx", "cci", "williams_r", "mfi", "obv", "roc",
    )
]  # fmt: skip
TOTALS = ["buy_votes", "sell_votes", "overall_signal", "rating_score", "rating_label"]


def random_bars(seed: int = 31, n: int = N) -> Bars:
    rng = np.random.default_rng(seed)
    close = 80 * np.exp(np.cumsum(rng.normal(0, 0.02, n)))
    opening = close * np.exp(rng.normal(0, 0.005, n))
    high, low = np.maximum(opening, close) * 1.01, np.minimum(opening, close) * 0.99
    dates = np.datetime64("2018-01-01") + np.arange(n)
    return Bars("TEST", dates, opening, high, low, close, close.copy(), rng.uniform(1e5, 1e6, n))


def later_replaced(bars: Bars, cut: int, factor: float) -> Bars:
    later = np.arange(len(bars)) > cut
    return replace(
        bars, **{name: np.where(later, getattr(bars, name) * factor, getattr(bars, name)) for name in FIELDS}
    )


def without(bars: Bars, *names: str) -> Bars:
    return replace(bars, **{name: np.full(len(bars), np.nan) for name in names})


def assert_same_rows(left: dict, right: dict, rows: int) -> None:
    assert left.keys() == right.keys()
    for name, values in left.items():
        if name == "rating_label":
            assert values[:rows] == right[name][:rows]
        else:
            np.testing.assert_array_equal(values[:rows], right[name][:rows], err_msg=name)


def test_columns_are_the_contract() -> None:
    columns = technical_signals(random_bars())
    assert sorted(columns) == sorted(OUTPUTS + VOTES + TOTALS)
    assert {len(values) for values in columns.values()} == {N}


def test_totals_follow_from_the_stored_votes() -> None:
    columns = technical_signals(random_bars())
    core = np.stack([columns[f"vote_{key}"] for key in CORE_VOTES])
    known = np.isfinite(core).any(axis=0)
    np.testing.assert_array_equal(columns["buy_votes"], np.where(known, (core == 1).sum(axis=0), np.nan))
    np.testing.assert_array_equal(columns["sell_votes"], np.where(known, (core == -1).sum(axis=0), np.nan))
    difference = columns["buy_votes"] - columns["sell_votes"]
    enough = np.maximum(columns["buy_votes"], columns["sell_votes"]) >= 3
    np.testing.assert_array_equal(columns["overall_signal"], np.where(known, np.sign(difference) * enough, np.nan))
    assert columns["rating_label"] == rating_labels(columns["rating_score"])
    assert {-1.0, 0.0, 1.0} <= set(columns["overall_signal"])


def test_the_stored_signal_is_the_one_a_backtest_computes() -> None:
    bars = random_bars(seed=32)
    columns, votes = technical_signals(bars), compute_votes(bars)
    np.testing.assert_array_equal(columns["overall_signal"], overall_signal(votes))
    np.testing.assert_array_equal(columns["buy_votes"], count_votes(votes)[0])


@pytest.mark.parametrize("factor", [10.0, np.nan])
def test_no_row_depends_on_a_later_one(factor: float) -> None:
    assert len(CUTS) >= 25
    bars = random_bars()
    before = technical_signals(bars)
    for cut in CUTS:
        assert_same_rows(technical_signals(later_replaced(bars, cut, factor)), before, cut + 1)


def test_a_shorter_history_gives_the_same_prefix() -> None:
    bars = random_bars()
    whole = technical_signals(bars)
    for cut in CUTS:
        assert_same_rows(technical_signals(bars.rows(slice(cut + 1))), whole, cut + 1)


def test_dividends_do_not_enter() -> None:
    bars = random_bars()
    assert_same_rows(technical_signals(replace(bars, adj_close=bars.close * 0.5)), technical_signals(bars), N)


def test_a_close_only_source_votes_with_what_it_has() -> None:
    bars = random_bars()
    columns = technical_signals(without(bars, "open", "high", "low", "volume"))
    whole = technical_signals(bars)
    for key, indicator in INDICATORS.items():
        names = [*indicator.outputs, *([indicator.vote_column] if indicator.vote_column else [])]
        for name in names:
            if indicator.inputs == ("close",):
                np.testing.assert_array_equal(columns[name], whole[name], err_msg=name)
            else:
                assert np.isnan(columns[name]).all(), f"{key}: {name}"
    assert np.isfinite(columns["overall_signal"][19:]).all()
    assert None not in columns["rating_label"][19:]


def test_high_and_low_known_for_the_later_part_only() -> None:
    bars = random_bars()
    late = np.arange(N) >= 200
    ranges = ("open", "high", "low", "volume")
    columns = technical_signals(replace(bars, **{name: np.where(late, getattr(bars, name), np.nan) for name in ranges}))
    assert np.isnan(columns["vote_stochastic"][: 200 + 17]).all()
    assert np.isfinite(columns["vote_stochastic"][200 + 17 :]).all()
    assert_same_rows({"sma_200": columns["sma_200"]}, {"sma_200": technical_signals(bars)["sma_200"]}, N)


@pytest.mark.parametrize("n", [0, 1, 2, 11])
def test_too_few_bars_are_unknown_and_not_neutral(n: int) -> None:
    columns = technical_signals(random_bars(n=n))
    for name in ("buy_votes", "sell_votes", "overall_signal", "rating_score"):
        assert np.isnan(columns[name]).all()
        assert len(columns[name]) == n
    assert columns["rating_label"] == [None] * n


@pytest.mark.parametrize("price", [0.1, 33.33, 123.456])
def test_a_price_that_never_moves_gives_no_signal(price: float) -> None:
    bars = random_bars()
    prices = dict.fromkeys(("open", "high", "low", "close", "adj_close"), np.full(N, price))
    columns = technical_signals(replace(bars, **prices))
    assert columns["buy_votes"][-1] == columns["sell_votes"][-1] == columns["overall_signal"][-1] == 0
    assert columns["rating_label"][-1] == "neutral"
