"""What a metric may look at: the record of an account, or of any series of returns."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from analytics.conventions import DateArray, FloatArray
from analytics.errors import InputError
from analytics.metrics._arithmetic import wealth
from analytics.metrics._drawdowns import Drawdowns, find_drawdowns


@dataclass(frozen=True)
class Trades:
    """Round trips in the order in which they ended, each array of shape (n_trades,); None where unknown.

    pnl, fees, slippage and borrow are in USD, pnl net of all costs; slippage is the whole concession on prices, of
    which spread and impact are parts. return_pct is a fraction, direction 1 (long) or −1 (short).
    """

    pnl: FloatArray
    return_pct: FloatArray
    fees: FloatArray
    slippage: FloatArray
    days: FloatArray
    spread: FloatArray | None = None
    impact: FloatArray | None = None
    borrow: FloatArray | None = None
    direction: np.ndarray | None = None


@dataclass(frozen=True)
class Performance:
    """Simple returns per session and what goes with them, each of shape (n_sessions,); None where unknown.

    The first return is earned on dates[0]. gross_exposure and net_exposure: value of the positions over value of the
    account at the close. turnover: traded value over the same. equity: value of the account at the close, and
    interest: what cash earned, in USD. What several metrics need is computed once and kept. Raises InputError on
    arrays of unequal length.
    """

    dates: DateArray
    returns: FloatArray
    benchmark_returns: FloatArray | None = None
    risk_free_returns: FloatArray | None = None
    gross_exposure: FloatArray | None = None
    turnover: FloatArray | None = None
    trades: Trades | None = None
    net_exposure: FloatArray | None = None
    equity: FloatArray | None = None
    interest: FloatArray | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            array = getattr(self, item.name)
            if item.name != "trades" and array is not None and np.shape(array) != np.shape(self.dates):
                raise InputError(
                    item.name,
                    got=np.shape(array),
                    allowed=f"one value per date, shape {np.shape(self.dates)}",
                )

    def known(self, *names: str) -> tuple[FloatArray, ...]:
        """Return the named arrays on the sessions where all of them are finite; empty where one is None."""
        arrays = [getattr(self, name) for name in names]
        if any(array is None for array in arrays):
            return tuple(np.empty(0) for _ in names)
        complete = np.logical_and.reduce([np.isfinite(array) for array in arrays])
        return tuple(np.asarray(array, dtype=float)[complete] for array in arrays)

    @cached_property
    def known_returns(self) -> FloatArray:
        """The returns on the sessions where they are known."""
        return self.known("returns")[0]

    @cached_property
    def known_dates(self) -> DateArray:
        """The dates of the known returns."""
        return np.asarray(self.dates)[np.isfinite(self.returns)].astype("datetime64[D]")

    @cached_property
    def excess(self) -> FloatArray:
        """The returns above the risk-free rate, on the sessions where both are known."""
        returns, risk_free = self.known("returns", "risk_free_returns")
        return returns - risk_free

    @cached_property
    def benchmark_pair(self) -> tuple[FloatArray, FloatArray]:
        """Returns and benchmark returns, on the sessions where both are known."""
        returns, benchmark = self.known("returns", "benchmark_returns")
        return returns, benchmark

    @cached_property
    def excess_pair(self) -> tuple[FloatArray, FloatArray]:
        """Both above the risk-free rate, on the sessions where all three are known."""
        returns, benchmark, risk_free = self.known("returns", "benchmark_returns", "risk_free_returns")
        return returns - risk_free, benchmark - risk_free

    @cached_property
    def active(self) -> FloatArray:
        """The returns above the benchmark's, on the sessions where both are known."""
        returns, benchmark = self.benchmark_pair
        return returns - benchmark

    @cached_property
    def wealth(self) -> FloatArray:
        """Value of one unit, (n_known + 1,): 1 on the first date before its return."""
        return wealth(self.known_returns)

    @cached_property
    def below_peak(self) -> FloatArray:
        """Wealth over its highest value so far − 1, 0 or less, (n_known + 1,)."""
        return self.wealth / np.maximum.accumulate(self.wealth) - 1.0

    @cached_property
    def wealth_dates(self) -> DateArray:
        """The dates of wealth, (n_known + 1,): the first one twice, for the capital is there on the first date."""
        return np.concatenate([self.known_dates[:1], self.known_dates])

    @cached_property
    def drawdowns(self) -> Drawdowns:
        """Every drawdown; there must be a known return."""
        return find_drawdowns(self.wealth, self.below_peak, self.wealth_dates)

    @cached_property
    def monthly_returns(self) -> FloatArray:
        """Compounded per calendar month, the first and the last as far as they go, (n_months,)."""
        return self._per_period(self.known_dates.astype("datetime64[M]").astype(np.int64))

    @cached_property
    def quarterly_returns(self) -> FloatArray:
        """Compounded per calendar quarter, the first and the last as far as they go, (n_quarters,)."""
        return self._per_period(self.known_dates.astype("datetime64[M]").astype(np.int64) // 3)

    @cached_property
    def yearly_returns(self) -> FloatArray:
        """Compounded per calendar year, the first and the last as far as they go, (n_years,)."""
        return self._per_period(self.known_dates.astype("datetime64[Y]").astype(np.int64))

    def _per_period(self, period: np.ndarray) -> FloatArray:
        starts = np.flatnonzero(np.diff(period, prepend=period[:1] - 1))
        if not len(starts):
            return np.empty(0)
        return np.multiply.reduceat(1.0 + self.known_returns, starts) - 1.0
