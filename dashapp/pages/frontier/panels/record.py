"""What portfolios along the frontier promised, quarter after quarter, and what they earned."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import pandas as pd
from dash import html

from analytics.conventions import FRONTIER_POINTS, PUBLICATION_LAG_DAYS, DateArray, FloatArray
from analytics.portfolio import (
    COVARIANCES,
    DEFAULT_ESTIMATOR,
    EXPECTED_RETURNS,
    Constraints,
    FeasibleSet,
    MarketData,
    Universe,
    estimator,
    feasible_weights,
)
from analytics.portfolio.walk_forward import RANKS, STEP, WINDOW, summary, walk_forward
from dashapp.components import card, column, graph, grid, number_column, percent_column
from dashapp.data import market, published, settings
from dashapp.figures.frontier_uncertainty import record_figure
from dashapp.format import number, percent, unbroken
from dashapp.pages.frontier.panels._panel import Chosen, Panel
from dashapp.pages.frontier.request import FrontierRequest, parse
from pipeline.queries import connect
from pipeline.queries.portfolio_inputs import KINDS
from pipeline.queries.walk_forward import History, latest_walk_forward, universe_history

KNOWN_THEN: Final = ("mean", "james_stein")  # expected returns that draw on past returns alone
IN_THEIR_PLACE: Final = ("mean", "ledoit_wolf")
NAMES: Final = {"max_sharpe": "Max Sharpe", "equal_weight": "Equal weights"}
LEFT_OUT: Final = {
    "max_positions": "the number of positions", "min_position": "the smallest position", "max_turnover": "turnover",
    "min_dividend_yield": "dividend yield",
}  # fmt: skip
HISTORIES_KEPT, RECORDS_KEPT = 4, 32
_ONE_AT_A_TIME = Lock()  # the same question asked twice at once is computed once


@dataclass(frozen=True, eq=False)
class Record:
    """table: a row a portfolio, as it is stored. notes: what of the question could not be asked of the past."""

    table: pd.DataFrame
    estimated: str
    notes: tuple[str, ...] = ()


def record(request: FrontierRequest) -> Record:
    """Return the record of a request: the stored one where it is the nightly question; raises MissingDataError."""
    with market() as reader:
        run, _ = published(reader)
        if request.is_plain and request.estimator == DEFAULT_ESTIMATOR.key:
            stored = latest_walk_forward(reader, request.universe, request.estimator)
            if len(stored):
                return Record(stored, DEFAULT_ESTIMATOR.label)
    with _ONE_AT_A_TIME:
        return _live(Path(settings().db), run["run_id"], settings().query_seconds, request.text)


@lru_cache(maxsize=HISTORIES_KEPT)
def _history(db: Path, run_id: str, seconds: float, universe: str) -> History:
    """run_id is part of the key alone: a new run is new prices."""
    with connect(db, seconds=seconds) as reader:
        return universe_history(reader, universe)


@lru_cache(maxsize=RECORDS_KEPT)
def _live(db: Path, run_id: str, seconds: float, text: str) -> Record:
    request = parse(json.loads(text))
    history = _history(db, run_id, seconds, request.universe)
    returns = request.returns if request.returns in KNOWN_THEN else IN_THEIR_PLACE[0]
    has_factors = request.covariance != "factor_model" or history.factor_returns is not None
    covariance = request.covariance if has_factors else IN_THEIR_PLACE[1]
    factors = history.factor_returns if covariance == "factor_model" else None
    pair = estimator(f"{returns}__{covariance}")

    def estimate(known: FloatArray) -> tuple[FloatArray, FloatArray]:
        n = known.shape[1] - (0 if factors is None else factors.shape[1])
        names = tuple(map(str, range(n)))
        return pair.estimate(
            MarketData(names, known[:, :n], np.nan, factor_returns=known[:, n:] if n < known.shape[1] else None)
        )

    found = walk_forward(
        history.returns, history.dates, estimate=estimate, risk_free_returns=np.nan_to_num(history.risk_free),
        make_feasible=_limits(request.constraints, history), eligible=history.eligible, beside=factors,
        beside_known_on=_published_on(history.dates),
    )  # fmt: skip
    notes = _replaced(request, returns, covariance)
    if found.left_out:
        choices = found.left_out + len(found.sessions)
        notes += (
            f"{found.left_out} of the {choices} choices had no estimate or no portfolio within the limits: nothing was held then.",
        )
    return Record(summary(found, rate_known=history.rate_known), pair.label, notes)


def _published_on(dates: DateArray) -> DateArray:
    """The day from which the factor returns of a date count as known: so long after the last of its month."""
    next_month = (dates.astype("datetime64[M]") + 1).astype("datetime64[D]")
    return np.asarray(next_month - 1 + PUBLICATION_LAG_DAYS)


def _limits(asked: Constraints, history: History) -> Callable[[Any], FeasibleSet]:
    """The limits that can be asked of the past, about the tickers that there were."""
    kept = replace(asked, max_positions=None, min_position=0.0, max_turnover=None, min_dividend_yield=None)

    def of(members: Any) -> FeasibleSet:
        names = tuple(history.tickers[number] for number in members)
        sectors = {name: history.sectors[name] for name in names if name in history.sectors}
        here = replace(
            kept, ticker_bounds={name: bounds for name, bounds in kept.ticker_bounds.items() if name in names},
            sector_bounds={name: bounds for name, bounds in kept.sector_bounds.items() if name in sectors.values()},
            exclude=tuple(name for name in kept.exclude if name in names),
        )  # fmt: skip
        return feasible_weights(here, Universe(names, sectors))

    return of


def _replaced(request: FrontierRequest, returns: str, covariance: str) -> tuple[str, ...]:
    """What of the question could not be asked of the past."""
    notes, nothing = [], Constraints()
    for asked, used, choices, why in (
        (request.returns, returns, EXPECTED_RETURNS, "rests on fits, market values or views of today, which were not known then"),
        (request.covariance, covariance, COVARIANCES, "needs daily factor returns, which are not stored"),
    ):  # fmt: skip
        if asked != used:
            notes.append(f"{choices[asked].label} {why}: the record takes {choices[used].label} instead.")
    left = [label for name, label in LEFT_OUT.items() if getattr(request.constraints, name) != getattr(nothing, name)]
    if left:
        notes.append(f"Limits on {' and '.join(left)} are left out of the record; the others apply.")
    return tuple(notes)


def _render(chosen: Chosen, _controls: Mapping[str, Any]) -> list[Any]:
    found = record(chosen.answer.request)
    return [
        html.P(unbroken(_sentence(found.table, chosen.point)), className="mb-3"),
        html.P(" ".join(found.notes), className="alert alert-info py-2") if found.notes else None,
        card("Promised and earned", graph(record_figure(found.table, theme=chosen.theme), tools=False),
             tip="A dotted line joins what a portfolio promised in sample, the mean over all choices, to what it earned after them. Bars are "
                 "95 % intervals; that of the volatility is wide because calm and stormy times last for months."),
        card("Portfolio by portfolio", grid("frontier-record", _table(found.table), _columns(), row_id="portfolio"),
             tip="Annual. Shortfall: promised return less the mean return earned. Sharpe ratios in excess of the risk-free rate."),
        html.P(_method(found, chosen.answer.request), className="small text-body-secondary mb-0"),
    ]  # fmt: skip


def _sentence(table: pd.DataFrame, point: int | None) -> str:
    """What the maximum Sharpe ratio, equal weights and the place of the chosen portfolio came to."""
    best, equal = (table[table["kind"] == kind].iloc[0] for kind in ("max_sharpe", "equal_weight"))
    text = (
        f"Over {best['n_choices']} quarters since {best['start_date'][:4]} the maximum-Sharpe portfolio {_came(best)}; "
        f"equal weights earned {percent(equal['realised_return'], digits=0)}."
    )
    if point is None:
        return text
    rank = round((point - 1) / (FRONTIER_POINTS - 1) * (RANKS - 1))
    row = table[table["rank"] == rank].iloc[0]
    return f"{text} Portfolios as far along the frontier as the chosen one (step {rank + 1} of {RANKS}) {_came(row)}."


def _came(row: pd.Series) -> str:
    low, high = (percent(row[f"realised_return_{end}"], digits=0) for end in ("low", "high"))
    promised, earned = (percent(row[f"{side}_return"], digits=0) for side in ("promised", "realised"))
    return f"promised {promised} a year and earned {earned} (95 %: {low} to {high})"


def _table(table: pd.DataFrame) -> pd.DataFrame:
    ranks = [f"Step {rank + 1}" for rank in range(RANKS)]
    ranks[0], ranks[-1] = "Min variance", "Max return"
    names = [NAMES.get(kind) or ranks[rank] for kind, rank in zip(table["kind"], table["rank"], strict=True)]
    spans = {
        name: [f"{number(100 * low, digits=0)} to {percent(high, digits=0)}" for low, high in
               zip(table[f"realised_{name}_low"], table[f"realised_{name}_high"], strict=True)]
        for name in ("return", "volatility")
    }  # fmt: skip
    return table.assign(
        portfolio=names, shortfall=table["promised_return"] - table["realised_return"], return_span=spans["return"],
        volatility_span=spans["volatility"],
    )[[item["field"] for item in _columns()]]  # fmt: skip


def _columns() -> list[dict[str, Any]]:
    return [
        column("portfolio", "Portfolio", width=120, pinned="left", tip=f"{RANKS} steps from minimum variance to maximum return, then two others."),
        percent_column("promised_return", "Promised return", width=98), percent_column("realised_return", "Earned", width=80),
        column("return_span", "95 % interval", width=104),
        percent_column("shortfall", "Shortfall", width=90, tip="Promised less earned; negative where more was earned than promised."),
        percent_column("promised_volatility", "Promised volatility", width=98), percent_column("realised_volatility", "Volatility", width=96),
        column("volatility_span", "95 % interval", width=104),
        number_column("promised_sharpe_ratio", "Promised Sharpe", width=98), number_column("sharpe_ratio", "Sharpe", width=84),
    ]  # fmt: skip


def _method(found: Record, request: FrontierRequest) -> str:
    """How the record is made, and what flatters it."""
    first = found.table.iloc[0]
    if request.universe in KINDS:
        missing = "The universe is a list of today's members: those that failed or were bought up are missing, which flatters every line."
    else:
        missing = "Tickers count while they were members; members of the past without stored prices are missing, which flatters every line."
    rate = (
        ""
        if first["promised_sharpe_ratio"] == first["promised_sharpe_ratio"]
        else " No risk-free rate is stored for all of it, so there are no Sharpe ratios."
    )
    return (
        f"Out of sample, {first['start_date']} to {first['end_date']}: every {STEP} sessions portfolios are chosen from the last {WINDOW} alone "
        f"({found.estimated}), bought at the close of the session after and held until the next are bought, without trading costs. "
        f"{first['n_assets_min']} to {first['n_assets_max']} tickers could be chosen. {missing}{rate}"
    )  # fmt: skip


PANEL = Panel(
    key="record", label="Out of sample", order=60,
    tip="What portfolios along the frontier promised when they were chosen, and what they earned afterwards. The equal-weight "
        "portfolio of the same tickers is the yardstick.",
    render=_render, slow=True,
)  # fmt: skip
