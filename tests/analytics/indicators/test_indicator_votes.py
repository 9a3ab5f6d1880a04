"""Each vote rule, at and on both sides of its levels."""

import math

import numpy as np
import pytest
from sample_bars import of_arrays, random_bars, rising_bars

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS, VOTES, compute_indicator, compute_vote
from analytics.indicators._vote import RatingGroup

BUY, NEUTRAL, SELL = 1.0, 0.0, -1.0
CLOSE = 100.0
UNKNOWN = math.nan
BY_CLOSE = [key for key, voter in VOTES.items() if voter.vote.rating == "moving_average"] + ["vwap", "parabolic_sar"]
STANDS = (
    (CLOSE - 0.01, BUY),
    (CLOSE + 0.01, SELL),
    (CLOSE, NEUTRAL),
    (CLOSE + 5e-11, NEUTRAL),
    (CLOSE - 5e-11, NEUTRAL),
)
CASES = [
    *((key, {(VOTES[key].vote.reads or VOTES[key].indicator.outputs)[0]: at}, vote) for key in BY_CLOSE for at, vote in STANDS),
    ("sma", {"sma_50": 11, "sma_200": 10}, BUY),
    ("sma", {"sma_50": 9, "sma_200": 10}, SELL),
    ("sma", {"sma_50": 10, "sma_200": 10}, NEUTRAL),
    ("ema", {"ema_12": 10.01, "ema_26": 10}, BUY),
    ("ema", {"ema_12": 9.99, "ema_26": 10}, SELL),
    ("ema", {"ema_12": 10 + 1e-13, "ema_26": 10}, NEUTRAL),
    ("macd", {"macd": -1, "macd_signal": -2, "macd_hist": 1}, BUY),
    ("macd", {"macd": 1, "macd_signal": 2, "macd_hist": -1}, SELL),
    ("macd", {"macd": 1, "macd_signal": 1, "macd_hist": 0}, NEUTRAL),
    ("rsi", {"rsi_14": 29.99}, BUY),
    ("rsi", {"rsi_14": 30}, NEUTRAL),
    ("rsi", {"rsi_14": 70}, NEUTRAL),
    ("rsi", {"rsi_14": 70.01}, SELL),
    ("bollinger", {"bb_upper": 120, "bb_middle": 110, "bb_lower": 100.01}, BUY),
    ("bollinger", {"bb_upper": 110, "bb_middle": 105, "bb_lower": 100}, NEUTRAL),
    ("bollinger", {"bb_upper": 100, "bb_middle": 95, "bb_lower": 90}, NEUTRAL),
    ("bollinger", {"bb_upper": 99.99, "bb_middle": 95, "bb_lower": 90}, SELL),
    ("stochastic", {"stoch_k": 19, "stoch_d": 19.9}, BUY),
    ("stochastic", {"stoch_k": 19, "stoch_d": 20}, NEUTRAL),
    ("stochastic", {"stoch_k": 20, "stoch_d": 19}, NEUTRAL),
    ("stochastic", {"stoch_k": 19, "stoch_d": 81}, NEUTRAL),
    ("stochastic", {"stoch_k": 81, "stoch_d": 80}, NEUTRAL),
    ("stochastic", {"stoch_k": 81, "stoch_d": 80.1}, SELL),
    ("stochastic_rsi", {"stoch_rsi_k": 19, "stoch_rsi_d": 18}, BUY),
    ("stochastic_rsi", {"stoch_rsi_k": 18, "stoch_rsi_d": 19}, NEUTRAL),
    ("stochastic_rsi", {"stoch_rsi_k": 18, "stoch_rsi_d": 18}, NEUTRAL),
    ("stochastic_rsi", {"stoch_rsi_k": 20, "stoch_rsi_d": 19}, NEUTRAL),
    ("stochastic_rsi", {"stoch_rsi_k": 80, "stoch_rsi_d": 81}, NEUTRAL),
    ("stochastic_rsi", {"stoch_rsi_k": 82, "stoch_rsi_d": 81}, NEUTRAL),
    ("stochastic_rsi", {"stoch_rsi_k": 81, "stoch_rsi_d": 82}, SELL),
    ("adx", {"adx_14": 20.01, "plus_di_14": 30, "minus_di_14": 20}, BUY),
    ("adx", {"adx_14": 20.01, "plus_di_14": 20, "minus_di_14": 30}, SELL),
    ("adx", {"adx_14": 20, "plus_di_14": 30, "minus_di_14": 20}, NEUTRAL),
    ("adx", {"adx_14": 40, "plus_di_14": 30, "minus_di_14": 30}, NEUTRAL),
    ("aroon", {"aroon_up_14": 70.1, "aroon_down_14": 29.9}, BUY),
    ("aroon", {"aroon_up_14": 70, "aroon_down_14": 29.9}, NEUTRAL),
    ("aroon", {"aroon_up_14": 70.1, "aroon_down_14": 30}, NEUTRAL),
    ("aroon", {"aroon_up_14": 30, "aroon_down_14": 70.1}, NEUTRAL),
    ("aroon", {"aroon_up_14": 29.9, "aroon_down_14": 70}, NEUTRAL),
    ("aroon", {"aroon_up_14": 29.9, "aroon_down_14": 70.1}, SELL),
    ("cci", {"cci_20": -100.01}, BUY),
    ("cci", {"cci_20": -100}, NEUTRAL),
    ("cci", {"cci_20": 100}, NEUTRAL),
    ("cci", {"cci_20": 100.01}, SELL),
    ("williams_r", {"williams_r_14": -80.01}, BUY),
    ("williams_r", {"williams_r_14": -80}, NEUTRAL),
    ("williams_r", {"williams_r_14": -20}, NEUTRAL),
    ("williams_r", {"williams_r_14": -19.99}, SELL),
    ("ultimate_oscillator", {"ultimate_oscillator": 70.01}, BUY),
    ("ultimate_oscillator", {"ultimate_oscillator": 70}, NEUTRAL),
    ("ultimate_oscillator", {"ultimate_oscillator": 30}, NEUTRAL),
    ("ultimate_oscillator", {"ultimate_oscillator": 29.99}, SELL),
    ("mfi", {"mfi_14": 19.99}, BUY),
    ("mfi", {"mfi_14": 20}, NEUTRAL),
    ("mfi", {"mfi_14": 80}, NEUTRAL),
    ("mfi", {"mfi_14": 80.01}, SELL),
    ("chaikin_money_flow", {"cmf_20": 0.0501}, BUY),
    ("chaikin_money_flow", {"cmf_20": 0.05}, NEUTRAL),
    ("chaikin_money_flow", {"cmf_20": -0.05}, NEUTRAL),
    ("chaikin_money_flow", {"cmf_20": -0.0501}, SELL),
    ("roc", {"roc_12": 0.01}, BUY),
    ("roc", {"roc_12": 0}, NEUTRAL),
    ("roc", {"roc_12": -0.01}, SELL),
    ("trix", {"trix_15": 0.001}, BUY),
    ("trix", {"trix_15": 0}, NEUTRAL),
    ("trix", {"trix_15": 5e-11}, NEUTRAL),
    ("trix", {"trix_15": -0.001}, SELL),
]  # fmt: skip
# What depends on the rows before: a series of outputs, and the vote of each row.
SEQUENCES = [
    ("momentum", {"momentum_10": [1, 2, 2, 1.5, -3, -2]}, [UNKNOWN, BUY, NEUTRAL, SELL, SELL, BUY]),
    # Awesome oscillator: a crossing of zero; then a turn on the near side of it.
    ("awesome_oscillator", {"awesome_oscillator": [-2, -1, 1, 2]}, [UNKNOWN, UNKNOWN, BUY, NEUTRAL]),
    ("awesome_oscillator", {"awesome_oscillator": [2, 1, -1, -2]}, [UNKNOWN, UNKNOWN, SELL, NEUTRAL]),
    ("awesome_oscillator", {"awesome_oscillator": [-1, 0, 1, 0, -1]}, [UNKNOWN, UNKNOWN, BUY, NEUTRAL, SELL]),
    ("awesome_oscillator", {"awesome_oscillator": [3, 2, 2.5, 3, 2.8]}, [UNKNOWN, UNKNOWN, BUY, NEUTRAL, NEUTRAL]),
    ("awesome_oscillator", {"awesome_oscillator": [-3, -2, -2.5, -3]}, [UNKNOWN, UNKNOWN, SELL, NEUTRAL]),
    ("awesome_oscillator", {"awesome_oscillator": [3, 2, 2, 2.5]}, [UNKNOWN, UNKNOWN, NEUTRAL, NEUTRAL]),
    ("awesome_oscillator", {"awesome_oscillator": [-3, -4, -2]}, [UNKNOWN, UNKNOWN, NEUTRAL]),
    # Bull and bear power, of a high of 101 and a low of 99: the average is 101 less bull power.
    ("bull_bear_power", {"bull_power": [5, 4, 3, 3], "bear_power": [-9, -8, -8, -7]}, [UNKNOWN, BUY, NEUTRAL, NEUTRAL]),
    ("bull_bear_power", {"bull_power": [3, 4, 5, 4], "bear_power": [-9, -8, -7, -7]}, [UNKNOWN, NEUTRAL, NEUTRAL, NEUTRAL]),
    ("bull_bear_power", {"bull_power": [5, 4, 3], "bear_power": [-2, -1, 0]}, [UNKNOWN, BUY, NEUTRAL]),
]  # fmt: skip


