"""Rolling betas against statsmodels, what they may not see, and where they are unknown."""

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.regression.rolling import RollingOLS
from tolerances import PARITY

from analytics.errors import InputError
from analytics.factor_models import rolling_betas

Sample = tuple[np.ndarray, np.ndarray]


def simulated(n_dates: int, n_tickers: int, n_factors: int) -> Sample:
    rng = np.random.default_rng(n_factors)
    factors = rng.normal(0.0004, 0.011, (n_dates, n_factors))
    noise = 0.02 * rng.standard_t(4, (n_dates, n_tickers))
    return factors @ rng.normal(0.8, 0.5, (n_factors, n_tickers)) + noise, factors


def assert_equals_statsmodels(excess: np.ndarray, factors: np.ndarray, window: int) -> None:
    """Where the windows are full; those that miss a value statsmodels fits on the rest."""
    alphas, betas = rolling_betas(excess, factors, window)
    for ticker in range(excess.shape[1]):
        params = RollingOLS(excess[:, ticker], sm.add_constant(factors), window=window).fit(params_only=True).params
        known = np.isfinite(alphas[:, ticker])
        np.testing.assert_allclose(alphas[known, ticker], params[known, 0], rtol=PARITY, atol=PARITY)
        np.testing.assert_allclose(betas[known, :, ticker], params[known, 1:], rtol=PARITY, atol=PARITY)


@pytest.mark.parametrize(("n_dates", "window"), [(1_300, 252), (504, 252), (200, 24), (60, 60), (61, 60)])
@pytest.mark.parametrize("n_factors", [1, 3, 6])
def test_equals_statsmodels(n_dates: int, window: int, n_factors: int) -> None:
    """Data that end with a whole block of rows, within one and after the first date of one among them."""
    excess, factors = simulated(n_dates, 3, n_factors)
    alphas, betas = rolling_betas(excess, factors, window)
    assert alphas.shape == (n_dates, 3)
    assert betas.shape == (n_dates, n_factors, 3)
    known = np.arange(n_dates) >= window - 1
    np.testing.assert_array_equal(np.isfinite(alphas).all(axis=1), known)
    np.testing.assert_array_equal(np.isnan(betas).all(axis=(1, 2)), ~known)
    assert_equals_statsmodels(excess, factors, window)


def test_a_window_that_never_fills_is_unknown() -> None:
    alphas, betas = rolling_betas(*simulated(59, 2, 1), 60)
    assert alphas.shape == (59, 2)
    assert np.isnan(alphas).all()
    assert np.isnan(betas).all()


def test_missing_values_leave_only_their_own_windows_unknown() -> None:
    excess, factors = simulated(200, 4, 2)
    excess[:70, 0] = np.nan  # listed late
    excess[[110, 115], 1] = np.nan
    excess[150:, 2] = np.nan
    alphas, betas = rolling_betas(excess, factors, 30)
    known = np.isfinite(alphas)
    assert (np.isfinite(betas) == known[:, None]).all()
    expected = np.lib.stride_tricks.sliding_window_view(np.isfinite(excess), 30, axis=0).all(axis=2)
    np.testing.assert_array_equal(known, np.vstack([np.zeros((29, 4), bool), expected]))
    assert_equals_statsmodels(excess, factors, 30)


def test_a_missing_factor_leaves_its_windows_unknown_for_all() -> None:
    excess, factors = simulated(120, 2, 2)
    factors[50, 1] = np.nan
    alphas, _ = rolling_betas(excess, factors, 20)
    unknown = np.isnan(alphas).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(unknown), [*range(19), *range(50, 70)])
    assert np.isfinite(alphas[~unknown]).all()


def test_nothing_after_a_date_changes_its_values() -> None:
    """To the last bit, whatever comes: other returns, other factors, missing ones, or the end of the data."""
    excess, factors = simulated(400, 3, 2)
    alphas, betas = rolling_betas(excess, factors, 60)
    for last in (60, 120, 133, 399):
        later = excess.copy(), factors.copy()
        later[0][last:], later[1][last:] = 7.0 * excess[last:] - 3.0, np.nan
        for changed in (later, (excess[:last], factors[:last])):
            found = rolling_betas(*changed, 60)
            np.testing.assert_array_equal(found[0][:last], alphas[:last])
            np.testing.assert_array_equal(found[1][:last], betas[:last])


def test_nothing_before_the_window_leaves_a_trace() -> None:
    """A return of 10¹² just before the window would cost a difference of long sums all its digits."""
    excess, factors = simulated(300, 2, 1)
    clean = rolling_betas(excess, factors, 50)
    spoilt = excess.copy(), factors.copy()
    spoilt[0][100], spoilt[1][100] = 1e12, 1e12
    found = rolling_betas(*spoilt, 50)
    for ours, expected in zip(found, clean, strict=True):
        np.testing.assert_array_equal(ours[150:], expected[150:])
        assert not np.allclose(ours[149], expected[149])


def test_collinear_factors_are_unknown_only_while_they_are() -> None:
    excess, factors = simulated(150, 2, 2)
    factors[40:80, 1] = factors[40:80, 0]
    factors[100:140, 1] = 0.0
    alphas, betas = rolling_betas(excess, factors, 30)
    unknown = [*range(29), *range(69, 80), *range(129, 140)]
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(alphas).all(axis=1)), unknown)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(betas).any(axis=(1, 2))), unknown)


@pytest.mark.parametrize("window", [-5, 0, 3])
def test_a_window_without_a_degree_of_freedom_is_refused(window: int) -> None:
    with pytest.raises(InputError, match=r"window: got.*more dates than the 3 coefficients"):
        rolling_betas(*simulated(50, 1, 2), window)
