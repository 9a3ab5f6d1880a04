"""Fits of real stocks: each stored column against statsmodels, and which months enter."""

import numpy as np
import pandas as pd
import pytest
from tolerances import PARITY

from analytics.conventions import FACTOR_WINDOWS, MIN_FACTOR_MONTHS
from analytics.errors import InputError, UnknownKeyError
from analytics.factor_models import FACTOR_MODELS, fit_factor_models

KEY = ["ticker", "model", "window_months"]
ACROSS = ["alpha_q", "beta_vasicek"]  # which see all tickers


def assert_same(left: pd.DataFrame, right: pd.DataFrame, *, atol: float = PARITY) -> None:
    pd.testing.assert_frame_equal(left.reset_index(drop=True), right.reset_index(drop=True), rtol=PARITY, atol=atol)


@pytest.fixture(scope="module")
def fitted(stock_months: pd.DataFrame, french_factors: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return fit_factor_models(stock_months, french_factors)


def test_models() -> None:
    assert {key: model.factors for key, model in FACTOR_MODELS.items()} == {
        "capm": ("mkt_rf",), "ff3": ("mkt_rf", "smb", "hml"), "carhart4": ("mkt_rf", "smb", "hml", "mom"),
        "ff5": ("mkt_rf", "smb5", "hml", "rmw", "cma"), "ff6": ("mkt_rf", "smb5", "hml", "rmw", "cma", "mom"),
    }  # fmt: skip


def test_every_ticker_model_and_window_has_one_fit(fitted: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    fits, loadings = fitted
    assert len(fits) == 20 * 2 * len(FACTOR_WINDOWS)  # the factors of the other models are not in this file
    assert not fits.duplicated(KEY).any()
    assert not loadings.duplicated([*KEY, "factor"]).any()
    of_capm = [name for name in fits if name.startswith("beta_")]
    assert not fits.drop(columns=of_capm).isna().any(axis=None)
    known = fits[of_capm].notna()
    assert known[(fits["model"] == "capm") & (fits["window_months"] != 36)].all(axis=None)  # of 36 months few may fall
    assert not known[fits["model"] != "capm"].any(axis=None)
    assert not loadings.isna().any(axis=None)


def test_dates_of_a_fit(fitted: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    fit = fitted[0].set_index(KEY).loc[("AAPL", "ff3", 60)]
    dates = (fit["sample_start"], fit["sample_end"], fit["as_of"], fit["n_obs"], fit["frequency"])
    assert dates == ("2013-12-31", "2018-11-30", "2019-01-31", 60, "M")  # 30 November + 45 days = 14 January


@pytest.mark.parametrize(
    ("lag", "as_of"), [(0, "2018-11-30"), (1, "2018-12-31"), (31, "2018-12-31"), (32, "2019-01-31")]
)
def test_as_of_is_the_first_month_end_after_publication(
    stock_months: pd.DataFrame, french_factors: pd.DataFrame, lag: int, as_of: str
) -> None:
    fits, loadings = fit_factor_models(stock_months, french_factors, publication_lag_days=lag)
    assert set(fits["as_of"]) == set(loadings["as_of"]) == {as_of}


def test_required_return_by_its_formula(
    fitted: tuple[pd.DataFrame, pd.DataFrame], french_factors: pd.DataFrame
) -> None:
    fits, loadings = fitted
    betas = loadings.pivot_table(index=KEY, columns="factor", values="beta", aggfunc="sum", fill_value=0)
    premiums = 12 * french_factors.drop(columns="rf").mean()
    required = 12 * french_factors["rf"].iloc[-1] + betas[premiums.index] @ premiums
    expected = required.loc[pd.MultiIndex.from_frame(fits[KEY])]
    np.testing.assert_allclose(fits["expected_return"], expected, rtol=PARITY, atol=PARITY)
    assert (fits["expected_return_se"] > 0).all()


def test_the_market_itself_has_beta_one_and_no_alpha(french_factors: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    market = french_factors["mkt_rf"] + french_factors["rf"] + 1e-6 * rng.standard_normal(len(french_factors))
    fits, loadings = fit_factor_models(market.to_frame("MARKET"), french_factors)
    np.testing.assert_allclose(fits["alpha"], 0, atol=1e-5)
    np.testing.assert_allclose(fits["r_squared"], 1, atol=1e-6)
    np.testing.assert_allclose(loadings["beta"], loadings["factor"] == "mkt_rf", atol=1e-4)


def test_adding_a_multiple_of_a_factor_shifts_that_beta_alone(
    fitted: tuple[pd.DataFrame, pd.DataFrame], stock_months: pd.DataFrame, french_factors: pd.DataFrame
) -> None:
    shifted = stock_months.add(0.5 * french_factors["hml"].reindex(stock_months.index), axis="index")
    fits, loadings = fit_factor_models(shifted, french_factors, models=["ff3"])
    before_fits, before = (frame[frame["model"] == "ff3"] for frame in fitted)
    expected = before.assign(beta=before["beta"] + 0.5 * (before["factor"] == "hml"))
    columns = [*KEY, "factor", "beta", "std_err", "std_err_ols"]
    assert_same(loadings[columns], expected[columns])
    assert_same(
        fits[[*KEY, "alpha", "alpha_se", "residual_vol"]],
        before_fits[[*KEY, "alpha", "alpha_se", "residual_vol"]],
    )


def test_late_and_ended_tickers_leave_the_others_alone(
    fitted: tuple[pd.DataFrame, pd.DataFrame], stock_months: pd.DataFrame, french_factors: pd.DataFrame
) -> None:
    returns = stock_months.copy()
    returns.loc[:"2016-06-30", "AAPL"] = np.nan  # 29 months before the factors end
    returns.loc["2016-07-31":, "AMD"] = np.nan  # 31 of the last 60 months
    returns.loc["2015-01-31", "BAC"] = np.nan
    returns.loc[:"2017-01-31", "BBY"] = np.nan  # 22 months: too few
    fits, loadings = fit_factor_models(returns, french_factors)
    changed = ["AAPL", "AMD", "BAC", "BBY"]
    for after, before in zip((fits, loadings), fitted, strict=True):
        kept, same = (frame[~frame["ticker"].isin(changed)] for frame in (after, before))
        assert_same(kept.drop(columns=ACROSS, errors="ignore"), same.drop(columns=ACROSS, errors="ignore"))
    rows = fits[fits["model"] == "capm"].set_index(["ticker", "window_months"])
    dates = rows[["sample_start", "sample_end", "n_obs"]]
    assert tuple(dates.loc[("AAPL", 60)]) == ("2016-07-31", "2018-11-30", 29)
    assert tuple(dates.loc[("AMD", 60)]) == ("2011-07-31", "2016-06-30", 60)  # its own last 60 months
    assert tuple(dates.loc[("BAC", 60)]) == ("2013-12-31", "2018-11-30", 59)
    assert rows.loc[("AMD", 60), "as_of"] == "2016-08-31"
    assert "BBY" not in fits["ticker"].to_numpy()


def test_fit_of_an_ended_ticker_sees_nothing_later(stock_months: pd.DataFrame, french_factors: pd.DataFrame) -> None:
    ended = stock_months[["AAPL"]].loc[:"2010-12-31"]
    later = french_factors.copy()
    later.loc["2011-01-31":] *= 3
    for ours, theirs in zip(fit_factor_models(ended, later), fit_factor_models(ended, french_factors), strict=True):
        assert len(ours)
        pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=0)


def test_window_ends_where_both_prices_and_factors_are_known(
    stock_months: pd.DataFrame, french_factors: pd.DataFrame
) -> None:
    fits, _ = fit_factor_models(stock_months.loc[:"2018-02-28"], french_factors, windows=[60])
    assert set(fits["sample_end"]) == {"2018-02-28"}
    assert set(fits["n_obs"]) == {60}


def test_missing_factors_leave_out_their_models_and_months(
    stock_months: pd.DataFrame, french_factors: pd.DataFrame
) -> None:
    fits, _ = fit_factor_models(stock_months, french_factors.drop(columns="smb"))
    assert set(fits["model"]) == {"capm"}
    partly = french_factors.copy()
    partly.loc[:"2009-12-31", "hml"] = np.nan
    starts = fit_factor_models(stock_months, partly, windows=[0])[0].groupby("model")["sample_start"].unique()
    assert list(starts["capm"]) == ["1990-02-28"]
    assert list(starts["ff3"]) == ["2010-01-31"]


def test_nothing_in_common_gives_empty_tables(
    stock_months: pd.DataFrame, french_factors: pd.DataFrame, fitted: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    short = stock_months.iloc[: MIN_FACTOR_MONTHS - 1]
    for returns in (stock_months.loc["2019-01-31":], short, stock_months.iloc[:0], stock_months[[]]):
        tables = fit_factor_models(returns, french_factors)
        for table, reference in zip(tables, fitted, strict=True):
            assert table.empty
            assert list(table) == list(reference)


def test_bad_input_is_named(stock_months: pd.DataFrame, french_factors: pd.DataFrame) -> None:
    with pytest.raises(UnknownKeyError, match="Did you mean 'ff3'"):
        fit_factor_models(stock_months, french_factors, models=["ff33"])
    with pytest.raises(InputError, match=r"windows: got 12; allowed: 0 \(full history\) or at least 24 months"):
        fit_factor_models(stock_months, french_factors, windows=[12])
    with pytest.raises(InputError, match="a column rf"):
        fit_factor_models(stock_months, french_factors.drop(columns="rf"))
    starts = french_factors.set_axis(french_factors.index - pd.offsets.MonthBegin())
    with pytest.raises(InputError, match=r"factor_returns: .* each calendar month end once"):
        fit_factor_models(stock_months, starts)
