"""The analyst's own database: backtests, their names, portfolios and the state of jobs. Small IMMEDIATE transactions only."""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd

from analytics.errors import InputError, MissingDataError
from analytics.validate import iso_date
from pipeline import schema, store
from pipeline.errors import StoreError
from pipeline.queries import Reader, connect
from pipeline.queries import history as history_queries
from pipeline.queries import portfolios as portfolio_queries
from pipeline.queries import results as queries
from pipeline.queries import standard as standard_queries

ACTIVE = ("queued", "running")
LOST_AFTER_SECONDS = 15.0  # a job whose worker has not been heard of for this long is lost
NEGLIGIBLE = 1e-9  # a weight below it is rounding of the optimiser, not a position
NAME_CHARACTERS, NOTE_CHARACTERS = 60, 500


def prepare(path: Path) -> None:
    """Create the workspace at `path` where there is none; raises StoreError where the file cannot be used."""
    store.open_writer(path, schema.WORKSPACE).close()


def hold_open(path: Path) -> sqlite3.Connection | None:
    """Return a connection that does nothing but stay, None where there is no usable workspace.

    Who closes a database last puts its whole log back into it, which takes 10 ms: without this one, after every write.
    """
    try:
        prepare(path)
        return store.open_idle(path)
    except StoreError:
        return None


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Read the workspace, creating it first where there is none."""
    if store.schema_version(path) != schema.VERSIONS[schema.WORKSPACE]:
        prepare(path)  # missing, or of an earlier version
    with connect(path, workspace=True) as reader:
        yield reader


def canonical(value: Any) -> str:
    """Return `value` as JSON that is the same text for the same content: keys sorted, NaN as null."""
    return json.dumps(_plain(value), sort_keys=True, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def save_result(path: Path, row: Mapping[str, Any], *, equity: pd.DataFrame, trades: pd.DataFrame) -> None:
    """Store one backtest whole; a result that is already there is left alone."""
    result_id = row["result_id"]
    writer = store.open_writer(path, schema.WORKSPACE, checkpoints=False)  # somebody waits for this
    with closing(writer) as connection, store.transaction(connection):
        if queries.result(Reader(connection), result_id):
            return
        store.insert(connection, schema.backtesting_results, {name: [value] for name, value in row.items()})
        store.insert(connection, schema.backtesting_equity, equity.assign(result_id=result_id))
        store.insert(connection, schema.backtesting_trades, trades.assign(result_id=result_id))


def save_checks(path: Path, result_id: str, *, audit: str, tickers: pd.DataFrame) -> None:
    """Store the audit of a stored result, as JSON, and each of its tickers on its own, once."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        store.update(connection, schema.backtesting_results, {"result_id": result_id}, audit=audit)
        store.upsert(connection, schema.backtesting_tickers, tickers.assign(result_id=result_id))


def remember_answer(path: Path, *, question_id: str, result_id: str, data_run_id: str) -> None:
    """Note that a stored result answers a question, so that it is found again without reading prices."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection:
        store.upsert(connection, schema.backtesting_questions, {
            "question_id": [question_id], "result_id": [result_id], "data_run_id": [data_run_id],
        })  # fmt: skip


def describe_result(path: Path, result_id: str, *, name: str, note: str) -> None:
    """Name a stored result and note something of it; two empty texts take both away.

    Raises InputError where one cannot be read or is too long, MissingDataError where there is no such result.
    """
    for field, value, most in (("name", name, NAME_CHARACTERS), ("note", note, NOTE_CHARACTERS)):
        if value != "":
            _check_text(field, value, f"up to {most} printable characters without blanks at the ends", most)
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        _check_stored(Reader(connection), result_id)
        store.delete(connection, schema.result_notes, result_id=result_id)
        if name or note:
            store.insert(connection, schema.result_notes, {
                "result_id": [result_id], "name": [name], "note": [note], "updated_at": [store.utc_now()],
            })  # fmt: skip


def delete_result(path: Path, result_id: str) -> None:
    """Delete a stored result with all that belongs to it; that it was tried stays in the ledger.

    Raises MissingDataError where there is no such result, InputError while a job is still checking it.
    """
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        reader = Reader(connection)
        _check_stored(reader, result_id)
        if _is_worked_on(reader, result_id):
            raise InputError(
                "result", got="one that is still being checked", allowed="a finished one", fix="Wait, or cancel it."
            )
        _delete(connection, result_id)


def delete_standard(path: Path, result_id: str) -> bool:
    """Delete a standard backtest with all that belongs to it and its jobs; False where somebody wants it or it is worked on."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        reader = Reader(connection)
        if standard_queries.is_wanted(reader, result_id) or _is_worked_on(reader, result_id):
            return False
        _delete(connection, result_id)
        store.delete(connection, schema.jobs, result_id=result_id)
    return True


def _is_worked_on(reader: Reader, result_id: str) -> bool:
    return history_queries.is_worked_on(reader, result_id, _silent_since())


def _delete(connection: sqlite3.Connection, result_id: str) -> None:
    for table in (
        schema.result_notes, schema.backtesting_questions, schema.backtesting_tickers, schema.backtesting_trades,
        schema.backtesting_equity, schema.backtesting_results,
    ):  # fmt: skip
        store.delete(connection, table, result_id=result_id)


def _check_stored(reader: Reader, result_id: str) -> None:
    if queries.result(reader, result_id) is None:
        raise MissingDataError(f"There is no stored result {result_id}.")


# ---- portfolios ---------------------------------------------------------------------------------------------


