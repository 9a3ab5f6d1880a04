"""Every table of both databases, declared once: names, keys, types and checks. STRICT, keyed, checked in SQL.

MARKET is data.db, rebuilt from sources at any time. WORKSPACE is workspace.db, the analyst's own and backed up.
Fractions, not percent; USD; dates ISO text, exchange-local; timestamps UTC ending in Z; NULL is "unknown".
"""

import zlib
from functools import cache
from typing import Any

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from analytics.indicators import INDICATORS
from analytics.signals import RATING_LABELS

MARKET = MetaData()
WORKSPACE = MetaData()


def _real(name: str, **options: Any) -> Column[Any]:
    return Column(name, Double().with_variant(REAL(), "sqlite"), **options)


def _integer(name: str, **options: Any) -> Column[Any]:
    return Column(name, Integer, **options)


def _text(name: str, *constraints: Any, **options: Any) -> Column[Any]:
    return Column(name, Text, *constraints, **options)


def _ticker() -> Column[Any]:
    return _text("ticker", ForeignKey("instruments.ticker"), nullable=False)


def _table(metadata: MetaData, name: str, key: tuple[str, ...], *columns: Any) -> Table:
    return Table(name, metadata, *columns, PrimaryKeyConstraint(*key), sqlite_with_rowid=False, sqlite_strict=True)


def _is_date(column: str) -> CheckConstraint:
    return CheckConstraint(f"date({column}, '+0 days') IS {column}")  # without '+0 days' 2024-02-30 passes


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})")


# ---- market store -------------------------------------------------------------------------------------------

instruments = _table(
    MARKET, "instruments", ("ticker",),
    _text("ticker", nullable=False), _text("name", nullable=False), _text("kind", nullable=False),
    _text("sector"), _text("industry"), _text("currency"), _text("exchange"),
    _text("first_date"), _text("last_date"), _integer("active", nullable=False),
    _one_of("kind", ("stock", "etf", "index")), CheckConstraint("active IN (0, 1)"),
)  # fmt: skip

universe_members = _table(
    MARKET, "universe_members", ("universe", "ticker", "start_date"),
    _text("universe", nullable=False), _text("ticker", nullable=False),
    _text("start_date", nullable=False), _text("end_date"),
    _is_date("start_date"),
)  # fmt: skip

prices = _table(
    MARKET, "prices", ("ticker", "date"),
    _ticker(), _text("date", nullable=False),
    _real("open"), _real("high"), _real("low"), _real("close", nullable=False), _real("adj_close", nullable=False),
    _real("volume"),
    _is_date("date"),
    CheckConstraint("close > 0 AND close < 1e7 AND adj_close > 0 AND adj_close < 1e7"),
    CheckConstraint("open > 0 AND high >= max(open, close) AND low <= min(open, close) AND low > 0 AND high < 1e7"),
    CheckConstraint("volume >= 0 AND volume < 1e15"),
)  # fmt: skip

rates = _table(
    MARKET, "rates", ("series", "date"),
    _text("series", nullable=False), _text("date", nullable=False), _real("value", nullable=False),
    _is_date("date"), CheckConstraint("value > -0.2 AND value < 1"),
)  # fmt: skip

corporate_actions = _table(
    MARKET, "corporate_actions", ("ticker", "date", "kind"),
    _ticker(), _text("date", nullable=False), _text("kind", nullable=False), _real("value", nullable=False),
    _is_date("date"), _one_of("kind", ("dividend", "split")), CheckConstraint("value > 0"),
)  # fmt: skip

factor_returns = _table(
    MARKET, "factor_returns", ("frequency", "date"),
    _text("frequency", nullable=False), _text("date", nullable=False),
    *(_real(name) for name in ("mkt_rf", "smb", "hml", "smb5", "rmw", "cma", "mom", "rf")),
    _is_date("date"), _one_of("frequency", ("D", "M")),
)  # fmt: skip

