"""Parameters of indicators as a text: what a link, a form and the command line say."""

import numpy as np
import pytest
from sample_bars import random_bars

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies import STRATEGIES
from analytics.errors import InputError, UnknownKeyError
from analytics.indicators import INDICATORS, compute_indicator, parse_settings, settings_text
from analytics.market import Panel
from analytics.signals import compute_votes


def test_what_differs_from_the_default_is_kept() -> None:
    assert parse_settings(" rsi.window = 21 ,macd.fast=8, sma.sma_20=20") == {
        "rsi": {"window": 21},
        "macd": {"fast": 8},
    }
    assert parse_settings("") == {}


def test_the_canonical_text_does_not_depend_on_how_it_was_written() -> None:
    texts = (
        "macd.fast=8,rsi.window=21",
        "rsi.window=21.0, macd.fast=8",
        "rsi.window=21,macd.fast=8,,bollinger.width=2",
    )
    assert {settings_text(text) for text in texts} == {"macd.fast=8,rsi.window=21"}
    assert settings_text(settings_text("bollinger.width=2.5")) == "bollinger.width=2.5"


@pytest.mark.parametrize(("text", "error", "says"), [
    ("rsi.window", InputError, r"indicator\.parameter=number"), ("rsi=3", UnknownKeyError, "parameter of rsi"),
    ("rsii.window=3", UnknownKeyError, "Did you mean 'rsi'"), ("rsi.windw=3", UnknownKeyError, "Did you mean 'window'"),
    ("rsi.window=1", InputError, "from 2 to 200"), ("rsi.window=nan", InputError, "from 2 to 200"), ("rsi.window=1e400", InputError, "from 2"),
    ("rsi.window=x", InputError, "a number"),
])  # fmt: skip
def test_what_cannot_be_used_is_explained(text: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        parse_settings(text)


def test_votes_with_other_parameters_are_those_of_the_indicator_so_computed() -> None:
    bars = random_bars(seed=3, n=600)
    votes = compute_votes(bars, keys=("rsi", "sma"), parameters={"rsi": {"window": 5}})
    index = compute_indicator(INDICATORS["rsi"], bars, {"window": 5})["rsi_14"]
    known = np.isfinite(index)
    np.testing.assert_array_equal(votes["rsi"][known], (index[known] < 30).astype(float) - (index[known] > 70))
    np.testing.assert_array_equal(votes["sma"], compute_votes(bars, keys=("sma",))["sma"])


def test_a_backtest_of_other_parameters_decides_by_them() -> None:
    panel = Panel.of([random_bars(seed=3, n=600)])
    strategy = STRATEGIES["technical_vote"]
    inputs = StrategyInputs(panel, np.zeros(1, dtype=int), np.zeros(len(panel.dates)))
    plain = strategy.decide(inputs, threshold=1, votes=("rsi",), indicator_parameters="")
    other = strategy.decide(inputs, threshold=1, votes=("rsi",), indicator_parameters="rsi.window=5")
    assert np.isfinite(other).sum() > np.isfinite(plain).sum()  # a short window goes to its extremes more often
    same = strategy.decide(inputs, threshold=1, votes=("rsi",), indicator_parameters="rsi.window=14")
    np.testing.assert_array_equal(same, plain)