def save_portfolio(
    path: Path, name: str, weights: Mapping[str, float], *, universe: str, source: str, request: str, data_run_id: str,
    as_of: str,
) -> None:  # fmt: skip
    """Store a portfolio under a name, in place of the one that had it; what the weights lack to 1 is cash.

    weights: {ticker: fraction of the capital}; those below 1e-9 are left out. source: what it was made from.
    request: JSON of the question that gave it, as `canonical` writes it. as_of: ISO date of the data. Raises
    InputError where the name cannot be read, a weight is no fraction from 0 to 1, none is positive, or they add up
    to more than 1.
    """
    _check_text(
        "name", name, f"1 to {NAME_CHARACTERS} printable characters without blanks at the ends", NAME_CHARACTERS
    )
    held, now = _positions(weights), store.utc_now()
    values = {
        "updated_at": now, "universe": universe, "source": source, "request": request, "data_run_id": data_run_id,
        "as_of": iso_date("as_of", as_of),
    }  # fmt: skip
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        if not store.update(connection, schema.portfolios, {"name": name}, **values):
            first = {"name": name, "created_at": now} | values
            store.insert(connection, schema.portfolios, {column: [value] for column, value in first.items()})
        store.delete(connection, schema.portfolio_weights, name=name)
        rows = {"name": [name] * len(held), "ticker": list(held), "weight": list(held.values())}
        store.insert(connection, schema.portfolio_weights, rows)


def delete_portfolio(path: Path, name: str) -> None:
    """Delete a saved portfolio; raises MissingDataError where there is none of this name."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        portfolio_queries.portfolio_weights(Reader(connection), name)  # raises where the name is unknown
        store.delete(connection, schema.portfolio_weights, name=name)
        store.delete(connection, schema.portfolios, name=name)


def _positions(weights: Mapping[str, float]) -> dict[str, float]:
    """The weights that are positions, each at most 1; raises InputError where they are no long-only portfolio."""
    for ticker, weight in weights.items():
        _check_text("ticker", ticker, "printable text without blanks at the ends")
        if not (isinstance(weight, Real) and -NEGLIGIBLE <= weight <= 1.0 + NEGLIGIBLE):  # NaN is neither
            raise InputError(f"weight of {ticker}", got=weight, allowed="a fraction from 0 to 1")
    held = {ticker: min(float(weight), 1.0) for ticker, weight in weights.items() if weight >= NEGLIGIBLE}
    total = math.fsum(held.values())
    if not 0.0 < total <= 1.0 + NEGLIGIBLE:
        raise InputError("weights", got=f"a sum of {total:.10g}", allowed="a sum above 0 and up to 1")
    return held


def _check_text(field: str, value: str, allowed: str, most: int | None = None) -> None:
    """Raise InputError unless `value` is printable text (no control characters) without blanks at its ends."""
    if not (isinstance(value, str) and value and value.isprintable() and value == value.strip()):
        raise InputError(field, got=value, allowed=allowed)
    if most is not None and len(value) > most:
        raise InputError(field, got=value, allowed=allowed, fix=f"Leave out {len(value) - most} characters.")


# ---- jobs ---------------------------------------------------------------------------------------------------


def create_job(path: Path, *, job_id: str, kind: str, owner: str, seconds: float) -> None:
    """Note a job that waits for a worker; its deadline is set anew when it leaves the line and starts."""
    now = datetime.now(UTC)
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection:
        store.insert(connection, schema.jobs, {
            "job_id": [job_id], "kind": [kind], "state": ["queued"], "progress": [0.0], "owner": [owner],
            "message": [""], "created_at": [store.utc_text(now)],
            "heartbeat_at": [store.utc_text(now)], "deadline_at": [_deadline(seconds)],
        })  # fmt: skip


def start_job(path: Path, job_id: str, *, seconds: float) -> bool:
    """Note that a job has left the line; its time runs from now. False where it has ended already."""
    return update_job(path, job_id, state="running", deadline_at=_deadline(seconds))


def update_job(path: Path, job_id: str, **values: Any) -> bool:
    """Change a job that has not ended and note that its worker is alive; False where it has ended already."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection, store.transaction(connection):
        job = queries.job(Reader(connection), job_id)
        if job is None or job["state"] not in ACTIVE:
            return False
        values.setdefault("heartbeat_at", store.utc_now())
        return bool(store.update(connection, schema.jobs, {"job_id": job_id}, **values))


def delete_job(path: Path, job_id: str) -> None:
    """Forget a job."""
    with closing(store.open_writer(path, schema.WORKSPACE)) as connection:
        store.delete(connection, schema.jobs, job_id=job_id)


def job_state(path: Path, job_id: str) -> dict[str, Any] | None:
    """Return a job with `ahead`, the jobs waiting before it; one whose worker went silent is marked as lost."""
    with reading(path) as reader:
        job = queries.job(reader, job_id)
        ahead = queries.jobs_ahead(reader, job_id, _silent_since()) if job and job["state"] == "queued" else 0
    if job is None:
        return None
    silent = datetime.now(UTC) - datetime.fromisoformat(job["heartbeat_at"])
    if job["state"] in ACTIVE and silent.total_seconds() > LOST_AFTER_SECONDS:
        message = "The worker ended without an answer (stopped, out of memory, or the app was restarted)."
        update_job(path, job_id, state="lost", message=message)
        job |= {"state": "lost", "message": message}
    return job | {"ahead": ahead}


def is_next(path: Path, job_id: str) -> bool:
    """Whether no job waits that was submitted before this one."""
    with reading(path) as reader:
        return queries.jobs_ahead(reader, job_id, _silent_since()) == 0


def _silent_since() -> str:
    """The UTC time since when a living worker has been heard of."""
    return store.utc_text(datetime.now(UTC) - timedelta(seconds=LOST_AFTER_SECONDS))


def _deadline(seconds: float) -> str:
    return store.utc_text(datetime.now(UTC) + timedelta(seconds=seconds))
