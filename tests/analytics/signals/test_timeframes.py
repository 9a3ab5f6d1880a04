"""Weekly and monthly ratings: completed bars only, dated by their last session, from a hand-made resampling."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from signal_bars import other_futures, same, sessions, walk, without

from analytics.market import FIELDS, Bars, period_ends, period_of
from analytics.signals import TIMEFRAMES, completed_bars, technical_signals, timeframe_rating

N = 900
CUTS = sorted({*range(0, 60, 6), *range(70, N - 1, 41), 23, 24, 25, 260, 261})
TOTALS = ("buy_votes", "sell_votes", "overall_signal", "rating_score", "rating_label")


def until(end: str, *, start: str = "2023-01-02", holidays: tuple[str, ...] = ()) -> Bars:
    """Weekdays up to and with a day, without holidays."""
    days = np.arange(np.datetime64(start), np.datetime64(end) + 1)
    days = days[np.is_busday(days, holidays=list(holidays))]
    bars = walk(5, len(days))
    return Bars("TEST", days, *(getattr(bars, field) for field in FIELDS))


def last_completed(bars: Bars, timeframe: str) -> str:
    return str(completed_bars(bars, timeframe).dates[-1])


def resampled(bars: Bars, timeframe: str) -> Bars:
    """Bars of calendar weeks and months as pandas makes them, without the last one."""
    frame = pd.DataFrame({name: getattr(bars, name) for name in FIELDS}, index=pd.DatetimeIndex(bars.dates))
    frame["date"] = frame.index
    groups = frame.groupby(frame.index.to_period("W-SUN" if timeframe == "W" else "M"))
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "adj_close": "last", "volume": "sum",
           "date": "last"}  # fmt: skip
    periods = groups.agg(how).iloc[:-1]
    return Bars("TEST", periods["date"].to_numpy().astype("datetime64[D]"),
                *(periods[name].to_numpy(float) for name in FIELDS))  # fmt: skip


@pytest.mark.parametrize("timeframe", list(TIMEFRAMES))
def test_equals_the_daily_rules_on_bars_resampled_by_pandas(timeframe: str) -> None:
    bars = walk(41, N).rows(slice(0, 893))  # ends on a Wednesday in the middle of a month
    found, expected = timeframe_rating(bars, timeframe), technical_signals(resampled(bars, timeframe))
    np.testing.assert_array_equal(found["date"], resampled(bars, timeframe).dates)
    for name in TOTALS:
        assert same(found[name], expected[name]), name
    assert set(found) == {"date", *TOTALS}
    assert np.isfinite(found["rating_score"]).sum() >= {"W": 150, "M": 25}[timeframe]


@pytest.mark.parametrize(("end", "holidays", "week", "month"), [
    ("2023-06-14", (), "2023-06-09", "2023-05-31"),  # a Wednesday: its week and its month run
    ("2023-06-15", (), "2023-06-09", "2023-05-31"),
    ("2023-06-16", (), "2023-06-16", "2023-05-31"),  # Friday's close ends the week
    ("2023-06-19", (), "2023-06-16", "2023-05-31"),  # Monday is a week of its own that runs
    ("2023-06-29", (), "2023-06-23", "2023-05-31"),
    ("2023-06-30", (), "2023-06-30", "2023-06-30"),  # a month that ends on a Friday
    ("2023-07-31", (), "2023-07-28", "2023-07-31"),  # on a Monday
    ("2023-04-28", (), "2023-04-28", "2023-04-28"),  # on a weekend: Friday is the last weekday
    ("2023-04-06", ("2023-04-07",), "2023-03-31", "2023-03-31"),  # Good Friday: known a session late, not early
    ("2023-04-10", ("2023-04-07",), "2023-04-06", "2023-03-31"),
    ("2020-12-31", ("2021-01-01",), "2020-12-24", "2020-12-31"),  # New Year on a Friday: the year is over, the week not
    ("2021-01-04", ("2020-12-25", "2021-01-01"), "2020-12-31", "2020-12-31"),
    ("2021-05-28", ("2021-05-31",), "2021-05-28", "2021-04-30"),  # Memorial Day is the last weekday of May
    ("2021-06-01", ("2021-05-31",), "2021-05-28", "2021-05-28"),
])  # fmt: skip
def test_what_is_over(end: str, holidays: tuple[str, ...], week: str, month: str) -> None:
    start = "2020-10-05" if end < "2023" else "2023-01-02"
    if "2020-12-25" not in holidays and end < "2022":
        holidays = (*holidays, "2020-12-25")
    bars = until(end, start=start, holidays=holidays)
    assert str(bars.dates[-1]) == end
    assert (last_completed(bars, "W"), last_completed(bars, "M")) == (week, month)


def test_a_halt_of_months_leaves_its_week_running_until_the_next_bar() -> None:
    bars = until("2023-06-14")
    assert last_completed(bars, "W") == "2023-06-09"
    back = Bars("TEST", np.append(bars.dates, np.datetime64("2023-09-05")),
                *(np.append(getattr(bars, name), getattr(bars, name)[-1]) for name in FIELDS))  # fmt: skip
    assert (last_completed(back, "W"), last_completed(back, "M")) == ("2023-06-14", "2023-06-14")


@pytest.mark.parametrize("timeframe", list(TIMEFRAMES))
@pytest.mark.parametrize("n", [0, 1, 3])
def test_short_histories_have_no_rating(timeframe: str, n: int) -> None:
    found = timeframe_rating(walk(1, n), timeframe)
    assert {len(values) for values in found.values()} == {len(found["date"])}
    assert len(found["date"]) == 0
    friday = timeframe_rating(walk(1, 5), "W")  # the first Friday ends a week, of which nothing can be said yet
    assert friday["date"].astype(str).tolist() == ["2018-01-05"]
    assert np.isnan(friday["rating_score"]).all()
    assert friday["rating_label"] == [None]


@pytest.mark.parametrize("timeframe", list(TIMEFRAMES))
def test_a_close_only_source_is_rated_on_closes(timeframe: str) -> None:
    found = timeframe_rating(without(walk(42, N), "open", "high", "low", "volume"), timeframe)
    assert np.isfinite(found["rating_score"][20:]).all()
    assert {"buy", "sell"} & set(found["rating_label"][20:])


@pytest.mark.parametrize("timeframe", list(TIMEFRAMES))
def test_no_rating_depends_on_a_later_session(timeframe: str) -> None:
    assert len(CUTS) >= 25
    bars = walk(43, N)
    whole = timeframe_rating(bars, timeframe)
    for cut, other in other_futures(bars, CUTS):
        found = timeframe_rating(other, timeframe)
        known = int((found["date"] <= bars.dates[cut]).sum())
        assert known >= int((whole["date"] <= bars.dates[cut]).sum()) - 1  # at most the running one is not there yet
        for name, values in found.items():
            assert same(values[:known], whole[name][:known]), (cut, name)


@pytest.mark.parametrize("timeframe", list(TIMEFRAMES))
def test_a_period_that_is_not_over_is_caught(timeframe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail: here the running week or month is rated too."""
    monkeypatch.setattr("analytics.signals.timeframes.completed_bars", lambda bars, frame: bars.by_period(frame))
    with pytest.raises(AssertionError):
        test_no_rating_depends_on_a_later_session(timeframe)


def test_each_date_is_a_session_and_the_last_one_of_its_period() -> None:
    bars = walk(44, N)
    for timeframe in TIMEFRAMES:
        dates = completed_bars(bars, timeframe).dates
        assert np.isin(dates, bars.dates).all()
        assert (np.diff(period_of(dates, timeframe)) > 0).all()
        following = bars.dates[np.searchsorted(bars.dates, dates[:-1]) + 1]
        assert (period_of(following, timeframe) != period_of(dates[:-1], timeframe)).all()


def test_weeks_and_months_of_any_date_are_those_of_the_calendar() -> None:
    days = np.arange(np.datetime64("1968-12-25"), np.datetime64("1971-02-01"))
    weeks = [date.fromisoformat(str(day)).isocalendar()[:2] for day in days]
    changed = [left != right for left, right in pairwise(weeks)]
    np.testing.assert_array_equal(np.diff(period_of(days, "W")), np.array(changed, dtype=int))
    np.testing.assert_array_equal(period_ends(days[:8], "W"), [4, 7])
    assert [str(day) for day in days[period_ends(days, "M")]][:2] == ["1968-12-31", "1969-01-31"]
    assert len(period_ends(sessions(0), "M")) == 0