technical_signals = _table(
    MARKET, "technical_signals", ("ticker", "date"),
    _ticker(), _text("date", nullable=False),
    *(_real(output) for indicator in INDICATORS.values() for output in indicator.outputs),
    *(_integer(indicator.vote_column) for indicator in INDICATORS.values() if indicator.vote_column),
    _integer("buy_votes"), _integer("sell_votes"), _integer("overall_signal"),
    _real("rating_score"), _text("rating_label"),
    CheckConstraint("overall_signal IN (-1, 0, 1)"), CheckConstraint("rating_score BETWEEN -1 AND 1"),
    _one_of("rating_label", RATING_LABELS),
)  # fmt: skip

_FIT_KEY = ("ticker", "model", "frequency", "window_months", "as_of")


def _fit_key_columns() -> tuple[Column[Any], ...]:
    return (
        _ticker(), _text("model", nullable=False), _text("frequency", nullable=False),
        _integer("window_months", nullable=False), _text("as_of", nullable=False),
    )  # fmt: skip


factor_model_fits = _table(
    MARKET, "factor_model_fits", _FIT_KEY, *_fit_key_columns(),
    _text("sample_start", nullable=False), _text("sample_end", nullable=False), _integer("n_obs", nullable=False),
    *(_real(name) for name in ("alpha", "alpha_se", "alpha_t", "alpha_low", "alpha_high", "r_squared",
                               "residual_vol", "expected_return", "expected_return_se")),
    CheckConstraint("as_of >= sample_end"), CheckConstraint("n_obs > 0"),
)  # fmt: skip

factor_loadings = _table(
    MARKET, "factor_loadings", (*_FIT_KEY, "factor"), *_fit_key_columns(),
    _text("factor", nullable=False),
    *(_real(name) for name in ("beta", "std_err", "t_stat", "p_value", "std_err_ols")),
)  # fmt: skip

_RUN_KEY = ("universe", "as_of", "estimator")


def _frontier_key_columns() -> tuple[Column[Any], ...]:
    return tuple(_text(name, nullable=False) for name in _RUN_KEY)


frontier_runs = _table(
    MARKET, "frontier_runs", _RUN_KEY, *_frontier_key_columns(),
    _text("start_date", nullable=False), _text("end_date", nullable=False), _integer("n_obs", nullable=False),
    _real("risk_free_rate"),
)  # fmt: skip

frontier_points = _table(
    MARKET, "frontier_points", (*_RUN_KEY, "point"), *_frontier_key_columns(),
    _integer("point", nullable=False), _text("kind", nullable=False), _text("ticker"),  # ticker of an asset point
    _real("expected_return", nullable=False), _real("volatility", nullable=False), _real("sharpe_ratio"),
    _one_of("kind", ("frontier", "min_variance", "max_sharpe", "random", "asset")),
)  # fmt: skip

frontier_weights = _table(
    MARKET, "frontier_weights", (*_RUN_KEY, "point", "ticker"), *_frontier_key_columns(),
    _integer("point", nullable=False), _ticker(), _real("weight", nullable=False),
    CheckConstraint("weight >= 0 AND weight <= 1"),
)  # fmt: skip

runs = _table(
    MARKET, "runs", ("run_id",),
    _text("run_id", nullable=False), _text("source", nullable=False), _text("parameters", nullable=False),
    _text("status", nullable=False), _text("started_at", nullable=False), _text("finished_at"),
    _text("code_version", nullable=False), _text("message"),
    _one_of("status", ("running", "complete", "partial", "failed")),
)  # fmt: skip

step_runs = _table(
    MARKET, "step_runs", ("run_id", "step"),
    _text("run_id", nullable=False), _text("step", nullable=False), _text("status", nullable=False),
    _text("started_at", nullable=False), _real("seconds"), _integer("rows_written"), _integer("rows_rejected"),
    _text("message"),
    _one_of("status", ("running", "complete", "partial", "failed")),
)  # fmt: skip

