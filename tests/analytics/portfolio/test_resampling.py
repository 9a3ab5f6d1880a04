"""The resampled frontier: against the draws done one by one, arch and theory; and the bias that its label speaks of."""

import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError, NoPortfolioError
from analytics.portfolio import efficient_frontier, evaluate
from analytics.portfolio.covariance.ledoit_wolf import ledoit_wolf
from analytics.portfolio.limits import long_only
from analytics.portfolio.resampling import LABEL, Resampled, block_dates, resampled_frontier, sharpe_wins

RATE = 0.02
DRAWN = 0.1  # relative; the standard deviation of 2,000 draws is known to 1.6 %


def estimate(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    return TRADING_DAYS * returns.mean(axis=0), ledoit_wolf(returns)


def market(seed: int, n_assets: int, n_sessions: int = 1_260) -> tuple[FloatArray, FloatArray, FloatArray]:
    """True annual expected returns and covariance (one factor), and normal daily returns made of them."""
    rng = np.random.default_rng(seed)
    betas, own = rng.normal(1, 0.3, n_assets), rng.uniform(0.15, 0.35, n_assets)
    mu = RATE + 0.06 * betas + rng.normal(0, 0.03, n_assets)
    sigma = 0.16**2 * np.outer(betas, betas) + np.diag(own**2)
    return mu, sigma, rng.multivariate_normal(mu / TRADING_DAYS, sigma / TRADING_DAYS, n_sessions)


@pytest.fixture(scope="module")
def returns() -> FloatArray:
    return market(1, 6, 500)[2]


def test_equals_the_draws_one_by_one(returns: FloatArray) -> None:
    found = resampled_frontier(
        returns, estimate=estimate, risk_free_rate=RATE, feasible=long_only(6, upper=0.4), draws=20, seed=5, points=4,
        block_sessions=40,
    )  # fmt: skip
    rng, promised, risk, weights = np.random.default_rng(5), [], [], []
    for _ in range(20):
        rows = np.concatenate([np.arange(start, start + 40) % 500 for start in rng.integers(0, 500, 13)])[:500]
        draw = efficient_frontier(
            *estimate(returns[rows]), risk_free_rate=RATE, feasible=long_only(6, upper=0.4), points=4
        )
        promised.append(draw.expected_return)
        risk.append(draw.volatility)
        weights.append(draw.weights)
    np.testing.assert_allclose(found.return_low, np.percentile(promised, 2.5, axis=0), rtol=PARITY)
    np.testing.assert_allclose(found.volatility_high, np.percentile(risk, 97.5, axis=0), rtol=PARITY)
    np.testing.assert_allclose(found.weights_high, np.percentile(weights, 97.5, axis=0), rtol=PARITY, atol=EXACT)
    np.testing.assert_allclose(found.average.weights, np.mean(weights, axis=0), rtol=PARITY, atol=EXACT)
    expected = evaluate(np.mean(weights, axis=0), *estimate(returns), risk_free_rate=RATE)
    np.testing.assert_allclose(found.average.sharpe_ratio, expected.sharpe_ratio, rtol=PARITY)
    assert (found.label, found.draws, found.block_sessions) == (LABEL, 20, 40)


def test_the_blocks_spread_a_mean_as_arch_does() -> None:
    rng = np.random.default_rng(3)
    series = np.convolve(rng.standard_normal(700), [1, 0.8, 0.6, 0.4, 0.2])[:630]
    drawn = [series[block_dates(rng, 630, 21)].mean() for _ in range(2_000)]
    theirs = CircularBlockBootstrap(21, series, seed=4).var(np.mean, reps=2_000)
    assert np.std(drawn) == pytest.approx(np.sqrt(float(np.squeeze(theirs))), rel=DRAWN)
    alone = [series[block_dates(rng, 630, 1)].mean() for _ in range(2_000)]
    assert np.std(alone) == pytest.approx(series.std() / np.sqrt(630), rel=DRAWN)
    assert np.std(drawn) > 1.5 * np.std(alone)  # what single dates would miss


def test_one_asset_spreads_as_its_mean_does() -> None:
    values = 0.01 * np.random.default_rng(2).standard_normal((1_000, 1))
    found = resampled_frontier(values, estimate=estimate, risk_free_rate=0.0, draws=2_000, points=2, block_sessions=1)
    error = TRADING_DAYS * values.std() / np.sqrt(1_000)
    np.testing.assert_allclose(found.return_high - found.return_low, 2 * 1.96 * error, rtol=DRAWN)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 300), st.integers(1, 300))
def test_rows_run_in_blocks_round_the_end(seed: int, n_sessions: int, block: int) -> None:
    rows = block_dates(np.random.default_rng(seed), n_sessions, min(block, n_sessions))
    assert rows.shape == (n_sessions,)
    assert set(rows) <= set(range(n_sessions))
    within = np.arange(1, n_sessions) % min(block, n_sessions) > 0
    assert ((np.diff(rows) - 1) % n_sessions == 0)[within].all()


def test_blocks_as_long_as_the_sample_change_nothing(returns: FloatArray) -> None:
    """Each draw is the sample from another first day on: the same estimates, so a band without width."""
    found = resampled_frontier(
        returns, estimate=estimate, risk_free_rate=RATE, draws=5, points=3, block_sessions=len(returns)
    )
    np.testing.assert_allclose(found.return_low, found.frontier.expected_return, rtol=PARITY)
    np.testing.assert_allclose(found.return_high, found.return_low, rtol=PARITY)
    np.testing.assert_allclose(found.weights_high, found.frontier.weights, atol=PARITY)


