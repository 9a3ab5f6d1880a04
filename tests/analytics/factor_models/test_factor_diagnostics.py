"""Diagnostics of residuals: equal to statsmodels in every span, by hand, and where they are undefined."""

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.stattools import durbin_watson as sm_durbin_watson
from statsmodels.stats.stattools import jarque_bera
from tolerances import EXACT, PARITY

from analytics.factor_models._diagnostics import breusch_pagan_p, diagnose, durbin_watson
from analytics.factor_models._regression import Spans, regress


@pytest.mark.parametrize("n_factors", [1, 3, 6])
def test_equal_to_statsmodels_in_every_span(n_factors: int) -> None:
    rng = np.random.default_rng(n_factors)
    factors = 0.04 * rng.standard_normal((150, n_factors))
    noise = 0.05 * rng.standard_t(6, (151, 5)) * (1 + 10 * np.abs(factors[:, :1]).mean())
    returns = factors.sum(axis=1, keepdims=True) + noise[1:] + 0.4 * noise[:-1]
    spans = Spans(np.array([0, 20, 0, 60, 125]), np.array([150, 150, 90, 120, 150]))
    found = diagnose(regress(returns, factors, spans))
    for row, (start, stop) in enumerate(zip(spans.start, spans.stop, strict=True)):
        design = sm.add_constant(factors[start:stop])
        residuals = sm.OLS(returns[start:stop, row], design).fit().resid
        assert found.durbin_watson[row] == pytest.approx(sm_durbin_watson(residuals), abs=PARITY)
        assert found.jarque_bera_p[row] == pytest.approx(jarque_bera(residuals)[1], abs=PARITY)
        assert found.breusch_pagan_p[row] == pytest.approx(het_breuschpagan(residuals, design)[1], abs=PARITY)


def test_durbin_watson_by_hand() -> None:
    """Residuals 1, −1, 1, −1 on a constant: (4 + 4 + 4) / 4."""
    regression = regress(np.array([[1.0], [-1.0], [1.0], [-1.0]]), np.empty((4, 0)))
    np.testing.assert_allclose(durbin_watson(regression), [3.0], rtol=EXACT)


def test_squared_residuals_that_do_not_vary_have_no_breusch_pagan() -> None:
    regression = regress(np.array([[1.0], [-1.0], [1.0], [-1.0]]), np.array([[1.0], [1.0], [2.0], [2.0]]))
    assert np.isnan(breusch_pagan_p(regression)).all()


def test_variance_that_grows_with_the_factor_is_seen() -> None:
    rng = np.random.default_rng(8)
    factor = rng.uniform(0, 1, (400, 1))
    found = diagnose(
        regress(np.hstack([factor * rng.standard_normal((400, 1)), rng.standard_normal((400, 1))]), factor)
    )
    assert found.breusch_pagan_p[0] < 1e-6 < 0.05 < found.breusch_pagan_p[1]


def test_no_residuals_no_diagnostics() -> None:
    factors = np.random.default_rng(1).standard_normal((40, 2))
    found = diagnose(regress(np.column_stack([factors[:, 0], np.full(40, 0.3), np.zeros(40)]), factors))
    for values in (found.durbin_watson, found.jarque_bera_p, found.breusch_pagan_p):
        assert np.isnan(values).all()