fetch_log = _table(
    MARKET, "fetch_log", ("run_id", "ticker"),
    _text("run_id", nullable=False), _text("ticker", nullable=False), _text("status", nullable=False),
    _integer("rows"), _text("message"),
)  # fmt: skip

rejects = _table(
    MARKET, "rejects", ("run_id", "number"),
    _text("run_id", nullable=False), _integer("number", nullable=False), _text("ticker"), _text("date"),
    _text("reason", nullable=False), _text("payload"),
)  # fmt: skip

table_checksums = _table(
    MARKET, "table_checksums", ("run_id", "table_name"),
    _text("run_id", nullable=False), _text("table_name", nullable=False), _integer("rows", nullable=False),
    _text("checksum", nullable=False),
)  # fmt: skip

published = _table(
    MARKET, "published", ("run_id",),
    _text("run_id", nullable=False), _text("source", nullable=False), _text("published_at", nullable=False),
    _text("code_version", nullable=False),
)  # fmt: skip

# ---- workspace ----------------------------------------------------------------------------------------------

backtesting_results = _table(
    WORKSPACE, "backtesting_results", ("result_id",),
    *(_text(name, nullable=False) for name in ("result_id", "test_date", "strategy_name", "params", "tickers",
                                               "start_date", "end_date", "data_run_id", "code_version")),
    *(_real(name) for name in ("total_return", "sharpe_ratio", "max_drawdown")),
    _text("metrics", nullable=False), _text("audit", nullable=False),
)  # fmt: skip
Index("backtesting_results_by_date", backtesting_results.c.test_date)

# Which stored result answers which question on which data: the way back to a result without reading prices.
backtesting_questions = _table(
    WORKSPACE, "backtesting_questions", ("question_id",),
    _text("question_id", nullable=False),
    _text("result_id", ForeignKey("backtesting_results.result_id"), nullable=False),
    _text("data_run_id", nullable=False),
)  # fmt: skip
Index("backtesting_questions_by_result", backtesting_questions.c.result_id, backtesting_questions.c.data_run_id)

backtesting_equity = _table(
    WORKSPACE, "backtesting_equity", ("result_id", "date"),
    _text("result_id", ForeignKey("backtesting_results.result_id"), nullable=False), _text("date", nullable=False),
    *(_real(name) for name in ("equity", "benchmark", "drawdown", "gross_exposure", "net_exposure")),
)  # fmt: skip

backtesting_trades = _table(
    WORKSPACE, "backtesting_trades", ("result_id", "trade_id"),
    _text("result_id", ForeignKey("backtesting_results.result_id"), nullable=False),
    _integer("trade_id", nullable=False), _text("ticker", nullable=False), _text("direction", nullable=False),
    _text("entry_date", nullable=False), _real("entry_price"), _text("exit_date"), _real("exit_price"),
    *(_real(name) for name in ("quantity", "fees", "slippage", "borrow", "pnl", "return_pct")), _text("reason"),
)  # fmt: skip

jobs = _table(
    WORKSPACE, "jobs", ("job_id",),
    _text("job_id", nullable=False), _text("kind", nullable=False), _text("state", nullable=False),
    _real("progress", nullable=False), _text("message"), _text("owner", nullable=False),
    *(_text(name, nullable=False) for name in ("created_at", "heartbeat_at", "deadline_at")), _text("result_id"),
    _one_of("state", ("queued", "running", "done", "failed", "cancelled", "lost")),
)  # fmt: skip
Index("jobs_by_state", jobs.c.state, jobs.c.created_at)


def ddl(metadata: MetaData) -> list[str]:
    """Return the CREATE statements of every table and index, parents first."""
    dialect = sqlite.dialect()
    statements = []
    for table in metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    return statements


@cache
def fingerprint(metadata: MetaData) -> int:
    """Return the schema's version as a positive 31-bit number: any change of any table changes it."""
    return zlib.crc32("".join(ddl(metadata)).encode()) & 0x7FFFFFFF
