"""Simple, monthly and risk-free returns: which months count, and where a rate comes from."""

from importlib.util import find_spec
from pathlib import Path

import hypothesis.extra.numpy as arrays
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXACT, PARITY

from analytics.errors import InputError
from analytics.returns import daily_risk_free, monthly_returns, simple_returns


def days(*dates: str) -> np.ndarray:
    return np.array(dates, dtype="datetime64[D]")


def weekdays(start: str, end: str) -> pd.DatetimeIndex:
    return pd.bdate_range(start, end)


@pytest.fixture(scope="module")
def closes() -> pd.DataFrame:
    """Closes of 20 US stocks, 1990-01-02 to 2022-12-28."""
    spec = find_spec("skfolio")  # not imported: that takes seconds
    assert spec is not None
    assert spec.origin is not None
    frame = pd.read_csv(Path(spec.origin).parent / "datasets/data/sp500_dataset.csv.gz", index_col=0)
    return frame.set_axis(pd.to_datetime(frame.index))


# ---- simple returns


def test_simple_returns_by_hand() -> None:
    np.testing.assert_allclose(simple_returns([100.0, 110.0, 99.0]), [np.nan, 0.1, -0.1], rtol=EXACT)


def test_simple_returns_of_unknown_or_zero_prices_are_unknown() -> None:
    prices = np.array([[1.0, 0.0], [np.nan, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(simple_returns(prices), [[np.nan, np.nan], [np.nan, np.nan], [np.nan, 1.0]])


def test_simple_returns_equal_pandas(closes: pd.DataFrame) -> None:
    expected = closes.pct_change().to_numpy()
    np.testing.assert_allclose(simple_returns(closes.to_numpy()), expected, rtol=0, atol=PARITY)


@settings(max_examples=50, deadline=None)
@given(
    arrays.arrays(float, st.integers(1, 30), elements=st.floats(0.01, 1e4)),
    st.sampled_from([0.25, 2.0, 1024.0]),
)
def test_simple_returns_ignore_the_unit_of_the_price(prices: np.ndarray, factor: float) -> None:
    np.testing.assert_array_equal(simple_returns(prices * factor), simple_returns(prices))


# ---- monthly returns


def test_monthly_returns_by_hand() -> None:
    dates = pd.to_datetime(["2024-01-30", "2024-01-31", "2024-02-15", "2024-02-29", "2024-03-28", "2024-04-01"])
    frame = pd.DataFrame({"A": [1.0, 100.0, 5.0, 110.0, 121.0, 7.0]}, index=dates)
    returns = monthly_returns(frame)
    assert [str(date.date()) for date in returns.index] == ["2024-02-29", "2024-03-31"]
    np.testing.assert_allclose(returns["A"], [0.1, 0.1], rtol=EXACT)


def test_monthly_returns_equal_pandas(closes: pd.DataFrame) -> None:
    month_ends = closes.resample("ME").last()
    expected = (month_ends / month_ends.shift(1) - 1).iloc[1:-1]  # December 2022 had two sessions to come
    pd.testing.assert_frame_equal(
        monthly_returns(closes), expected, rtol=0, atol=PARITY, check_freq=False, check_names=False
    )


def test_monthly_returns_compound_to_the_whole_period(closes: pd.DataFrame) -> None:
    growth = (1 + monthly_returns(closes)).prod()
    expected = closes.loc["2022-11-30"] / closes.loc["1990-01-31"]
    np.testing.assert_allclose(growth, expected, rtol=PARITY)


@pytest.mark.parametrize(("end", "last"), [
    ("2024-05-31", "2024-05-31"),
    ("2024-05-30", "2024-04-30"),  # the 31st was a Friday
    ("2024-06-28", "2024-06-30"),  # a weekend is all that is left
    ("2024-03-28", "2024-02-29"),  # Good Friday could have been a session: known once April begins
])  # fmt: skip
def test_last_month_counts_once_no_weekday_is_left(end: str, last: str) -> None:
    dates = weekdays("2024-01-01", end)
    returns = monthly_returns(pd.DataFrame({"A": np.arange(1.0, len(dates) + 1)}, index=dates))
    assert str(returns.index[-1].date()) == last


def test_late_listing_and_gap_leave_the_others_alone() -> None:
    dates = weekdays("2024-01-01", "2024-06-28")
    whole = pd.Series(np.linspace(100, 120, len(dates)), index=dates)
    frame = pd.DataFrame({"WHOLE": whole, "LATE": whole.loc["2024-03-15":], "GAP": whole})
    frame.loc["2024-04-30", "GAP"] = np.nan
    returns = monthly_returns(frame)
    assert returns["WHOLE"].notna().all()
    assert list(returns["LATE"].isna()) == [
        True,
        True,
        False,
        False,
        False,
    ]  # March has no February to start from
    assert list(returns["GAP"].isna()) == [False, False, True, True, False]
    for ticker in ("LATE", "GAP"):
        known = returns[ticker].dropna()
        np.testing.assert_array_equal(known, returns.loc[known.index, "WHOLE"])


def test_month_without_sessions_separates_its_neighbours() -> None:
    dates = weekdays("2024-01-01", "2024-01-31").union(weekdays("2024-03-01", "2024-04-30"))
    returns = monthly_returns(pd.DataFrame({"A": 1.0}, index=dates))
    assert list(returns["A"].isna()) == [True, True, False]


def test_day_on_which_nothing_traded_is_no_session() -> None:
    dates = weekdays("2024-01-01", "2024-02-29")
    frame = pd.DataFrame({"A": np.linspace(1, 2, len(dates))}, index=dates)
    frame.loc["2024-01-31"] = np.nan
    assert monthly_returns(frame)["A"].item() == frame["A"].iloc[-1] / frame.loc["2024-01-30", "A"] - 1


def test_no_prices_give_no_months() -> None:
    assert monthly_returns(pd.DataFrame({"A": []}, index=pd.DatetimeIndex([]))).empty


def test_unsorted_dates_are_refused() -> None:
    frame = pd.DataFrame({"A": [1.0, 2.0]}, index=pd.to_datetime(["2024-01-02", "2024-01-01"]))
    with pytest.raises(InputError, match="strictly rising dates"):
        monthly_returns(frame)


# ---- risk-free rate


MONTHLY = pd.Series([0.004, 0.005], index=pd.to_datetime(["2024-01-31", "2024-02-29"]))


def test_daily_rate_comes_first_then_the_month_then_the_last_known() -> None:
    dates = np.arange("2024-01-31", "2024-03-05", dtype="datetime64[D]")
    dates = dates[np.is_busday(dates)]
    daily = pd.Series([0.0002, np.nan], index=pd.to_datetime(["2024-01-31", "2024-02-01"]))
    risk_free = daily_risk_free(dates, daily=daily, monthly=MONTHLY)
    assert list(risk_free.origin) == ["daily"] + ["monthly"] * 21 + ["carried"] * 2
    assert risk_free.values[0] == 0.0002
    assert np.prod(1 + risk_free.values[1:22]) - 1 == pytest.approx(0.005, abs=EXACT)
    np.testing.assert_array_equal(risk_free.values[22:], risk_free.values[21])


def test_nothing_is_known_before_the_first_rate() -> None:
    dates = days("2023-12-29", "2024-01-02")
    risk_free = daily_risk_free(dates, daily=None, monthly=MONTHLY)
    assert list(risk_free.origin) == ["unknown", "monthly"]
    np.testing.assert_array_equal(np.isnan(risk_free.values), [True, False])


def test_without_rates_everything_is_unknown() -> None:
    risk_free = daily_risk_free(days("2024-01-02", "2024-01-03"), daily=None, monthly=None)
    assert np.isnan(risk_free.values).all()
    assert set(risk_free.origin) == {"unknown"}
    assert len(daily_risk_free(days(), daily=None, monthly=MONTHLY).values) == 0


def test_rate_from_before_the_calendar_is_carried_in() -> None:
    dates = days("2024-05-06", "2024-05-07")
    carried = daily_risk_free(dates, daily=None, monthly=MONTHLY)
    assert set(carried.origin) == {"carried"}
    np.testing.assert_allclose(carried.values, 1.005 ** (1 / 21) - 1, rtol=EXACT)
    newer = pd.Series([0.0003], index=pd.to_datetime(["2024-04-30"]))
    np.testing.assert_array_equal(daily_risk_free(dates, daily=newer, monthly=MONTHLY).values, 0.0003)
    older = pd.Series([0.0003], index=pd.to_datetime(["2024-01-31"]))
    np.testing.assert_array_equal(daily_risk_free(dates, daily=older, monthly=MONTHLY).values, carried.values)


def test_months_at_the_ends_of_the_calendar_are_not_squeezed_into_their_sessions() -> None:
    dates = weekdays("2024-01-22", "2024-02-09").to_numpy()
    risk_free = daily_risk_free(dates, daily=None, monthly=MONTHLY)
    np.testing.assert_allclose(risk_free.values[0], 1.004 ** (1 / 23) - 1, rtol=EXACT)  # 23 weekdays in January
    np.testing.assert_allclose(risk_free.values[-1], 1.005 ** (1 / 21) - 1, rtol=EXACT)


def test_whole_months_compound_to_the_monthly_rate(closes: pd.DataFrame) -> None:
    months = pd.period_range("1990-01", "2022-12", freq="M")
    rng = np.random.default_rng(1)
    monthly = pd.Series(rng.uniform(-0.001, 0.01, len(months)), index=months.to_timestamp(how="end"))
    risk_free = daily_risk_free(closes.index.to_numpy(), daily=None, monthly=monthly)
    compounded = (1 + pd.Series(risk_free.values, index=closes.index.to_period("M"))).groupby(level=0).prod() - 1
    # The calendar opens on 2 January 1990: New Year's Day is one missing weekday. Its last month is not over.
    np.testing.assert_allclose(compounded.iloc[:-1], monthly.iloc[:-1], rtol=0, atol=PARITY)
    assert set(risk_free.origin) == {"monthly"}


def test_rates_do_not_depend_on_later_ones() -> None:
    dates = weekdays("2024-01-01", "2024-04-30").to_numpy()
    before = daily_risk_free(dates, daily=None, monthly=MONTHLY)
    later = pd.concat([MONTHLY, pd.Series([0.9], index=pd.to_datetime(["2024-03-31"]))])
    after = daily_risk_free(dates, daily=None, monthly=later)
    known = dates < np.datetime64("2024-03-01")
    np.testing.assert_array_equal(before.values[known], after.values[known])
    assert not np.array_equal(before.values[~known], after.values[~known])


def test_repeated_sessions_are_refused() -> None:
    with pytest.raises(InputError, match="strictly rising dates"):
        daily_risk_free(days("2024-01-02", "2024-01-02"), daily=None, monthly=None)
