"""Breaks at an unknown date: the CUSUM and the largest Chow statistic, each against a plain loop over statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import chi2
from statsmodels.stats.diagnostic import breaks_cusumolsresid
from tolerances import EXACT, PARITY

from analytics.errors import InputError
from analytics.factor_models._breaks import LEAST_P, STATISTICS, _log_p, cusum, sup_f

# Andrews (1993), table 1, 15 % trimmed: 5 % critical values of q = 1 to 7 parameters
ANDREWS = (8.85, 11.79, 14.15, 16.45, 18.35, 20.26, 22.02)
SIMULATED_TABLE = 0.005  # of p: Andrews simulated on 3,600 dates, which the maximum over all dates exceeds a little
SAMPLED = 0.015  # of p: 2,000 samples, and the limit against 300 dates


def with_break(n_obs: int, n_factors: int, after: int) -> tuple[np.ndarray, np.ndarray]:
    """Tickers without a break, with one in the slopes, and with one in the intercept."""
    rng = np.random.default_rng(n_factors)
    factors = rng.normal(0.005, 0.04, (n_obs, n_factors))
    later = (np.arange(n_obs) >= after).astype(float)[:, None]
    noise = rng.normal(0, 0.03, (n_obs, 3))
    total = factors.sum(axis=1, keepdims=True)
    return np.hstack([total, total + later * total, total + 0.08 * later]) + noise, factors


def chow(excess: np.ndarray, factors: np.ndarray, before: int) -> float:
    """q F of equal coefficients before and after."""
    design = sm.add_constant(factors)
    whole, *sides = (
        sm.OLS(excess[rows], design[rows]).fit().ssr for rows in (slice(None), slice(before), slice(before, None))
    )
    return float((whole - sum(sides)) / (sum(sides) / (len(excess) - 2 * design.shape[1])))


@pytest.mark.parametrize(
    ("n_obs", "n_factors", "trim", "after"),
    [(120, 1, 0.15, 60), (97, 3, 0.15, 48), (150, 6, 0.2, 75), (120, 1, 0.15, 102), (100, 1, 0.07, 7)],
)
def test_sup_f_equals_a_loop_of_chow_tests(n_obs: int, n_factors: int, trim: float, after: int) -> None:
    """Breaks on the first and the last date that is tried among them; 0.07 × 100 is a little above 7 in floats."""
    excess, factors = with_break(n_obs, n_factors, after)
    statistic, position, _ = sup_f(excess, factors, trim)
    shortest = round(trim * n_obs, 9)
    tried = [before for before in range(n_obs) if shortest <= before <= n_obs - shortest]
    for ticker in range(3):
        expected = [chow(excess[:, ticker], factors, before) for before in tried]
        assert statistic[ticker] == pytest.approx(max(expected), rel=PARITY)
        assert position[ticker] == tried[int(np.argmax(expected))]


def test_a_break_is_found_where_it_is() -> None:
    statistic, position, p_value = sup_f(*with_break(240, 1, after=100))
    assert p_value[0] > 0.05
    assert (p_value[1:] < 1e-6).all()
    assert (np.abs(position[1:] - 100) <= 5).all()
    assert (statistic[1:] > 40).all()


@pytest.mark.parametrize(("q", "critical"), list(enumerate(ANDREWS, start=1)))
def test_p_values_agree_with_the_published_table(q: int, critical: float) -> None:
    assert np.exp(np.interp(critical, STATISTICS, _log_p(q, 0.15))) == pytest.approx(0.05, abs=SIMULATED_TABLE)


@pytest.mark.parametrize("q", [1, 2, 4, 7])
def test_p_values_approach_the_tail_formula(q: int) -> None:
    """DeLong (1981), Estrella (2003): P ≈ x f(x) [(1 − q / x) ln λ + 2 / x], f the density of χ²(q), λ = ((1 − π) / π)².

    What it leaves out falls like 1 / x², so it is within 2 % where x is 30 and more.
    """
    far = STATISTICS[(STATISTICS >= 30) & (STATISTICS <= 40)]
    log_lambda = 2 * np.log(0.85 / 0.15)
    expected = far * chi2.pdf(far, q) * ((1 - q / far) * log_lambda + 2 / far)
    computed = np.exp(_log_p(q, 0.15)[np.searchsorted(STATISTICS, far)])
    np.testing.assert_allclose(computed, expected, rtol=0.02)


@pytest.mark.parametrize("trim", [0.05, 0.15, 0.4])
def test_p_values_fall_and_narrower_searches_find_less(trim: float) -> None:
    p_values = _log_p(2, trim)
    assert (np.diff(p_values) <= 0).all()
    assert p_values[0] <= 0.0
    assert (p_values >= np.log(LEAST_P) - PARITY).all()
    assert (p_values <= _log_p(2, trim - 0.01)).all()
    assert (np.exp(p_values) > chi2.sf(STATISTICS, 2) * (1 - 0.01)).all()  # one fixed date


@pytest.mark.parametrize("n_factors", [1, 5])
def test_p_values_are_uniform_where_nothing_breaks(n_factors: int) -> None:
    """2,000 tickers: 100 on each of 20 draws of the factors."""
    rng = np.random.default_rng(12)
    p_values = np.concatenate([
        sup_f(rng.normal(0, 0.05, (300, 100)), rng.normal(0.005, 0.04, (300, n_factors)))[2] for _ in range(20)
    ])  # fmt: skip
    for level in (0.01, 0.05):
        assert (p_values <= level).mean() == pytest.approx(level, abs=SAMPLED)
    for level in (0.25, 0.5, 0.75):  # the largest of 210 dates is a little below that of all instants
        assert level - 0.08 < (p_values <= level).mean() < level + 0.03


def test_sup_f_of_a_missing_return_and_of_an_exact_fit() -> None:
    excess, factors = with_break(100, 2, after=50)
    exact, broken = 0.01 + factors @ [1.0, -0.5], factors[:, 0] * np.where(np.arange(100) < 30, 1.0, 2.0)
    given = np.column_stack([excess, excess[:, 0], exact, np.zeros(100), broken])
    given[40, 3] = np.nan
    statistic, position, p_value = sup_f(given, factors)
    np.testing.assert_array_equal(np.isnan(statistic), [False] * 3 + [True] * 3 + [False])
    np.testing.assert_array_equal(np.isnan(p_value), np.isnan(statistic))
    np.testing.assert_allclose(statistic[:3], sup_f(excess, factors)[0], rtol=EXACT)
    assert statistic[6] == np.inf
    assert position[6] == 30
    assert p_value[6] == pytest.approx(LEAST_P)


def test_sup_f_skips_dates_with_collinear_factors_on_a_side() -> None:
    """A factor that begins with date 40 has no slope before: the break after date 25 cannot be tested for."""
    excess, factors = with_break(120, 2, after=25)
    factors[:40, 1] = 0.0
    statistic, position, _ = sup_f(excess, factors)
    tried = range(41, 103)
    for ticker in range(3):
        expected = [chow(excess[:, ticker], factors, before) for before in tried]
        assert statistic[ticker] == pytest.approx(max(expected), rel=PARITY)
        assert position[ticker] == tried[int(np.argmax(expected))]


def test_sup_f_is_unknown_where_the_factors_are_collinear() -> None:
    excess, factors = with_break(80, 2, after=40)
    factors[:, 1] = 2 * factors[:, 0]
    statistic, _, p_value = sup_f(excess, factors)
    assert np.isnan(statistic).all()
    assert np.isnan(p_value).all()


@pytest.mark.parametrize("trim", [-0.1, 0.0, 0.5, 15, np.nan])
def test_an_impossible_trim_is_refused(trim: float) -> None:
    with pytest.raises(InputError, match="trim: got"):
        sup_f(*with_break(80, 1, after=40), trim)


def test_sup_f_refuses_missing_factors_and_short_sides() -> None:
    excess, factors = with_break(40, 4, after=20)
    np.testing.assert_array_equal(np.isfinite(sup_f(excess, factors)[0]), True)  # 6 dates on a side
    with pytest.raises(InputError, match="more than the 5 coefficients on each side"):
        sup_f(excess[:33], factors[:33])
    factors[3, 2] = np.nan
    with pytest.raises(InputError, match="factor_returns: got 'missing values'"):
        sup_f(excess, factors)


def test_cusum_equals_statsmodels() -> None:
    excess, factors = with_break(150, 2, after=60)
    design = sm.add_constant(factors)
    residuals = np.column_stack([sm.OLS(column, design).fit().resid for column in excess.T])
    p_value, position = cusum(residuals)
    for ticker in range(3):
        assert p_value[ticker] == pytest.approx(breaks_cusumolsresid(residuals[:, ticker])[1], abs=PARITY)
        assert position[ticker] == np.abs(residuals[:, ticker].cumsum()).argmax()


def test_cusum_of_unknown_or_no_residuals_is_unknown() -> None:
    residuals = np.random.default_rng(2).normal(size=(30, 3))
    residuals[4, 0], residuals[:, 1] = np.nan, 0.0
    np.testing.assert_array_equal(np.isnan(cusum(residuals)[0]), [True, True, False])


@pytest.mark.parametrize(("n_obs", "n_factors"), [(120, 1), (97, 3)])
def test_a_break_of_the_betas_alone_equals_a_loop_of_regressions_with_one_intercept(n_obs: int, n_factors: int) -> None:
    excess, factors = with_break(n_obs, n_factors, after=n_obs // 2)
    statistic, position, _ = sup_f(excess, factors, betas_alone=True)
    tried = [before for before in range(n_obs) if 0.15 * n_obs <= before <= n_obs - 0.15 * n_obs]
    for ticker in range(3):
        whole = sm.OLS(excess[:, ticker], sm.add_constant(factors)).fit().ssr
        expected = []
        for before in tried:
            later = (np.arange(n_obs) >= before)[:, None] * factors
            broken = sm.OLS(excess[:, ticker], sm.add_constant(np.hstack([factors, later]))).fit().ssr
            expected.append((whole - broken) / (broken / (n_obs - 2 * n_factors - 1)))
        assert statistic[ticker] == pytest.approx(max(expected), rel=PARITY)
        assert position[ticker] == tried[int(np.argmax(expected))]


def test_a_break_of_alpha_alone_is_none_of_the_betas() -> None:
    """The third ticker's intercept breaks: seen where it is tested, and at about the nominal rate where it is not."""
    of_both, of_betas = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        market = rng.normal(0.005, 0.04, (240, 1))
        excess = market + 0.02 * (np.arange(240) >= 120)[:, None] + rng.normal(0, 0.03, (240, 1))
        of_both.append(sup_f(excess, market)[2][0] <= 0.05)
        of_betas.append(sup_f(excess, market, betas_alone=True)[2][0] <= 0.05)
    assert np.mean(of_both) > 0.9
    assert np.mean(of_betas) < 0.15
