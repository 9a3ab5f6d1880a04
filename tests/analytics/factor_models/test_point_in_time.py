"""Month-end fits: what was known at the time, and nothing after it."""

import numpy as np
import pandas as pd
import pytest
from tolerances import PARITY

from analytics.factor_models import fit_factor_models, month_end_fits

Months = tuple[pd.DataFrame, pd.DataFrame]
KEY = ["ticker", "model", "window_months", "as_of"]
ONLY_LATEST = ["alpha_q", "beta_vasicek", "break_p", "break_date", "chow_p", "chow_date"]
LAG = 45


def known(tables: Months, date: pd.Timestamp) -> Months:
    fits, loadings = (frame[frame["as_of"] <= str(date.date())].reset_index(drop=True) for frame in tables)
    return fits, loadings


def spoiled(frame: pd.DataFrame, after: pd.Timestamp, how: str) -> pd.DataFrame:
    """The frame with everything after a date made wrong."""
    if how == "dropped":
        return frame.loc[:after]
    changed = frame.copy()
    changed.loc[changed.index > after] = np.nan if how == "NaN" else 10 * changed.loc[changed.index > after]
    return changed


@pytest.fixture(scope="module")
def history(simulated_months: Months) -> Months:
    return month_end_fits(*simulated_months)


def test_one_fit_per_month_from_the_24th_on(history: Months) -> None:
    fits, loadings = history
    assert not fits.duplicated(KEY).any()
    assert not loadings.duplicated([*KEY, "factor"]).any()
    counted = fits.groupby(["ticker", "model", "window_months"]).size()
    assert counted["T07", "capm", 0] == counted["T07", "capm", 60] == 180 - 23
    assert counted["T00", "capm", 0] == 140 - 23
    assert counted["T03", "capm", 0] == 130 - 23
    assert "T02" not in set(fits["ticker"])
    whole = fits[(fits["ticker"] == "T07") & (fits["model"] == "capm")].set_index(["window_months", "sample_end"])
    assert list(whole.loc[0]["n_obs"]) == list(range(24, 181))
    assert list(whole.loc[60]["n_obs"]) == [min(n, 60) for n in range(24, 181)]


def test_last_rows_equal_those_of_fit_factor_models(simulated_months: Months, history: Months) -> None:
    latest = fit_factor_models(*simulated_months, models=["capm", "ff3", "ff5"], windows=[0, 60])
    for newest, every in zip(latest, history, strict=True):
        key = [*KEY, "factor"] if "factor" in every else KEY
        found = newest[key].merge(every, on=key, how="left")
        left, right = (frame.drop(columns=ONLY_LATEST, errors="ignore") for frame in (found, newest))
        pd.testing.assert_frame_equal(left[list(right)], right, rtol=PARITY, atol=PARITY)


def test_a_fit_equals_the_one_made_when_the_data_ended_there(simulated_months: Months, history: Months) -> None:
    returns, factors = simulated_months
    for end in ("2009-07-31", "2014-02-28"):
        then, _ = fit_factor_models(returns[:end], factors[:end], models=["ff3"], windows=[0, 60])
        now = history[0][history[0]["sample_end"] == end].query("model == 'ff3'")
        then = then[then["sample_end"] == end]
        assert len(then) == len(now) >= 8
        columns = [name for name in then if name not in ONLY_LATEST]
        for left, right in zip(
            now[columns].to_dict("list").values(), then[columns].to_dict("list").values(), strict=True
        ):
            if isinstance(left[0], float):
                np.testing.assert_allclose(left, right, rtol=PARITY, atol=PARITY)
            else:
                assert left == right


@pytest.mark.parametrize("how", ["x10", "NaN", "dropped"])
@pytest.mark.parametrize("date", ["2008-03-31", "2012-10-31", "2019-06-30"])
def test_no_fit_known_at_a_date_changes_with_what_came_after_it_less_the_lag(
    simulated_months: Months, history: Months, date: str, how: str
) -> None:
    at = pd.Timestamp(date)
    returns, factors = (spoiled(frame, at - pd.Timedelta(days=LAG), how) for frame in simulated_months)
    for ours, theirs in zip(known(history, at), known(month_end_fits(returns, factors), at), strict=True):
        assert len(ours) > 100
        pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=PARITY)


