"""The answers of the Frontier tab: inputs read once per published run, frontiers computed once per question."""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from analytics.conventions import FloatArray
from analytics.errors import MissingDataError, NoPortfolioError, UnknownKeyError
from analytics.portfolio import (
    Constraints,
    FeasibleSet,
    Frontier,
    Universe,
    efficient_frontier,
    estimator,
    feasible_weights,
)
from analytics.portfolio.infeasibility import Conflict, explain
from analytics.portfolio.limits import loosened
from analytics.portfolio.objectives import Task
from analytics.portfolio.positions import PositionsFrontier, frontier_of_positions
from analytics.portfolio.views import parse_views
from dashapp.data import market, published, settings, workspace
from dashapp.pages.frontier.request import EQUALLY_HELD, NOTHING_HELD, FrontierRequest, parse
from pipeline.queries import connect
from pipeline.queries import portfolios as portfolio_queries
from pipeline.queries.portfolio_inputs import PortfolioInputs, portfolio_inputs
from pipeline.workspace import reading

UNIVERSES_KEPT, ANSWERS_KEPT = 8, 64
SHOWN_WEIGHT = 0.0005  # smaller weights are rounding, not holdings
TOO_SHORT = (
    "The universe {universe} holds no frontier: it needs at least two tickers with more than a year of prices. "
    "The Data tab shows what the last update did."
)


@dataclass(frozen=True, eq=False)
class Answer:
    """A request's frontier: free is the one without limits, frontier the one within them.

    Where the limits contradict each other, conflict says which, and feasible and frontier are those of the nearest
    set. loosened: the limits miss each other by less than 0.0001 %, and each was moved by that much. notes: limits that
    could not be kept, and why. holdings (n,) are today's weights. rate: annual, 0 where the store knows none (rate_known).
    """

    request: FrontierRequest
    inputs: PortfolioInputs
    expected_returns: FloatArray
    covariance: FloatArray
    rate: float
    feasible: FeasibleSet
    free: Frontier
    frontier: Frontier | PositionsFrontier
    conflict: Conflict | None
    loosened: bool
    notes: tuple[str, ...]
    holdings: FloatArray

    @property
    def tickers(self) -> tuple[str, ...]:
        """The assets, in the order of all arrays."""
        return self.inputs.data.tickers

    @property
    def rate_known(self) -> bool:
        """Whether there is a risk-free rate, and so a Sharpe ratio."""
        return bool(np.isfinite(self.inputs.data.risk_free_rate))

    @property
    def task(self) -> Task:
        """The same question for every objective."""
        known = np.isfinite(self.inputs.benchmark_returns).all()
        return Task(
            self.inputs.data.returns, self.expected_returns, self.covariance, self.rate, self.feasible,
            benchmark_returns=self.inputs.benchmark_returns if known else None,
        )  # fmt: skip


def answer(request: FrontierRequest) -> Answer:
    """Return the answer of a request on the published run; raises MissingDataError, InputError."""
    with market() as reader:
        run, _ = published(reader)
    held: tuple[tuple[str, float], ...] = ()
    if request.held not in (NOTHING_HELD, EQUALLY_HELD):
        with reading(workspace()) as reader:
            held = tuple(sorted(portfolio_queries.portfolio_weights(reader, request.held).items()))
    return _answer(Path(settings().db), run["run_id"], settings().query_seconds, request.text, held)


def warm_up() -> None:
    """Load what the first frontier needs, so that the first visitor of the tab does not wait for it."""
    efficient_frontier(np.array([0.05, 0.1]), np.diag([0.04, 0.09]), risk_free_rate=0.0)


@lru_cache(maxsize=UNIVERSES_KEPT)
def _inputs(db: Path, run_id: str, seconds: float, universe: str) -> PortfolioInputs:
    """run_id is part of the key alone: a new run is new prices."""
    with connect(db, seconds=seconds) as reader:
        found = portfolio_inputs(reader, universe)
    if found is None:
        raise MissingDataError(TOO_SHORT.format(universe=universe))
    return found


