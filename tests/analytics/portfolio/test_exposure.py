"""Concentration, risk contributions and factor loadings: by hand, against statsmodels, and their identities."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY

from analytics.conventions import FloatArray
from analytics.errors import InputError
from analytics.factor_models._regression import newey_west_lags, regress
from analytics.portfolio.exposure import (
    effective_positions,
    factor_exposure,
    group_exposure,
    herfindahl,
    risk_contributions,
)

SLOPE = 1e-6  # of a central difference of step 1e-6


def covariance(seed: int, n_assets: int) -> FloatArray:
    draw = np.random.default_rng(seed).standard_normal((n_assets, 2 * n_assets))
    return 0.04 * draw @ draw.T / (2 * n_assets)


def test_concentration_by_hand() -> None:
    assert herfindahl(np.array([0.5, 0.3, 0.2])) == pytest.approx(0.38, rel=EXACT)
    assert effective_positions(np.full(8, 0.125)) == pytest.approx(8, rel=EXACT)
    assert effective_positions(np.array([0.0, 0.4, 0.0])) == pytest.approx(1, rel=EXACT)  # cash is no position
    assert np.isnan(effective_positions(np.zeros(3)))


def test_risk_contributions_by_hand() -> None:
    """Variances 0.04 and 0.09, covariance 0.01: Σw = (0.022, 0.042), w′Σw = 0.6 × 0.028 + 0.4 × 0.042 = 0.0336."""
    found = risk_contributions(np.array([0.6, 0.4]), np.array([[0.04, 0.01], [0.01, 0.09]]))
    np.testing.assert_allclose(found, [0.0168 / 0.0336, 0.0168 / 0.0336], rtol=EXACT)
    assert np.isnan(risk_contributions(np.zeros(2), np.eye(2))).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.floats(0.2, 1.0))
def test_risk_contributions_are_the_slopes_of_volatility(seed: int, n_assets: int, invested: float) -> None:
    sigma, weights = covariance(seed, n_assets), invested * np.random.default_rng(seed).dirichlet(np.ones(n_assets))
    found = risk_contributions(weights, sigma)
    assert found.sum() == pytest.approx(1, rel=PARITY)
    step = 1e-6 * np.eye(n_assets)
    volatility = [np.sqrt((weights + move) @ sigma @ (weights + move)) for move in np.vstack([step, -step])]
    slopes = (np.array(volatility[:n_assets]) - volatility[n_assets:]) / 2e-6
    np.testing.assert_allclose(found, weights * slopes / np.sqrt(weights @ sigma @ weights), atol=SLOPE)


def test_groups_add_their_members() -> None:
    weights, sigma = np.array([0.1, 0.3, 0.0, 0.2, 0.4]), covariance(3, 5)
    table = group_exposure(weights, sigma, ["tech", "oil", "gold", "tech", "oil"])
    assert table["group"].tolist() == ["oil", "tech", "gold"]
    np.testing.assert_allclose(table["weight"], [0.7, 0.3, 0.0], atol=EXACT)
    assert table["positions"].tolist() == [2, 2, 0]
    each = risk_contributions(weights, sigma)
    np.testing.assert_allclose(
        table["risk_contribution"], [each[[1, 4]].sum(), each[[0, 3]].sum(), 0.0], rtol=EXACT, atol=EXACT
    )
    assert group_exposure(np.zeros(5), sigma, list("aabbc"))["risk_contribution"].isna().all()


def factor_sample(seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns of six assets on three factors, whose errors share a shock, with a changing risk-free rate."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((120, 3)) * 0.04
    loadings = rng.normal(1, 0.5, (3, 6))
    shared = rng.standard_normal((120, 1)) * 0.02
    rate = np.linspace(0.001, 0.003, 120)
    assets = rate[:, None] + 0.002 + factors @ loadings + shared + rng.standard_normal((120, 6)) * 0.03
    return assets, factors, rate


def test_loadings_equal_statsmodels_newey_west() -> None:
    assets, factors, rate = factor_sample(1)
    weights = np.array([0.3, 0.1, 0.1, 0.2, 0.2, 0.1])
    table = factor_exposure(assets @ weights, factors, rate, ["mkt_rf", "smb", "hml"])
    lags = int(newey_west_lags(120))
    fit = sm.OLS(assets @ weights - rate, sm.add_constant(factors)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True
    )
    assert table["factor"].tolist() == ["alpha", "mkt_rf", "smb", "hml"]
    for column, theirs in (("coefficient", fit.params), ("std_err", fit.bse), ("p_value", fit.pvalues)):
        np.testing.assert_allclose(table[column], theirs, atol=PARITY, rtol=PARITY)
    np.testing.assert_allclose(table[["low", "high"]], fit.conf_int(), atol=PARITY)


def test_loadings_are_the_weighted_sum_of_the_assets() -> None:
    assets, factors, rate = factor_sample(2)
    weights = np.array([0.5, 0.0, 0.1, 0.2, 0.1, 0.1])
    table = factor_exposure(assets @ weights, factors, rate, ["mkt_rf", "smb", "hml"])
    each = regress(assets - rate[:, None], factors)
    np.testing.assert_allclose(table["coefficient"], each.coefficients @ weights, rtol=PARITY)
    # Errors that are shared do not cancel: the sum of squares of the assets' own would be too small.
    assert (table["std_err"].to_numpy() > 1.15 * np.sqrt((each.std_err**2) @ weights**2)).all()


def test_unknown_periods_are_left_out() -> None:
    assets, factors, rate = factor_sample(3)
    returns = assets.mean(axis=1)
    whole = factor_exposure(returns[5:], factors[5:], rate[5:], ["a", "b", "c"])
    returns[:2], factors[2:4, 1], rate[4] = np.nan, np.nan, np.nan
    pd.testing.assert_frame_equal(factor_exposure(returns, factors, rate, ["a", "b", "c"]), whole)


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="covariance: got 'shape"):
        risk_contributions(np.ones(3), np.eye(2))
    with pytest.raises(InputError, match="groups: got '1 names'"):
        group_exposure(np.ones(2) / 2, np.eye(2), ["tech"])
    with pytest.raises(InputError, match="factor_returns and risk_free_returns"):
        factor_exposure(np.zeros(9), np.zeros((9, 2)), np.zeros(9), ["mkt_rf"])
    with pytest.raises(InputError, match="Use a longer sample"):
        factor_exposure(np.zeros(2), np.zeros((2, 1)), np.zeros(2), ["mkt_rf"])
