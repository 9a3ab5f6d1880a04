"""The analyst's own: stored backtests and the state of jobs, read from workspace.db."""

import json
from typing import Any

import pandas as pd

from pipeline.queries._connection import Reader

RESULT_COLUMNS = (
    "result_id", "test_date", "strategy_name", "params", "tickers", "start_date", "end_date", "data_run_id",
    "code_version", "total_return", "sharpe_ratio", "max_drawdown", "metrics", "audit",
)  # fmt: skip
JOB_COLUMNS = (
    "job_id", "kind", "state", "progress", "message", "owner", "created_at", "heartbeat_at", "deadline_at", "result_id",
)  # fmt: skip
_JSON_COLUMNS = ("params", "tickers", "metrics", "audit")


def result(reader: Reader, result_id: str) -> dict[str, Any] | None:
    """Return one stored backtest as {column: value} with its JSON columns decoded; None where it is not stored."""
    row = reader.one(f"SELECT {', '.join(RESULT_COLUMNS)} FROM backtesting_results WHERE result_id = ?", (result_id,))
    if row is None:
        return None
    found = dict(zip(RESULT_COLUMNS, row, strict=True))
    return found | {name: json.loads(found[name]) for name in _JSON_COLUMNS}


def find_result(reader: Reader, question_id: str) -> str | None:
    """Return the result_id of the stored answer to exactly this question, None where there is none."""
    row = reader.one("SELECT result_id FROM backtesting_questions WHERE question_id = ?", (question_id,))
    return row[0] if row else None


def is_checked(reader: Reader, result_id: str) -> bool:
    """Whether a stored result has its audit."""
    return reader.one(
        "SELECT 1 FROM backtesting_results WHERE result_id = ? AND json_extract(audit, '$.verdict') IS NOT NULL", (result_id,)
    ) is not None  # fmt: skip


def is_current(reader: Reader, result_id: str, data_run_id: str) -> bool:
    """Whether a stored result answers a question that was asked of this data run."""
    return reader.one(
        "SELECT 1 FROM backtesting_questions WHERE result_id = ? AND data_run_id = ? LIMIT 1", (result_id, data_run_id)
    ) is not None  # fmt: skip


def equity(reader: Reader, result_id: str) -> pd.DataFrame:
    """Return a result's daily account: money in USD, exposures and turnover as shares of equity, NaN where not stored."""
    return reader.frame(
        "SELECT date, equity, benchmark, drawdown, gross_exposure, net_exposure, cash, turnover, risk_free "
        "FROM backtesting_equity WHERE result_id = ? ORDER BY date",
        (result_id,),
    )


def curves(reader: Reader, result_id: str) -> pd.DataFrame:
    """Return what is drawn of a result's account: equity and benchmark in USD, drawdown; in half the time of all of it."""
    return reader.frame(
        "SELECT date, equity, benchmark, drawdown FROM backtesting_equity WHERE result_id = ? ORDER BY date",
        (result_id,),
    )


def trades(reader: Reader, result_id: str) -> pd.DataFrame:
    """Return a result's trades, a row per round trip, in order of entry."""
    return reader.frame(
        "SELECT trade_id, ticker, direction, entry_date, entry_price, exit_date, exit_price, quantity, fees, "
        "slippage, spread, impact, borrow, pnl, return_pct, entry_reason, reason FROM backtesting_trades "
        "WHERE result_id = ? ORDER BY trade_id",
        (result_id,),
    )


def tickers(reader: Reader, result_id: str) -> pd.DataFrame:
    """Return each ticker of a result on its own, with its contribution (USD) to the shared account, by ticker."""
    return reader.frame(
        "SELECT ticker, total_return, annual_return, annual_volatility, sharpe_ratio, max_drawdown, n_trades, win_rate, "
        "buy_and_hold_return, contribution FROM backtesting_tickers WHERE result_id = ? ORDER BY ticker",
        (result_id,),
    )


def job(reader: Reader, job_id: str) -> dict[str, Any] | None:
    """Return one job as {column: value}, None where it is unknown."""
    row = reader.one(f"SELECT {', '.join(JOB_COLUMNS)} FROM jobs WHERE job_id = ?", (job_id,))
    return dict(zip(JOB_COLUMNS, row, strict=True)) if row else None


def jobs_ahead(reader: Reader, job_id: str, since: str) -> int:
    """Return how many waiting jobs were submitted before this one; those not heard of since that UTC time do not count."""
    row = reader.one(
        "SELECT count(*) FROM jobs WHERE state = 'queued' AND heartbeat_at >= ? "
        "AND created_at < (SELECT created_at FROM jobs WHERE job_id = ?)",
        (since, job_id),
    )
    return int(row[0]) if row else 0
