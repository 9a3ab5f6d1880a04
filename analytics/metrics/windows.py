"""Metrics of what the last months and years earned, up to the last session."""

from functools import partial

import numpy as np

from analytics.conventions import MONTHS, TRADING_DAYS, FloatArray
from analytics.metrics._arithmetic import compound, growth_rate
from analytics.metrics._metric import Metric
from analytics.metrics._performance import Performance


def months_before(date: np.datetime64, months: int) -> np.datetime64:
    """Return the same day of an earlier month, its last day where it is shorter."""
    month = date.astype("datetime64[M]")
    earlier = month - months
    last = (earlier + 1).astype("datetime64[D]") - 1
    return min(earlier.astype("datetime64[D]") + (date - month.astype("datetime64[D]")), last)


def return_to_date(performance: Performance, *, unit: str) -> float:
    """Return what the last session's calendar month ("M") or year ("Y") earned. NaN when: no return is known."""
    dates = performance.known_dates.astype(f"datetime64[{unit}]")
    return compound(performance.known_returns[dates == dates[-1:]])


def trailing_return(performance: Performance, *, months: int) -> float:
    """Return what the last months earned. NaN when: the sessions do not reach back so far."""
    return compound(_trailing(performance, months))


def trailing_annual_return(performance: Performance, *, years: int) -> float:
    """Return the geometric return per year of the last years. NaN when: the sessions do not reach back so far."""
    returns = _trailing(performance, MONTHS * years)
    return growth_rate(returns, TRADING_DAYS / max(len(returns), 1))


def _trailing(performance: Performance, months: int) -> FloatArray:
    """The returns of the sessions after the day so many months before the last one."""
    dates = performance.known_dates
    if not len(dates) or dates[0] > (since := months_before(dates[-1], months)):
        return np.empty(0)
    return performance.known_returns[dates > since]


def _to_date(key: str, label: str, unit: str, words: str) -> Metric:
    return Metric(
        key=key,
        label=label,
        level="period",
        formula=f"Π(1 + r_t) − 1 over the sessions of the last session's calendar {words}",
        unit="fraction",
        better="higher",
        func=partial(return_to_date, unit=unit),
        reference="compounding; ffn calc_mtd, calc_ytd",
        description=f"What was earned since the calendar {words} of the last session began.",
    )


def _months(key: str, label: str, months: int) -> Metric:
    return Metric(
        key=key,
        label=label,
        level="period",
        formula=f"Π(1 + r_t) − 1 over the sessions after the day {months} months before the last",
        unit="fraction",
        better="higher",
        func=partial(trailing_return, months=months),
        reference="compounding; ffn three_month, six_month, one_year",
        description=f"What the last {months} months earned.",
    )


def _years(key: str, label: str, years: int) -> Metric:
    return Metric(
        key=key,
        label=label,
        level="period",
        formula=f"Π(1 + r_t)^({TRADING_DAYS} / sessions) − 1 after the day {years} years before the last session",
        unit="fraction",
        better="higher",
        func=partial(trailing_annual_return, years=years),
        reference="compound annual growth rate; ffn three_year, five_year, ten_year",
        description=f"The constant yearly return of the last {years} years.",
    )


METRICS = (
    _to_date("return_mtd", "Month to date", "M", "month"),
    _months("return_3m", "3 months", 3),
    _months("return_6m", "6 months", 6),
    _to_date("return_ytd", "Year to date", "Y", "year"),
    _months("return_1y", "1 year", 12),
    _years("annual_return_3y", "3 years, annual", 3),
    _years("annual_return_5y", "5 years, annual", 5),
    _years("annual_return_10y", "10 years, annual", 10),
)