@pytest.mark.parametrize("how", ["x10", "NaN", "dropped"])
def test_no_latest_fit_changes_with_what_came_after_its_sample(simulated_months: Months, how: str) -> None:
    end = pd.Timestamp("2015-10-31")  # the last month of T03
    before = fit_factor_models(*simulated_months)
    returns, factors = (spoiled(frame, end, how) for frame in simulated_months)
    for ours, theirs in zip(before, fit_factor_models(returns, factors), strict=True):
        left, right = (
            frame[frame["ticker"] == "T03"]
            .drop(columns=["alpha_q", "beta_vasicek"], errors="ignore")
            .reset_index(drop=True)
            for frame in (ours, theirs)
        )
        assert len(left) >= 20
        pd.testing.assert_frame_equal(left, right, rtol=0, atol=PARITY)


def test_since_gives_the_same_rows_and_only_the_later_ones(simulated_months: Months, history: Months) -> None:
    since = pd.Timestamp("2018-05-31")
    fits, loadings = month_end_fits(*simulated_months, since=since)
    later = history[0][history[0]["sample_end"] > "2018-05-31"].reset_index(drop=True)
    assert len(later) > 500
    pd.testing.assert_frame_equal(fits, later, rtol=0, atol=PARITY)
    assert loadings.merge(fits[KEY], on=KEY).shape[0] == len(loadings)


def test_a_fit_does_not_depend_on_the_other_tickers(simulated_months: Months, history: Months) -> None:
    returns, factors = simulated_months
    alone, _ = month_end_fits(returns[["T04"]], factors)
    among = history[0][history[0]["ticker"] == "T04"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among, rtol=0, atol=PARITY)


@pytest.mark.parametrize("lag", [0, 29, 30, 31, 45, 60, 400])
def test_of_two_samples_known_as_of_one_date_the_later_is_kept(simulated_months: Months, lag: int) -> None:
    """31 January and 28 February plus 30 days both give the end of March."""
    returns, factors = simulated_months
    fits, _ = month_end_fits(returns[["T07"]], factors, models=["capm"], windows=[0], publication_lag_days=lag)
    every = pd.DataFrame({"sample_end": returns.index[23:]})
    every["as_of"] = [pd.offsets.MonthEnd().rollforward(end + pd.Timedelta(days=lag)) for end in every["sample_end"]]
    kept = every.drop_duplicates("as_of", keep="last").astype("datetime64[ns]")
    assert (len(kept) < len(every)) == (lag in (29, 30, 31, 60))
    for column in kept:
        assert list(fits[column]) == [str(date.date()) for date in kept[column]]


def test_required_return_uses_the_premiums_known_then(simulated_months: Months, history: Months) -> None:
    _, factors = simulated_months
    row = history[0].query("ticker == 'T07' and model == 'capm' and window_months == 60 and n_obs == 60").iloc[30]
    beta = history[1].merge(row[KEY].to_frame().T.astype({"window_months": int}), on=KEY)["beta"].item()
    before = factors.loc[: row["sample_end"]]
    expected = 12 * (before["rf"].iloc[-1] + beta * before["mkt_rf"].mean())
    assert row["expected_return"] == pytest.approx(expected, rel=PARITY)


def test_a_session_is_known_with_the_rest_of_its_month() -> None:
    """Factor returns are published by the month: a sample that ends on 8 March waits for those of 31 March."""
    rng = np.random.default_rng(12)
    days = pd.bdate_range("2022-01-03", "2024-03-08")
    factors = pd.DataFrame({"mkt_rf": rng.normal(0, 0.01, len(days)), "rf": 0.0001}, days)
    returns = pd.DataFrame({"A": rng.normal(0, 0.02, len(days))}, days)
    fits, _ = fit_factor_models(returns, factors, frequency="D", windows=[0])
    assert (fits["sample_end"][0], fits["as_of"][0]) == ("2024-03-08", "2024-05-31")


def test_betas_are_shrunk_to_those_of_samples_that_end_together(simulated_months: Months) -> None:
    returns, factors = simulated_months
    alone, _ = fit_factor_models(returns.drop(columns="T03"), factors, models=["capm"], windows=[0])
    fits, _ = fit_factor_models(returns, factors, models=["capm"], windows=[0])
    assert np.isnan(fits.set_index("ticker").loc["T03", "beta_vasicek"])  # it ended years before the others
    others = fits[fits["ticker"] != "T03"]["beta_vasicek"].to_numpy()
    np.testing.assert_array_equal(others, alone["beta_vasicek"].to_numpy())
