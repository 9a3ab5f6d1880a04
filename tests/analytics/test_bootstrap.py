"""Block lengths are arch's, and the resamples are those of Politis and Romano."""

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap
from arch.bootstrap import optimal_block_length as arch_block_length
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import PARITY

from analytics.bootstrap import optimal_block_length, stationary_rows


def autoregressive(n: int, phi: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(n)
    series = noise.copy()
    for t in range(1, n):
        series[t] = phi * series[t - 1] + noise[t]
    return series


@pytest.mark.parametrize("n", [20, 60, 250, 1_000, 6_300])
@pytest.mark.parametrize("phi", [-0.4, 0.0, 0.3, 0.9])
def test_the_block_length_is_archs(n, phi):
    """arch goes below 1 where nothing depends on the past; a block holds at least one observation."""
    series = autoregressive(n, phi, seed=n)
    expected = max(arch_block_length(series)["stationary"].iloc[0], 1.0)
    assert optimal_block_length(series) == pytest.approx(expected, rel=PARITY)
    assert optimal_block_length(3.0 * series - 7.0) == pytest.approx(expected, rel=1e-6)  # the shift costs digits


def test_what_depends_longer_gets_longer_blocks():
    lengths = [optimal_block_length(autoregressive(2_000, phi, seed=1)) for phi in (0.0, 0.5, 0.9)]
    assert lengths == sorted(lengths)
    assert lengths[-1] > 10 * lengths[0]


@pytest.mark.parametrize("series", [[], [1.0] * 9, np.arange(9.0), np.ones(500)])
def test_what_says_nothing_of_dependence_gets_blocks_of_one(series):
    assert optimal_block_length(series) == 1.0


@given(n=st.integers(1, 60), length=st.floats(1.0, 40.0), seed=st.integers(0, 1_000))
@settings(max_examples=50, deadline=None)
def test_resamples_are_runs_of_the_rows(n, length, seed):
    rows = stationary_rows(np.random.default_rng(seed), n=n, block_length=length, draws=5)
    assert rows.shape == (5, n)
    assert ((rows >= 0) & (rows < n)).all()
    assert np.array_equal(rows, stationary_rows(np.random.default_rng(seed), n=n, block_length=length, draws=5))
    if length == 1.0:
        return
    whole = stationary_rows(np.random.default_rng(seed), n=n, block_length=1e12, draws=5)
    assert (np.diff(whole, axis=1) % n == 1 % n).all()  # one block: the series turned round


def test_rows_are_equally_likely_and_blocks_have_the_mean_length():
    n, length, draws = 50, 8.0, 4_000
    rows = stationary_rows(np.random.default_rng(1), n=n, block_length=length, draws=draws)
    counts = np.bincount(rows.ravel(), minlength=n) / (draws * n)
    assert counts == pytest.approx(np.full(n, 1 / n), rel=0.1)  # over 4,000 draws a row's share is known to 2 %
    broken = (np.diff(rows, axis=1) % n != 1).mean()
    assert broken == pytest.approx((1 - 1 / n) / length, rel=0.02)  # 196,000 steps: known to 0.6 %


def test_statistics_have_the_distribution_of_archs_bootstrap():
    series = autoregressive(400, 0.3, seed=5)
    rows = stationary_rows(np.random.default_rng(2), n=400, block_length=10.0, draws=2_000)
    peer = StationaryBootstrap(10, series, seed=np.random.default_rng(3))
    for statistic in (np.mean, np.std, lambda x: np.cumsum(x).max()):
        own = np.sort([statistic(series[draw]) for draw in rows])
        other = np.sort(peer.apply(lambda x, f=statistic: f(x), 2_000)[:, 0])
        # Kolmogorov and Smirnov: two samples of 2,000 differ by 0.062 once in a thousand times
        both = np.concatenate([own, other])
        gap = (
            np.abs(np.searchsorted(own, both, side="right") - np.searchsorted(other, both, side="right")).max() / 2_000
        )
        assert gap < 0.062
