"""Shrunk betas and the betas of rising and falling markets: by hand, and their bounds."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from tolerances import EXACT, PARITY

from analytics.factor_models._adjusted_betas import MIN_SIDE, blume_beta, up_down_betas, vasicek_beta


def test_blume_by_hand() -> None:
    np.testing.assert_allclose(blume_beta(np.array([1.0, 1.6, 0.1])), [1.0, 1.4, 0.4], rtol=EXACT)


def test_vasicek_by_hand() -> None:
    """Betas 0.5 and 1.5: mean 1, variance 0.5. The second has error √0.5, so it keeps half of its distance."""
    found = vasicek_beta(pd.Series([0.5, 1.5]), pd.Series([0.0, np.sqrt(0.5)]), pd.Series(["a", "a"]))
    np.testing.assert_allclose(found, [0.5, 1.25], rtol=EXACT)


def test_vasicek_shrinks_within_its_group_and_lies_between() -> None:
    rng = np.random.default_rng(4)
    beta, error = pd.Series(rng.normal(1, 0.4, 60)), pd.Series(rng.uniform(0.05, 0.5, 60))
    group = pd.Series(["early"] * 20 + ["late"] * 40)
    found = vasicek_beta(beta, error, group)
    pd.testing.assert_series_equal(found[group == "late"], vasicek_beta(beta[20:], error[20:], group[20:]))
    mean = beta.groupby(group).transform("mean")
    assert ((found - mean).abs() <= (beta - mean).abs()).all()
    assert ((found - beta) * (mean - beta) >= 0).all()


def test_vasicek_needs_a_cross_section() -> None:
    alone = vasicek_beta(pd.Series([0.5, 1.5, np.nan]), pd.Series([0.1, 0.1, 0.1]), pd.Series(["a", "b", "b"]))
    assert alone.isna().all()


def test_up_and_down_betas_are_those_of_two_regressions() -> None:
    rng = np.random.default_rng(5)
    market = rng.normal(0.005, 0.045, 240)
    excess = np.where(market > 0, 0.7, 1.4) * market + 0.03 * rng.standard_normal(240)
    found = up_down_betas(excess[:, None], market)
    for side, beta in ((market > 0, found.up), (market <= 0, found.down)):
        expected = sm.OLS(excess[side], sm.add_constant(market[side])).fit().params[1]
        assert beta[0] == pytest.approx(expected, abs=PARITY)
    assert abs(found.up[0] - 0.7) < 3 * found.up_se[0]
    assert abs(found.down[0] - 1.4) < 3 * found.down_se[0]


@pytest.mark.parametrize(
    ("n_up", "known"), [(MIN_SIDE - 1, False), (MIN_SIDE, True), (60 - MIN_SIDE, True), (61 - MIN_SIDE, False)]
)
def test_a_side_with_few_observations_is_unknown(n_up: int, known: bool) -> None:
    rng = np.random.default_rng(6)
    market = np.abs(rng.normal(0, 0.04, 60)) * np.where(np.arange(60) < n_up, 1, -1)
    found = up_down_betas(rng.normal(0, 0.05, (60, 1)), market)
    for values in (found.up, found.up_se, found.down, found.down_se):
        assert np.isfinite(values).all() == known
