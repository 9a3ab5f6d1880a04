"""What an objective is given, what it declares, and how its answer is brought within the limits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.conventions import FloatArray
from analytics.errors import InputError, NoPortfolioError
from analytics.portfolio._checks import complete_returns, expected_returns_and_covariance, finite
from analytics.portfolio._elastic import elastic_program
from analytics.portfolio.limits import HELD, FeasibleSet
from analytics.portfolio.quadratic import minimise_quadratic

OBEYED: Final = 1e-9  # a limit that is broken by no more is obeyed
MOVED: Final = 1e-6  # share of the portfolio; a smaller move is a solver's tolerance
LEAST_WEIGHT: Final = 1e-4  # weights below count as this much where distances are relative to them


@dataclass(frozen=True, eq=False)
class Task:
    """The assets, what is known of them and what may be held; n assets over T sessions.

    returns: simple daily returns (T, n), complete. expected_returns (n,), covariance (n, n) and risk_free_rate:
    annual fractions. benchmark_returns: daily (T,), or None. risk_budgets: (n,) shares of the risk, above 0,
    for risk parity; None is equal ones. Raises InputError on missing values or shapes that do not fit.
    """

    returns: FloatArray
    expected_returns: FloatArray
    covariance: FloatArray
    risk_free_rate: float
    feasible: FeasibleSet
    benchmark_returns: FloatArray | None = None
    risk_budgets: FloatArray | None = None

    def __post_init__(self) -> None:
        n_sessions, n = complete_returns(self.returns).shape
        mu, _ = expected_returns_and_covariance(self.expected_returns, self.covariance)
        finite("risk_free_rate", self.risk_free_rate)
        if len(mu) != n or self.feasible.n_assets != n:
            got = f"{n} columns of returns, {len(mu)} expected returns, limits on {self.feasible.n_assets}"
            raise InputError("assets", got=got, allowed="the same assets in each")
        _expect("benchmark_returns", self.benchmark_returns, n_sessions)
        _expect("risk_budgets", self.risk_budgets, n)
        if self.risk_budgets is not None and not (np.asarray(self.risk_budgets) > 0).all():
            raise InputError("risk_budgets", got="a budget of 0 or less", allowed="budgets above 0")

    @property
    def volatility(self) -> FloatArray:
        """Annual volatility of each asset, (n,); raises InputError where one has none."""
        variance = np.diagonal(self.covariance)
        if not (variance > 0).all():
            still = np.flatnonzero(variance <= 0).tolist()
            raise InputError(
                "covariance", got=f"no variance of assets {still}", allowed="assets that move", fix="Leave them out."
            )
        return np.sqrt(variance)

    @property
    def correlation(self) -> FloatArray:
        """Correlations of the assets, (n, n); raises InputError where one has no volatility."""
        return self.covariance / np.outer(self.volatility, self.volatility)


@dataclass(frozen=True)
class Objective:
    """One way to choose weights: solve(task) -> (n,).

    respects_limits: whether the solution is the best of those within the limits (counts of positions apart); False
    where the method knows no limits and its weights are moved to the nearest ones that obey them.
    """

    key: str
    label: str
    description: str
    reference: str
    respects_limits: bool
    solve: Callable[[Task], FloatArray]


@dataclass(frozen=True, eq=False)
class Choice:
    """Weights (n,) that obey the limits; moved: ½ Σ|w − what the method itself gives|, 0 where it is that."""

    weights: FloatArray
    moved: float


def choose(objective: Objective, task: Task) -> Choice:
    """Return the weights of an objective, within the limits to 1e-9.

    Weights outside are moved to the feasible ones of least Σ (w − w₀)² / w₀: where limits are on sums, all weights
    in a sum are scaled alike. Where positions are too many or too small, the largest are kept and the objective is
    solved again for those alone; nothing proves that they are the best ones. Raises NoPortfolioError where no
    weights obey the limits, InputError or MissingDataError where the objective cannot be solved.
    """
    wanted = objective.solve(task)
    weights = wanted if _violation(wanted, task.feasible) <= OBEYED else _nearest(wanted, task.feasible)
    if not _counts_obeyed(weights, task.feasible):
        weights = _with_fewer(objective, task, weights)
    moved = float(np.abs(weights - wanted).sum() / 2)
    return Choice(weights, moved if moved > MOVED else 0.0)


def _nearest(wanted: FloatArray, feasible: FeasibleSet) -> FloatArray:
    pull = 1 / np.maximum(wanted, LEAST_WEIGHT)
    return minimise_quadratic(np.diag(pull), pull * wanted, feasible)


def _with_fewer(objective: Objective, task: Task, free: FloatArray) -> FloatArray:
    """Solve for the largest positions, or where those allow no portfolio, for the largest that do allow one."""
    feasible = task.feasible
    largest = np.argsort(-free, kind="stable")[: feasible.max_positions]
    kept = np.sort(largest[free[largest] >= max(feasible.min_position / 2, HELD)])
    try:
        return _solved_for(kept, objective, task)
    except NoPortfolioError:
        possible = elastic_program(feasible).held(free - LEAST_WEIGHT)
        if possible is None:
            raise
        return _solved_for(possible, objective, task)


def _solved_for(kept: npt.NDArray[np.int64], objective: Objective, task: Task) -> FloatArray:
    """The objective's weights where only these assets may be held, each at the least position or more."""
    limits, n = task.feasible, len(task.expected_returns)
    sold = np.setdiff1d(np.arange(n), kept)
    turnover = limits.turnover - np.abs(limits.holdings[sold]).sum() / 2
    if not len(kept) or (limits.lower[sold] > 0).any() or turnover < 0:
        raise NoPortfolioError
    part = replace(
        limits, lower=np.maximum(limits.lower[kept], limits.min_position), upper=limits.upper[kept],
        rows=limits.rows[:, kept], holdings=limits.holdings[kept], turnover=turnover,
        max_positions=len(kept), min_position=0.0,
    )  # fmt: skip
    budgets = None if task.risk_budgets is None else np.asarray(task.risk_budgets)[kept]
    fewer = replace(
        task, returns=task.returns[:, kept], expected_returns=task.expected_returns[kept],
        covariance=task.covariance[np.ix_(kept, kept)], feasible=part, risk_budgets=budgets,
    )  # fmt: skip
    weights = np.zeros(n)
    weights[kept] = choose(objective, fewer).weights
    return weights


def _counts_obeyed(weights: FloatArray, feasible: FeasibleSet) -> bool:
    positions = weights[weights > HELD]
    return len(positions) <= feasible.max_positions and bool((positions >= feasible.min_position - OBEYED).all())


def _violation(weights: FloatArray, feasible: FeasibleSet) -> float:
    """By how much the most broken limit is broken, 0 or less where none is."""
    sums = feasible.rows @ weights
    return float(max(
        (feasible.lower - weights).max(), (weights - feasible.upper).max(),
        (feasible.row_lower - sums).max(initial=-np.inf), (sums - feasible.row_upper).max(initial=-np.inf),
        np.abs(weights - feasible.holdings).sum() / 2 - feasible.turnover,
    ))  # fmt: skip


def _expect(field: str, values: FloatArray | None, length: int) -> None:
    if values is not None and (np.shape(values) != (length,) or not np.isfinite(values).all()):
        raise InputError(field, got=f"shape {np.shape(values)}", allowed=f"{length} finite numbers")
