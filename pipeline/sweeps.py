"""The one door to a sweep: one strategy, one question, many parameter sets.

A request is checked whole before any work. Its cells are computed a batch at a time, counted in the ledger of trials
and stored: a sweep that was cancelled goes on from what it has stored.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.backtest import Costs, Rules
from analytics.backtest.parameter_sets import Cell, Grid, Range, grid, random_sets, steps, swept_parameter
from analytics.backtest.simulate import benchmark_of
from analytics.backtest.sweep_cells import KEPT, Batch, SweepPlan
from analytics.errors import InputError, MissingDataError
from pipeline import backtests, ledger, schema, store
from pipeline import workspace as results
from pipeline.backtest_request import BacktestRequest
from pipeline.ledger import hypothesis_of
from pipeline.queries import connect
from pipeline.queries import sweeps as sweep_queries
from pipeline.sources import Report, no_report
from pipeline.version import code_version

__all__ = ["SweepRequest", "hypothesis_of", "load", "request_of", "run", "sweep_id"]

MOST_AXES: Final = 3  # what a page can show
PREPARED: Final = 0.03  # of the progress, when the first cell begins
STORE_SECONDS: Final = 0.5  # between two writes: what a cancelled sweep may lose
BATCH: Final = 20  # cells between two looks at the clock
LARGEST_SEED: Final = 2**31 - 1


@dataclass(frozen=True)
class SweepRequest:
    """A backtest's question, with ranges of parameters in place of values.

    draws: None for every combination of the ranges, else how many are drawn at random by `seed`. Raises InputError or
    UnknownKeyError where the ranges give no sweep, before anything is computed.
    """

    question: BacktestRequest
    ranges: tuple[Range, ...]
    draws: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every cell's parameters by name, bounds and number."""
        if not 1 <= len(self.ranges) <= MOST_AXES:
            raise InputError("axes", got=len(self.ranges), allowed=f"1 to {MOST_AXES} parameters")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InputError("seed", got=self.seed, allowed=f"a whole number from 0 to {LARGEST_SEED}")
        assert self.cells  # draws or combines them, which raises

    @classmethod
    def of(cls, *, ranges: Iterable[Range], draws: int | None = None, seed: int = 0, **question: Any) -> "SweepRequest":
        """Return a checked request; question: the arguments of BacktestRequest.of. Raises InputError or UnknownKeyError."""
        spans = tuple(sorted(ranges, key=lambda span: span.name))
        return cls(BacktestRequest.of(**question), spans, draws, seed)

    @cached_property
    def grid(self) -> Grid | None:
        """Every combination of the ranges; None where the sets are drawn at random."""
        strategy = self.question.spec.strategy
        return (
            grid([steps(span, strategy=strategy) for span in self.ranges], strategy=strategy)
            if self.draws is None
            else None
        )

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The parameter sets, numbered from 0."""
        if self.grid is not None:
            return self.grid.cells
        return random_sets(self.ranges, strategy=self.question.spec.strategy, count=self.draws or 0, seed=self.seed)

    def axes(self) -> dict[str, Any]:
        """Return what is swept, as JSON can hold it."""
        return {
            "ranges": [_plain(self.question.spec.strategy, span) for span in self.ranges],
            "draws": self.draws,
            "seed": self.seed,
        }


def sweep_id(request: SweepRequest, *, db: Path) -> str:
    """Return the name of a sweep on the published data: code version, request and data; raises as `run` does."""
    with connect(Path(db)) as reader:
        return _name(request, backtests.resolve(reader, request.question, Path(db)))


def run(request: SweepRequest, *, db: Path, workspace: Path, report: Report = no_report) -> str:
    """Compute and store the cells of a sweep that are not stored yet, and return its sweep_id.

    Raises InputError or UnknownKeyError (the request), MissingDataError (no prices there), StoreError (no store).
    """
    db, workspace = Path(db), Path(workspace)
    report(0.0, "reading prices")
    with connect(db, seconds=60.0) as reader:
        question = backtests.resolve(reader, request.question, db)
        name = _name(request, question)
        with results.reading(workspace) as stored:
            known, there = sweep_queries.sweep(stored, name), sweep_queries.stored_cells(stored, name)
        if known is not None and len(there) == len(request.cells):
            return name
        inputs = backtests.read_inputs(reader, question)
    plan = SweepPlan(inputs, request.question.over(start=question.start, end=question.end))
    if known is None:
        report(0.01, "holding the same tickers")
        _save_sweep(workspace, name, request, question, _benchmark(plan))
    missing = [number for number in range(len(request.cells)) if number not in there]
    report(PREPARED, f"{len(there):,} of {len(request.cells):,} parameter sets")
    _compute(plan, request, name, missing, workspace, _keys(request, question), report)
    return name


def load(name: str, *, workspace: Path) -> dict[str, Any]:
    """Return a stored sweep's own row; raises MissingDataError where it is not stored."""
    with results.reading(Path(workspace)) as reader:
        found = sweep_queries.sweep(reader, name)
    if found is None:
        raise MissingDataError(f"There is no stored sweep {name}.")
    return found


