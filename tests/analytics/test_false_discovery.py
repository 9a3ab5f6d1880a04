"""Benjamini and Hochberg's q values against two libraries."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests
from tolerances import EXACT

from analytics.inference import benjamini_hochberg


@pytest.mark.parametrize("n", [1, 2, 7, 500])
def test_q_values_equal_scipy_and_statsmodels(n: int) -> None:
    p_values = np.random.default_rng(n).beta(0.5, 2, n)
    found = benjamini_hochberg(p_values)
    np.testing.assert_allclose(found, false_discovery_control(p_values), atol=EXACT)
    np.testing.assert_allclose(found, multipletests(p_values, method="fdr_bh")[1], atol=EXACT)


def test_unknown_p_values_are_no_tests() -> None:
    found = benjamini_hochberg([0.01, np.nan, 0.04])
    np.testing.assert_allclose(found, [0.02, np.nan, 0.04], atol=EXACT)
    assert benjamini_hochberg([]).size == 0


def test_the_paper() -> None:
    """Benjamini and Hochberg (1995), section 3.3: of 15 p values four are found at 0.05, the largest of them 0.0095."""
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
                0.7590, 1.0]  # fmt: skip
    assert (benjamini_hochberg(p_values) <= 0.05).sum() == 4
