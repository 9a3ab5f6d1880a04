"""Everything that a portfolio of a universe is computed from, read at once: what the nightly step and the app share."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.conventions import BENCHMARKS, FRONTIER_MODELS, FRONTIER_SESSIONS, TRADING_DAYS, FloatArray
from analytics.errors import UnknownKeyError
from analytics.portfolio.market_data import MarketData
from analytics.returns import daily_risk_free, simple_returns
from pipeline.queries import factors as factor_queries
from pipeline.queries import fundamentals as fundamental_queries
from pipeline.queries import instruments as instrument_queries
from pipeline.queries import prices as price_queries
from pipeline.queries._connection import Reader

KINDS: Final = {"stocks": "stock", "etfs": "etf"}  # universes that are all active instruments of a kind
LABELS: Final = {"stocks": "All stocks", "etfs": "All funds"}
DAYS_FOR_WINDOW: Final = 6 * 366  # a market that opens five days a week has the window's 1,261 sessions in five years
NO_DIVIDEND: Final = 1e-6  # yields below this are rounding in the source's prices
SHARED_BY: Final = 0.5  # of the tickers have a session with which the window may end
FACTORS: Final = ("mkt_rf", "smb", "hml")


@dataclass(frozen=True, eq=False)
class PortfolioInputs:
    """A universe over its trailing window: the estimators' data, and what limits, orders and comparisons need.

    closes: adjusted, one session more than returns. dates: of the returns. left_out: members without a price on
    every session of the window. prices: split-adjusted closes of the last session, USD. sectors, names,
    dividend_yields (of the last 252 sessions; empty where the source tells of none) by ticker. benchmark_returns (T,): NaN where unknown.
    """

    universe: str
    data: MarketData
    closes: pd.DataFrame
    dates: pd.DatetimeIndex
    left_out: tuple[str, ...]
    sectors: dict[str, str]
    names: dict[str, str]
    prices: dict[str, float]
    dividend_yields: dict[str, float]
    benchmark: str
    benchmark_returns: FloatArray

    @property
    def as_of(self) -> str:
        """The last session, ISO."""
        return str(self.dates[-1].date())


def universes(reader: Reader) -> dict[str, str]:
    """Return {key: label} of the universes that portfolios may be drawn from, all stocks first."""
    found = {
        key: LABELS[key] for key, kind in KINDS.items() if len(instrument_queries.tickers_of_kind(reader, kind)) > 1
    }
    return found | {name: name for name in instrument_queries.universe_names(reader) if name not in found}


def universe_tickers(reader: Reader, universe: str) -> list[str]:
    """Return the active members of a universe on the newest date, sorted; raises UnknownKeyError."""
    if universe in KINDS:
        return instrument_queries.tickers_of_kind(reader, KINDS[universe])
    if universe not in instrument_queries.universe_names(reader):
        raise UnknownKeyError("universe", universe, universes(reader))
    active = set(instrument_queries.active_tickers(reader))
    newest = instrument_queries.newest_date(reader) or ""
    return [ticker for ticker in instrument_queries.universe_members(reader, universe, newest) if ticker in active]


def portfolio_inputs(reader: Reader, universe: str) -> PortfolioInputs | None:
    """Return the inputs of a universe over the trailing window; None with fewer than two complete tickers or a year.

    Everything was known on the last session: factor fits and fundamentals are those of their as-of date.
    """
    members = universe_tickers(reader, universe)
    window = _window(reader, members)
    complete = window.dropna(axis="columns")
    if complete.shape[1] < 2 or len(complete) <= TRADING_DAYS:
        return None
    tickers, dates = tuple(complete.columns), pd.DatetimeIndex(complete.index[1:])
    as_of = str(dates[-1].date())
    listed = instrument_queries.instruments(reader).set_index("ticker")
    benchmark, followed = _benchmark(reader, listed, dates)
    prices = price_queries.closes_on(reader, tickers, as_of)
    return PortfolioInputs(
        universe, _market_data(reader, tickers, complete, as_of), complete, dates, tuple(sorted(set(members) - set(tickers))),
        sectors={ticker: sector for ticker, sector in listed["sector"].reindex(tickers).items() if isinstance(sector, str)},
        names={ticker: str(name) for ticker, name in listed["name"].reindex(tickers).items()}, prices=prices,
        dividend_yields=_dividend_yields(reader, complete, prices), benchmark=benchmark, benchmark_returns=followed,
    )  # fmt: skip


def _market_data(reader: Reader, tickers: tuple[str, ...], complete: pd.DataFrame, as_of: str) -> MarketData:
    returns, dates = simple_returns(complete)[1:], complete.index[1:]
    daily = factor_queries.factor_returns(reader, "D", start=str(dates[0].date()))
    factors = daily[list(FACTORS)].reindex(dates.as_unit("s")).to_numpy(dtype=float) if len(daily) else None
    models = {model: factor_queries.known_expected_returns(reader, model, as_of) for model in FRONTIER_MODELS}
    values = fundamental_queries.known_values(reader, "market_cap", as_of)
    return MarketData(
        tickers, returns, _risk_free_rate(reader, dates),
        model_returns={model: np.array([found.get(ticker, np.nan) for ticker in tickers]) for model, found in models.items()},
        factor_returns=factors if factors is not None and np.isfinite(factors).all(axis=1).any() else None,
        market_weights=np.array([values[ticker] for ticker in tickers]) if set(tickers) <= set(values) else None,
    )  # fmt: skip


def _window(reader: Reader, tickers: list[str]) -> pd.DataFrame:
    """Adjusted closes of the trailing window; only the recent years are read where they hold it whole."""
    size = FRONTIER_SESSIONS + 1
    last_dates = sorted(price_queries.last_dates(reader, tickers).values())
    if not last_dates:
        return pd.DataFrame()
    start = np.datetime64(last_dates[len(last_dates) // 2]) - np.timedelta64(DAYS_FOR_WINDOW, "D")
    recent = _up_to_shared_session(price_queries.adjusted_closes(reader, tickers, start=str(start)))
    if len(recent) < size:  # a market of few sessions, or a short history
        recent = _up_to_shared_session(price_queries.adjusted_closes(reader, tickers))
    return recent.iloc[-size:]


def _up_to_shared_session(closes: pd.DataFrame) -> pd.DataFrame:
    """The sessions up to the last that most tickers have: one fresher ticker must not leave all others incomplete."""
    shared = np.flatnonzero(closes.notna().mean(axis=1).to_numpy() > SHARED_BY)
    return closes.iloc[: shared[-1] + 1] if len(shared) else closes.iloc[:0]


def _risk_free_rate(reader: Reader, dates: pd.DatetimeIndex) -> float:
    """Annual risk-free rate: the mean daily rate of the window × 252. NaN when: the source has none."""
    daily, monthly = (factor_queries.factor_returns(reader, frequency)["rf"] for frequency in ("D", "M"))
    risk_free = daily_risk_free(dates.to_numpy().astype("datetime64[D]"), daily=daily, monthly=monthly)
    known = risk_free.values[np.isfinite(risk_free.values)]
    return float(known.mean() * TRADING_DAYS) if len(known) else float("nan")


def _dividend_yields(reader: Reader, complete: pd.DataFrame, prices: dict[str, float]) -> dict[str, float]:
    """What dividends added to the return of the last year; {} where no ticker's prices know of any.

    The adjustment of the closes says it for every source: (1 + total return) / (1 + price return) − 1.
    """
    year = complete.iloc[-1 - TRADING_DAYS]
    before = price_queries.closes_on(reader, prices, str(complete.index[-1 - TRADING_DAYS].date()))
    total, last = complete.iloc[-1] / year, complete.columns.intersection(list(before))
    found = {ticker: float(total[ticker] * before[ticker] / prices[ticker] - 1) for ticker in last if ticker in prices}
    return found if any(abs(value) > NO_DIVIDEND for value in found.values()) else {}


def _benchmark(reader: Reader, listed: pd.DataFrame, dates: pd.DatetimeIndex) -> tuple[str, FloatArray]:
    """The benchmark's ticker and its returns on the window's sessions; "" and NaN where nothing is stored."""
    candidates = [*BENCHMARKS, *listed.index[listed["kind"] == "index"]]
    ticker = next((name for name in candidates if name in listed.index), "")
    if not ticker:
        return "", np.full(len(dates), np.nan)
    start = str((dates[0] - pd.Timedelta(days=14)).date())
    closes = price_queries.adjusted_closes(reader, [ticker], start=start)[ticker].dropna()
    return ticker, pd.Series(simple_returns(closes.to_numpy()), closes.index).reindex(dates).to_numpy(dtype=float)
