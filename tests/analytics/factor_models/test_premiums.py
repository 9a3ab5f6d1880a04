"""Premiums by choice, and the error that they carry into the required return."""

import numpy as np
import pytest
from tolerances import EXACT

from analytics.errors import InputError, UnknownKeyError
from analytics.factor_models import Premiums, chosen_premiums, required_return

NAMES = ("mkt_rf", "smb")


@pytest.fixture
def factor_months() -> np.ndarray:
    return np.random.default_rng(5).normal(0.005, 0.04, (400, 2))


def test_mean_and_trailing(factor_months: np.ndarray) -> None:
    whole = chosen_premiums("mean", factor_months, names=NAMES)
    recent = chosen_premiums("trailing", factor_months, names=NAMES)
    np.testing.assert_allclose(whole.mean, 12 * factor_months.mean(axis=0), atol=EXACT)
    np.testing.assert_allclose(recent.mean, 12 * factor_months[-120:].mean(axis=0), atol=EXACT)
    np.testing.assert_allclose(
        np.sqrt(np.diag(recent.covariance)), 12 * factor_months[-120:].std(axis=0, ddof=1) / np.sqrt(120), atol=EXACT
    )


def test_own_numbers_carry_no_error(factor_months: np.ndarray) -> None:
    own = chosen_premiums("own", factor_months, names=NAMES, own={"mkt_rf": 0.05, "smb": 0.01})
    np.testing.assert_array_equal(own.mean, [0.05, 0.01])
    assert not own.covariance.any()
    betas, covariance = np.array([[1.2], [0.4]]), np.array([[[0.04, 0.01], [0.01, 0.09]]])
    required, std_err = required_return(betas, covariance, own, risk_free_rate=0.02)
    assert required == pytest.approx([0.02 + 1.2 * 0.05 + 0.4 * 0.01], abs=EXACT)
    by_hand = 0.05**2 * 0.04 + 2 * 0.05 * 0.01 * 0.01 + 0.01**2 * 0.09
    assert std_err == pytest.approx([by_hand**0.5], abs=EXACT)


@pytest.mark.parametrize("own", [{}, {"mkt_rf": 0.05}, {"mkt_rf": 5.0, "smb": 0.0}, {"mkt_rf": np.nan, "smb": 0.0}])
def test_own_numbers_are_checked(factor_months: np.ndarray, own: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"premium of (mkt_rf|smb).*Write 5 % as 0.05"):
        chosen_premiums("own", factor_months, names=NAMES, own=own)


def test_unknown_choice(factor_months: np.ndarray) -> None:
    with pytest.raises(UnknownKeyError, match="trailing"):
        chosen_premiums("trailling", factor_months, names=NAMES)


def test_the_error_is_that_of_a_simulation() -> None:
    """Betas and premiums drawn around their estimates: the delta method leaves out the product of both errors only."""
    rng, draws = np.random.default_rng(6), 400_000
    betas, betas_covariance = np.array([1.1, 0.4]), np.array([[0.010, 0.002], [0.002, 0.020]])
    premiums = Premiums(np.array([0.06, 0.02]), np.array([[0.0004, 0.0001], [0.0001, 0.0003]]))
    found = required_return(betas[:, None], betas_covariance[None], premiums, risk_free_rate=0.03)[1]
    drawn = rng.multivariate_normal(betas, betas_covariance, draws) * rng.multivariate_normal(
        premiums.mean, premiums.covariance, draws
    )
    second_order = np.trace(betas_covariance @ premiums.covariance)
    assert found**2 + second_order == pytest.approx([drawn.sum(axis=1).var()], rel=0.01)  # sampling error 0.2 %
