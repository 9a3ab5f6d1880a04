"""Blends of strategies: the frontier over the returns of runs, and what allocating between them would have given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import FRONTIER_POINTS, TRADING_DAYS, DateArray, FloatArray
from analytics.errors import InputError, MissingDataError
from analytics.metrics import METRICS, Performance
from analytics.portfolio.estimators import DEFAULT_ESTIMATOR
from analytics.portfolio.frontier import Frontier, efficient_frontier
from analytics.portfolio.intervals import MIN_SESSIONS
from analytics.portfolio.market_data import MarketData
from analytics.portfolio.portfolios import Portfolios, evaluate
from analytics.portfolio.walk_forward import STEP, WINDOW, WalkForward, walk_forward

WAYS: Final = ("min_variance", "max_return", "max_sharpe", "equal_weight")  # how capital is allocated, in this order
MEASURED: Final = ("annual_return", "annual_volatility", "sharpe_ratio", "max_drawdown")  # keys of the metric registry
MOST_RUNS: Final = 50  # more are no choice that anybody makes


@dataclass(frozen=True, eq=False)
class OutOfSample:
    """What the ways of allocating earned after each choice, beside every run alone over the same sessions.

    names (k,): WAYS, then the runs. dates (n_sessions,); returns (n_sessions, k), simple. metrics {key of MEASURED:
    (k,)}. promised_sharpe_ratio (k,): per year, in sample, mean over the sessions held; NaN for a run. chosen_on
    (n_choices,): the last session that each choice knows; weights (n_choices, len(WAYS), n_runs), as bought.
    """

    names: tuple[str, ...]
    dates: DateArray
    returns: FloatArray
    metrics: Mapping[str, FloatArray]
    promised_sharpe_ratio: FloatArray
    chosen_on: DateArray
    weights: FloatArray


@dataclass(frozen=True, eq=False)
class Blend:
    """The frontier over n_runs runs, and its record.

    dates (n_sessions,): those on which every run and the risk-free rate are known. frontier: long-only, of all of them,
    known only afterwards. runs, equal_weight: what each run alone and equal weights promise by the same estimates.
    out_of_sample: None where `why_not` says why there is none.
    """

    names: tuple[str, ...]
    dates: DateArray
    frontier: Frontier
    runs: Portfolios
    equal_weight: Portfolios
    out_of_sample: OutOfSample | None
    why_not: str = ""


def blend(
    returns: npt.ArrayLike,
    dates: npt.ArrayLike,
    names: Sequence[str],
    *,
    risk_free_returns: npt.ArrayLike,
    window: int = WINDOW,
    step: int = STEP,
    points: int = FRONTIER_POINTS,
) -> Blend:
    """Return the blends of two or more runs.

    returns: simple daily returns (n_sessions, n_runs), NaN where a run has none; dates (n_sessions,), rising;
    risk_free_returns (n_sessions,), daily. Only sessions on which all are known count. Expected returns are the mean,
    the covariance is Ledoit and Wolf's, both × 252. Each choice of the record knows `window` sessions and is held for
    the `step` after the next one; moving capital between runs costs nothing, the runs' own costs are in their returns.
    Raises InputError on fewer than two runs or more than MOST_RUNS, one name twice, arrays that do not go together and a
    run that lost everything; MissingDataError where the runs share fewer than MIN_SESSIONS sessions.
    """
    values, days, rates = _shared(returns, dates, names, risk_free_returns)
    labels = tuple(names)
    mu, sigma = _estimate(values)
    rate = TRADING_DAYS * float(rates.mean())
    equal = np.full(len(labels), 1.0 / len(labels))
    try:
        record = walk_forward(
            values, days, estimate=_estimate, risk_free_returns=rates, window=window, step=step, ranks=2
        )
        held, why_not = _out_of_sample(record, values, days, rates, labels), ""
    except MissingDataError as error:
        held, why_not = None, str(error)
    return Blend(
        labels, days, efficient_frontier(mu, sigma, risk_free_rate=rate, points=points),
        evaluate(np.eye(len(labels)), mu, sigma, risk_free_rate=rate), evaluate(equal, mu, sigma, risk_free_rate=rate),
        held, why_not,
    )  # fmt: skip


def _estimate(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    columns = tuple(str(number) for number in range(returns.shape[1]))
    return DEFAULT_ESTIMATOR.estimate(MarketData(columns, returns, np.nan))


def _shared(
    returns: npt.ArrayLike, dates: npt.ArrayLike, names: Sequence[str], risk_free_returns: npt.ArrayLike
) -> tuple[FloatArray, DateArray, FloatArray]:
    """The sessions on which all is known; raises InputError and MissingDataError."""
    values, rates = np.asarray(returns, dtype=float), np.asarray(risk_free_returns, dtype=float)
    days = np.asarray(dates).astype("datetime64[D]")
    if not 2 <= len(names) <= MOST_RUNS or len(set(names)) < len(names):
        raise InputError("names", got=list(names)[:MOST_RUNS], allowed=f"2 to {MOST_RUNS} different runs")
    if values.shape != (len(days), len(names)) or rates.shape != days.shape:
        allowed = f"a column for each of {len(names)} runs, a row and a rate for each of {len(days)} sessions"
        raise InputError("returns", got=f"shapes {values.shape} and {rates.shape}", allowed=allowed)
    known = np.isfinite(values).all(axis=1) & np.isfinite(rates)
    if known.sum() < MIN_SESSIONS:
        raise MissingDataError(
            f"The runs share {known.sum()} sessions with a known risk-free rate; a blend needs {MIN_SESSIONS}."
        )
    for name, run in zip(names, values[known].T, strict=True):
        if (run <= -1.0).any():
            raise InputError("runs", got=name, allowed="runs that never lost everything", fix="Leave it out.")
    return values[known], days[known], rates[known]


def _out_of_sample(
    record: WalkForward, values: FloatArray, days: DateArray, rates: FloatArray, names: tuple[str, ...]
) -> OutOfSample:
    rows = np.searchsorted(days, record.dates)
    returns = np.hstack([record.returns, values[rows]])
    performances = [
        Performance(record.dates, np.ascontiguousarray(column), risk_free_returns=rates[rows]) for column in returns.T
    ]
    return OutOfSample(
        names=(*WAYS, *names), dates=record.dates, returns=returns,
        metrics={key: np.array([METRICS[key].func(one) for one in performances]) for key in MEASURED},
        promised_sharpe_ratio=np.append(record.promised_sharpe_ratio, np.full(len(names), np.nan)),
        chosen_on=record.chosen_on, weights=record.weights,
    )  # fmt: skip
