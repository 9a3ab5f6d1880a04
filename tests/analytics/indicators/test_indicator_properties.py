"""What must hold of every indicator whatever the prices: no look-ahead, bounds, scale."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_bars import of_arrays, random_bars
from tolerances import PARITY

from analytics.indicators import INDICATORS, compute_indicator, compute_vote
from analytics.market import FIELDS, Bars

N = 320
CUTS = [*range(0, 60, 4), *range(70, N - 1, 15)]
SCALES_WITH_PRICE = ("sma", "ema", "macd", "bollinger", "atr")
WITHOUT_UNIT = ("rsi", "stochastic", "adx", "cci", "williams_r", "roc")
BOUNDS = {"rsi": (0, 100), "stochastic": (0, 100), "adx": (0, 100), "mfi": (0, 100), "williams_r": (-100, 0)}
seeds = st.integers(min_value=0, max_value=2**32 - 1)


def everything(key: str, bars: Bars) -> dict[str, np.ndarray]:
    indicator = INDICATORS[key]
    outputs = compute_indicator(indicator, bars)
    return outputs | ({"vote": compute_vote(indicator, bars, outputs)} if indicator.vote else {})


def later_replaced(bars: Bars, cut: int, factor: float) -> Bars:
    """The same bars up to and including row `cut`, every field after it multiplied by `factor`."""
    later = np.arange(len(bars)) > cut
    return replace(
        bars, **{name: np.where(later, getattr(bars, name) * factor, getattr(bars, name)) for name in FIELDS}
    )


@pytest.mark.parametrize("factor", [10.0, np.nan])
@pytest.mark.parametrize("key", INDICATORS)
def test_no_row_depends_on_a_later_one(key: str, factor: float) -> None:
    assert len(CUTS) >= 25
    bars = random_bars(seed=3, n=N)
    before = everything(key, bars)
    for cut in CUTS:
        after = everything(key, later_replaced(bars, cut, factor))
        for column, values in before.items():
            np.testing.assert_array_equal(after[column][: cut + 1], values[: cut + 1], err_msg=f"{column} at {cut}")


@pytest.mark.parametrize("key", INDICATORS)
def test_a_shorter_history_gives_the_same_prefix(key: str) -> None:
    bars = random_bars(seed=4, n=N)
    whole = everything(key, bars)
    for cut in CUTS:
        part = everything(key, bars.rows(slice(cut + 1)))
        for column, values in part.items():
            np.testing.assert_array_equal(values, whole[column][: cut + 1], err_msg=f"{column} at {cut}")


@pytest.mark.parametrize("key", BOUNDS)
@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_bounds(key: str, seed: int) -> None:
    low, high = BOUNDS[key]
    values = np.concatenate(list(compute_indicator(INDICATORS[key], random_bars(seed)).values()))
    values = values[np.isfinite(values)]
    assert len(values)
    assert values.min() >= low - PARITY
    assert values.max() <= high + PARITY


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_bollinger_bands_are_in_order(seed: int) -> None:
    bands = compute_indicator(INDICATORS["bollinger"], random_bars(seed))
    known = np.isfinite(bands["bb_middle"])
    assert (bands["bb_lower"][known] <= bands["bb_middle"][known]).all()
    assert (bands["bb_middle"][known] <= bands["bb_upper"][known]).all()


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_average_true_range_is_not_negative(seed: int) -> None:
    assert np.nanmin(compute_indicator(INDICATORS["atr"], random_bars(seed))["atr_14"]) >= 0


@pytest.mark.parametrize("key", [*SCALES_WITH_PRICE, *WITHOUT_UNIT, "mfi", "obv"])
@given(seed=seeds, power=st.integers(min_value=-3, max_value=7))
@settings(max_examples=10, deadline=None)
def test_prices_in_another_unit(key: str, seed: int, power: int) -> None:
    scale = 2.0**power  # a power of two, so that scaling itself rounds nothing
    bars = random_bars(seed)
    prices = ("open", "high", "low", "close", "adj_close")
    scaled = replace(bars, **{name: getattr(bars, name) * scale for name in prices})
    before, after = everything(key, bars), everything(key, scaled)
    factor = scale if key in SCALES_WITH_PRICE else 1.0
    for column, values in before.items():
        expected = values if column == "vote" else values * factor
        np.testing.assert_allclose(after[column], expected, rtol=PARITY, atol=PARITY, err_msg=column)


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_a_mirrored_price_mirrors_the_averages(seed: int) -> None:
    close = random_bars(seed).close
    mirrored = 2 * close.max() - close
    plain, turned = (compute_indicator(INDICATORS["rsi"], of_arrays(array))["rsi_14"] for array in (close, mirrored))
    np.testing.assert_allclose(turned, 100 - plain, rtol=0, atol=1e-8)


@pytest.mark.parametrize("key", ["obv", "mfi"])
def test_volume_in_another_unit_keeps_the_vote(key: str) -> None:
    bars = random_bars(seed=8)
    lots = replace(bars, volume=bars.volume * 1024)
    np.testing.assert_array_equal(everything(key, lots)["vote"], everything(key, bars)["vote"])


def test_the_balance_vote_does_not_depend_on_where_the_balance_began() -> None:
    bars = random_bars(seed=9)
    more = replace(bars, volume=np.concatenate([[bars.volume[0] + 1e6], bars.volume[1:]]))
    before, after = everything("obv", bars), everything("obv", more)
    np.testing.assert_allclose(after["obv"] - before["obv"], 1e6, rtol=PARITY)
    np.testing.assert_array_equal(after["vote"], before["vote"])
