"""The rating: two groups weighed equally, and a label at and around each bound."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_bars import walk, without
from tolerances import EXACT

from analytics.conventions import RATING_BUY, RATING_STRONG_BUY
from analytics.errors import InputError
from analytics.indicators import VOTES
from analytics.signals import RATED_VOTES, RATING_LABELS, compute_votes, rating_labels, rating_score, technical_signals

AVERAGES = [
    *(f"{kind}_{window}" for kind in ("ema", "sma") for window in (10, 20, 30, 50, 100, 200)),
    "hull_9", "ichimoku_base", "vwma_20",
]  # fmt: skip
OSCILLATORS = [
    "adx", "awesome_oscillator", "bull_bear_power", "cci", "macd", "momentum", "rsi", "stochastic", "stochastic_rsi",
    "ultimate_oscillator", "williams_r",
]  # fmt: skip
OTHERS = [key for key, voter in VOTES.items() if voter.vote.rating is None]
KEYS = [*AVERAGES, *OSCILLATORS, *OTHERS]
ONE_VOTE = st.sampled_from([1.0, -1.0, 0.0, np.nan])
rows_of_votes = st.lists(st.lists(ONE_VOTE, min_size=len(KEYS), max_size=len(KEYS)), min_size=1, max_size=8)


def as_votes(**given: float) -> dict[str, np.ndarray]:
    """One session's votes; the ones not given are unknown."""
    return {key: np.array([given.get(key, np.nan)]) for key in KEYS}


def score(**given: float) -> float:
    return float(rating_score(as_votes(**given))[0])


def test_fifteen_averages_and_eleven_oscillators_are_rated() -> None:
    rated = {group: [key for key, voter in VOTES.items() if voter.vote.rating == group]
             for group in ("moving_average", "oscillator")}  # fmt: skip
    assert sorted(rated["moving_average"]) == sorted(AVERAGES)
    assert sorted(rated["oscillator"]) == sorted(OSCILLATORS)
    assert (len(AVERAGES), len(OSCILLATORS)) == (15, 11)
    assert set(RATED_VOTES) == {*AVERAGES, *OSCILLATORS}
    assert {"sma", "ema", "bollinger", "mfi", "obv", "roc"} <= set(OTHERS)


def test_score_by_hand() -> None:
    assert score(sma_20=1, ema_10=0, macd=1, rsi=-1, cci=0, adx=1) == pytest.approx((0.5 + 0.25) / 2, rel=EXACT)
    assert score(**dict.fromkeys(AVERAGES, 1), **dict.fromkeys(OSCILLATORS, 1)) == 1
    assert score(sma_10=1, ema_10=1, **dict.fromkeys(OSCILLATORS, -1)) == 0  # two averages weigh as much as eleven
    assert score(sma_200=-1) == -1  # a group without a known vote is left out
    assert score(rsi=1, momentum=0) == 0.5


def test_score_is_unknown_without_averages_and_oscillators() -> None:
    assert np.isnan(score())
    assert np.isnan(score(**dict.fromkeys(OTHERS, 1)))


def test_other_votes_do_not_count() -> None:
    assert score(sma_20=1, rsi=0, **dict.fromkeys(OTHERS, -1)) == score(sma_20=1, rsi=0)


@given(rows=rows_of_votes)
@settings(max_examples=30, deadline=None)
def test_score_equals_pandas(rows: list[list[float]]) -> None:
    frame = pd.DataFrame(rows, columns=KEYS)
    expected = pd.concat([frame[AVERAGES].mean(axis=1), frame[OSCILLATORS].mean(axis=1)], axis=1).mean(axis=1)
    computed = rating_score({key: frame[key].to_numpy() for key in KEYS})
    np.testing.assert_allclose(computed, expected, rtol=0, atol=EXACT)
    assert (np.abs(computed[np.isfinite(computed)]) <= 1).all()


@given(rows=rows_of_votes)
@settings(max_examples=30, deadline=None)
def test_turning_every_vote_turns_the_score_and_mirrors_the_label(rows: list[list[float]]) -> None:
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
    votes = as_votes(sma_10=0, ema_10=0, macd=1, rsi=0, stochastic=0, adx=0, cci=0)  # (0 + 1/5) / 2
    assert rating_labels(rating_score(votes)) == ["neutral"]


def test_labels_of_nothing() -> None:
    assert rating_labels(np.array([])) == []


def test_a_missing_group_is_left_out_and_no_group_is_refused() -> None:
    one = np.array([1.0, -1.0, np.nan])
    np.testing.assert_array_equal(rating_score({"rsi": one}), one)
    with pytest.raises(InputError, match="at least one vote of an average or an oscillator"):
        rating_score({"obv": one})


def test_a_close_only_source_is_rated_by_what_closes_can_tell() -> None:
    bars = without(walk(61), "open", "high", "low", "volume")
    of_closes = [key for key in RATED_VOTES if VOTES[key].indicator.inputs == ("close",)]
    assert len(of_closes) == 13 + 4
    columns, votes = technical_signals(bars), compute_votes(walk(61), keys=of_closes)
    np.testing.assert_array_equal(columns["rating_score"], rating_score(votes))
    assert np.isfinite(columns["rating_score"][10:]).all()
    assert None not in columns["rating_label"][10:]


def test_volume_alone_missing_costs_one_average() -> None:
    bars = walk(62)
    columns = technical_signals(replace(bars, volume=np.full(len(bars), np.nan)))
    expected = compute_votes(bars, keys=[key for key in RATED_VOTES if key != "vwma_20"])
    np.testing.assert_array_equal(columns["rating_score"], rating_score(expected))
