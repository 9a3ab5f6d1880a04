"""The history of backtests: what was run when, how it came out, and what the analyst calls it."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline.queries import standard
from pipeline.queries._connection import Reader

MOST_LISTED = 1_000
_COLUMNS = (
    "SELECT r.result_id, r.test_date, r.strategy_name, r.params, r.tickers, r.start_date, r.end_date, r.total_return, "
    "json_extract(r.metrics, '$.annual_return') AS annual_return, json_extract(r.metrics, '$.annual_volatility') AS annual_volatility, "
    "r.sharpe_ratio, r.max_drawdown, json_extract(r.metrics, '$.n_trades') AS n_trades, "
    "json_extract(r.audit, '$.verdict') AS verdict, coalesce(n.name, '') AS name, coalesce(n.note, '') AS note, "
    f"r.result_id IN (SELECT result_id FROM jobs WHERE kind = '{standard.KIND}' AND owner = '{standard.OWNER}' AND result_id IS NOT NULL) AS standard "
    "FROM backtesting_results r LEFT JOIN result_notes n ON n.result_id = r.result_id "
)


def history(
    reader: Reader, *, strategy: str | None = None, text: str = "", start: str | None = None, end: str | None = None,
    most: int = MOST_LISTED,
) -> pd.DataFrame:  # fmt: skip
    """Return stored backtests, the newest first, at most `most`.

    Columns: result_id, test_date (UTC), strategy_name, params and tickers (decoded), start_date, end_date, the headline
    metrics (NaN where undefined), verdict of the audit (missing before it), name and note ("" where there is none), standard
    (1 for one of the standard backtests, else 0). text: a part of tickers, name, note or strategy, in any case. start and
    end: ISO dates between which it was run.
    """
    where, values = ["1"], []
    for clause, value in (
        ("r.strategy_name = ?", strategy), ("r.test_date >= ?", start), ("substr(r.test_date, 1, 10) <= ?", end),
    ):  # fmt: skip
        if value:
            where.append(clause)
            values.append(value)
    if text:
        where.append(
            "instr(lower(r.tickers || ' ' || r.strategy_name || ' ' || coalesce(n.name, '') || ' ' || coalesce(n.note, '')), lower(?))"
        )
        values.append(text)
    order = "ORDER BY r.test_date DESC, r.result_id LIMIT ?"
    return _decoded(reader.frame(f"{_COLUMNS} WHERE {' AND '.join(where)} {order}", (*values, most)))


def chosen(reader: Reader, result_ids: Sequence[str]) -> pd.DataFrame:
    """Return the same of these results, in their order; one that is not stored is left out."""
    marks = ", ".join("?" * len(result_ids))
    found = _decoded(reader.frame(f"{_COLUMNS} WHERE r.result_id IN ({marks})", tuple(result_ids)))
    return (
        found.set_index("result_id")
        .reindex([item for item in result_ids if item in set(found["result_id"])])
        .reset_index()
    )


def strategies(reader: Reader) -> list[str]:
    """Return the strategies of which there is a stored backtest, by name."""
    return [
        row[0] for row in reader.rows("SELECT DISTINCT strategy_name FROM backtesting_results ORDER BY strategy_name")
    ]


def accounts(reader: Reader, result_ids: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return {result_id: date, equity, benchmark (USD) and risk_free of each session}, oldest first; none is empty."""
    marks = ", ".join("?" * len(result_ids))
    rows = reader.frame(
        f"SELECT result_id, date, equity, benchmark, risk_free FROM backtesting_equity WHERE result_id IN ({marks}) "
        "ORDER BY result_id, date",
        tuple(result_ids),
    )
    return {key: part.drop(columns="result_id").reset_index(drop=True) for key, part in rows.groupby("result_id")}


def is_worked_on(reader: Reader, result_id: str, since: str) -> bool:
    """Whether a job whose worker was heard of since that UTC time is still at a result."""
    return reader.one(
        "SELECT 1 FROM jobs WHERE state IN ('queued', 'running') AND result_id = ? AND heartbeat_at >= ?", (result_id, since)
    ) is not None  # fmt: skip


def _decoded(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{name: _from_json(rows[name]) for name in ("params", "tickers")})


def _from_json(texts: pd.Series) -> pd.Series:
    decoded: list[Any] = [json.loads(text) for text in texts]
    return pd.Series(decoded, index=texts.index, dtype=object)
