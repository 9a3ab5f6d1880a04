"""Every table of both databases, declared once: names, keys, types and checks. STRICT, keyed, checked in SQL.

MARKET is data.db, rebuilt from sources at any time. WORKSPACE is workspace.db, the analyst's own and backed up.
Fractions, not percent; USD; dates ISO text, exchange-local; timestamps UTC ending in Z; NULL is "unknown".

A table that is missing is created, and a derived one whose shape differs is made anew and computed again, so a new
indicator needs nothing here. Any other change of a table takes a new number in VERSIONS and its statements in
MIGRATIONS.
"""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from pipeline.schema._market import (
    MARKET,
    candlestick_patterns,
    company_fundamentals,
    corporate_actions,
    factor_joint_tests,
    factor_loadings,
    factor_model_fits,
    factor_returns,
    fetch_log,
    frontier_points,
    frontier_runs,
    frontier_walk_forward,
    frontier_weights,
    instruments,
    partition_checksums,
    prices,
    published,
    quality_flags,
    quality_scores,
    rates,
    rejects,
    runs,
    signal_scorecard,
    step_inputs,
    step_runs,
    table_checksums,
    technical_ratings,
    technical_signals,
    ticker_changes,
    universe_members,
)
from pipeline.schema._migrations import FILLINGS, FIRST_VERSION, MIGRATIONS
from pipeline.schema._workspace import (
    WORKSPACE,
    backtesting_equity,
    backtesting_questions,
    backtesting_results,
    backtesting_tickers,
    backtesting_trades,
    jobs,
    portfolio_weights,
    portfolios,
    requests,
    result_notes,
    sweep_benchmarks,
    sweep_cells,
    sweeps,
    trials,
)

__all__ = [
    "MARKET", "WORKSPACE", "backtesting_equity", "backtesting_questions", "backtesting_results",
    "backtesting_tickers", "backtesting_trades", "candlestick_patterns", "company_fundamentals", "corporate_actions", "factor_joint_tests", "factor_loadings", "factor_model_fits",
    "factor_returns", "fetch_log", "frontier_points", "frontier_runs", "frontier_walk_forward", "frontier_weights", "instruments", "jobs",
    "partition_checksums", "portfolio_weights", "portfolios", "prices", "published", "quality_flags", "quality_scores", "rates", "rejects", "requests", "result_notes", "runs",
    "signal_scorecard", "step_inputs", "step_runs", "sweep_benchmarks", "sweep_cells", "sweeps", "table_checksums", "technical_ratings", "technical_signals", "ticker_changes", "trials", "universe_members",
]  # fmt: skip

APPLICATION_IDS = {MARKET: 0x504C4D4B, WORKSPACE: 0x504C5753}  # "PLMK", "PLWS": whose file it is
VERSIONS = {MARKET: max(MIGRATIONS["market"], default=1), WORKSPACE: max(MIGRATIONS["workspace"], default=1)}


def version_of(user_version: int) -> int:
    """Return the version that a file's user_version stands for; 0 is a file without tables."""
    return 1 if user_version in FIRST_VERSION else user_version


def migrations(metadata: MetaData, version: int) -> list[str]:
    """Return the statements that bring the tables of a database of `version` to the present ones, oldest first."""
    return _since(MIGRATIONS["market" if metadata is MARKET else "workspace"], version)


def fillings(metadata: MetaData, version: int) -> list[str]:
    """Return the statements that fill tables from what a database of `version` holds, once all tables are there."""
    return _since(FILLINGS, version) if metadata is WORKSPACE else []


def _since(steps: Mapping[int, tuple[str, ...]], version: int) -> list[str]:
    return [statement for number in sorted(steps) if number > version for statement in steps[number]]


@cache
def ddl(table: Table) -> tuple[str, ...]:
    """Return the CREATE statements of a table and its indexes, as SQLite keeps them."""
    dialect = sqlite.dialect()
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    statements: list[ExecutableDDLElement] = [CreateTable(table), *map(CreateIndex, indexes)]
    return tuple(str(statement.compile(dialect=dialect)).strip() for statement in statements)


def outdated(metadata: MetaData, stored: Mapping[str, str]) -> list[Table]:
    """Return the tables that are to be made anew, given {name: CREATE statement} of those stored.

    These are the missing ones and the derived ones whose declaration has changed since.
    """
    return [
        table for table in _in_order(metadata)
        if table.name not in stored or (table.info["derived"] and stored[table.name] != ddl(table)[0])
    ]  # fmt: skip


@cache
def _in_order(metadata: MetaData) -> list[Table]:
    return metadata.sorted_tables
