"""Sweeps and their cells, read from workspace.db."""

import json
from typing import Any

import numpy as np
import pandas as pd

from analytics.backtest.block_sums import BlockSums
from pipeline.queries._connection import Reader

SWEEP_COLUMNS = (
    "sweep_id", "created_at", "strategy", "params", "axes", "tickers", "start_date", "end_date", "data_run_id",
    "code_version", "n_cells", "benchmark_sharpe_ratio",
)  # fmt: skip
_JSON_COLUMNS = ("params", "axes", "tickers")


def sweep(reader: Reader, sweep_id: str) -> dict[str, Any] | None:
    """Return one sweep as {column: value} with its JSON columns decoded; None where it is not stored."""
    row = reader.one(f"SELECT {', '.join(SWEEP_COLUMNS)} FROM sweeps WHERE sweep_id = ?", (sweep_id,))
    if row is None:
        return None
    found = dict(zip(SWEEP_COLUMNS, row, strict=True))
    return found | {name: json.loads(found[name]) for name in _JSON_COLUMNS}


def benchmark(reader: Reader, sweep_id: str) -> BlockSums | None:
    """Return the block sums of buy and hold of a sweep's tickers; None where they are not stored."""
    row = reader.one("SELECT sums FROM sweep_benchmarks WHERE sweep_id = ?", (sweep_id,))
    return None if row is None else _block_sums([json.loads(row[0])])


def sweeps(reader: Reader, *, count: int = 20) -> pd.DataFrame:
    """Return the newest sweeps: sweep_id, created_at, strategy, tickers (JSON), n_cells and `stored`, the cells there are."""
    return reader.frame(
        "SELECT sweep_id, created_at, strategy, tickers, n_cells, "
        "(SELECT count(*) FROM sweep_cells WHERE sweep_cells.sweep_id = sweeps.sweep_id) AS stored "
        "FROM sweeps ORDER BY created_at DESC, sweep_id LIMIT ?",
        (count,),
    )


def stored_cells(reader: Reader, sweep_id: str) -> set[int]:
    """Return the numbers of the cells of a sweep that are stored."""
    return {row[0] for row in reader.rows("SELECT cell FROM sweep_cells WHERE sweep_id = ?", (sweep_id,))}


def cells(reader: Reader, sweep_id: str) -> tuple[pd.DataFrame, BlockSums | None]:
    """Return the stored cells of a sweep in order, and their block sums; (an empty frame, None) where there are none.

    Columns: cell, trial_id, sharpe_ratio, total_return, annual_return, annual_volatility, max_drawdown, n_trades,
    problem (why a cell could not be run), and one per swept parameter.
    """
    found = reader.frame(
        "SELECT cell, trial_id, parameters, sharpe_ratio, total_return, annual_return, annual_volatility, max_drawdown, "
        "n_trades, problem, sums FROM sweep_cells WHERE sweep_id = ? ORDER BY cell",
        (sweep_id,),
    )
    if found.empty:
        return found.drop(columns=["parameters", "sums"]), None
    parameters = pd.DataFrame(json.loads(f"[{','.join(found.pop('parameters'))}]"))
    return found.join(parameters), _block_sums(json.loads(f"[{','.join(found.pop('sums'))}]"))


def _block_sums(stored: list[Any]) -> BlockSums:
    """Block sums of (n_cells, 3, n_blocks) numbers; null is NaN."""
    sums = np.array(stored, dtype=float)
    return BlockSums(sums[0, 0].astype(np.int64), sums[:, 1], sums[:, 2])
