"""Batched least squares: equal to Stata and statsmodels, coefficient by coefficient and error by error."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.datasets import macrodata
from tolerances import PARITY

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import Spans, newey_west_lags, regress


def problem(seed: int, n_obs: int, n_factors: int, n_tickers: int) -> tuple[FloatArray, FloatArray]:
    """Excess returns with factors, heavy tails and serial correlation."""
    rng = np.random.default_rng(seed)
    factors = 0.04 * rng.standard_normal((n_obs, n_factors))
    noise = 0.05 * rng.standard_t(5, (n_obs + 1, n_tickers))
    betas = rng.normal(1, 0.5, (n_factors, n_tickers))
    return factors @ betas + noise[1:] + 0.3 * noise[:-1], factors


def test_newey_west_errors_equal_stata() -> None:
    """Stata: ivreg2 g_realinv g_realgdp L.realint, robust bw(5) small; kept in statsmodels' results_macro_ols_robust."""
    data = macrodata.load_pandas().data
    growth = 400 * np.diff(np.log(data[["realinv", "realgdp"]].to_numpy()), axis=0)
    regression = regress(growth[:, :1], np.column_stack([growth[:, 1], data["realint"].to_numpy()[:-1]]))
    assert (regression.n_obs, regression.lags) == (202, 4)
    for name, expected in {
        "coefficients": [-9.4816727746549, 4.3742216647032, -0.61399696947899],
        "std_err": [1.1859338087713, 0.33125644884286, 0.29582347593197],
        "t_stat": [-7.9951112823729, 13.204940401864, -2.0755518727668],
        "p_value": [1.036821797e-13, 5.282334606e-29, 0.03922090940364],
        "low": [-11.820282709911, 3.7209983425819, -1.1973480087863],
        "high": [-7.1430628393989, 5.0274449868245, -0.03064593017165],
    }.items():
        np.testing.assert_allclose(getattr(regression, name)[:, 0], expected, rtol=1e-8, err_msg=name)
    np.testing.assert_allclose(regression.r_squared, 0.6769775594319388, rtol=PARITY)
    np.testing.assert_allclose(regression.adjusted_r_squared, 0.6737311027428126, rtol=PARITY)
    np.testing.assert_allclose(regression.residual_vol, 10.7037959322668, rtol=PARITY)


@pytest.mark.parametrize(("n_obs", "n_factors"), [(24, 1), (60, 3), (346, 6), (1_100, 1)])
def test_equals_statsmodels(n_obs: int, n_factors: int) -> None:
    returns, factors = problem(n_obs, n_obs, n_factors, 5)
    regression = regress(returns, factors)
    options = {"maxlags": newey_west_lags(n_obs), "use_correction": True}
    for column in range(5):
        model = sm.OLS(returns[:, column], sm.add_constant(factors))
        plain, robust = model.fit(), model.fit(cov_type="HAC", cov_kwds=options, use_t=True)
        interval = robust.conf_int()
        for ours, theirs in (
            (regression.coefficients, plain.params), (regression.std_err, robust.bse),
            (regression.std_err_ols, plain.bse), (regression.t_stat, robust.tvalues),
            (regression.p_value, robust.pvalues), (regression.low, interval[:, 0]), (regression.high, interval[:, 1]),
        ):  # fmt: skip
            np.testing.assert_allclose(ours[:, column], theirs, rtol=PARITY, atol=PARITY)
        np.testing.assert_allclose(regression.covariance[column], robust.cov_params(), rtol=PARITY, atol=PARITY)
        assert regression.r_squared[column] == pytest.approx(plain.rsquared, abs=PARITY)
        assert regression.adjusted_r_squared[column] == pytest.approx(plain.rsquared_adj, abs=PARITY)
        assert regression.residual_vol[column] == pytest.approx(np.sqrt(plain.mse_resid), abs=PARITY)


def test_coefficients_equal_numpy_least_squares() -> None:
    returns, factors = problem(3, 300, 5, 40)
    expected = np.linalg.lstsq(np.column_stack([np.ones(300), factors]), returns)[0]
    np.testing.assert_allclose(regress(returns, factors).coefficients, expected, rtol=PARITY, atol=PARITY)


