"""Data that cannot be fitted: unknown where it is undefined, and every other model and ticker as if nothing were."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from tolerances import PARITY

from analytics.errors import InputError
from analytics.factor_models import FACTOR_MODELS, fit_factor_models, month_end_fits

Months = tuple[pd.DataFrame, pd.DataFrame]
Fit = Callable[[pd.DataFrame, pd.DataFrame], Months]
FITS = pytest.mark.parametrize("fit", [fit_factor_models, month_end_fits])
ALONE = {"axis": "columns", "errors": "ignore", "labels": ["alpha_q", "beta_vasicek"]}  # but these see all tickers


def others(tables: Months, *, ticker: str = "", models: tuple[str, ...] = ()) -> Months:
    fits, loadings = (
        frame[(frame["ticker"] != ticker) & ~frame["model"].isin(models)].drop(**ALONE).reset_index(drop=True)
        for frame in tables
    )
    return fits, loadings


def assert_others_stand(after: Months, before: Months, *, ticker: str = "", models: tuple[str, ...] = ()) -> None:
    left, right = (others(tables, ticker=ticker, models=models) for tables in (after, before))
    for ours, theirs in zip(left, right, strict=True):
        assert len(ours) > 40
        pd.testing.assert_frame_equal(ours, theirs, rtol=PARITY, atol=PARITY)


@pytest.fixture
def five(simulated_months: Months) -> Months:
    returns, factors = simulated_months
    return returns[["T00", "T03", "T04", "T07", "T08"]], factors


@FITS
def test_a_collinear_factor_leaves_its_models_unknown(five: Months, fit: Fit) -> None:
    returns, factors = five
    collinear = factors.assign(rmw=2 * factors["cma"] - factors["mkt_rf"])
    after, before = fit(returns, collinear), fit(returns, factors)
    for tables, columns in zip(
        after, (["alpha", "alpha_se", "r_squared", "bic", "durbin_watson"], ["beta", "std_err"]), strict=True
    ):
        of_five = tables["model"].isin(["ff5", "ff6"])
        assert of_five.any()
        assert tables.loc[of_five, columns].isna().all(axis=None)
    assert_others_stand(after, before, models=("ff5", "ff6"))


@FITS
def test_a_factor_that_does_not_vary_is_collinear_with_the_intercept(five: Months, fit: Fit) -> None:
    returns, factors = five
    after = fit(returns, factors.assign(smb=0.003))
    assert after[0].loc[after[0]["model"] == "ff3", "alpha"].isna().all()
    assert_others_stand(after, fit(returns, factors), models=("ff3", "carhart4"))


@FITS
@pytest.mark.parametrize("constant", [0.0, 0.01])
def test_a_series_that_does_not_vary_leaves_the_others_alone(five: Months, fit: Fit, constant: float) -> None:
    returns, factors = five
    flat_rate = factors.assign(rf=0.002)  # so that the excess return does not vary either
    after = fit(returns.assign(T08=constant), flat_rate)
    own = after[0][after[0]["ticker"] == "T08"]
    assert len(own)
    np.testing.assert_allclose(own["realised_return"], 12 * constant, atol=PARITY)
    for column in (
        "alpha",
        "expected_return",
        "alpha_t",
        "alpha_p",
        "r_squared",
        "bic",
        "durbin_watson",
        "jarque_bera_p",
        "breusch_pagan_p",
    ):
        assert own[column].isna().all(), column
    assert_others_stand(after, fit(returns, flat_rate), ticker="T08")


@FITS
def test_the_benchmark_itself_has_no_residuals(five: Months, fit: Fit) -> None:
    returns, factors = five
    after = fit(returns.assign(T08=factors["mkt_rf"] + factors["rf"]), factors)
    own, betas = (frame[frame["ticker"] == "T08"] for frame in after)
    np.testing.assert_allclose(own["alpha"], 0, atol=PARITY)
    np.testing.assert_allclose(own["r_squared"], 1, atol=PARITY)
    np.testing.assert_allclose(betas["beta"], betas["factor"] == "mkt_rf", atol=PARITY)
    np.testing.assert_array_equal(own[["residual_vol", "alpha_se"]], 0)
    assert own[["alpha_t", "alpha_p", "durbin_watson", "break_p"]].isna().all(axis=None)
    assert_others_stand(after, fit(returns, factors), ticker="T08")


@FITS
def test_too_few_observations_give_no_row(five: Months, fit: Fit) -> None:
    returns, factors = five
    short = returns.copy()
    short.iloc[:-23, 4] = np.nan
    after = fit(short, factors)
    assert "T08" not in set(after[0]["ticker"]) | set(after[1]["ticker"])
    assert_others_stand(after, fit(returns, factors), ticker="T08")


@FITS
@pytest.mark.parametrize("missing", ["dropped", "unknown"])
def test_a_missing_factor_takes_its_models_alone(five: Months, fit: Fit, missing: str) -> None:
    returns, factors = five
    partly = factors.drop(columns="rmw") if missing == "dropped" else factors.assign(rmw=np.nan)
    after = fit(returns, partly)
    assert {"ff5", "ff6"} & set(after[0]["model"]) == set()
    assert_others_stand(after, fit(returns, factors), models=("ff5", "ff6"))


@FITS
def test_infinite_returns_count_as_unknown(five: Months, fit: Fit) -> None:
    returns, factors = five
    infinite, unknown = returns.copy(), returns.copy()
    infinite.iloc[90, 3], unknown.iloc[90, 3] = np.inf, np.nan
    for ours, theirs in zip(fit(infinite, factors), fit(unknown, factors), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)


def test_a_model_without_any_factor_known_leaves_empty_tables(five: Months) -> None:
    returns, factors = five
    for found in (fit_factor_models(returns, factors[["rf"]]), month_end_fits(returns, factors[["rf"]])):
        assert all(frame.empty and "as_of" in frame for frame in found)


def test_daily_fits_need_a_year_of_sessions() -> None:
    rng = np.random.default_rng(3)
    dates = pd.bdate_range("2015-01-01", periods=700)
    factors = pd.DataFrame(rng.normal(0, 0.01, (700, 1)), dates, ["mkt_rf"]).assign(rf=0.0)
    returns = pd.DataFrame(rng.normal(0, 0.02, (700, 2)), dates, ["A", "B"])
    returns.iloc[: 700 - 251, 1] = np.nan
    fits, _ = fit_factor_models(returns, factors, frequency="D", windows=[0, 24])
    assert list(fits["ticker"]) == ["A", "A"]
    assert fits["n_obs"].tolist() == [700, len(dates[dates > dates[-1] - pd.DateOffset(months=24)])]
    for column in ("alpha", "realised_return"):
        assert fits[column].abs().max() > 0.01  # 252 times the daily mean


def test_bad_frequencies_and_dates_are_named(five: Months) -> None:
    returns, factors = five
    with pytest.raises(InputError, match=r"frequency: got 'W'; allowed: M \(monthly\) or D \(daily\)"):
        fit_factor_models(returns, factors, frequency="W")
    with pytest.raises(InputError, match="returns: got 'repeated dates'; allowed: each date once"):
        fit_factor_models(pd.concat([returns, returns.iloc[:1]]), factors, frequency="D")


def test_models_name_their_source() -> None:
    assert all(model.reference and model.description.endswith(".") for model in FACTOR_MODELS.values())
