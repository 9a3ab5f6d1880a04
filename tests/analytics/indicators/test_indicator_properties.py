"""What must hold of every indicator whatever the prices: bounds, order, scale."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_bars import of_arrays, random_bars
from tolerances import PARITY

from analytics.indicators import INDICATORS, compute_indicator, compute_vote
from analytics.market import Bars

SCALES_WITH_PRICE = (
    "sma", "ema", "hull", "vwma", "vwap", "ichimoku", "macd", "bollinger", "keltner", "donchian", "parabolic_sar", "atr",
    "awesome_oscillator", "momentum", "bull_bear_power",
)  # fmt: skip
SCALES_WITH_VOLUME = ("obv",)
BOUNDS = {
    "rsi": (0, 100), "stochastic": (0, 100), "stochastic_rsi": (0, 100), "adx": (0, 100), "mfi": (0, 100),
    "aroon": (0, 100), "ultimate_oscillator": (0, 100), "williams_r": (-100, 0), "chaikin_money_flow": (-1, 1),
    "high_52w": (-1, 0), "atr": (0, np.inf), "bollinger_bandwidth": (0, np.inf), "realised_volatility": (0, np.inf),
    "yang_zhang_volatility": (0, np.inf),
}  # fmt: skip
IN_ORDER = {
    "bollinger": ("bb_lower", "bb_middle", "bb_upper"),
    "keltner": ("keltner_lower", "keltner_middle", "keltner_upper"),
    "donchian": ("donchian_lower", "donchian_middle", "donchian_upper"),
    "bull_bear_power": ("bear_power", "bull_power"),
}
N = 320
seeds = st.integers(min_value=0, max_value=2**32 - 1)


def everything(key: str, bars: Bars) -> dict[str, np.ndarray]:
    indicator = INDICATORS[key]
    outputs = compute_indicator(indicator, bars)
    return outputs | {vote.column: compute_vote(indicator, vote, bars, outputs) for vote in indicator.votes}


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


@pytest.mark.parametrize("key", IN_ORDER)
@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_lines_are_in_order(key: str, seed: int) -> None:
    outputs = compute_indicator(INDICATORS[key], random_bars(seed))
    stacked = np.stack([outputs[name] for name in IN_ORDER[key]])
    steps = np.diff(stacked[:, np.isfinite(stacked).all(axis=0)], axis=0)
    assert steps.size
    assert (steps >= 0).all()


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_percent_b_tells_on_which_side_of_a_band_the_close_is(seed: int) -> None:
    bars = random_bars(seed)
    bands = compute_indicator(INDICATORS["bollinger"], bars)
    place = compute_indicator(INDICATORS["bollinger_percent_b"], bars)["bb_percent_b"]
    known = np.isfinite(place)
    assert known[19:].all()
    np.testing.assert_array_equal(place[known] < 0, (bars.close < bands["bb_lower"])[known])
    np.testing.assert_array_equal(place[known] > 1, (bars.close > bands["bb_upper"])[known])


@pytest.mark.parametrize("key", INDICATORS)
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
        expected = values if column.startswith("vote_") else values * factor
        np.testing.assert_allclose(after[column], expected, rtol=PARITY, atol=PARITY, err_msg=column)


@pytest.mark.parametrize("key", [key for key, indicator in INDICATORS.items() if "volume" in indicator.inputs])
def test_volume_in_another_unit(key: str) -> None:
    bars = random_bars(seed=8)
    before, after = everything(key, bars), everything(key, replace(bars, volume=bars.volume * 1024))
    for column, values in before.items():
        factor = 1024 if key in SCALES_WITH_VOLUME and column in INDICATORS[key].outputs else 1
        np.testing.assert_allclose(after[column], values * factor, rtol=PARITY, atol=PARITY, err_msg=column)


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_a_mirrored_price_mirrors_the_averages(seed: int) -> None:
    close = random_bars(seed).close
    mirrored = 2 * close.max() - close
    plain, turned = (compute_indicator(INDICATORS["rsi"], of_arrays(array))["rsi_14"] for array in (close, mirrored))
    np.testing.assert_allclose(turned, 100 - plain, rtol=0, atol=1e-8)


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_volatility_depends_on_no_steady_drift(seed: int) -> None:
    bars = random_bars(seed)
    drift = np.exp(0.001 * np.arange(len(bars)))
    lifted = replace(bars, close=bars.close * drift)
    plain, with_drift = (
        compute_indicator(INDICATORS["realised_volatility"], item)["realised_vol_21"] for item in (bars, lifted)
    )
    np.testing.assert_allclose(with_drift, plain, rtol=0, atol=PARITY)


def test_equal_volumes_make_the_weighed_averages_plain_ones() -> None:
    bars = replace(random_bars(seed=10), volume=np.full(N, 3e6))
    averages = compute_indicator(INDICATORS["sma"], bars)
    weighed = compute_indicator(INDICATORS["vwma"], bars)["vwma_20"]
    np.testing.assert_allclose(weighed, averages["sma_20"], rtol=PARITY)


def test_the_balance_vote_does_not_depend_on_where_the_balance_began() -> None:
    bars = random_bars(seed=9)
    more = replace(bars, volume=np.concatenate([[bars.volume[0] + 1e6], bars.volume[1:]]))
    before, after = everything("obv", bars), everything("obv", more)
    np.testing.assert_allclose(after["obv"] - before["obv"], 1e6, rtol=PARITY)
    np.testing.assert_array_equal(after["vote_obv"], before["vote_obv"])
