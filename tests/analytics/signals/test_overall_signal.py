"""From votes to the overall signal: the threshold, ties, unknown votes and the mirror."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.conventions import CORE_VOTES, VOTE_THRESHOLD
from analytics.errors import UnknownKeyError
from analytics.indicators import VOTES, compute_indicator, compute_vote
from analytics.market import Bars
from analytics.signals import compute_votes, count_votes, overall_signal

B, S, N, U = 1.0, -1.0, 0.0, np.nan  # buy, sell, neutral, unknown
UNKNOWN = pytest.approx(np.nan, nan_ok=True)
CASES = [
    ((B, B, B, N, N, N, N), 1),
    ((B, B, N, N, N, N, N), 0),  # one short of the threshold
    ((B, B, B, S, S, N, N), 1),
    ((B, B, B, S, S, S, N), 0),  # a tie
    ((B, B, B, S, S, S, S), -1),  # buys reach the threshold too, but sells outnumber them
    ((B, B, B, B, S, S, S), 1),
    ((S, S, S, N, N, N, N), -1),
    ((S, S, B, N, N, N, N), 0),
    ((B, B, B, U, U, U, U), 1),  # unknown votes count as neither
    ((B, B, U, U, U, U, U), 0),
    ((N, N, N, N, N, N, N), 0),
    ((U, U, U, U, U, U, N), 0),
    ((U, U, U, U, U, U, U), UNKNOWN),
]
one_vote = st.sampled_from([B, S, N, U])
rows_of_votes = st.lists(st.tuples(*[one_vote] * 7), min_size=1, max_size=30)


def as_votes(rows: list[tuple[float, ...]]) -> dict[str, np.ndarray]:
    return dict(zip(CORE_VOTES, np.array(rows, dtype=float).T, strict=True))


def bars(n: int = 300) -> Bars:
    rng = np.random.default_rng(21)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, n)))
    dates = np.datetime64("2020-01-01") + np.arange(n)
    return Bars("TEST", dates, close, close * 1.01, close * 0.99, close, close, rng.uniform(1e5, 1e6, n))


@pytest.mark.parametrize(("row", "expected"), CASES)
def test_by_hand(row: tuple[float, ...], expected: float) -> None:
    assert overall_signal(as_votes([row])).tolist() == [expected]


@pytest.mark.parametrize(("threshold", "expected"), [(1, 1), (4, 1), (5, 0), (7, 0)])
def test_threshold(threshold: int, expected: float) -> None:
    assert overall_signal(as_votes([(B, B, B, B, S, S, S)]), threshold=threshold).tolist() == [expected]


def test_the_default_threshold_is_three() -> None:
    assert VOTE_THRESHOLD == 3
    votes = as_votes([(B, B, B, N, N, N, N), (B, B, N, N, N, N, N)])
    np.testing.assert_array_equal(overall_signal(votes), overall_signal(votes, threshold=3))


@given(rows=rows_of_votes, threshold=st.integers(min_value=1, max_value=7))
@settings(max_examples=50, deadline=None)
def test_equals_a_plain_count(rows: list[tuple[float, ...]], threshold: int) -> None:
    expected = []
    for row in rows:
        buys, sells = row.count(B), row.count(S)
        signal = 1 if buys >= threshold and buys > sells else -1 if sells >= threshold and sells > buys else 0
        expected.append(np.nan if np.isnan(row).all() else signal)
    np.testing.assert_array_equal(overall_signal(as_votes(rows), threshold=threshold), expected)


@given(rows=rows_of_votes, threshold=st.integers(min_value=1, max_value=7))
@settings(max_examples=50, deadline=None)
def test_turning_every_vote_turns_the_signal(rows: list[tuple[float, ...]], threshold: int) -> None:
    votes = as_votes(rows)
    turned = overall_signal({key: -vote for key, vote in votes.items()}, threshold=threshold)
    np.testing.assert_array_equal(turned, -overall_signal(votes, threshold=threshold))


@given(rows=rows_of_votes)
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_votes_does_not_matter(rows: list[tuple[float, ...]]) -> None:
    votes = as_votes(rows)
    np.testing.assert_array_equal(overall_signal(dict(reversed(votes.items()))), overall_signal(votes))


@given(rows=rows_of_votes)
@settings(max_examples=50, deadline=None)
def test_a_higher_threshold_never_adds_a_signal(rows: list[tuple[float, ...]]) -> None:
    votes = as_votes(rows)
    strengths = [np.abs(overall_signal(votes, threshold=threshold)) for threshold in range(1, 8)]
    assert all((np.nan_to_num(higher) <= np.nan_to_num(lower)).all() for lower, higher in pairwise(strengths))


def test_counts_by_hand() -> None:
    buys, sells = count_votes(as_votes([(B, B, S, N, U, U, U), (N,) * 7, (U,) * 7]))
    np.testing.assert_array_equal(buys, [2, 0, np.nan])
    np.testing.assert_array_equal(sells, [1, 0, np.nan])


def test_votes_of_the_core_seven_by_default() -> None:
    votes = compute_votes(bars())
    assert tuple(votes) == CORE_VOTES
    for key, vote in votes.items():
        indicator, rule = VOTES[key]
        np.testing.assert_array_equal(vote, compute_vote(indicator, rule, bars(), compute_indicator(indicator, bars())))


def test_votes_of_a_selection() -> None:
    assert list(compute_votes(bars(), keys=("obv", "sma_20", "rsi"))) == ["obv", "sma_20", "rsi"]


def test_an_unknown_vote_is_refused() -> None:
    with pytest.raises(UnknownKeyError, match=r"vote: got 'stochastics'.*Did you mean 'stochastic'\?"):
        compute_votes(bars(), keys=("stochastics",))
