"""Simple returns: per session, per complete calendar month, and the risk-free rate of every session."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import MONTHS, TRADING_DAYS, DateArray, FloatArray
from analytics.errors import InputError

DAILY, MONTHLY, CARRIED, UNKNOWN = "daily", "monthly", "carried", "unknown"
MAX_EDGE_HOLIDAYS: Final = 1  # weekdays without a session that a month may begin or end with and still be complete


@dataclass(frozen=True)
class RiskFree:
    """The risk-free rate of each session, arrays of shape (n_sessions,).

    values: simple daily returns; NaN when nothing is known up to that session. origin: "daily", "monthly",
    "carried" or "unknown", where each value comes from.
    """

    values: FloatArray
    origin: npt.NDArray[np.str_]


def simple_returns(prices: npt.ArrayLike) -> FloatArray:
    """Return P_t / P_{t−1} − 1 along the first axis of prices of shape (n,) or (n, n_tickers), as fractions.

    NaN when: first row, a price of either day is unknown, or the earlier price is 0.
    """
    values = np.asarray(prices, dtype=float)
    returns = np.full(values.shape, np.nan)
    previous = np.where(values[:-1] == 0, np.nan, values[:-1])
    returns[1:] = values[1:] / previous - 1
    return returns


def session_returns(prices: pd.Series, *, sessions: pd.DatetimeIndex) -> pd.Series:
    """Return the simple returns between consecutive sessions of a calendar, shape (n_sessions,), fractions.

    prices: by date. NaN when: the price of the session or of the one before is unknown, so that no return spans a gap.
    """
    return pd.Series(simple_returns(prices.reindex(sessions).to_numpy(dtype=float)), sessions, name=prices.name)


def monthly_returns(adj_close: pd.DataFrame) -> pd.DataFrame:
    """Return simple total returns of complete calendar months, month ends × tickers, as fractions.

    adj_close: sessions × tickers, USD, on the market's calendar (the union of the tickers'). The last month
    is left out while a weekday of it is still to come. NaN when: the ticker has no price on the market's last
    session of that month or of the month before. Raises InputError where the dates do not rise.
    """
    sessions = adj_close.dropna(how="all")
    dates = pd.DatetimeIndex(sessions.index)
    _check_rising(dates.to_numpy())
    months = dates.to_period("M")
    last = ~months.duplicated(keep="last")
    prices = sessions.astype(float)[last].set_axis(months[last])
    if len(prices) and not month_is_over(dates[-1]):
        prices = prices.iloc[:-1]
    if len(prices):  # a month without any session must not make its neighbours look adjacent
        prices = prices.reindex(pd.period_range(prices.index[0], prices.index[-1], freq="M"))
    returns = (prices / prices.shift(1) - 1).iloc[1:]
    return returns.set_axis(pd.PeriodIndex(returns.index).to_timestamp(how="end").normalize().rename("date"))


def daily_risk_free(dates: DateArray, *, daily: pd.Series | None, monthly: pd.Series | None) -> RiskFree:
    """Return the risk-free rate of each session: daily, else the month's rate spread, else the last known.

    dates: the calendar's sessions, rising. daily: simple return per date. monthly: simple return per calendar
    month, on any date in it; spread so that its sessions compound to it. Raises InputError where dates do not
    rise. NaN when: nothing is known up to that session.
    """
    sessions = np.asarray(dates).astype("datetime64[D]")
    _check_rising(sessions)
    values, origin = np.full(len(sessions), np.nan), np.full(len(sessions), UNKNOWN, dtype="<U7")
    if not len(sessions):
        return RiskFree(values, origin)
    known_days, daily_rates = _known(daily, "D")
    known_months, monthly_rates = _known(monthly, "M")
    spread = (1 + _look_up(sessions.astype("datetime64[M]"), known_months, monthly_rates)) ** (
        1 / _sessions_in_month(sessions)
    ) - 1
    for rates, name in ((_look_up(sessions, known_days, daily_rates), DAILY), (spread, MONTHLY)):
        take = np.isnan(values) & np.isfinite(rates)
        values[take], origin[take] = rates[take], name
    before = _last_before(sessions[0], known_days, daily_rates, known_months, monthly_rates)
    carried = pd.Series(np.concatenate([[before], values])).ffill().to_numpy()[1:]
    origin[np.isnan(values) & np.isfinite(carried)] = CARRIED
    return RiskFree(carried, origin)


def _check_rising(dates: DateArray) -> None:
    if len(dates) > 1 and not (dates[1:] > dates[:-1]).all():
        raise InputError(
            "dates", got="dates out of order or repeated", allowed="strictly rising dates", fix="Sort them."
        )


def month_is_over(date: pd.Timestamp) -> bool:
    """Whether no weekday of the month is left after a date."""
    following = (date + pd.Timedelta(days=1)).date()
    month_after = (date + pd.offsets.MonthBegin(1)).date()
    return bool(np.busday_count(following, month_after) == 0)


def _known(rates: pd.Series | None, unit: str) -> tuple[DateArray, FloatArray]:
    """The dates (unit "D" or "M") and values that are known, in order of date."""
    if rates is None:
        rates = pd.Series(dtype=float, index=pd.DatetimeIndex([]))
    known = rates.dropna().sort_index()
    return known.index.to_numpy().astype(f"datetime64[{unit}]"), known.to_numpy(dtype=float)


def _look_up(wanted: DateArray, dates: DateArray, values: FloatArray) -> FloatArray:
    """The value of each wanted date, NaN where there is none."""
    at = np.searchsorted(dates, wanted)
    found = at < len(dates)
    found[found] = dates[at[found]] == wanted[found]
    result = np.full(len(wanted), np.nan)
    result[found] = values[at[found]]
    return result


def _sessions_in_month(sessions: DateArray) -> npt.NDArray[np.int64]:
    """How many sessions each session's month has; weekdays beyond the calendar's ends count as sessions."""
    months, month_of, counts = np.unique(sessions.astype("datetime64[M]"), return_inverse=True, return_counts=True)
    before = np.busday_count(months[0].astype("datetime64[D]"), sessions[0])
    after = np.busday_count(sessions[-1] + 1, (months[-1] + 1).astype("datetime64[D]"))
    counts[0] += before if before > MAX_EDGE_HOLIDAYS else 0
    counts[-1] += after if after > MAX_EDGE_HOLIDAYS else 0
    return counts[month_of]


def _last_before(
    first: np.datetime64, days: DateArray, daily: FloatArray, months: DateArray, monthly: FloatArray
) -> float:
    """The newest rate known before the calendar begins, per session; NaN where there is none."""
    n_days, n_months = np.searchsorted(days, first), np.searchsorted(months, first.astype("datetime64[M]"))
    if n_days and (not n_months or days[n_days - 1].astype("datetime64[M]") >= months[n_months - 1]):
        return float(daily[n_days - 1])
    return float((1 + monthly[n_months - 1]) ** (MONTHS / TRADING_DAYS) - 1) if n_months else np.nan
