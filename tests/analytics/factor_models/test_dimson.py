"""Dimson betas against statsmodels, and on a stock whose price comes a day late."""

import numpy as np
import pytest
import statsmodels.api as sm
from tolerances import PARITY

from analytics.errors import InputError
from analytics.factor_models import dimson_betas


@pytest.mark.parametrize(("lags", "leads"), [(0, 0), (1, 1), (2, 0), (0, 3)])
def test_equals_statsmodels(lags: int, leads: int) -> None:
    rng = np.random.default_rng(9)
    factors, n_obs = rng.normal(size=(500, 2)), 500 - lags - leads
    excess = factors @ [[1.0, 0.5], [-0.2, 0.7]] + rng.standard_t(4, (500, 2))
    shifted = [factors[lags + shift : lags + shift + n_obs] for shift in range(-lags, leads + 1)]
    found = dimson_betas(excess, factors, lags=lags, leads=leads)
    hac = {"maxlags": int(4 * (n_obs / 100) ** (2 / 9)), "use_correction": True}
    for ticker in range(2):
        fit = sm.OLS(excess[lags : lags + n_obs, ticker], sm.add_constant(np.column_stack(shifted))).fit(
            cov_type="HAC", cov_kwds=hac, use_t=True
        )
        for factor in range(2):
            summed = np.zeros(1 + 2 * len(shifted))
            summed[1 + factor :: 2] = 1
            expected = fit.t_test(summed)
            assert found.betas[factor, ticker] == pytest.approx(expected.effect[0], rel=PARITY)
            assert found.std_err[factor, ticker] == pytest.approx(expected.sd[0, 0], rel=PARITY)
    assert found.n_obs == n_obs


def test_a_late_price_hides_its_beta_from_the_same_day() -> None:
    rng = np.random.default_rng(10)
    market = rng.normal(0, 0.01, 4_000)
    late = 0.5 * market[1:] + 0.7 * market[:-1] + rng.normal(0, 0.005, 3_999)
    factors = market[1:, None]
    plain, summed = (dimson_betas(late[:, None], factors, lags=n, leads=n) for n in (0, 1))
    assert plain.betas[0, 0] == pytest.approx(0.5, abs=0.05)
    assert summed.betas[0, 0] == pytest.approx(1.2, abs=4 * summed.std_err[0, 0])
    assert summed.std_err[0, 0] < 0.05


@pytest.mark.parametrize(("lags", "leads", "words"), [(-1, 0, "from 0 up"), (3, 3, "more than the 8 coefficients")])
def test_bad_shifts_are_refused(lags: int, leads: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        dimson_betas(np.zeros((5, 1)), np.zeros((5, 1)), lags=lags, leads=leads)


@pytest.mark.parametrize("of_tickers", [True, False])
def test_missing_values_are_refused(of_tickers: bool) -> None:
    rng = np.random.default_rng(11)
    excess, factors = rng.normal(size=(60, 2)), rng.normal(size=(60, 2))
    (excess if of_tickers else factors)[30, 1] = np.nan
    with pytest.raises(InputError, match="missing values"):
        dimson_betas(excess, factors)
