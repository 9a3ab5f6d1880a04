"""Required returns and their errors: by hand, against the full delta method, and their bounds."""

import numpy as np
import pytest
from tolerances import EXACT, PARITY

from analytics.factor_models._expected_return import Premiums, factor_premiums, required_return


def test_premiums_by_hand() -> None:
    premiums = factor_premiums(np.array([[0.01, 0.0], [0.03, 0.02], [np.nan, 0.5], [0.02, 0.01]]))
    np.testing.assert_allclose(premiums.mean, [0.24, 0.12], rtol=EXACT)
    np.testing.assert_allclose(premiums.covariance, 144 * 1e-4 / 3 * np.ones((2, 2)), rtol=PARITY)


def test_required_return_by_hand() -> None:
    premiums = Premiums(np.array([0.06]), np.array([[0.0004]]))
    required, error = required_return(np.array([[1.5]]), np.array([[[0.01]]]), premiums, risk_free_rate=0.02)
    assert required[0] == pytest.approx(0.02 + 1.5 * 0.06, abs=EXACT)
    assert error[0] == pytest.approx(np.sqrt(0.06**2 * 0.01 + 1.5**2 * 0.0004), abs=EXACT)


def test_error_equals_the_full_delta_method() -> None:
    rng = np.random.default_rng(2)
    draw = rng.standard_normal((7, 3, 3))
    betas, betas_covariance = rng.normal(1, 0.5, (3, 7)), draw @ draw.transpose(0, 2, 1)
    premiums = factor_premiums(rng.normal(0.005, 0.04, (500, 3)))
    _, error = required_return(betas, betas_covariance, premiums, risk_free_rate=0.02)
    for ticker in range(7):
        gradient = np.concatenate([premiums.mean, betas[:, ticker]])
        joint = np.zeros((6, 6))
        joint[:3, :3], joint[3:, 3:] = betas_covariance[ticker], premiums.covariance
        assert error[ticker] == pytest.approx(np.sqrt(gradient @ joint @ gradient), rel=PARITY)


def test_no_beta_requires_the_risk_free_rate() -> None:
    premiums = factor_premiums(np.random.default_rng(1).normal(0.005, 0.04, (100, 2)))
    required, error = required_return(np.zeros((2, 1)), np.zeros((1, 2, 2)), premiums, risk_free_rate=0.03)
    assert (required[0], error[0]) == (0.03, 0.0)


@pytest.mark.parametrize(("known", "mean"), [([], np.nan), ([[0.01]], 0.12)])
def test_too_short_a_history_leaves_the_error_unknown(known: list[list[float]], mean: float) -> None:
    premiums = factor_premiums(np.array(known).reshape(-1, 1))
    np.testing.assert_allclose(premiums.mean, [mean], rtol=EXACT)
    assert np.isnan(premiums.covariance).all()
