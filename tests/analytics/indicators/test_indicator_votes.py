"""Each vote rule, at and on both sides of its levels."""

import numpy as np
import pytest
from sample_bars import of_arrays, random_bars, rising_bars

from analytics.conventions import CORE_VOTES
from analytics.indicators import INDICATORS, compute_indicator, compute_vote

BUY, NEUTRAL, SELL = 1.0, 0.0, -1.0
CASES = [
    ("sma", {"sma_20": 1, "sma_50": 11, "sma_200": 10}, BUY),
    ("sma", {"sma_20": 1, "sma_50": 9, "sma_200": 10}, SELL),
    ("sma", {"sma_20": 1, "sma_50": 10, "sma_200": 10}, NEUTRAL),
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
    ("adx", {"adx_14": 20.01, "plus_di_14": 30, "minus_di_14": 20}, BUY),
    ("adx", {"adx_14": 20.01, "plus_di_14": 20, "minus_di_14": 30}, SELL),
    ("adx", {"adx_14": 20, "plus_di_14": 30, "minus_di_14": 20}, NEUTRAL),
    ("adx", {"adx_14": 40, "plus_di_14": 30, "minus_di_14": 30}, NEUTRAL),
    ("cci", {"cci_20": -100.01}, BUY),
    ("cci", {"cci_20": -100}, NEUTRAL),
    ("cci", {"cci_20": 100}, NEUTRAL),
    ("cci", {"cci_20": 100.01}, SELL),
    ("williams_r", {"williams_r_14": -80.01}, BUY),
    ("williams_r", {"williams_r_14": -80}, NEUTRAL),
    ("williams_r", {"williams_r_14": -20}, NEUTRAL),
    ("williams_r", {"williams_r_14": -19.99}, SELL),
    ("mfi", {"mfi_14": 19.99}, BUY),
    ("mfi", {"mfi_14": 20}, NEUTRAL),
    ("mfi", {"mfi_14": 80}, NEUTRAL),
    ("mfi", {"mfi_14": 80.01}, SELL),
    ("roc", {"roc_12": 0.01}, BUY),
    ("roc", {"roc_12": 0}, NEUTRAL),
    ("roc", {"roc_12": -0.01}, SELL),
]


@pytest.mark.parametrize(("key", "values", "expected"), CASES)
def test_vote_rule(key: str, values: dict[str, float], expected: float) -> None:
    known = np.array([100.0])
    bars = of_arrays(known, high=known, low=known, volume=known)
    outputs = {name: np.array([float(value)]) for name, value in values.items()}
    assert compute_vote(INDICATORS[key], bars, outputs).tolist() == [expected]


@pytest.mark.parametrize(("key", "values", "expected"), CASES[::3])
def test_an_unknown_output_gives_an_unknown_vote(key: str, values: dict[str, float], expected: float) -> None:
    known = np.array([100.0])
    bars = of_arrays(known, high=known, low=known, volume=known)
    for unknown in values:
        outputs = {name: np.array([np.nan if name == unknown else float(value)]) for name, value in values.items()}
        assert np.isnan(compute_vote(INDICATORS[key], bars, outputs)).all()


def test_every_vote_has_cases() -> None:
    with_cases = {key for key, _, _ in CASES} | {"obv"}
    assert with_cases == {key for key, indicator in INDICATORS.items() if indicator.vote}


def test_balance_votes_by_its_own_average() -> None:
    rising = rising_bars(40)
    falling = of_arrays(rising.close[::-1], volume=rising.volume)
    for bars, expected in ((rising, BUY), (falling, SELL)):
        votes = compute_vote(INDICATORS["obv"], bars, compute_indicator(INDICATORS["obv"], bars))
        assert np.isnan(votes[:19]).all()
        assert (votes[19:] == expected).all()


@pytest.mark.parametrize("key", [key for key, indicator in INDICATORS.items() if indicator.vote])
def test_votes_are_minus_one_zero_or_one(key: str) -> None:
    bars = random_bars(seed=12, n=2_000)
    votes = compute_vote(INDICATORS[key], bars, compute_indicator(INDICATORS[key], bars))
    known = votes[np.isfinite(votes)]
    assert set(known) <= {SELL, NEUTRAL, BUY}
    assert {SELL, BUY} <= set(known)  # two thousand sessions of a random walk show both sides


def test_average_true_range_has_no_vote() -> None:
    bars = rising_bars(20)
    assert INDICATORS["atr"].vote_column is None
    with pytest.raises(ValueError, match="atr has no vote"):
        compute_vote(INDICATORS["atr"], bars, compute_indicator(INDICATORS["atr"], bars))


def test_the_core_votes_exist() -> None:
    assert set(CORE_VOTES) <= {key for key, indicator in INDICATORS.items() if indicator.vote}
