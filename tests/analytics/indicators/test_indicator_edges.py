"""Too few bars, missing fields, flat prices and no volume: unknown stays unknown and is never a vote."""

from dataclasses import replace

import numpy as np
import pytest
from sample_bars import flat_bars, of_arrays, random_bars

from analytics.errors import InputError, UnknownKeyError
from analytics.indicators import INDICATORS, compute_indicator, compute_vote

CLOSE_ONLY = ("sma", "ema", "macd", "rsi", "bollinger", "roc")
DIVIDES_BY_RANGE = ("rsi", "stochastic", "adx", "cci", "williams_r", "mfi")
VOTING = [key for key, indicator in INDICATORS.items() if indicator.vote]


@pytest.mark.parametrize("key", INDICATORS)
def test_warm_up_is_the_row_from_which_all_outputs_are_known(key: str) -> None:
    indicator = INDICATORS[key]
    known = np.isfinite(np.stack(list(compute_indicator(indicator, random_bars(seed=1)).values()))).all(axis=0)
    assert int(known.argmax()) == indicator.warm_up
    assert known[indicator.warm_up :].all()


@pytest.mark.parametrize("key", INDICATORS)
def test_too_few_bars_give_unknown(key: str) -> None:
    indicator = INDICATORS[key]
    for n in [n for n in (0, 1, 2, 5, indicator.warm_up) if n <= indicator.warm_up]:
        bars = random_bars(seed=1, n=n)
        outputs = compute_indicator(indicator, bars)
        assert all(array.shape == (n,) for array in outputs.values())
        assert not any(np.isfinite(row).all() for row in zip(*outputs.values(), strict=True))
        if indicator.vote:
            assert np.isnan(compute_vote(indicator, bars, outputs)).all()


@pytest.mark.parametrize("key", INDICATORS)
def test_a_close_only_source(key: str) -> None:
    indicator = INDICATORS[key]
    bars = of_arrays(random_bars(seed=2).close)
    outputs = compute_indicator(indicator, bars)
    assert {bool(np.isfinite(array).any()) for array in outputs.values()} == {key in CLOSE_ONLY}
    if indicator.vote:
        assert np.isfinite(compute_vote(indicator, bars, outputs)).any() == (key in CLOSE_ONLY)


@pytest.mark.parametrize("key", INDICATORS)
def test_an_unknown_bar_inside_is_left_out_and_spoils_nothing_after_it(key: str) -> None:
    indicator = INDICATORS[key]
    bars = random_bars(seed=5)
    gap = np.zeros(len(bars), dtype=bool)
    gap[[0, 1, 100, 101, 250]] = True
    holed = replace(bars, **{name: np.where(gap, np.nan, getattr(bars, name)) for name in indicator.inputs})
    with_gap, without = compute_indicator(indicator, holed), compute_indicator(indicator, bars.rows(~gap))
    for name in indicator.outputs:
        assert np.isnan(with_gap[name][gap]).all()
        np.testing.assert_array_equal(with_gap[name][~gap], without[name])
    if indicator.vote:
        votes = compute_vote(indicator, holed, with_gap)
        assert np.isnan(votes[gap]).all()
        np.testing.assert_array_equal(votes[~gap], compute_vote(indicator, bars.rows(~gap), without))


@pytest.mark.parametrize("key", [key for key in INDICATORS if key not in CLOSE_ONLY])
def test_high_low_and_volume_known_for_the_later_part_only(key: str) -> None:
    indicator = INDICATORS[key]
    bars = random_bars(seed=6)
    late = np.arange(len(bars)) >= 150
    mixed = replace(
        bars,
        **{name: np.where(late, getattr(bars, name), np.nan) for name in ("open", "high", "low", "volume")},
    )
    outputs, alone = compute_indicator(indicator, mixed), compute_indicator(indicator, bars.rows(late))
    for name in indicator.outputs:
        assert np.isnan(outputs[name][~late]).all()
        np.testing.assert_array_equal(outputs[name][late], alone[name])


@pytest.mark.parametrize("price", [0.1, 10.1, 33.33, 123.456])
@pytest.mark.parametrize("key", INDICATORS)
def test_a_price_that_never_moves_is_no_reason_to_vote(key: str, price: float) -> None:
    indicator = INDICATORS[key]
    bars = flat_bars(300, price)
    outputs = compute_indicator(indicator, bars)
    if key in DIVIDES_BY_RANGE:
        assert all(np.isnan(array).all() for array in outputs.values())
    else:
        assert all(np.isfinite(array[-1]) for array in outputs.values())
    if indicator.vote:
        assert not np.any(np.abs(compute_vote(indicator, bars, outputs)) > 0)


