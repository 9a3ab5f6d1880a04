"""One record of returns in the forms in which each library takes it, and the conversions between their conventions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analytics.metrics import Performance

DAYS = 252
BASE = pd.Timestamp("2012-12-31")  # the close before the first session
SESSIONS = 4_100  # to 2024-03-22


@dataclass(frozen=True, eq=False)
class Record:
    """Daily returns, benchmark and risk-free rate on consecutive calendar days.

    Every calendar day is a session, because libraries count the days of a drawdown from different sessions, which on
    such a calendar are exactly one day apart. The first return is a gain and the last one ends all drawdowns, because
    some libraries leave out the initial capital or read an unfinished drawdown in another way.
    """

    r: pd.Series
    b: pd.Series
    f: pd.Series

    @property
    def n(self) -> int:
        return len(self.r)

    @property
    def e(self) -> pd.Series:
        return self.r - self.f

    @property
    def eb(self) -> pd.Series:
        return self.b - self.f

    @property
    def active(self) -> pd.Series:
        return self.r - self.b

    @cached_property
    def months(self) -> pd.Series:
        return self.r.groupby(self.r.index.to_period("M")).apply(lambda r: (1 + r).prod() - 1).to_timestamp(how="end")

    @cached_property
    def drawdowns(self) -> pd.Series:
        value = (1 + self.r).cumprod()
        return value / np.maximum(value.cummax(), 1.0) - 1

    def prices(self, returns: pd.Series) -> pd.Series:
        """The value of one unit, one the day before the first session."""
        return pd.concat([pd.Series([1.0], index=[BASE]), (1 + returns).cumprod()])

    def since(self, **offset: int) -> pd.Series:
        """The returns after the day so long before the last session."""
        return self.r[self.r.index > self.r.index[-1] - pd.DateOffset(**offset)]

    def to_date(self, period: str) -> pd.Series:
        """The returns of the last session's calendar month or year."""
        periods = self.r.index.to_period(period)
        return self.r[periods == periods[-1]]

    def performance(self) -> Performance:
        return Performance(
            self.r.index.to_numpy().astype("datetime64[D]"),
            self.r.to_numpy(),
            benchmark_returns=self.b.to_numpy(),
            risk_free_returns=self.f.to_numpy(),
        )


def record(seed: int) -> Record:
    rng = np.random.default_rng(seed)
    market = 0.0006 + 0.01 * rng.standard_t(4, SESSIONS)
    returns = 0.0002 + 0.8 * market + 0.006 * rng.standard_t(5, SESSIONS)
    returns[0] = 0.004
    value = np.cumprod(1 + returns)
    returns[-1] = 1.001 * value.max() / value[-2] - 1
    index = pd.date_range(BASE + pd.Timedelta(days=1), periods=SESSIONS)
    free = 0.0001 + 0.00005 * np.sin(np.arange(SESSIONS) / 60)
    return Record(*(pd.Series(values, index=index) for values in (returns, market, free)))


def annual_of_sessions(annual_of_days: float, returns: pd.Series) -> float:
    """An annual return by calendar time, 365.25 days a year, as one by sessions, 252 a year."""
    first = returns.index[0] - pd.Timedelta(days=1)
    return (1 + annual_of_days) ** ((returns.index[-1] - first).days / 365.25 * DAYS / len(returns)) - 1


def population_skewness(adjusted: float, n: int) -> float:
    return adjusted * (n - 2) / np.sqrt(n * (n - 1))


def population_kurtosis(adjusted: float, n: int) -> float:
    return (adjusted * (n - 2) * (n - 3) / (n - 1) - 6) / (n + 1)
