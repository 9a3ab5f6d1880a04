"""Too few bars, missing fields, parameters out of bounds: unknown stays unknown and is never a vote."""

from dataclasses import replace

import numpy as np
import pytest
from sample_bars import of_arrays, random_bars

from analytics.errors import InputError, UnknownKeyError
from analytics.indicators import INDICATORS, VOTES, Indicator, compute_indicator, compute_vote
from analytics.market import Bars

CLOSE_ONLY = (
    "sma", "ema", "hull", "macd", "rsi", "stochastic_rsi", "momentum", "roc", "trix", "bollinger", "bollinger_percent_b",
    "bollinger_bandwidth", "realised_volatility",
)  # fmt: skip
BOUND_BY_EACH_OTHER = {(key, name) for key in ("macd", "awesome_oscillator") for name in ("fast", "slow")} | {
    ("sma", "sma_50"), ("sma", "sma_200"), ("ema", "ema_12"), ("ema", "ema_26"),
    *(("ultimate_oscillator", name) for name in ("short", "medium", "long")),
}  # fmt: skip


def votes_of(indicator: Indicator, bars: Bars, outputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [compute_vote(indicator, vote, bars, outputs) for vote in indicator.votes]


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
        for vote, values in zip(indicator.votes, votes_of(indicator, bars, outputs), strict=True):
            unknown = np.logical_or.reduce([np.isnan(outputs[name]) for name in vote.reads or indicator.outputs])
            assert np.isnan(values[unknown]).all()


@pytest.mark.parametrize("key", INDICATORS)
def test_a_close_only_source(key: str) -> None:
    indicator = INDICATORS[key]
    bars = of_arrays(random_bars(seed=2).close)
    outputs = compute_indicator(indicator, bars)
    assert {bool(np.isfinite(array).any()) for array in outputs.values()} == {key in CLOSE_ONLY}
    for values in votes_of(indicator, bars, outputs):
        assert np.isfinite(values).any() == (key in CLOSE_ONLY)


@pytest.mark.parametrize("key", INDICATORS)
def test_an_unknown_bar_inside_is_left_out_and_spoils_nothing_after_it(key: str) -> None:
    indicator = INDICATORS[key]
    bars = random_bars(seed=5, n=400)
    gap = np.zeros(len(bars), dtype=bool)
    gap[[0, 1, 100, 101, 250]] = True
    holed = replace(bars, **{name: np.where(gap, np.nan, getattr(bars, name)) for name in indicator.inputs})
    with_gap, without = compute_indicator(indicator, holed), compute_indicator(indicator, bars.rows(~gap))
    for name in indicator.outputs:
        assert np.isnan(with_gap[name][gap]).all()
        assert np.isfinite(with_gap[name][-1])
        np.testing.assert_array_equal(with_gap[name][~gap], without[name])
    for holed_vote, vote in zip(
        votes_of(indicator, holed, with_gap), votes_of(indicator, bars.rows(~gap), without), strict=True
    ):
        assert np.isnan(holed_vote[gap]).all()
        np.testing.assert_array_equal(holed_vote[~gap], vote)


@pytest.mark.parametrize("key", [key for key in INDICATORS if key not in CLOSE_ONLY])
def test_high_low_and_volume_known_for_the_later_part_only(key: str) -> None:
    indicator = INDICATORS[key]
    bars = random_bars(seed=6, n=450)
    late = np.arange(len(bars)) >= 150
    mixed = replace(
        bars,
        **{name: np.where(late, getattr(bars, name), np.nan) for name in ("open", "high", "low", "volume")},
    )
    outputs, alone = compute_indicator(indicator, mixed), compute_indicator(indicator, bars.rows(late))
    for name in indicator.outputs:
        assert np.isnan(outputs[name][~late]).all()
        assert np.isfinite(outputs[name][-1])
        np.testing.assert_array_equal(outputs[name][late], alone[name])


@pytest.mark.parametrize("key", ["obv", "vwma", "vwap", "chaikin_money_flow", "mfi"])
def test_whole_number_volume_is_accepted(key: str) -> None:
    bars = random_bars(seed=8)
    whole = compute_indicator(INDICATORS[key], replace(bars, volume=bars.volume.astype(np.int64)))
    for name, values in compute_indicator(INDICATORS[key], bars).items():
        np.testing.assert_array_equal(whole[name], values)


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


@pytest.mark.parametrize("key", [key for key, indicator in INDICATORS.items() if indicator.parameters])
def test_the_bounds_of_every_parameter_can_be_used(key: str) -> None:
    indicator = INDICATORS[key]
    bars = random_bars(seed=1, n=700)
    default = compute_indicator(indicator, bars)
    for parameter in indicator.parameters:
        if (key, parameter.name) in BOUND_BY_EACH_OTHER:
            continue
        for bound in {parameter.minimum, parameter.maximum} - {parameter.default}:
            outputs = compute_indicator(indicator, bars, {parameter.name: bound})
            assert all(np.isfinite(array[-1]) for array in outputs.values())
            changed = [not np.array_equal(outputs[name], default[name], equal_nan=True) for name in outputs]
            assert any(changed), f"{parameter.name} does nothing"


@pytest.mark.parametrize(("key", "fast", "slow"), [("macd", 30, 26), ("macd", 26, 26), ("awesome_oscillator", 34, 34)])
def test_the_fast_window_is_shorter_than_the_slow_one(key: str, fast: int, slow: int) -> None:
    with pytest.raises(InputError, match=rf"fast: got {fast}; allowed: less than slow \({slow}\)"):
        compute_indicator(INDICATORS[key], random_bars(seed=1), {"fast": fast})


@pytest.mark.parametrize(("key", "given", "says"), [
    ("sma", {"sma_50": 200}, r"less than sma_200 \(200\)"), ("ema", {"ema_26": 12}, r"less than ema_26 \(12\)"),
    ("ultimate_oscillator", {"short": 30}, "windows that rise"), ("ultimate_oscillator", {"long": 14}, "windows that rise"),
])  # fmt: skip
def test_windows_that_would_turn_a_meaning_round_are_refused(key: str, given: dict[str, int], says: str) -> None:
    with pytest.raises(InputError, match=says):
        compute_indicator(INDICATORS[key], random_bars(seed=1), given)


@pytest.mark.parametrize("key", VOTES)
def test_a_vote_begins_where_its_warm_up_says(key: str) -> None:
    indicator, vote = VOTES[key]
    bars = random_bars(seed=1)
    known = np.isfinite(compute_vote(indicator, vote, bars, compute_indicator(indicator, bars)))
    assert int(known.argmax()) == (indicator.warm_up if vote.warm_up is None else vote.warm_up)


def test_a_whole_number_parameter_refuses_a_fraction() -> None:
    with pytest.raises(InputError, match=r"window: got 14\.5; allowed: a whole number"):
        compute_indicator(INDICATORS["rsi"], random_bars(seed=1), {"window": 14.5})
