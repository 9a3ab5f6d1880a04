"""The question is checked before any data is read."""

import math
import pickle

import pytest

from analytics.backtest import BacktestSpec, Costs
from analytics.conventions import FEE_RATE, INITIAL_CAPITAL, SLIPPAGE_RATE, VOTE_THRESHOLD
from analytics.errors import InputError, UnknownKeyError
from analytics.indicators import VOTES


@pytest.mark.parametrize("rate", [-0.001, 1.0, math.nan, math.inf, "much", None])
@pytest.mark.parametrize("name", ["fee_rate", "slippage_rate"])
def test_a_rate_outside_0_to_1_is_refused(name, rate):
    with pytest.raises(InputError, match=f"{name}: got .*; allowed: a fraction from 0"):
        Costs(**{name: rate})


@pytest.mark.parametrize("capital", [0, -1, math.nan, math.inf, "a lot"])
def test_capital_must_be_an_amount_above_0(capital):
    with pytest.raises(InputError, match=r"initial_capital: got .*; allowed: an amount in USD from 1 to"):
        BacktestSpec(initial_capital=capital)


def test_end_before_start_is_refused():
    with pytest.raises(InputError, match="end: got '2020-01-01'; allowed: a date on or after the start, 2020-01-02"):
        BacktestSpec(start="2020-01-02", end="2020-01-01")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "technical_votes"}, "Did you mean 'technical_vote'"),
        ({"parameters": {"treshold": 2}}, "Did you mean 'threshold'"),
        ({"parameters": {"votes": ["sna"]}}, "Did you mean 'sma'"),
    ],
)
def test_unknown_names_suggest_the_nearest(given, message):
    with pytest.raises(UnknownKeyError, match=message):
        BacktestSpec(**given)


@pytest.mark.parametrize("threshold", [0, len(VOTES) + 1, 2.5, "many"])
def test_the_threshold_is_a_whole_number_of_votes(threshold):
    with pytest.raises(InputError, match="threshold: got"):
        BacktestSpec(parameters={"threshold": threshold})


def test_defaults_are_the_conventions_and_values_are_canonical():
    spec = BacktestSpec(initial_capital="5000", parameters={"votes": "sma,rsi", "threshold": "1"})
    assert (Costs().fee_rate, Costs().slippage_rate) == (FEE_RATE, SLIPPAGE_RATE)
    assert spec.initial_capital == 5000.0
    assert spec.parameters == {"threshold": 1, "votes": ("rsi", "sma"), "indicator_parameters": ""}
    assert BacktestSpec(strategy="buy_and_hold").initial_capital == INITIAL_CAPITAL
    assert BacktestSpec(parameters={"votes": "sma,rsi"}).parameters["threshold"] == VOTE_THRESHOLD
    assert pickle.loads(pickle.dumps(spec)) == spec  # it travels to a worker
