"""Every stored column of every fit equals statsmodels, on simulated and on real data, monthly and daily."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels_reference import assert_fits_equal
from tolerances import PARITY

from analytics.factor_models import FACTOR_MODELS, fit_factor_models, month_end_fits
from analytics.factor_models._breaks import sup_f
from analytics.returns import monthly_returns, simple_returns

Months = tuple[pd.DataFrame, pd.DataFrame]


def test_fits_with_gaps_and_late_listings_equal_statsmodels(simulated_months: Months) -> None:
    returns, factors = simulated_months
    fits, loadings = fit_factor_models(returns, factors)
    assert "T02" not in set(fits["ticker"])  # 20 months
    assert assert_fits_equal(fits, loadings, returns, factors, tolerance=PARITY) == 11 * 5 * 4
    counted = fits.set_index(["ticker", "model", "window_months"])["n_obs"]
    of_ff3 = [counted[name, "ff3", 0] for name in ("T00", "T01", "T03", "T04", "T05", "T07")]
    assert of_ff3 == [140, 30, 129, 176, 177, 179]
    assert counted["T07", "capm", 0] == 180  # the month without hml is lost to the models that use hml alone


def test_month_end_fits_equal_statsmodels(simulated_months: Months) -> None:
    returns, factors = simulated_months
    chosen = returns[["T00", "T01", "T02", "T03", "T04"]]
    fits, loadings = month_end_fits(chosen, factors)
    some = fits.iloc[::13]
    keyed = loadings.set_index(["ticker", "model", "window_months", "as_of"])
    own = keyed.loc[pd.MultiIndex.from_frame(some[list(keyed.index.names)])].reset_index()
    assert assert_fits_equal(some, own, chosen, factors, tolerance=PARITY) > 100


@pytest.mark.shared_data
def test_monthly_fits_of_30_stocks_equal_statsmodels(
    real_closes: pd.DataFrame, real_factors: dict[str, pd.DataFrame]
) -> None:
    returns = monthly_returns(real_closes)
    assert returns.shape[1] == 30
    fits, loadings = fit_factor_models(returns, real_factors["M"])
    assert set(fits["model"]) == set(FACTOR_MODELS)
    assert assert_fits_equal(fits, loadings, returns, real_factors["M"], tolerance=PARITY) == 30 * 5 * 4


@pytest.mark.shared_data
def test_daily_fits_of_30_stocks_equal_statsmodels(
    real_closes: pd.DataFrame, real_factors: dict[str, pd.DataFrame]
) -> None:
    returns = pd.DataFrame(simple_returns(real_closes), real_closes.index, real_closes.columns)
    fits, loadings = fit_factor_models(returns, real_factors["D"], frequency="D", windows=[0, 36])
    assert set(fits["frequency"]) == {"D"}
    assert (fits["n_obs"] > 500).all()
    assert assert_fits_equal(fits, loadings, returns, real_factors["D"], tolerance=PARITY) == 30 * 5 * 2


@pytest.mark.shared_data
def test_vasicek_beta_of_30_stocks_by_its_formula(
    real_closes: pd.DataFrame, real_factors: dict[str, pd.DataFrame]
) -> None:
    fits, loadings = fit_factor_models(monthly_returns(real_closes), real_factors["M"], models=["capm"], windows=[60])
    beta, noise = loadings["beta"].to_numpy(), loadings["std_err_ols"].to_numpy() ** 2
    spread = np.var(beta, ddof=1)
    expected = (noise * beta.mean() + spread * beta) / (noise + spread)
    np.testing.assert_allclose(fits["beta_vasicek"], expected, rtol=PARITY)


def test_q_values_are_those_of_all_tickers_with_the_same_model_and_window(simulated_months: Months) -> None:
    fits, _ = fit_factor_models(*simulated_months)
    assert len(fits) == fits["alpha_q"].notna().sum()
    for _, own in fits.groupby(["model", "window_months"]):
        np.testing.assert_allclose(own["alpha_q"], multipletests(own["alpha_p"], method="fdr_bh")[1], rtol=PARITY)


def test_breaks_of_monthly_fits_are_those_of_the_largest_chow_statistic(simulated_months: Months) -> None:
    returns, factors = simulated_months
    fits, _ = fit_factor_models(returns, factors, models=["ff3"], windows=[0, 36])
    known = fits.set_index(["ticker", "window_months"])
    sample = factors[["mkt_rf", "smb", "hml", "rf"]].join(returns["T04"]).dropna()
    excess, three = (sample["T04"] - sample["rf"]).to_numpy()[:, None], sample[["mkt_rf", "smb", "hml"]].to_numpy()
    _, position, p_value = sup_f(excess, three, betas_alone=True)
    assert known.loc[("T04", 0), "chow_p"] == pytest.approx(p_value[0], rel=PARITY)
    assert known.loc[("T04", 0), "chow_date"] == str(sample.index[position[0]].date())
    assert known.loc[("T04", 36), "chow_p"] > 0
