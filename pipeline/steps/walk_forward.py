"""What the frontier of every universe promised and what it earned, chosen anew each quarter over the whole history."""

import hashlib

import numpy as np
import pandas as pd

from analytics.conventions import FloatArray
from analytics.errors import MissingDataError
from analytics.portfolio import DEFAULT_ESTIMATOR, MarketData
from analytics.portfolio.walk_forward import DELAY, WINDOW, summary, walk_forward
from analytics.portfolio.walk_forward import STEP as HELD
from pipeline import schema, store
from pipeline.queries import portfolio_inputs
from pipeline.queries import walk_forward as queries
from pipeline.queries.walk_forward import History
from pipeline.steps._step import Context, Outcome, Step

KEY = "walk_forward"
TABLE = schema.frontier_walk_forward
MOST_TICKERS = 500  # more would cost the night minutes: the covariance of each quarter grows with their cube


def run(context: Context) -> Outcome:
    """Compute the record of the default estimator, long-only, universe by universe."""
    rows, messages = 0, []
    universes = portfolio_inputs.universes(context.reader)
    for universe in set(queries.walk_forward_universes(context.reader)) - set(universes):
        store.drop(context.connection, TABLE, universe)
    for number, universe in enumerate(universes):
        context.report(number / len(universes), universe)
        written, message = _universe(context, universe)
        rows += written
        messages.append(f"{universe}: {message}")
    return Outcome(rows, message="; ".join(messages) or "no universe has two tickers")


def _universe(context: Context, universe: str) -> tuple[int, str]:
    """Rows written for one universe, and what there is to say of it."""
    if len(portfolio_inputs.universe_tickers(context.reader, universe)) > MOST_TICKERS:
        store.drop(context.connection, TABLE, universe)
        context.note_inputs(KEY, {universe: "too many"})
        return 0, f"more than {MOST_TICKERS:,} tickers, the app computes the record when it is asked for"
    history = queries.universe_history(context.reader, universe)
    if not context.input_changed(KEY, {universe: _digest(history)}):
        return 0, "nothing changed"
    try:
        found, message = _record(history), ""
    except MissingDataError:
        found = pd.DataFrame()
        message = f"no record, it takes members with more than {WINDOW + DELAY} sessions without a gap"
    with store.transaction(context.connection):
        store.drop(context.connection, TABLE, universe)
        if found.empty:
            return 0, message
        key = {"universe": universe, "as_of": str(history.dates[-1]), "estimator": DEFAULT_ESTIMATOR.key}
        rows = store.replace(context.connection, TABLE, found.assign(**key), owner=universe)
    return rows, f"{found['n_choices'].iloc[0]} choices since {found['start_date'].iloc[0]}"


def _record(history: History) -> pd.DataFrame:
    """The record as the table keeps it; raises MissingDataError where the history is too short."""
    known = np.nan_to_num(history.risk_free)
    found = walk_forward(
        history.returns, history.dates, estimate=_estimate, risk_free_returns=known, eligible=history.eligible
    )
    return summary(found, rate_known=history.rate_known)


def _estimate(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    tickers = tuple(map(str, range(returns.shape[1])))
    return DEFAULT_ESTIMATOR.estimate(MarketData(tickers, returns, float("nan")))


def _digest(history: History) -> str:
    """A word for all that the record depends on."""
    found = hashlib.sha256(f"{WINDOW} {DELAY} {HELD} {DEFAULT_ESTIMATOR.key} {history.tickers}".encode())
    for array in (history.dates.astype(int), history.returns, history.eligible, history.risk_free):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


STEP = Step(
    KEY, "Walk-forward", ("instruments", "universe_members", "prices", "factor_returns", "frontier_runs"),
    ("frontier_walk_forward",), run,
)  # fmt: skip
