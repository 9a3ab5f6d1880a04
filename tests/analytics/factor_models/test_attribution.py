"""Contributions sum exactly, to the compound return and to the variance."""

import numpy as np
import pytest
from tolerances import EXACT

from analytics.errors import InputError
from analytics.factor_models import model_parts, return_contributions, variance_contributions


def _parts(rng: np.random.Generator, n_periods: int = 40) -> tuple[np.ndarray, np.ndarray]:
    factors, risk_free = rng.normal(0.001, 0.02, (n_periods, 3)), np.full(n_periods, 0.0001)
    returns = risk_free + factors @ [1.1, -0.3, 0.5] + rng.normal(0, 0.02, n_periods)
    return returns, model_parts(returns, factors, risk_free, np.array([1.1, -0.3, 0.5]))


def test_the_parts_of_each_period_sum_to_its_return() -> None:
    returns, parts = _parts(np.random.default_rng(1))
    np.testing.assert_allclose(parts.sum(axis=1), returns, atol=EXACT)
    assert parts.shape == (40, 5)


def test_contributions_sum_to_the_compound_return() -> None:
    returns, parts = _parts(np.random.default_rng(2))
    contributed = return_contributions(returns, parts)
    np.testing.assert_allclose(contributed.sum(), np.prod(1 + returns) - 1, atol=EXACT)


def test_one_period_is_linked_to_itself() -> None:
    returns, parts = _parts(np.random.default_rng(3), n_periods=1)
    np.testing.assert_allclose(return_contributions(returns, parts), parts[0], atol=EXACT)


def test_carino_by_hand() -> None:
    """Two periods of 10 % and 20 %, halves by part: Cariño's coefficients by their definition."""
    returns, parts = np.array([0.10, 0.20]), np.array([[0.05, 0.05], [0.15, 0.05]])
    scale = (np.log(1.32) / 0.32) ** -1
    expected = scale * (np.log(1.1) / 0.1 * parts[0] + np.log(1.2) / 0.2 * parts[1])
    np.testing.assert_allclose(return_contributions(returns, parts), expected, atol=EXACT)


def test_days_without_a_move_contribute_nothing_to_the_total() -> None:
    returns, parts = np.zeros(3), np.array([[0.01, -0.01]] * 3)
    np.testing.assert_allclose(return_contributions(returns, parts), [0.03, -0.03], atol=EXACT)


@pytest.mark.parametrize(("returns", "parts", "words"), [
    ([0.1], [[0.05, 0.04]], "parts: got 'sums that are off by"), ([np.nan], [[0.1, 0.0]], "unknown"),
    ([-1.0], [[-1.0, 0.0]], "-100 %"),
])  # fmt: skip
def test_what_cannot_be_split_is_refused(returns: list[float], parts: list[list[float]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        return_contributions(np.array(returns), np.array(parts))


def test_variance_shares_sum_to_one_and_follow_the_sample() -> None:
    """Of an OLS fit the shares are those of the sample's own variance: residuals are uncorrelated with factors."""
    rng = np.random.default_rng(4)
    factors = rng.normal(size=(200, 2)) @ np.array([[1.0, 0.4], [0.0, 0.8]])
    y = factors @ [0.9, -0.5] + rng.normal(size=200)
    design = np.column_stack([np.ones(200), factors])
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    residuals = y - design @ coefficients
    shares = variance_contributions(coefficients[1:], np.cov(factors, rowvar=False), float(residuals.var(ddof=1)))
    assert shares.sum() == pytest.approx(1, abs=EXACT)
    expected = [np.cov(coefficients[k + 1] * factors[:, k], y)[0, 1] / y.var(ddof=1) for k in range(2)]
    np.testing.assert_allclose(shares[:2], expected, atol=EXACT)


def test_no_variance_has_no_shares() -> None:
    assert np.isnan(variance_contributions(np.zeros(2), np.eye(2), 0.0)).all()
