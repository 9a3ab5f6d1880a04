"""What a metric may look at: the record of an account, or of any series of returns."""

from dataclasses import dataclass, fields

import numpy as np

from analytics.conventions import DateArray, FloatArray
from analytics.errors import InputError


@dataclass(frozen=True)
class Trades:
    """Round trips, each array of shape (n_trades,): pnl, fees and slippage in USD, return_pct a fraction."""

    pnl: FloatArray
    return_pct: FloatArray
    fees: FloatArray
    slippage: FloatArray
    days: FloatArray


@dataclass(frozen=True)
class Performance:
    """Simple returns per session and what goes with them, each of shape (n_sessions,); None where unknown.

    The first return is earned on dates[0]. gross_exposure: value of the positions over value of the account
    at the close. turnover: traded value over the same. Raises InputError on arrays of unequal length.
    """

    dates: DateArray
    returns: FloatArray
    benchmark_returns: FloatArray | None = None
    risk_free_returns: FloatArray | None = None
    gross_exposure: FloatArray | None = None
    turnover: FloatArray | None = None
    trades: Trades | None = None

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

    def excess_returns(self) -> FloatArray:
        """Return the returns above the risk-free rate, on the sessions where both are known."""
        returns, risk_free = self.known("returns", "risk_free_returns")
        return returns - risk_free
