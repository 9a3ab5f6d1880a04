"""Several accounts side by side, on the sessions that all of them know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.tear_sheet import Record
from analytics.conventions import DateArray, FloatArray
from analytics.errors import InputError, MissingDataError

BASE: Final = 100.0  # what every curve begins with


@dataclass(frozen=True, eq=False)
class SideBySide:
    """The common sessions of runs and of what they are measured against.

    dates (n_sessions,). returns: simple returns by name, (n_sessions, n_runs). curves: value of BASE invested at the
    close of the first session, the same shape. risk_free (n_sessions,): NaN where no run knows it.
    """

    dates: DateArray
    returns: pd.DataFrame
    curves: pd.DataFrame
    risk_free: FloatArray

    @property
    def correlation(self) -> pd.DataFrame:
        """Correlation of the returns, (n_runs, n_runs). NaN when: a run's returns do not vary."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.returns.corr()


def side_by_side(records: Mapping[str, Record], benchmarks: Mapping[str, Record]) -> SideBySide:
    """Return what runs and benchmarks did on the sessions that all know.

    records: by name, of which the account counts. benchmarks: by name, of which buy and hold counts; they do not narrow
    the sessions further than the runs they belong to. Raises InputError where no run is given, or a name twice;
    MissingDataError where the runs share fewer than two sessions.
    """
    if not records or set(records) & set(benchmarks):
        raise InputError("records", got=sorted({*records, *benchmarks}), allowed="one or more runs, each name once")
    held = {name: (item.equity, item.returns, item.dates) for name, item in records.items()}
    held |= {name: (item.benchmark, item.benchmark_returns, item.dates) for name, item in benchmarks.items()}
    values = pd.DataFrame({name: pd.Series(value, index=dates) for name, (value, _, dates) in held.items()})
    returns = pd.DataFrame({name: pd.Series(earned, index=dates) for name, (_, earned, dates) in held.items()})
    known = values.notna() & returns.notna()
    shared = known[list(records)].all(axis=1)
    if shared.sum() < 2:
        fix = "Choose runs whose dates overlap."
        raise MissingDataError(f"The chosen runs share {shared.sum()} sessions. {fix}")
    values, returns = values[shared], returns[shared]
    rates = pd.concat([pd.Series(item.risk_free_returns, index=item.dates) for item in records.values()], axis=1)
    free = rates.bfill(axis=1).iloc[:, 0].reindex(values.index)
    return SideBySide(
        values.index.to_numpy(dtype="datetime64[D]"), returns, values / values.iloc[0] * BASE,
        free.to_numpy(dtype=float),
    )  # fmt: skip