def test_weights_obey_the_limits(returns: FloatArray) -> None:
    found = resampled_frontier(
        returns, estimate=estimate, risk_free_rate=RATE, feasible=long_only(6, upper=0.3), draws=10, points=5
    )
    np.testing.assert_allclose(found.average.weights.sum(axis=1), 1, atol=PARITY)
    for weights in (found.average.weights, found.weights_low, found.weights_high):
        assert weights.min() >= -PARITY
        assert weights.max() <= 0.3 + PARITY
    assert (found.return_low <= found.return_high).all()
    assert (found.volatility_low <= found.volatility_high).all()


def test_same_seed_same_bytes_and_further_columns(returns: FloatArray) -> None:
    def of_six(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        return estimate(values[:, :6])

    def run(values: FloatArray, seed: int) -> Resampled:
        return resampled_frontier(values, estimate=of_six, risk_free_rate=RATE, draws=5, seed=seed, points=3)

    first, again, other = run(returns, 1), run(np.column_stack([returns, returns[:, 0]]), 1), run(returns, 2)
    assert first.return_low.tobytes() == again.return_low.tobytes()
    assert first.average.weights.tobytes() == again.average.weights.tobytes()
    assert not np.array_equal(first.return_low, other.return_low)


def test_the_band_is_no_interval_of_the_true_frontier() -> None:
    """In 40 known markets of 20 stocks over five years: what METHODS says of the bias, and why the label is there."""
    covered, above, below = [], [], []
    for seed in range(40):
        mu, sigma, sample = market(seed, 20)
        truth = efficient_frontier(mu, sigma, risk_free_rate=RATE, points=5)
        found = resampled_frontier(sample, estimate=estimate, risk_free_rate=RATE, draws=40, points=5, seed=seed)
        covered.append((found.return_low <= truth.expected_return) & (truth.expected_return <= found.return_high))
        earned = evaluate(found.frontier.weights, mu, sigma, risk_free_rate=RATE)
        above.append(found.frontier.expected_return - earned.expected_return)
        fine = efficient_frontier(mu, sigma, risk_free_rate=RATE, points=200)
        best = np.interp(earned.volatility, fine.volatility, fine.expected_return)
        below.append(best - earned.expected_return)
    coverage = np.mean(covered, axis=0)
    assert coverage[-1] < 0.5  # the maximum return: luck twice over
    assert coverage.mean() < 0.8
    assert (np.diff(np.mean(above, axis=0)) > 0).all()  # the further up, the more of the promise is luck
    assert np.mean(above, axis=0)[2] > 0.05
    assert np.mean(below, axis=0).min() > 0


def test_bad_input_is_named(returns: FloatArray) -> None:
    for options, message in (
        ({"draws": 1}, "draws: got 1"),
        ({"block_sessions": 0}, "block_sessions: got 0; allowed: 1 to the 500 sessions"),
        ({"block_sessions": 501}, "block_sessions: got 501"),
        ({"confidence": 1.0}, "confidence"),
        ({"points": 1}, "points: got 1"),
    ):
        with pytest.raises(InputError, match=message):
            resampled_frontier(returns, estimate=estimate, risk_free_rate=RATE, **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="500 missing values"):
        resampled_frontier(np.full((500, 1), np.nan), estimate=estimate, risk_free_rate=RATE)
    with pytest.raises(NoPortfolioError):
        resampled_frontier(returns, estimate=estimate, risk_free_rate=RATE, feasible=long_only(6, upper=0.1))


def test_sharpe_wins_equals_the_draws_one_by_one(returns: FloatArray) -> None:
    one, other = returns[:, 0], returns.mean(axis=1)
    starts = np.random.default_rng(3).integers(0, 500, (200, 8))
    wins = []
    for draw in starts:
        rows = np.concatenate([np.arange(start, start + 63) % 500 for start in draw])[:500]
        ratios = [(drawn.mean() - RATE / TRADING_DAYS) / drawn.std() for drawn in (one[rows], other[rows])]
        wins.append(ratios[0] > ratios[1])
    found = sharpe_wins(one, other, risk_free_rate=RATE, draws=200, seed=3)
    assert 0 < found < 1
    assert found == pytest.approx(np.mean(wins), abs=EXACT)


def test_sharpe_wins_is_symmetric_and_sees_the_better_one(returns: FloatArray) -> None:
    one, other = returns[:, 0], returns[:, 1]
    there = sharpe_wins(one, other, risk_free_rate=RATE)
    assert there + sharpe_wins(other, one, risk_free_rate=RATE) == pytest.approx(1, abs=EXACT)
    assert sharpe_wins(one, one, risk_free_rate=RATE) == 0.5
    assert sharpe_wins(one + 0.001, one, risk_free_rate=RATE) == 1
    assert np.isnan(sharpe_wins(one, np.full(500, 0.0001), risk_free_rate=RATE))
    with pytest.raises(InputError, match="block_sessions"):
        sharpe_wins(one[:30], other[:30], risk_free_rate=RATE)
