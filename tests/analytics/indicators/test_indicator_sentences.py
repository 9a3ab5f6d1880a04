"""What a vote says agrees with how it stands, to the digits it shows."""

import re

import numpy as np
import pytest
from sample_bars import index_bars, random_bars

from analytics.indicators import INDICATORS, VOTES, compute_indicator, compute_vote

LEVELS = {"rsi": (30, 70), "cci": (-100, 100), "williams_r": (-80, -20), "mfi": (20, 80), "ultimate_oscillator": (30, 70),
          "chaikin_money_flow": (-0.05, 0.05)}  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*\.?\d*")


def numbers(text: str) -> list[float]:
    return [float(found.rstrip(".,").replace(",", "")) for found in NUMBER.findall(text.replace("−", "-"))]


@pytest.mark.parametrize("key", LEVELS)
def test_the_levels_of_a_sentence_are_those_of_the_rule(key: str) -> None:
    indicator, vote = VOTES[key]
    (output,) = indicator.outputs
    low, high = LEVELS[key]
    values = np.linspace(low - (high - low), high + (high - low), 41)
    for value in values:
        votes = vote.decide({name: np.array([1.0]) for name in indicator.inputs}, {output: np.array([value])})
        said = vote.explain(float(votes[0]), {output: value}, {})
        shown = numbers(said)
        if value < low or value > high:
            assert shown[0] == pytest.approx(value, abs=0.51 * 10**-1 if abs(high) < 1 else 0.51), said
            assert shown[1] == (low if value < low else high), said
            assert ("below" in said) == (value < low), said


@pytest.mark.parametrize("key", VOTES)
def test_no_sentence_of_a_buy_or_sell_says_that_equal_numbers_differ(key: str) -> None:
    indicator, vote = VOTES[key]
    for bars in (random_bars(seed=8, n=1_500), index_bars()):
        outputs = compute_indicator(indicator, bars)
        votes = compute_vote(indicator, vote, bars, outputs)
        columns = outputs | {name: getattr(bars, name) for name in indicator.inputs}
        for row in np.flatnonzero(np.abs(votes) == 1)[-400:]:
            day, before = ({name: float(values[i]) for name, values in columns.items()} for i in (row, row - 1))
            shown = numbers(vote.explain(float(votes[row]), day, before))
            assert len(set(shown)) == len(shown), vote.explain(float(votes[row]), day, before)


def test_more_digits_are_shown_where_two_numbers_would_look_the_same() -> None:
    assert VOTES["rsi"].vote.explain(-1, {"rsi_14": 70.004}, {}) == "RSI at 70.004 is above 70: overbought."
    assert INDICATORS["rsi"].votes[0].explain(-1, {"rsi_14": 71.26}, {}) == "RSI at 71.3 is above 70: overbought."
