"""One table of all objectives: what each would hold, what it promises and what it did over the window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.conventions import TRADING_DAYS, FloatArray
from analytics.errors import InputError, PlumblineError
from analytics.metrics import METRICS, Performance
from analytics.portfolio.exposure import effective_positions
from analytics.portfolio.objectives import OBJECTIVES, Objective, Task, choose
from analytics.portfolio.portfolios import evaluate
from analytics.registry import lookup

COLUMNS: Final = (
    "objective", "label", "expected_return", "volatility", "sharpe_ratio", "cvar", "max_drawdown",
    "effective_positions", "cash", "turnover", "note",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Comparison:
    """Objectives side by side; k of them, n assets.

    table: one row each, in the order asked for. expected_return, volatility and sharpe_ratio are annual and come
    from the task's estimates. cvar (historical, a session, 95 %, positive) and max_drawdown (0 or less) are those
    of the same weights restored every session of the window: in sample, for the weights were chosen with that
    window. cash is what is not invested; turnover is ½ Σ|w − holdings|. note says what was moved to obey the
    limits, or why there is no portfolio; empty where there is nothing to say. weights: (k, n). NaN when: there is
    no portfolio, or nothing is invested.
    """

    table: pd.DataFrame
    weights: FloatArray


def compare(task: Task, *, holdings: FloatArray, keys: Sequence[str] | None = None) -> Comparison:
    """Return every objective's portfolio, or those of `keys`, for one task; holdings (n,) are today's weights.

    An objective that cannot be solved is a row with a note, not an error. Raises InputError on holdings of another
    length, UnknownKeyError on an unknown objective.
    """
    held, n = np.asarray(holdings, dtype=float), len(task.expected_returns)
    if held.shape != (n,) or not np.isfinite(held).all():
        raise InputError("holdings", got=f"shape {held.shape}", allowed=f"{n} finite weights")
    chosen = [lookup(OBJECTIVES, key, "objective") for key in (OBJECTIVES if keys is None else keys)]
    found = [_weights(objective, task) for objective in chosen]
    rows = [
        (objective.key, objective.label, *_figures(weights, task, held), note)
        for objective, (weights, note) in zip(chosen, found, strict=True)
    ]
    weights = np.array([weights for weights, _ in found]).reshape(len(chosen), n)
    return Comparison(pd.DataFrame(rows, columns=list(COLUMNS)), weights)


def in_sample(weights: FloatArray, task: Task) -> Performance:
    """Return the window's record of weights (n,) restored every session; cash earns the risk-free rate."""
    rate = task.risk_free_rate / TRADING_DAYS
    returns = task.returns @ weights + (1 - weights.sum()) * rate
    sessions = np.arange(len(returns)).astype("datetime64[D]")  # numbered: none of the figures counts days
    return Performance(sessions, returns, risk_free_returns=np.full(len(returns), rate))


def _weights(objective: Objective, task: Task) -> tuple[FloatArray, str]:
    try:
        choice = choose(objective, task)
    except PlumblineError as error:
        return np.full(len(task.expected_returns), np.nan), f"Not possible: {error}"
    return choice.weights, f"{choice.moved:.1%} moved to obey the limits" if choice.moved else ""


def _figures(weights: FloatArray, task: Task, holdings: FloatArray) -> tuple[float, ...]:
    if np.isnan(weights).any():
        return (np.nan,) * (len(COLUMNS) - 3)
    promised = evaluate(weights, task.expected_returns, task.covariance, risk_free_rate=task.risk_free_rate)
    record = in_sample(weights, task)
    return (
        float(promised.expected_return[0]), float(promised.volatility[0]), float(promised.sharpe_ratio[0]),
        METRICS["expected_shortfall"].func(record), METRICS["max_drawdown"].func(record),
        effective_positions(weights), float(1 - weights.sum()), float(np.abs(weights - holdings).sum() / 2),
    )  # fmt: skip