@pytest.mark.parametrize("key", ["stochastic", "williams_r", "cci", "mfi"])
def test_a_halt_is_unknown_only_while_it_fills_the_window(key: str) -> None:
    indicator = INDICATORS[key]
    bars = random_bars(seed=7)
    halted = (np.arange(len(bars)) >= 100) & (np.arange(len(bars)) < 160)
    prices = {name: np.where(halted, bars.close[99], getattr(bars, name)) for name in ("open", "high", "low", "close")}
    outputs = compute_indicator(indicator, replace(bars, **prices))
    for name, array in outputs.items():
        assert np.isnan(array[130:160]).all(), name
        assert np.isfinite(array[indicator.warm_up : 110]).all(), name
        assert np.isfinite(array[170:]).all(), name


def test_a_flat_range_is_unknown_in_k_and_d_for_as_long_as_it_enters_their_averages() -> None:
    bars = random_bars(seed=7)
    halted = (np.arange(len(bars)) >= 100) & (np.arange(len(bars)) < 120)
    prices = {name: np.where(halted, 50.0, getattr(bars, name)) for name in ("high", "low", "close")}
    outputs = compute_indicator(INDICATORS["stochastic"], replace(bars, **prices))
    unknown = {name: np.flatnonzero(np.isnan(array[17:])) + 17 for name, array in outputs.items()}
    assert unknown["stoch_k"].tolist() == list(range(113, 122))  # 14 flat sessions from row 113 to row 119
    assert unknown["stoch_d"].tolist() == list(range(113, 124))


def test_money_flow_without_volume_is_unknown_and_not_oversold() -> None:
    bars = replace(random_bars(seed=8), volume=np.zeros(320))
    outputs = compute_indicator(INDICATORS["mfi"], bars)
    assert np.isnan(outputs["mfi_14"]).all()
    assert np.isnan(compute_vote(INDICATORS["mfi"], bars, outputs)).all()


def test_balance_without_volume_stays_at_zero_and_is_neutral() -> None:
    bars = replace(random_bars(seed=8), volume=np.zeros(320))
    outputs = compute_indicator(INDICATORS["obv"], bars)
    assert not outputs["obv"].any()
    assert not compute_vote(INDICATORS["obv"], bars, outputs)[19:].any()


@pytest.mark.parametrize("volume", [0.1, 0.7, 1234567.1, 1e9 / 3])
def test_balance_that_never_moves_is_neutral(volume: float) -> None:
    bars = flat_bars(100, 10.0, volume)
    votes = compute_vote(INDICATORS["obv"], bars, compute_indicator(INDICATORS["obv"], bars))
    assert (votes[19:] == 0).all()


def test_whole_number_volume_is_accepted() -> None:
    bars = random_bars(seed=8)
    whole = replace(bars, volume=bars.volume.astype(np.int64))
    computed = compute_indicator(INDICATORS["obv"], whole)["obv"]
    np.testing.assert_array_equal(computed, compute_indicator(INDICATORS["obv"], bars)["obv"])


@pytest.mark.parametrize("key", [key for key, indicator in INDICATORS.items() if indicator.parameters])
def test_a_parameter_out_of_bounds_is_refused(key: str) -> None:
    indicator = INDICATORS[key]
    for parameter in indicator.parameters:
        for wrong in (parameter.minimum - 1, parameter.maximum + 1, float("nan"), "many"):
            with pytest.raises(InputError, match=rf"{parameter.name}: got .*; allowed: a number from"):
                compute_indicator(indicator, random_bars(seed=1), {parameter.name: wrong})


@pytest.mark.parametrize("key", INDICATORS)
def test_an_unknown_parameter_is_refused_even_without_bars(key: str) -> None:
    with pytest.raises(UnknownKeyError, match="parameter: got 'lenght'"):
        compute_indicator(INDICATORS[key], random_bars(seed=1, n=0), {"lenght": 3})


@pytest.mark.parametrize("key", INDICATORS)
def test_the_bounds_of_every_parameter_can_be_used(key: str) -> None:
    indicator = INDICATORS[key]
    for parameter in indicator.parameters:
        if (key, parameter.name) in {("macd", "fast"), ("macd", "slow")}:
            continue  # each is bounded by the other
        for bound in (parameter.minimum, parameter.maximum):
            outputs = compute_indicator(indicator, random_bars(seed=1, n=700), {parameter.name: bound})
            assert all(np.isfinite(array[-1]) for array in outputs.values())


def test_macd_does_not_swap_its_windows() -> None:
    with pytest.raises(InputError, match=r"fast: got 30; allowed: less than slow \(26\)"):
        compute_indicator(INDICATORS["macd"], random_bars(seed=1), {"fast": 30})


def test_a_whole_number_parameter_refuses_a_fraction() -> None:
    with pytest.raises(InputError, match=r"window: got 14\.5; allowed: a whole number"):
        compute_indicator(INDICATORS["rsi"], random_bars(seed=1), {"window": 14.5})
