"""How far a ticker's prices can be trusted: the scores and the days that deserve a look."""

import pandas as pd

from pipeline.queries._connection import Reader


def scores(reader: Reader) -> pd.DataFrame:
    """Return ticker, score (0 to 1), sessions, missing_sessions, stale_sessions, jumps, rejected_rows, the worst first."""
    return reader.frame(
        "SELECT ticker, score, sessions, missing_sessions, stale_sessions, jumps, rejected_rows FROM quality_scores "
        "ORDER BY score, ticker"
    )


def flags(reader: Reader, ticker: str | None = None, *, limit: int = 2_000) -> pd.DataFrame:
    """Return ticker, date, check_name and message of the days that deserve a look, newest first."""
    if ticker is None:
        return reader.frame(
            "SELECT ticker, date, check_name, message FROM quality_flags ORDER BY date DESC, ticker LIMIT ?", (limit,)
        )
    return reader.frame(
        "SELECT ticker, date, check_name, message FROM quality_flags WHERE ticker = ? ORDER BY date DESC LIMIT ?",
        (ticker, limit),
    )


def flag_counts(reader: Reader) -> pd.DataFrame:
    """Return ticker, check_name and count of the stored flags."""
    return reader.frame(
        "SELECT ticker, check_name, count(*) AS count FROM quality_flags GROUP BY ticker, check_name ORDER BY ticker"
    )


def rejected_rows(reader: Reader, run_id: str) -> dict[str, int]:
    """Return {ticker: rows that a run refused}."""
    return dict(reader.rows("SELECT ticker, count(*) FROM rejects WHERE run_id = ? GROUP BY ticker", (run_id,)))