def vote_of(key: str, values: dict[str, list[float]]) -> list[float]:
    indicator, vote = VOTES[key]
    known = np.full(len(next(iter(values.values()))), CLOSE)
    bars = of_arrays(known, open=known, high=known + 1, low=known - 1, volume=known)
    return compute_vote(
        indicator, vote, bars, {name: np.array(array, float) for name, array in values.items()}
    ).tolist()


@pytest.mark.parametrize(("key", "values", "expected"), CASES)
def test_vote_rule(key: str, values: dict[str, float], expected: float) -> None:
    assert vote_of(key, {name: [value] for name, value in values.items()}) == [expected]


@pytest.mark.parametrize(("key", "values", "expected"), SEQUENCES)
def test_vote_rule_that_looks_at_the_days_before(
    key: str, values: dict[str, list[float]], expected: list[float]
) -> None:
    np.testing.assert_array_equal(vote_of(key, values), expected)


def test_a_falling_average_turns_fading_bulls_into_a_sell() -> None:
    average = np.array([100.0, 99, 98, 97])
    bull, bear = np.array([5.0, 4, 4, 3]), np.array([1.0, 1, 1, 1])
    bars = of_arrays(average, high=average + bull, low=average + bear)
    indicator, vote = VOTES["bull_bear_power"]
    votes = compute_vote(indicator, vote, bars, {"bull_power": bull, "bear_power": bear})
    np.testing.assert_array_equal(votes, [UNKNOWN, SELL, NEUTRAL, SELL])


