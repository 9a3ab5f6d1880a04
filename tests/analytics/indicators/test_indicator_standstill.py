"""A price that stands still, a halt, a day without volume: 0/0 is unknown, and rounding is no opinion."""

from dataclasses import replace

import numpy as np
import pytest
from sample_bars import flat_bars, of_arrays, random_bars

from analytics.indicators import INDICATORS, VOTES, compute_indicator, compute_vote
from analytics.market import Bars

DIVIDES_BY_MOVEMENT = (
    "rsi", "stochastic", "stochastic_rsi", "adx", "cci", "williams_r", "mfi", "ultimate_oscillator", "bollinger_percent_b",
)  # fmt: skip
BY_VOLUME = ("mfi", "vwma", "vwap", "chaikin_money_flow")
HALT = slice(100, 160)
# The rows on which a column is unknown where the price stands at the close of row 99 from row 100 to row 159.
UNKNOWN = {
    "stoch_k": (113, 161),  # 14 sessions without range first on row 113, and two more for the average
    "stoch_d": (113, 163),
    "stoch_rsi_k": (112, 161),  # the RSI stands from row 99 on
    "stoch_rsi_d": (112, 163),
    "williams_r_14": (113, 159),
    "cci_20": (119, 159),
    "mfi_14": (114, 159),  # the typical price still moves on row 100
    "ultimate_oscillator": (106, 159),  # the shortest horizon has 7 sessions
    "bb_percent_b": (118, 159),  # the close stands from row 99 on
}


def halted(bars: Bars) -> Bars:
    prices = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    for array in prices.values():
        array[HALT] = bars.close[99]
    return replace(bars, **prices)


@pytest.mark.parametrize("price", [0.1, 10.1, 33.33, 123.456])
@pytest.mark.parametrize("key", INDICATORS)
def test_a_price_that_never_moves_is_no_reason_to_vote(key: str, price: float) -> None:
    indicator = INDICATORS[key]
    bars = flat_bars(300, price)
    outputs = compute_indicator(indicator, bars)
    if key in DIVIDES_BY_MOVEMENT:
        assert all(np.isnan(array).all() for array in outputs.values())
    else:
        assert all(np.isfinite(array[-1]) for array in outputs.values())
    for vote in indicator.votes:
        assert not np.any(np.abs(compute_vote(indicator, vote, bars, outputs)) > 0), vote.key


@pytest.mark.parametrize("key", INDICATORS)
def test_a_halt_is_unknown_only_while_it_fills_the_window(key: str) -> None:
    indicator = INDICATORS[key]
    for name, array in compute_indicator(indicator, halted(random_bars(seed=7))).items():
        first_known = int(np.isfinite(array).argmax())
        unknown = np.flatnonzero(np.isnan(array[first_known:])) + first_known
        first, last = UNKNOWN.get(name, (0, -1))
        expected = [row for row in range(first, last + 1) if row >= first_known]
        assert unknown.tolist() == expected, name


@pytest.mark.parametrize("unit", [1.0, 1234.567])
@pytest.mark.parametrize("key", ["realised_volatility", "yang_zhang_volatility", "bollinger_bandwidth"])
def test_what_has_left_the_window_leaves_no_volatility_behind(key: str, unit: float) -> None:
    bars = random_bars(seed=7)
    crash = np.where(np.arange(len(bars)) >= 90, 0.01, 1.0) * unit
    prices = {name: getattr(bars, name) * crash for name in ("open", "high", "low", "close")}
    (values,) = compute_indicator(INDICATORS[key], halted(replace(bars, **prices))).values()
    assert (values[122:160] == 0).all()  # exactly: nothing has moved
    assert (values[161:] > 0).all()
    assert (values[30:100] > 0).all()


