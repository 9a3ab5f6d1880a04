"""Published results, reproduced from Kenneth French's files.

Source: Fama and French (2015), A five-factor asset pricing model, Journal of Financial Economics 116, tables 4 and 6:
2 × 3 factors, July 1963 to December 2013, percent per month. The files have been revised since, hence the tolerances.
"""

import numpy as np
import pandas as pd
import pytest

from analytics.factor_models._expected_return import factor_premiums
from analytics.factor_models._regression import regress

FACTORS = ["mkt_rf", "smb5", "hml", "rmw", "cma"]
MEAN, MEAN_REVISED = [0.50, 0.29, 0.37, 0.25, 0.33], 0.03
VOLATILITY, VOLATILITY_REVISED = [4.49, 3.07, 2.88, 2.14, 2.01], 0.12
T_STAT, T_REVISED = [2.74, 2.31, 3.20, 2.92, 4.07], 0.1

pytestmark = pytest.mark.shared_data


@pytest.fixture
def published(real_factors: dict[str, pd.DataFrame]) -> pd.DataFrame:
    months = real_factors["M"].loc["1963-07":"2013-12", FACTORS]
    assert len(months) == 606
    return months


def test_premiums_of_table_4(published: pd.DataFrame) -> None:
    premiums = factor_premiums(published.to_numpy())
    error = np.sqrt(np.diag(premiums.covariance))
    np.testing.assert_allclose(premiums.mean / 12 * 100, MEAN, atol=MEAN_REVISED)
    np.testing.assert_allclose(error / 12 * 100 * np.sqrt(606), VOLATILITY, atol=VOLATILITY_REVISED)
    np.testing.assert_allclose(premiums.mean / error, T_STAT, atol=T_REVISED)


def test_the_other_factors_explain_the_value_premium_of_table_6(published: pd.DataFrame) -> None:
    """Published: intercept −0.04 (t −0.47); loadings 0.01, 0.02, 0.23 and 1.04; R² 0.51: HML is redundant."""
    others = ["mkt_rf", "smb5", "rmw", "cma"]
    found = regress(100 * published[["hml"]].to_numpy(), 100 * published[others].to_numpy())
    np.testing.assert_allclose(found.coefficients[:, 0], [-0.04, 0.01, 0.02, 0.23, 1.04], atol=0.08)
    assert found.coefficients[0, 0] / found.std_err_ols[0, 0] == pytest.approx(-0.47, abs=0.25)
    assert found.r_squared[0] == pytest.approx(0.51, abs=0.02)


def test_the_market_premium_is_larger_given_the_others_as_in_table_6(published: pd.DataFrame) -> None:
    """Published: the market's intercept is 0.82 with R² 0.24, against its mean of 0.50."""
    others = ["smb5", "hml", "rmw", "cma"]
    found = regress(100 * published[["mkt_rf"]].to_numpy(), 100 * published[others].to_numpy())
    assert found.coefficients[0, 0] == pytest.approx(0.82, abs=0.02)
    assert found.r_squared[0] == pytest.approx(0.24, abs=0.01)
