"""How often the 95 % intervals hold the true coefficient: the figures of docs/METHODS.md, simulated with a fixed seed."""

import numpy as np
import pytest
from scipy.special import stdtrit

from analytics.conventions import FloatArray
from analytics.factor_models._regression import regress

ROUNDS, TICKERS, N_OBS = 150, 100, 120  # 15,000 fits: the coverage of a coefficient is known to about 0.3 points
NORMAL, GARCH, COMMON = "independent and normal", "GARCH(1,1) each", "one volatility for factors and residuals"


def garch(rng: np.random.Generator, n_obs: int, n_series: int) -> FloatArray:
    """GARCH(1,1) with α = 0.1, β = 0.85 and variance 1, after 200 periods."""
    shocks, variance = rng.standard_normal((n_obs + 200, n_series)), np.ones(n_series)
    values = np.empty_like(shocks)
    for row, shock in enumerate(shocks):
        values[row] = np.sqrt(variance) * shock
        variance = 0.05 + 0.1 * values[row] ** 2 + 0.85 * variance
    return values[200:]


def draws(rng: np.random.Generator, kind: str, n_obs: int, n_factors: int) -> tuple[FloatArray, FloatArray]:
    """Factors and residuals of variance about 1."""
    if kind == GARCH:
        return garch(rng, n_obs, n_factors), garch(rng, n_obs, TICKERS)
    factors, residuals = rng.standard_normal((n_obs, n_factors)), rng.standard_normal((n_obs, TICKERS))
    if kind == COMMON:  # log volatility: half of a first-order autoregression with coefficient 0.9 and variance 1
        level = np.empty(n_obs)
        level[0], news = rng.standard_normal(), np.sqrt(1 - 0.9**2) * rng.standard_normal(n_obs)
        for row in range(1, n_obs):
            level[row] = 0.9 * level[row - 1] + news[row]
        volatility = np.exp(level / 2)[:, None]
        return volatility * factors, volatility * residuals
    return factors, residuals


def coverage(kind: str, *, n_factors: int, n_obs: int = N_OBS) -> dict[str, FloatArray]:
    """Percent of the intervals that hold the true coefficient, the intercept first, by kind of error."""
    rng = np.random.default_rng(20)
    held = {"ols": np.zeros(n_factors + 1), "hac": np.zeros(n_factors + 1)}
    for _ in range(ROUNDS):
        factors, residuals = draws(rng, kind, n_obs, n_factors)
        found = regress(0.06 * residuals, 0.04 * factors)  # the true coefficients are 0
        critical = stdtrit(n_obs - n_factors - 1, 0.975)
        held["ols"] += (np.abs(found.coefficients) <= critical * found.std_err_ols).sum(axis=1)
        held["hac"] += ((found.low <= 0) & (found.high >= 0)).sum(axis=1)
    return {name: 100 * count / (ROUNDS * TICKERS) for name, count in held.items()}


@pytest.mark.parametrize("n_factors", [1, 3, 5, 6])
def test_under_independent_data_ols_covers_94_to_96_and_newey_west_at_least_92(n_factors: int) -> None:
    found = coverage(NORMAL, n_factors=n_factors)
    assert ((found["ols"] >= 94) & (found["ols"] <= 96)).all(), found
    assert ((found["hac"] >= 92) & (found["hac"] <= 96)).all(), found


def test_clustered_volatility_that_factors_and_residuals_do_not_share_does_no_harm() -> None:
    found = coverage(GARCH, n_factors=5)
    assert ((found["ols"] >= 94) & (found["ols"] <= 96)).all(), found
    assert ((found["hac"] >= 92) & (found["hac"] <= 96)).all(), found


@pytest.mark.parametrize(("n_obs", "ols", "hac"), [(60, 86.6, 88.1), (120, 84.4, 89.9), (300, 82.4, 92.2)])
def test_common_volatility_makes_the_intervals_of_betas_too_narrow(n_obs: int, ols: float, hac: float) -> None:
    found = coverage(COMMON, n_factors=5, n_obs=n_obs)
    assert found["ols"][1:].mean() == pytest.approx(ols, abs=0.2), found
    assert found["hac"][1:].mean() == pytest.approx(hac, abs=0.2), found
    assert found["hac"][0] == pytest.approx(94.3, abs=0.7), found  # of alpha
