"""A stored sweep with everything that the Sensitivity tab shows of it."""

import math
import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.backtest.block_sums import BlockSums
from analytics.backtest.cross_validation import Overfitting, probability_of_backtest_overfitting
from analytics.backtest.overfitting import Significance, Trials, significance
from analytics.backtest.sensitivity import Plateau, WalkForward, plateau_scores, walk_forward
from analytics.conventions import FloatArray
from analytics.errors import MissingDataError
from dashapp.data import workspace
from dashapp.pages.backtest.link import link_to
from pipeline import sweeps
from pipeline.queries import sweeps as sweep_queries
from pipeline.queries import trials as trial_queries
from pipeline.sweeps import SweepRequest
from pipeline.workspace import reading

KEPT_SWEEPS = 4  # of which the cells stay in memory
READING = threading.Lock()  # three callbacks of a page ask for the same cells at once: one reads them


@dataclass(frozen=True, eq=False)
class Sweep:
    """One sweep as it is stored: its row, the cells there are, and their block sums; some cells may be missing.

    benchmark: the block sums of buy and hold, None where they are not stored.
    """

    row: dict[str, Any]
    cells: pd.DataFrame
    sums: BlockSums
    benchmark: BlockSums | None = None

    @cached_property
    def request(self) -> SweepRequest:
        """What was asked."""
        return sweeps.request_of(self.row)

    @property
    def names(self) -> list[str]:
        """The swept parameters."""
        return [span["name"] for span in self.row["axes"]["ranges"]]

    @property
    def is_whole(self) -> bool:
        """Whether every cell is stored."""
        return len(self.cells) == self.row["n_cells"]

    @property
    def best(self) -> int | None:
        """The position of the cell of the highest Sharpe ratio, None where none has one."""
        sharpe = self.cells["sharpe_ratio"].to_numpy(dtype=float)
        return int(np.nanargmax(sharpe)) if np.isfinite(sharpe).any() else None

    @cached_property
    def walked(self) -> WalkForward:
        """What choosing the best on the past would have earned."""
        return walk_forward(self.sums)

    @property
    def passive(self) -> float:
        """The Sharpe ratio per year of buy and hold over the blocks that a choice was held in. NaN when: not stored."""
        held = self.walked.blocks[self.walked.chosen >= 0]
        return math.nan if self.benchmark is None else float(self.benchmark.sharpe_ratio(held)[0])

    @cached_property
    def overfitting(self) -> Overfitting:
        """How the best of one half of the blocks does in the other."""
        return probability_of_backtest_overfitting(self.sums)

    def values(self, metric: str) -> FloatArray:
        """Return a metric of every cell asked for, shape (n_cells,); NaN where it is not stored yet."""
        found = np.full(self.row["n_cells"], np.nan)
        found[self.cells["cell"].to_numpy(dtype=int)] = self.cells[metric].to_numpy(dtype=float)
        return found

    def plateau(self, metric: str) -> Plateau | None:
        """Return the plateau scores; None where the sets are no grid or have no value."""
        if self.request.grid is None or not np.isfinite(self.values(metric)).any():
            return None
        return plateau_scores(self.values(metric), self.request.grid)

    def judged(self) -> Significance | None:
        """Return what the ledger says of the best cell; None where no cell has a Sharpe ratio."""
        if self.best is None:
            return None
        with reading(workspace()) as reader:
            hypothesis = sweeps.hypothesis_of(self.row["strategy"], self.row["tickers"])
            tried = trial_queries.trials(reader, hypothesis)
        chosen = self.cells.iloc[self.best]
        place = int(np.flatnonzero(tried["id"] == chosen["trial_id"])[0])
        tried.loc[place, "sharpe_ratio"] = chosen["sharpe_ratio"]  # prices may have changed since it was first counted
        columns = (tried[name].to_numpy(dtype=float) for name in ("sharpe_ratio", "n_obs", "skewness", "kurtosis"))
        return significance(Trials(*columns), place, benchmark_sharpe_ratio=self.row["benchmark_sharpe_ratio"])

    def link(self, number: int) -> str:
        """Return the address that asks the Backtest tab for a cell: its parameters, and the costs and rules of the sweep."""
        parameters = self.request.cells[number].parameters(self.request.question.spec.parameters)
        return link_to(self.row | {"strategy_name": self.row["strategy"], "params": self.row["params"] | parameters})


def stored(name: str) -> Sweep:
    """Return a stored sweep; raises MissingDataError where there is none of this name, or nothing of it is stored."""
    row = sweeps.load(name, workspace=workspace())
    with reading(workspace()) as reader:
        there = len(sweep_queries.stored_cells(reader, name))
    if not there:
        raise MissingDataError("Nothing of this sweep is stored yet. Press Resume.")
    with READING:
        return _stored(workspace(), name, there, row["created_at"])


@lru_cache(maxsize=KEPT_SWEEPS)
def _stored(path: Path, name: str, _there: int, _created_at: str) -> Sweep:
    with reading(path) as reader:
        row = sweep_queries.sweep(reader, name)
        cells, sums = sweep_queries.cells(reader, name)
        benchmark = sweep_queries.benchmark(reader, name)
    assert row is not None  # it was there a moment ago
    assert sums is not None
    return Sweep(row, cells, sums, benchmark)