def test_lags_by_hand() -> None:
    assert [newey_west_lags(n) for n in (24, 60, 100, 346, 1_108)] == [2, 3, 4, 5, 6]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.floats(-3, 3), st.floats(0.1, 10))
def test_scale_and_shift(seed: int, shift: float, scale: float) -> None:
    returns, factors = problem(seed, 80, 3, 4)
    before = regress(returns, factors)
    after = regress(scale * returns + shift * factors[:, [1]], factors)
    expected = scale * before.coefficients
    expected[2] += shift
    np.testing.assert_allclose(after.coefficients, expected, rtol=PARITY, atol=PARITY)
    np.testing.assert_allclose(after.std_err, scale * before.std_err, rtol=1e-7)
    assert ((before.r_squared >= 0) & (before.r_squared <= 1)).all()
    assert (before.low < before.coefficients).all()
    assert (before.coefficients < before.high).all()


def test_collinear_factors_leave_everything_unknown() -> None:
    returns, factors = problem(5, 60, 2, 3)
    regression = regress(returns, np.column_stack([factors, factors.sum(axis=1)]))
    for name in (
        "coefficients",
        "std_err",
        "std_err_ols",
        "p_value",
        "covariance",
        "r_squared",
        "residual_vol",
    ):
        assert np.isnan(getattr(regression, name)).all(), name


def test_returns_that_do_not_vary_have_no_r_squared_and_no_t() -> None:
    _, factors = problem(6, 60, 2, 1)
    regression = regress(np.zeros((60, 1)), factors)
    np.testing.assert_array_equal(regression.coefficients, 0)
    assert np.isnan(regression.r_squared).all()
    assert np.isnan(regression.t_stat).all()
    assert np.isnan(regression.p_value).all()


def test_too_few_observations_are_refused() -> None:
    with pytest.raises(InputError, match="more than the 4 coefficients"):
        regress(np.ones((4, 1)), np.ones((4, 3)))


def test_a_span_equals_a_regression_of_its_rows_alone() -> None:
    returns, factors = problem(7, 90, 3, 4)
    spans = Spans(np.array([0, 10, 30, 66]), np.array([90, 80, 90, 90]))
    outside = returns.copy()
    outside[:10, 1] = np.nan  # what lies outside is never looked at
    together = regress(outside, factors, spans)
    for column, (start, stop) in enumerate(zip(spans.start, spans.stop, strict=True)):
        alone = regress(returns[start:stop, [column]], factors[start:stop])
        assert together.n_obs[column] == alone.n_obs[0] == stop - start
        assert together.lags[column] == alone.lags[0]
        for name in ("coefficients", "std_err", "std_err_ols", "p_value", "low", "high"):
            np.testing.assert_allclose(getattr(together, name)[:, column], getattr(alone, name)[:, 0], rtol=PARITY)
        for name in ("r_squared", "adjusted_r_squared", "bic", "residual_vol"):
            np.testing.assert_allclose(getattr(together, name)[column], getattr(alone, name)[0], rtol=PARITY)
        np.testing.assert_array_equal(together.residuals[column, :start], 0)
        np.testing.assert_array_equal(together.residuals[column, stop:], 0)


def test_factors_in_the_one_span_where_they_are_collinear_leave_the_others_alone() -> None:
    returns, factors = problem(9, 80, 2, 2)
    factors[:40, 1] = 3 * factors[:40, 0] + 0.01
    found = regress(returns, factors, Spans(np.array([0, 0]), np.array([40, 80])))
    assert np.isnan(found.coefficients[:, 0]).all()
    np.testing.assert_allclose(found.coefficients[:, 1], regress(returns, factors).coefficients[:, 1], rtol=PARITY)


def test_nearly_collinear_factors_are_still_solved_to_parity() -> None:
    returns, factors = problem(10, 120, 2, 3)
    factors = np.column_stack([factors, factors.sum(axis=1) + 1e-6 * np.random.default_rng(1).standard_normal(120)])
    plain = sm.OLS(returns[:, 0], sm.add_constant(factors)).fit()
    fitted = regress(returns, factors)
    np.testing.assert_allclose(fitted.residuals[0], plain.resid, rtol=0, atol=1e-8 * np.abs(returns).max())