@lru_cache(maxsize=ANSWERS_KEPT)
def _estimates(
    db: Path, run_id: str, seconds: float, universe: str, key: str, views: str
) -> tuple[FloatArray, FloatArray]:
    data = _inputs(db, run_id, seconds, universe).data
    stated = parse_views(views)
    for name in (name for view in stated for name in view.assets):
        if name not in data.tickers:
            raise UnknownKeyError("ticker of a view", name, data.tickers)
    return estimator(key).estimate(replace(data, views=stated))


@lru_cache(maxsize=ANSWERS_KEPT)
def _answer(db: Path, run_id: str, seconds: float, text: str, held: tuple[tuple[str, float], ...]) -> Answer:
    request = parse(json.loads(text))
    inputs = _inputs(db, run_id, seconds, request.universe)
    tickers = inputs.data.tickers
    mu, sigma = _estimates(db, run_id, seconds, request.universe, request.estimator, request.views)
    rate = inputs.data.risk_free_rate if np.isfinite(inputs.data.risk_free_rate) else 0.0
    today = dict(held) if held else dict.fromkeys(tickers, 1 / len(tickers)) if request.held == EQUALLY_HELD else {}
    universe = Universe(tickers, inputs.sectors, inputs.dividend_yields, today)
    asked, notes = _about(request, inputs)
    feasible = feasible_weights(asked, universe)
    conflict = explain(feasible)
    feasible = conflict.nearest if conflict else feasible
    free = efficient_frontier(mu, sigma, risk_free_rate=rate, feasible=_unlimited(request.constraints, universe))
    frontier, feasible, hair = (free, feasible, False) if request.is_plain else _within(mu, sigma, rate, feasible)
    return Answer(
        request, inputs, mu, sigma, rate, feasible, free, frontier, conflict, hair, notes,
        np.array([today.get(ticker, 0.0) for ticker in tickers]),
    )  # fmt: skip


def _within(
    mu: FloatArray, sigma: FloatArray, rate: float, feasible: FeasibleSet
) -> tuple[Frontier | PositionsFrontier, FeasibleSet, bool]:
    """The frontier within the limits; where only rounding keeps them apart, within limits a hair wider."""
    solve = frontier_of_positions if feasible.is_split else efficient_frontier
    try:
        return solve(mu, sigma, risk_free_rate=rate, feasible=feasible), feasible, False
    except NoPortfolioError:
        wider = loosened(feasible)
        return solve(mu, sigma, risk_free_rate=rate, feasible=wider), wider, True


def _unlimited(asked: Constraints, universe: Universe) -> FeasibleSet:
    """What may be held without limits: cash as far as it is allowed, for that is a freedom and no limit."""
    most = asked.min_cash if asked.max_cash is None else max(asked.max_cash, asked.min_cash)
    return feasible_weights(Constraints(max_cash=most), universe)


def _about(request: FrontierRequest, inputs: PortfolioInputs) -> tuple[Constraints, tuple[str, ...]]:
    """The constraints that this universe can have, and what is said of the others."""
    asked, here, sectors, notes = request.constraints, set(inputs.data.tickers), set(inputs.sectors.values()), []
    if asked.min_dividend_yield is not None and not inputs.dividend_yields:
        asked = replace(asked, min_dividend_yield=None)
        notes.append("No least dividend yield: the source of this store tells of no dividends.")
    if asked.max_turnover is not None and request.held == NOTHING_HELD:
        asked = replace(asked, max_turnover=None)
        notes.append('No turnover limit: it needs to know what is held. Choose it under "Held today".')
    elsewhere = sorted({*asked.ticker_bounds, *asked.exclude} - here) + sorted(set(asked.sector_bounds) - sectors)
    if elsewhere:
        notes.append(f"Not in this universe, so without effect: {', '.join(elsewhere)}.")
    return replace(
        asked, ticker_bounds={name: bounds for name, bounds in asked.ticker_bounds.items() if name in here},
        sector_bounds={name: bounds for name, bounds in asked.sector_bounds.items() if name in sectors},
        exclude=tuple(name for name in asked.exclude if name in here),
    ), tuple(notes)  # fmt: skip
