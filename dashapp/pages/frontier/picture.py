"""The points of the chart: from the store where the question is the nightly one, else from the answer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.conventions import FloatArray
from analytics.portfolio import Frontier, Portfolios, evaluate, random_portfolios
from dashapp.data import market
from dashapp.pages.frontier.live import Answer, answer
from dashapp.pages.frontier.request import NOTHING_HELD, FrontierRequest
from pipeline.queries import factors as factor_queries
from pipeline.queries import frontier as frontier_queries


@dataclass(frozen=True, eq=False)
class Picture:
    """points: kind, ticker, expected_return, volatility, sharpe_ratio, a row each; kinds are those of the store, and
    `free` (the frontier without limits) and `held` (what is held today).

    rate: annual risk-free rate, NaN where unknown; carried: the date since when it is carried forward, or "".
    """

    points: pd.DataFrame
    rate: float
    carried: str
    start: str
    end: str
    n_sessions: int


def picture(request: FrontierRequest) -> Picture:
    """Return what the chart shows; raises MissingDataError, InputError."""
    found = _stored(request) if request.is_plain and request.held == NOTHING_HELD else None
    return _live(answer(request)) if found is None else found


def _stored(request: FrontierRequest) -> Picture | None:
    with market() as reader:
        run = frontier_queries.latest_frontier(reader, request.universe, request.estimator)
        if run is None:
            return None
        key = {name: run[name] for name in ("universe", "as_of", "estimator")}
        points = frontier_queries.frontier_points(reader, **key)
        carried = _carried(factor_queries.last_factor_date(reader), run["end_date"])
    rate = np.nan if run["risk_free_rate"] is None else float(run["risk_free_rate"])
    return Picture(points, rate, carried, run["start_date"], run["end_date"], run["n_obs"])


def _live(found: Answer) -> Picture:
    mu, sigma, rate, inputs = found.expected_returns, found.covariance, found.rate, found.inputs

    def portfolios(weights: FloatArray) -> Portfolios:
        return evaluate(weights, mu, sigma, risk_free_rate=rate)

    marked = [found.frontier.min_variance, found.frontier.max_sharpe][: 2 if found.rate_known else 1]
    groups: list[tuple[tuple[str, ...], Portfolios]] = [
        (("frontier",), found.frontier), (("min_variance", "max_sharpe")[: len(marked)], portfolios(np.vstack(marked))),
        (("asset",), portfolios(np.eye(len(mu)))), (("random",), random_portfolios(mu, sigma, risk_free_rate=rate)),
    ]  # fmt: skip
    if not found.request.is_plain:
        groups.append((("free",), found.free))
    if found.holdings.any():
        groups.append((("held",), portfolios(found.holdings)))
    frames = [_rows(kinds, group, found) for kinds, group in groups]
    with market() as reader:
        carried = _carried(factor_queries.last_factor_date(reader), inputs.as_of)
    start = str(inputs.dates[0].date())
    return Picture(
        pd.concat(frames, ignore_index=True),
        inputs.data.risk_free_rate,
        carried,
        start,
        inputs.as_of,
        len(inputs.dates),
    )


def _rows(kinds: tuple[str, ...], group: Portfolios, found: Answer) -> pd.DataFrame:
    """Rows of one kind, or one row of each kind; the same numbers as the nightly step's, to the last bit."""
    return pd.DataFrame({
        "kind": kinds if len(kinds) == len(group.weights) else kinds[0],
        "ticker": list(found.tickers) if kinds == ("asset",) else None, "expected_return": group.expected_return,
        "volatility": group.volatility, "sharpe_ratio": group.sharpe_ratio if found.rate_known else np.nan,
    })  # fmt: skip


def _carried(factors_end: str | None, end: str) -> str:
    return factors_end if factors_end is not None and factors_end < end else ""


def gap(found: Answer) -> float:
    """Return how far a frontier with counts of positions may be above the best one, at the most; 0 where it is exact."""
    return 0.0 if isinstance(found.frontier, Frontier) else float(np.nanmax(found.frontier.gap))
