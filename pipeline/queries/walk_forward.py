"""Walk-forward records of the frontier: the stored ones, and the whole history that one is computed from."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.conventions import DateArray, FloatArray
from analytics.returns import daily_risk_free, simple_returns
from pipeline.queries import factors as factor_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import portfolio_inputs
from pipeline.queries import prices as price_queries
from pipeline.queries._connection import Reader

COLUMNS: Final = (
    "rank", "kind", "promised_return", "promised_volatility", "promised_sharpe_ratio", "realised_return", "realised_return_low",
    "realised_return_high", "realised_volatility", "realised_volatility_low", "realised_volatility_high", "sharpe_ratio",
    "start_date", "end_date", "n_choices", "n_sessions", "n_assets_min", "n_assets_max",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class History:
    """All sessions but the first of everyone who is or was in a universe: T sessions, n tickers.

    returns (T, n): simple daily total returns, NaN where unknown; after a gap the return since the last price.
    eligible (T, n): who was a member. risk_free (T,): daily, NaN where unknown. factor_returns (T, k), None where
    the source has none. sectors: by ticker.
    """

    tickers: tuple[str, ...]
    dates: DateArray
    returns: FloatArray = field(repr=False)
    eligible: npt.NDArray[np.bool_] = field(repr=False)
    risk_free: FloatArray = field(repr=False)
    factor_returns: FloatArray | None = field(repr=False)
    sectors: dict[str, str] = field(repr=False)

    @property
    def rate_known(self) -> bool:
        """Whether there is a risk-free rate for every session, and so a Sharpe ratio."""
        return bool(np.isfinite(self.risk_free).all())


def latest_walk_forward(reader: Reader, universe: str, estimator: str) -> pd.DataFrame:
    """Return the newest stored record of a universe, a row a portfolio in the order of rank; empty where there is none."""
    return reader.frame(
        f"SELECT {', '.join(COLUMNS)} FROM frontier_walk_forward WHERE universe = ? AND estimator = ? AND as_of = "
        "(SELECT max(as_of) FROM frontier_walk_forward WHERE universe = ? AND estimator = ?) ORDER BY rank",
        (universe, estimator, universe, estimator),
    )


def walk_forward_universes(reader: Reader) -> list[str]:
    """Return the universes that have a stored record, sorted."""
    return [row[0] for row in reader.rows("SELECT DISTINCT universe FROM frontier_walk_forward ORDER BY universe")]


def universe_history(reader: Reader, universe: str) -> History:
    """Return the whole stored history of a universe, of those who left it too where the store knows them.

    Raises UnknownKeyError.
    """
    today = portfolio_inputs.universe_tickers(reader, universe)
    spells = _spells(reader, universe)
    everyone = sorted({ticker for ticker, _, _ in spells} | set(today))
    closes = _shared_sessions(price_queries.adjusted_closes(reader, everyone).dropna(axis="columns", how="all"), today)
    # A return after a gap counts from the last price; the sessions of the gap itself stay unknown.
    returns = np.where(closes.notna(), simple_returns(closes.ffill()), np.nan)[1:]
    sessions, tickers = closes.index[1:], tuple(closes.columns)  # the first session has a price and no return
    dates = sessions.to_numpy().astype("datetime64[D]")
    daily, monthly = (factor_queries.factor_returns(reader, frequency) for frequency in ("D", "M"))
    factors = daily[list(portfolio_inputs.FACTORS)].reindex(sessions).to_numpy(dtype=float) if len(daily) else None
    sectors = instrument_queries.instruments(reader).set_index("ticker")["sector"]
    return History(
        tickers, dates, returns, _eligible(tickers, dates, spells), daily_risk_free(dates, daily=daily["rf"], monthly=monthly["rf"]).values,
        factors if factors is not None and np.isfinite(factors).any() else None,
        {ticker: sector for ticker, sector in sectors.reindex(tickers).items() if isinstance(sector, str)},
    )  # fmt: skip


def _spells(reader: Reader, universe: str) -> list[tuple[str, str, str | None]]:
    """(ticker, first day, day after the last) of every membership; none of a universe that is all of a kind."""
    if universe in portfolio_inputs.KINDS:
        return []
    return reader.rows(
        "SELECT ticker, start_date, end_date FROM universe_members WHERE universe = ? ORDER BY ticker, start_date",
        (universe,),
    )


def _eligible(
    tickers: tuple[str, ...], dates: DateArray, spells: list[tuple[str, str, str | None]]
) -> npt.NDArray[np.bool_]:
    found = np.full((len(dates), len(tickers)), not spells)
    place = {ticker: column for column, ticker in enumerate(tickers)}
    for ticker, first, after in spells:
        if ticker in place:
            inside = slice(*np.searchsorted(dates, np.array([first, after or "9999-12-31"], dtype="datetime64[D]")))
            found[inside, place[ticker]] = True
    return found


def _shared_sessions(closes: pd.DataFrame, today: list[str]) -> pd.DataFrame:
    """The sessions that most of the tickers listed then have: a day that few traded on must not be a gap of all others."""
    known = closes.notna().to_numpy()
    begun = np.logical_or.accumulate(known, axis=0)
    not_over = np.logical_or.accumulate(known[::-1], axis=0)[::-1] | closes.columns.isin(today)
    listed = (begun & not_over).sum(axis=1)
    return closes[known.sum(axis=1) > portfolio_inputs.SHARED_BY * listed]