@pytest.mark.parametrize("step", [0.1, -0.1, 0.3])
def test_rounding_on_a_straight_line_is_neither_a_turn_nor_a_crossing(step: float) -> None:
    close = 100.1 + step * np.arange(300)
    bars = of_arrays(close, open=close, high=close + 0.7, low=close - 0.7, volume=np.full(300, 1e6))
    for key in ("awesome_oscillator", "momentum", "bull_bear_power"):
        indicator = INDICATORS[key]
        votes = compute_vote(indicator, VOTES[key].vote, bars, compute_indicator(indicator, bars))
        assert (votes[indicator.warm_up + 2 :] == 0).all(), key


def test_the_rsi_of_a_stock_that_has_not_moved_yet_is_not_oversold_in_its_own_range() -> None:
    bars = random_bars(seed=7)
    still = np.arange(len(bars)) < 60
    late = of_arrays(np.where(still, bars.close[60], bars.close))
    rsi = compute_indicator(INDICATORS["rsi"], late)["rsi_14"]
    k = compute_indicator(INDICATORS["stochastic_rsi"], late)["stoch_rsi_k"]
    first = int(np.isfinite(rsi).argmax())
    assert first == 61
    assert int(np.isfinite(k).argmax()) == first + 13 + 2  # 14 values of the RSI, and three in the average


@pytest.mark.parametrize("key", BY_VOLUME)
def test_without_volume_the_weighed_ones_are_unknown(key: str) -> None:
    indicator = INDICATORS[key]
    bars = replace(random_bars(seed=8), volume=np.zeros(320))
    outputs = compute_indicator(indicator, bars)
    assert all(np.isnan(array).all() for array in outputs.values())
    for vote in indicator.votes:
        assert np.isnan(compute_vote(indicator, vote, bars, outputs)).all()


@pytest.mark.parametrize("key", ["vwma", "vwap", "chaikin_money_flow"])
def test_days_without_volume_count_for_nothing(key: str) -> None:
    bars = random_bars(seed=8)
    volume = bars.volume * 1.1  # no whole numbers, so that running sums round
    volume[HALT] = 0
    (values,) = compute_indicator(INDICATORS[key], replace(bars, volume=volume)).values()
    assert np.flatnonzero(np.isnan(values[19:])).tolist() == list(range(100, 141))  # rows 119 to 159
    one = np.where(np.arange(320) == 160, volume, 0)  # on row 160 the window holds one day with volume
    (alone,) = compute_indicator(INDICATORS[key], replace(bars, volume=one)).values()
    assert values[160] == pytest.approx(alone[160], rel=1e-9)


def test_a_bar_without_range_moves_no_money() -> None:
    bars = random_bars(seed=8)
    pressed = np.arange(320) % 2 == 0
    flat = {name: np.where(pressed, bars.close, getattr(bars, name)) for name in ("high", "low")}
    values = compute_indicator(INDICATORS["chaikin_money_flow"], replace(bars, **flat))["cmf_20"]
    high, low, close, volume = (array[300:320] for array in (flat["high"], flat["low"], bars.close, bars.volume))
    moved = high > low
    place = (2 * close - high - low)[moved] / (high - low)[moved]
    assert values[-1] == pytest.approx((place * volume[moved]).sum() / volume.sum(), rel=1e-9)


def test_balance_without_volume_stays_at_zero_and_is_neutral() -> None:
    bars = replace(random_bars(seed=8), volume=np.zeros(320))
    outputs = compute_indicator(INDICATORS["obv"], bars)
    assert not outputs["obv"].any()
    assert (compute_vote(INDICATORS["obv"], VOTES["obv"].vote, bars, outputs)[19:] == 0).all()


@pytest.mark.parametrize("volume", [0.1, 0.7, 1234567.1, 1e9 / 3])
def test_balance_that_never_moves_is_neutral(volume: float) -> None:
    bars = flat_bars(100, 10.0, volume)
    votes = compute_vote(INDICATORS["obv"], VOTES["obv"].vote, bars, compute_indicator(INDICATORS["obv"], bars))
    assert (votes[19:] == 0).all()