def request_of(row: Mapping[str, Any]) -> SweepRequest:
    """Return the request that a stored sweep's row was made from, its dates as they were resolved."""
    params, spans = dict(row["params"]), row["axes"]["ranges"]
    costs, rules = ({item.name: params.pop(item.name) for item in fields(kind)} for kind in (Costs, Rules))
    capital, engine = params.pop("initial_capital"), params.pop("engine")
    return SweepRequest.of(
        ranges=[Range(**span) for span in spans], draws=row["axes"]["draws"], seed=row["axes"]["seed"],
        strategy=row["strategy"], tickers=row["tickers"], start=row["start_date"], end=row["end_date"],
        initial_capital=capital, engine=engine, parameters=params, costs=costs, rules=rules,
    )  # fmt: skip


def _plain(strategy: str, span: Range) -> dict[str, Any]:
    """A range of canonical numbers: one written as 5.0 or without its step is the same."""
    declared = swept_parameter(strategy, span.name)
    low, high = declared.check(span.low), declared.check(span.high)
    return {
        "name": span.name,
        "low": low,
        "high": high,
        "step": float(declared.step if span.step is None else span.step),
    }


def _name(request: SweepRequest, question: backtests.Question) -> str:
    return hashlib.sha256(results.canonical([question.key(), request.axes()]).encode()).hexdigest()


def _keys(request: SweepRequest, question: backtests.Question) -> Callable[[Cell], str]:
    """What names a cell in the ledger: the same parameters, tickers and dates are the same try, in whichever sweep."""
    same = [request.question.spec.strategy, question.tickers, question.start, question.end]
    whole = request.question.params()

    def key(cell: Cell) -> str:
        params = {**whole, **cell.parameters(request.question.spec.parameters)}
        return hashlib.sha256(results.canonical([*same, params]).encode()).hexdigest()

    return key


def _benchmark(plan: SweepPlan) -> Batch:
    """Holding the same tickers, at the same costs."""
    held = replace(benchmark_of(plan.spec), engine="kernel")
    (batch,) = SweepPlan(plan.inputs, held).evaluate([Cell(())])
    return batch


def _compute(
    plan: SweepPlan, request: SweepRequest, name: str, numbers: Sequence[int], workspace: Path,
    key: Callable[[Cell], str], report: Report,
) -> None:  # fmt: skip
    """Evaluate the numbered cells and store them, at the latest STORE_SECONDS after they were computed."""
    total, hypothesis = len(request.cells), hypothesis_of(plan.spec.strategy, plan.inputs.panel.tickers)
    answers = plan.evaluate([request.cells[number] for number in numbers], batch=BATCH)
    left, done, waiting, written = iter(numbers), total - len(numbers), [], time.monotonic()
    for batch in answers:
        waiting.append(_rows(batch, list(islice(left, len(batch.cells))), key))
        done += len(batch.cells)
        if time.monotonic() - written > STORE_SECONDS or done == total:
            _save_cells(workspace, name, hypothesis, pd.concat(waiting))
            waiting, written = [], time.monotonic()
        report(PREPARED + (1.0 - PREPARED) * done / total, f"{done:,} of {total:,} parameter sets")


def _rows(batch: Batch, numbers: list[int], key: Callable[[Cell], str]) -> pd.DataFrame:
    """The cells of a batch as rows of sweep_cells, with n_obs for the ledger."""
    return pd.DataFrame({
        "cell": numbers, "trial_id": [key(cell) for cell in batch.cells],
        "parameters": [results.canonical(dict(cell.values)) for cell in batch.cells],
        **{name: batch.metrics[name] for name in KEPT},
        "sums": _sums(batch), "problem": batch.problems, "n_obs": float(batch.sums.n.sum()),
    })  # fmt: skip


def _sums(batch: Batch) -> list[str]:
    """The block sums of each cell as JSON: sessions, Σe and Σe²."""
    n, sums = batch.sums.n.tolist(), np.stack([batch.sums.total, batch.sums.squares], axis=1)
    written = sums.astype(object)
    written[~np.isfinite(sums)] = None
    return [json.dumps([n, *pair], separators=(",", ":")) for pair in written.tolist()]


def _save_sweep(
    workspace: Path, name: str, request: SweepRequest, question: backtests.Question, benchmark: Batch
) -> None:
    row = question.columns()
    columns = {
        "sweep_id": name, "created_at": store.utc_now(), "strategy": row["strategy_name"], "params": row["params"],
        "axes": results.canonical(request.axes()), "tickers": row["tickers"], "start_date": row["start_date"],
        "end_date": row["end_date"], "data_run_id": row["data_run_id"], "code_version": code_version(),
        "n_cells": len(request.cells), "benchmark_sharpe_ratio": float(benchmark.metrics["sharpe_ratio"][0]),
    }  # fmt: skip
    with closing(store.open_writer(workspace, schema.WORKSPACE)) as connection, store.transaction(connection):
        store.insert_missing(connection, schema.sweeps, {column: [value] for column, value in columns.items()})
        store.insert_missing(connection, schema.sweep_benchmarks, {"sweep_id": [name], "sums": _sums(benchmark)})


def _save_cells(workspace: Path, name: str, hypothesis: str, rows: pd.DataFrame) -> None:
    """Count the cells, then store them: one that is stored has been counted."""
    ledger.count(workspace, hypothesis, rows.rename(columns={"trial_id": "id"}))
    with closing(store.open_writer(workspace, schema.WORKSPACE)) as connection, store.transaction(connection):
        store.insert_missing(connection, schema.sweep_cells, rows.drop(columns="n_obs").assign(sweep_id=name))
