"""A simulated market with known betas and alphas: for tests and benchmarks, never for decisions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.conventions import TRADING_DAYS, FloatArray
from pipeline.sources import _french
from pipeline.sources._frames import select, stack
from pipeline.sources._source import (
    ACTION_COLUMNS,
    FACTOR_COLUMNS,
    INSTRUMENT_COLUMNS,
    PRICE_COLUMNS,
    RATE_COLUMNS,
    FetchRequest,
    Report,
    Source,
    SourceData,
)

LAST_DATE = "2024-12-31"  # fixed: the same settings give the same bytes on any day
INDEX = "^SIM"
FACTORS = ("mkt_rf", "smb", "hml", "rmw", "cma", "mom")  # what drives the stocks, in the order of betas
ANNUAL_PREMIUM = (0.07, 0.02, 0.02, 0.02, 0.02, 0.04)
ANNUAL_VOLATILITY = (0.16, 0.08, 0.08, 0.06, 0.06, 0.10)
BETA_MEAN = (1.0, 0.2, 0.1, 0.1, 0.0, 0.0)
BETA_SPREAD = (0.25, 0.4, 0.4, 0.3, 0.3, 0.3)
ANNUAL_RISK_FREE = 0.02
SMB5_NOISE = 0.001  # daily; the SMB of the 5-factor file is another series than that of the 3-factor file
DIVIDEND_YIELD = 0.005  # of the price, each quarter
SPLIT_RATIO = 4.0
SECTORS = ("Information Technology", "Health Care", "Financials", "Industrials", "Energy", "Utilities")
OF_FACTORS, OF_STOCKS, OF_INDEX = (
    0,
    1,
    2,
)  # separate streams, so that stock 3 does not depend on how many there are


@dataclass(frozen=True)
class Truth:
    """What the simulated stocks were made of: an estimate has to find it again.

    alpha: annual, fractions, TRADING_DAYS × the daily intercept, shape (n_tickers,). betas: on FACTORS, shape
    (n_tickers, 6). The daily model is exact: return − rf = alpha / TRADING_DAYS + betas · factors + noise.
    """

    tickers: tuple[str, ...]
    alpha: FloatArray
    betas: FloatArray


@dataclass(frozen=True)
class _Market:
    dates: pd.DatetimeIndex
    factors: FloatArray  # (n_dates, 6) daily
    risk_free_rate: float  # daily


def truth(tickers: int, seed: int) -> Truth:
    """Return the alphas and betas of the simulated stocks for these settings."""
    draws = [_loadings(number, seed) for number in range(tickers)]
    alpha, betas = np.array([draw[0] for draw in draws]), np.array([draw[1] for draw in draws])
    return Truth(tuple(_name(number) for number in range(tickers)), alpha, betas)


def fetch(request: FetchRequest, report: Report) -> SourceData:
    """Simulate `simulated_tickers` stocks over `simulated_years` years; equal settings give equal bytes.

    Raises SourceError where none of the tickers asked for exists.
    """
    settings = request.settings
    count, years, seed = settings.simulated_tickers, settings.simulated_years, settings.simulated_seed
    market = _market(years, seed)
    frames = [_index_bars(market, seed)]
    actions = []
    for number in range(count):
        if request.tickers is not None and _name(number) not in request.tickers:
            continue
        report(number / count, f"simulating {_name(number)}")
        bars, paid = _stock(number, count, market, seed)
        frames.append(bars)
        actions.append(paid)
    data = SourceData(
        instruments=_instruments(count),
        prices=pd.concat(frames, ignore_index=True)[list(PRICE_COLUMNS)],
        rates=pd.DataFrame(
            {"series": "^IRX", "date": _iso(market.dates), "value": market.risk_free_rate * TRADING_DAYS},
            columns=list(RATE_COLUMNS),
        ),
        actions=stack(actions, ACTION_COLUMNS).sort_values(list(ACTION_COLUMNS[:3]), ignore_index=True),
        factors=_factor_returns(market, seed),
    )
    return select(data, request)


def tickers(request: FetchRequest) -> list[str]:
    """Return every ticker of the market that the settings choose."""
    return [INDEX, *(_name(number) for number in range(request.settings.simulated_tickers))]


def _name(number: int) -> str:
    return f"SIM{number + 1:03d}"


def _iso(dates: pd.DatetimeIndex) -> np.ndarray:
    return dates.to_numpy().astype("datetime64[D]").astype(str)


def _loadings(number: int, seed: int) -> tuple[float, FloatArray]:
    rng = np.random.default_rng([seed, OF_STOCKS, number])
    return float(rng.normal(0, 0.03)), rng.normal(BETA_MEAN, BETA_SPREAD)


def _market(years: int, seed: int) -> _Market:
    rng = np.random.default_rng([seed, OF_FACTORS])
    last = pd.Timestamp(LAST_DATE)
    dates = pd.bdate_range(last - pd.DateOffset(years=years) + pd.Timedelta(days=1), last)
    mean, deviation = (
        np.array(ANNUAL_PREMIUM) / TRADING_DAYS,
        np.array(ANNUAL_VOLATILITY) / np.sqrt(TRADING_DAYS),
    )
    return _Market(dates, rng.normal(mean, deviation, (len(dates), len(FACTORS))), ANNUAL_RISK_FREE / TRADING_DAYS)


def _stock(number: int, count: int, market: _Market, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars and actions: the last of several stocks lists late, the second splits, every other one pays."""
    alpha, betas = _loadings(number, seed)
    rng = np.random.default_rng([seed, OF_STOCKS, number, 1])
    noise = rng.normal(0, rng.uniform(0.15, 0.35) / np.sqrt(TRADING_DAYS), len(market.dates))
    returns = market.risk_free_rate + alpha / TRADING_DAYS + market.factors @ betas + noise
    first = len(market.dates) * 2 // 5 if number == count - 1 and count > 1 else 0
    dates, returns = market.dates[first:], np.maximum(returns[first:], -0.9)
    ex_dates = _quarter_days(dates) if number % 2 == 0 else np.zeros(len(dates), dtype=bool)
    bars = _bars(_name(number), dates, returns, ex_dates, rng)
    before = bars["close"].shift().to_numpy()[ex_dates]
    actions = pd.DataFrame(
        {
            "ticker": _name(number),
            "date": _iso(dates)[ex_dates],
            "kind": "dividend",
            "value": DIVIDEND_YIELD * before,
        }
    )
    if number == min(1, count - 1):
        # Prices are split-adjusted, as a vendor delivers them, so a split shows in the action alone.
        split = pd.DataFrame([(_name(number), _iso(dates)[len(dates) // 2], "split", SPLIT_RATIO)],
                             columns=list(ACTION_COLUMNS))  # fmt: skip
        actions = pd.concat([actions, split], ignore_index=True) if len(actions) else split
    return bars, actions


def _quarter_days(dates: pd.DatetimeIndex) -> np.ndarray:
    """The first session of February, May, August and November, from the second session on."""
    months = dates.month.to_numpy()
    return (np.diff(months, prepend=months[0]) != 0) & (months % 3 == 2)


def _bars(
    ticker: str, dates: pd.DatetimeIndex, returns: FloatArray, ex_dates: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Daily bars of shape (n_dates, 8) whose adj_close returns are `returns`, whatever dividends are paid."""
    kept = np.where(ex_dates, 1 - DIVIDEND_YIELD, 1.0)  # the share of the price left after the dividend
    close = rng.uniform(20, 200) * np.cumprod((1 + returns) * kept)
    # Yahoo's rule: a dividend lowers all earlier adjusted prices by (1 − dividend / close before).
    later = np.append(np.cumprod(kept[::-1])[::-1][1:], 1.0)
    before = close / (1 + returns)  # the close before, less the dividend
    scale = 0.25 * np.abs(returns).mean()
    opened = before * np.exp(rng.normal(0, scale, len(dates)))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, scale, len(dates))))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, scale, len(dates))))
    volume = np.round(rng.lognormal(14, 0.4, len(dates)))
    return pd.DataFrame(
        {"ticker": ticker, "date": _iso(dates), "open": opened, "high": high, "low": low, "close": close,
         "adj_close": close * later, "volume": volume}
    )  # fmt: skip


def _index_bars(market: _Market, seed: int) -> pd.DataFrame:
    """The market itself, dividends reinvested."""
    rng = np.random.default_rng([seed, OF_INDEX])
    returns = market.factors[:, 0] + market.risk_free_rate
    return _bars(INDEX, market.dates, returns, np.zeros(len(returns), dtype=bool), rng)


def _factor_returns(market: _Market, seed: int) -> pd.DataFrame:
    """Daily factors, and monthly ones that compound them: the market with its risk-free rate."""
    daily = pd.DataFrame(market.factors, columns=list(FACTORS)).assign(rf=market.risk_free_rate)
    rng = np.random.default_rng([seed, OF_FACTORS, 1])
    daily["smb5"] = daily["smb"] + rng.normal(0, SMB5_NOISE, len(daily))
    months = market.dates.to_numpy().astype("datetime64[M]")
    growth = (1 + daily.assign(mkt_rf=daily["mkt_rf"] + daily["rf"])).groupby(months.astype(str)).prod() - 1
    monthly = growth.assign(mkt_rf=growth["mkt_rf"] - growth["rf"])
    frames = [
        daily.assign(frequency="D", date=_iso(market.dates)),
        monthly.assign(frequency="M", date=_french.month_ends(np.unique(months))),
    ]
    return pd.concat(frames, ignore_index=True)[list(FACTOR_COLUMNS)]


def _instruments(count: int) -> pd.DataFrame:
    names = [_name(number) for number in range(count)]
    stocks = pd.DataFrame({"ticker": names, "name": [f"Simulated {number + 1}" for number in range(count)]})
    stocks = stocks.assign(kind="stock", industry="Simulated", currency="USD")
    stocks["sector"] = [SECTORS[number % len(SECTORS)] for number in range(count)]
    index = {"ticker": INDEX, "name": "Simulated market", "kind": "index", "currency": "USD"}
    return pd.concat([stocks, pd.DataFrame([index])], ignore_index=True).reindex(columns=list(INSTRUMENT_COLUMNS))


SOURCE = Source(
    key="simulated",
    label="Simulated",
    description=(
        "A random market made by a seeded generator: made-up stocks driven by made-up factors with known "
        "betas and alphas, with dividends, a split and a late listing. For tests and benchmarks; it says "
        "nothing about any real stock."
    ),
    fetch=fetch,
    tickers=tickers,
    calendar="weekdays",
    badge="SIMULATED",
)
