"""The rating: two groups weighed equally, and a label at and around each bound."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT

from analytics.conventions import RATING_BUY, RATING_STRONG_BUY
from analytics.errors import InputError
from analytics.indicators import INDICATORS
from analytics.signals import RATING_LABELS, rating_labels, rating_score

AVERAGES = [key for key, item in INDICATORS.items() if item.vote and item.group == "moving_average"]
OSCILLATORS = [key for key, item in INDICATORS.items() if item.vote and item.group == "oscillator"]
OTHERS = [key for key, item in INDICATORS.items() if item.vote and item.group in ("volatility", "volume")]
KEYS = [*AVERAGES, *OSCILLATORS, *OTHERS]
rows_of_votes = st.lists(st.tuples(*[st.sampled_from([1.0, -1.0, 0.0, np.nan])] * len(KEYS)), min_size=1, max_size=20)


def as_votes(**given: float) -> dict[str, np.ndarray]:
    """One session's votes; the ones not given are unknown."""
    return {key: np.array([given.get(key, np.nan)]) for key in KEYS}


def score(**given: float) -> float:
    return float(rating_score(as_votes(**given))[0])


def test_groups_are_as_documented() -> None:
    assert set(AVERAGES) == {"sma", "ema"}
    assert set(OSCILLATORS) == {"macd", "rsi", "stochastic", "adx", "cci", "williams_r", "roc"}
    assert set(OTHERS) == {"bollinger", "mfi", "obv"}


def test_score_by_hand() -> None:
    assert score(sma=1, ema=0, macd=1, rsi=-1, stochastic=0, adx=1) == pytest.approx((0.5 + 0.25) / 2, rel=EXACT)
    assert score(sma=1, ema=1, **dict.fromkeys(OSCILLATORS, 1)) == 1
    assert score(sma=1, ema=1, **dict.fromkeys(OSCILLATORS, -1)) == 0  # two averages weigh as much as seven oscillators
    assert score(sma=-1) == -1  # a group without a known vote is left out
    assert score(rsi=1, roc=0) == 0.5


def test_score_is_unknown_without_averages_and_oscillators() -> None:
    assert np.isnan(score())
    assert np.isnan(score(**dict.fromkeys(OTHERS, 1)))


def test_other_groups_do_not_count() -> None:
    assert score(sma=1, rsi=0, **dict.fromkeys(OTHERS, -1)) == score(sma=1, rsi=0)


@given(rows=rows_of_votes)
@settings(max_examples=50, deadline=None)
def test_score_equals_pandas(rows: list[tuple[float, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=KEYS)
    expected = pd.concat([frame[AVERAGES].mean(axis=1), frame[OSCILLATORS].mean(axis=1)], axis=1).mean(axis=1)
    computed = rating_score({key: frame[key].to_numpy() for key in KEYS})
    np.testing.assert_allclose(computed, expected, rtol=0, atol=EXACT)
    assert (np.abs(computed[np.isfinite(computed)]) <= 1).all()


@given(rows=rows_of_votes)
@settings(max_examples=50, deadline=None)
def test_turning_every_vote_turns_the_score_and_mirrors_the_label(rows: list[tuple[float, ...]]) -> None:
    votes = dict(zip(KEYS, np.array(rows).T, strict=True))
    plain, turned = rating_score(votes), rating_score({key: -vote for key, vote in votes.items()})
    np.testing.assert_array_equal(turned, -plain)
    mirror = dict(zip((*RATING_LABELS, None), (*reversed(RATING_LABELS), None), strict=True))
    assert rating_labels(turned) == [mirror[label] for label in rating_labels(plain)]


@pytest.mark.parametrize(("value", "label"), [
    (-1, "strong sell"), (-0.5001, "strong sell"), (-0.5, "sell"), (-0.1001, "sell"), (-0.1, "neutral"), (0, "neutral"),
    (0.1, "neutral"), (0.1001, "buy"), (0.5, "buy"), (0.5001, "strong buy"), (1, "strong buy"), (np.nan, None),
])  # fmt: skip
def test_label(value: float, label: str | None) -> None:
    assert rating_labels(np.array([value])) == [label]


@pytest.mark.parametrize("bound", [RATING_BUY, RATING_STRONG_BUY])
def test_a_score_on_a_bound_takes_the_milder_label(bound: float) -> None:
    just_above, on, just_below = rating_labels(np.array([np.nextafter(bound, 1), bound, np.nextafter(bound, 0)]))
    assert on == just_below != just_above


def test_a_score_that_reaches_a_bound_by_division_is_on_it() -> None:
    votes = as_votes(sma=0, ema=0, macd=1, rsi=0, stochastic=0, adx=0, cci=0)  # (0 + 1/5) / 2
    assert rating_labels(rating_score(votes)) == ["neutral"]


def test_labels_of_nothing() -> None:
    assert rating_labels(np.array([])) == []


def test_a_missing_group_is_left_out_and_no_group_is_refused() -> None:
    one = np.array([1.0, -1.0, np.nan])
    np.testing.assert_array_equal(rating_score({"rsi": one}), one)
    with pytest.raises(InputError, match="at least one vote of an average or an oscillator"):
        rating_score({"obv": one})
