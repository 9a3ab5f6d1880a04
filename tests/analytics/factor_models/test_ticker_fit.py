"""The fit on demand is the stored one, and its refusals say what was got and what helps."""

import numpy as np
import pandas as pd
import pytest
from tolerances import EXACT

from analytics.errors import InputError, UnknownKeyError
from analytics.factor_models import FACTOR_MODELS, fit_factor_models, fit_ticker

Months = tuple[pd.DataFrame, pd.DataFrame]


@pytest.mark.parametrize("window", [0, 60])
@pytest.mark.parametrize("model", sorted(FACTOR_MODELS))
def test_it_equals_the_stored_fit(simulated_months: Months, model: str, window: int) -> None:
    returns, factors = simulated_months
    fits, loadings = fit_factor_models(returns, factors, models=[model], windows=[window])
    for ticker in ("T00", "T03", "T04", "T11"):
        own = fits[fits["ticker"] == ticker].iloc[0]
        found = fit_ticker(returns[ticker], factors, model, window=window)
        assert (str(found.dates[0].date()), str(found.dates[-1].date()), len(found.dates)) == (
            own["sample_start"], own["sample_end"], own["n_obs"],
        )  # fmt: skip
        assert found.periods_per_year * found.alpha == pytest.approx(own["alpha"], abs=EXACT)
        np.testing.assert_allclose(found.betas, loadings.loc[loadings["ticker"] == ticker, "beta"], atol=EXACT)
        explained = found.alpha + found.factor_returns @ found.betas + found.residuals
        np.testing.assert_allclose(explained, found.excess_returns, atol=EXACT)


def test_too_few_observations(simulated_months: Months) -> None:
    returns, factors = simulated_months
    with pytest.raises(InputError, match=r"months of T02: got '20 in all'; allowed: at least 24"):
        fit_ticker(returns["T02"], factors, "capm")


def test_no_overlap_at_all(simulated_months: Months) -> None:
    returns, factors = simulated_months
    with pytest.raises(InputError, match="got '0 in all'"):
        fit_ticker(returns["T00"] * np.nan, factors, "capm")


@pytest.mark.parametrize("emptied", [True, False])
def test_a_missing_factor_file_is_named(simulated_months: Months, emptied: bool) -> None:
    returns, factors = simulated_months
    lacking = factors.assign(mom=np.nan) if emptied else factors.drop(columns="mom")
    with pytest.raises(InputError, match=r"factors of Carhart 4: got 'none for mom'.*Add the factor file"):
        fit_ticker(returns["T00"], lacking, "carhart4")
    assert fit_ticker(returns["T00"], lacking, "ff3").model.key == "ff3"


def test_a_constant_series(simulated_months: Months) -> None:
    returns, factors = simulated_months
    constant = factors["rf"].rename("FLAT") + 0.01
    with pytest.raises(InputError, match="return of FLAT: got 'the same value on every date'"):
        fit_ticker(constant, factors, "capm")
    with pytest.raises(InputError, match="return of STILL: got 'the same value on every date'"):
        fit_ticker(pd.Series(0.0, factors.index, name="STILL"), factors, "capm")
    fits, loadings = fit_factor_models(returns[["T00"]].assign(STILL=0.0), factors, models=["capm"], windows=[0])
    still = fits[fits["ticker"] == "STILL"].iloc[0]
    assert still[["alpha", "alpha_t", "alpha_p", "alpha_q", "expected_return"]].isna().all()
    assert still["realised_return"] == 0
    assert loadings.loc[loadings["ticker"] == "STILL", "beta"].isna().all()
    assert fits.loc[fits["ticker"] == "T00", "alpha_p"].notna().all()


def test_collinear_factors(simulated_months: Months) -> None:
    returns, factors = simulated_months
    with pytest.raises(InputError, match="one that the others determine"):
        fit_ticker(returns["T00"], factors.assign(hml=2 * factors["mkt_rf"] - factors["smb"]), "ff3")
    assert fit_ticker(returns["T00"], factors.assign(hml=2 * factors["mkt_rf"]), "capm").alpha


def test_the_benchmark_itself_is_an_exact_fit(simulated_months: Months) -> None:
    _, factors = simulated_months
    found = fit_ticker((factors["mkt_rf"] + factors["rf"]).rename("MARKET"), factors, "capm")
    assert found.betas == pytest.approx([1], abs=EXACT)
    assert found.alpha == pytest.approx(0, abs=EXACT)
    assert not found.residuals.any()
    assert np.isnan(found.regression.t_stat).all()


def test_unknown_model(simulated_months: Months) -> None:
    returns, factors = simulated_months
    with pytest.raises(UnknownKeyError, match="Did you mean 'ff3'"):
        fit_ticker(returns["T00"], factors, "ff33")
