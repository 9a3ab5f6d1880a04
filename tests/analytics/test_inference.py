import numpy as np
import pytest
from tolerances import PARITY, ROUNDED_SOURCE

from analytics.inference import t_interval, two_sided_p


def test_a_textbook_value() -> None:
    low, high = t_interval(0.0, 1.0, degrees=10)
    assert float(high) == pytest.approx(2.2281, abs=ROUNDED_SOURCE)  # Student's table, 10 degrees, 97.5 %
    assert float(low) == -float(high)


def test_equals_scipy_stats() -> None:
    from scipy import stats

    estimates, errors, degrees = np.array([0.1, -2.0]), np.array([0.3, 0.01]), np.array([22, 400])
    low, high = t_interval(estimates, errors, degrees=degrees)
    expected = stats.t.interval(0.95, degrees, loc=estimates, scale=errors)
    np.testing.assert_allclose([low, high], expected, rtol=PARITY)


def test_unknown_stays_unknown() -> None:
    assert np.isnan(t_interval(np.nan, 1.0, degrees=5)).all()
    assert np.isnan(t_interval(0.0, np.nan, degrees=5)).all()


def test_two_sided_p_equals_scipy_stats() -> None:
    from scipy import stats

    t_stats = np.array([-3.0, 0.0, 2.5, np.nan])
    np.testing.assert_allclose(two_sided_p(t_stats, degrees=17), 2 * stats.t.sf(np.abs(t_stats), 17), rtol=PARITY)
