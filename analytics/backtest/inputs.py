"""What a strategy may look at: prices, rates and factor fits, each from the date on which it was known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from analytics.conventions import DateArray, FloatArray
from analytics.market import FIELDS, Panel


@dataclass(frozen=True, eq=False)
class FactorView:
    """What the factor fits said of each ticker, as it was known.

    as_of (n_as_of,), rising: the date from which a row is known. values {name: (n_as_of, n_tickers)}, NaN where
    unknown: "alpha" and "expected_return" (annual fractions), "outlook" (−1, 0, 1), "beta" on the market, and the
    loadings of the other factors by name. universe_median (n_as_of,): of expected_return over all stocks of the
    store. factor_known (n_months,), rising: the date from which a month of factor returns is known;
    factor_returns {factor: (n_months,)}, simple, of the month.
    """

    as_of: DateArray
    values: Mapping[str, FloatArray]
    universe_median: FloatArray
    factor_known: DateArray
    factor_returns: Mapping[str, FloatArray]

    def before(self, date: np.datetime64) -> "FactorView":
        """Return what was known before a date."""
        fits, months = self.as_of < date, self.factor_known < date
        return FactorView(
            self.as_of[fits], {name: array[fits] for name, array in self.values.items()}, self.universe_median[fits],
            self.factor_known[months], {name: array[months] for name, array in self.factor_returns.items()},
        )  # fmt: skip

    def scaled_from(self, date: np.datetime64, factor: float) -> "FactorView":
        """Return the view with every number known from a date on multiplied by `factor`."""
        fits, months = np.where(self.as_of >= date, factor, 1.0), np.where(self.factor_known >= date, factor, 1.0)
        return replace(
            self,
            values={name: array * fits[:, None] for name, array in self.values.items()},
            universe_median=self.universe_median * fits,
            factor_returns={name: array * months for name, array in self.factor_returns.items()},
        )

    def of_column(self, column: int) -> "FactorView":
        """Return the view of one ticker."""
        return replace(self, values={name: array[:, [column]] for name, array in self.values.items()})


@dataclass(frozen=True, eq=False)
class StrategyInputs:
    """Everything a strategy decides from.

    panel: prices, (n_dates, n_tickers). first_rows (n_tickers,): the row of the first bar whose decision can be
    acted on. risk_free (n_dates,): simple daily returns, NaN unknown; carried (n_dates,): where it is the last known one
    carried on. factors: None where the store has none.
    """

    panel: Panel
    first_rows: np.ndarray
    risk_free: FloatArray
    factors: FactorView | None = None
    carried: np.ndarray | None = None

    def known(self, name: str) -> FloatArray:
        """Return a value of the factor fits as it was known at each date, shape (n_dates, n_tickers).

        NaN when: no fit was known yet, or the newest one has no such value.
        """
        values = np.full(self.panel.close.shape, np.nan)
        if self.factors is None or name not in self.factors.values:
            return values
        newest = np.searchsorted(self.factors.as_of, self.panel.dates, side="right") - 1
        values[newest >= 0] = self.factors.values[name][newest[newest >= 0]]
        return values

    def cut_at(self, row: int) -> "StrategyInputs":
        """Return the inputs as they were before the date at `row`."""
        date = self.panel.dates[row]
        panel = replace(
            self.panel, dates=self.panel.dates[:row], **{field: getattr(self.panel, field)[:row] for field in FIELDS}
        )
        factors = self.factors and self.factors.before(date)
        carried = None if self.carried is None else self.carried[:row]
        return replace(self, panel=panel, risk_free=self.risk_free[:row], factors=factors, carried=carried)

    def changed_from(self, row: int, factor: float) -> "StrategyInputs":
        """Return the inputs with every number known from the date at `row` on × factor (NaN: unknown)."""
        scale = np.where(np.arange(len(self.panel.dates)) >= row, factor, 1.0)
        panel = replace(self.panel, **{field: getattr(self.panel, field) * scale[:, None] for field in FIELDS})
        factors = self.factors and self.factors.scaled_from(self.panel.dates[row], factor)
        return replace(self, panel=panel, risk_free=self.risk_free * scale, factors=factors)

    def alone(self, column: int) -> "StrategyInputs":
        """Return the inputs of one ticker, on its own bars."""
        panel = Panel.of([self.panel.bars(self.panel.tickers[column])])
        rows = np.searchsorted(self.panel.dates, panel.dates)
        first = np.searchsorted(rows, self.first_rows[[column]])
        factors = self.factors and self.factors.of_column(column)
        carried = None if self.carried is None else self.carried[rows]
        return replace(
            self, panel=panel, first_rows=first, risk_free=self.risk_free[rows], factors=factors, carried=carried
        )