@pytest.mark.parametrize("key", [key for key, _, _ in SEQUENCES])
def test_the_day_before_is_the_last_known_one(key: str) -> None:
    _, values, expected = next(case for case in SEQUENCES if case[0] == key)
    holed = {name: [UNKNOWN, array[0], UNKNOWN, *array[1:]] for name, array in values.items()}
    np.testing.assert_array_equal(vote_of(key, holed), [UNKNOWN, expected[0], UNKNOWN, *expected[1:]])


@pytest.mark.parametrize(("key", "values", "expected"), CASES[::3])
def test_an_unknown_output_gives_an_unknown_vote(key: str, values: dict[str, float], expected: float) -> None:
    for unknown in values:
        assert np.isnan(vote_of(key, {name: [UNKNOWN if name == unknown else at] for name, at in values.items()})).all()


def test_every_vote_has_cases_on_all_three_sides() -> None:
    for key in set(VOTES) - {"obv", "bull_bear_power"}:  # these two have tests of their own
        sides = {side for name, _, side in CASES if name == key}
        sides |= {side for name, _, found in SEQUENCES if name == key for side in found if not math.isnan(side)}
        assert sides == {BUY, NEUTRAL, SELL}, key


def test_balance_votes_by_its_own_average() -> None:
    indicator, vote = VOTES["obv"]
    rising = rising_bars(40)
    falling = of_arrays(rising.close[::-1], volume=rising.volume)
    for bars, expected in ((rising, BUY), (falling, SELL)):
        votes = compute_vote(indicator, vote, bars, compute_indicator(indicator, bars))
        assert np.isnan(votes[:19]).all()
        assert (votes[19:] == expected).all()


@pytest.mark.parametrize("key", VOTES)
def test_votes_are_minus_one_zero_or_one(key: str) -> None:
    indicator, vote = VOTES[key]
    bars = random_bars(seed=12, n=2_000)
    votes = compute_vote(indicator, vote, bars, compute_indicator(indicator, bars))
    known = votes[np.isfinite(votes)]
    assert set(known) <= {SELL, NEUTRAL, BUY}
    assert {SELL, BUY} <= set(known)  # two thousand sessions of a random walk show both sides


def test_an_average_votes_as_soon_as_it_is_known_itself() -> None:
    indicator, vote = VOTES["sma_10"]
    bars = random_bars(seed=12, n=40)  # SMA 200 is unknown on all of them
    votes = compute_vote(indicator, vote, bars, compute_indicator(indicator, bars))
    assert np.flatnonzero(np.isfinite(votes)).tolist() == list(range(9, 40))


@pytest.mark.parametrize("group", ["moving_average", "oscillator"])
def test_the_rated_votes_belong_to_indicators_of_their_group(group: RatingGroup) -> None:
    groups = {indicator.group for indicator, vote in VOTES.values() if vote.rating == group}
    assert groups == {group}


def test_size_and_range_have_no_vote() -> None:
    silent = {key for key, indicator in INDICATORS.items() if not indicator.votes}
    assert silent == {
        "atr", "keltner", "donchian", "bollinger_percent_b", "bollinger_bandwidth", "realised_volatility",
        "yang_zhang_volatility", "high_52w",
    }  # fmt: skip


def test_the_core_votes_exist() -> None:
    assert set(CORE_VOTES) <= set(VOTES)
