"""The numbers behind the pictures of a backtest: everything that is a series or a table, where a metric is one number."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.backtest.round_trips import END_OF_TEST
from analytics.conventions import STD_DDOF, TRADING_DAYS, DateArray, FloatArray
from analytics.metrics._arithmetic import ZERO
from analytics.metrics._drawdowns import find_drawdowns

MAX_BINS = 80  # of the histogram: more only show noise
CURVE = 200  # points of the normal curve over it
DELISTED = "delisted"
NOT_SOLD = (END_OF_TEST, DELISTED, "liquidated")  # exits that value a position and trade nothing, so cost nothing
WORST = 10  # drawdowns listed
DRAWDOWN_COLUMNS = ("number", "start", "trough", "recovery", "depth", "days_to_trough", "days")
CONTRIBUTION_COLUMNS = ("ticker", "n_trades", "pnl", "contribution", "fees", "slippage", "borrow")
COST_COLUMNS = ("item", "usd", "of_capital", "of_traded")


@dataclass(frozen=True, eq=False)
class Record:
    """An account by session, each array of shape (n_sessions,).

    equity and benchmark in USD at the close; returns, benchmark_returns and risk_free_returns simple, of the session;
    traded: USD, at the prices paid. NaN when: a value or the one before is unknown, or the one before is not above 0.
    """

    initial_capital: float
    dates: DateArray
    equity: FloatArray
    benchmark: FloatArray
    returns: FloatArray
    benchmark_returns: FloatArray
    risk_free_returns: FloatArray
    traded: FloatArray

    @classmethod
    def of(cls, account: pd.DataFrame, initial_capital: float) -> "Record":
        """Return the record of an account: date (ISO text), equity, benchmark and, where known, risk_free, turnover."""
        equity, benchmark, risk_free = (_column(account, name) for name in ("equity", "benchmark", "risk_free"))
        dates = account["date"].to_numpy(dtype="datetime64[D]")
        earned, beside = _returns(equity, initial_capital), _returns(benchmark, initial_capital)
        traded = _column(account, "turnover") * equity
        return cls(initial_capital, dates, equity, benchmark, earned, beside, risk_free, traded)

    @property
    def gain(self) -> float:
        """What the account gained, USD. NaN when: there is no session."""
        return float(self.equity[-1] - self.initial_capital) if len(self.equity) else math.nan


@dataclass(frozen=True, eq=False)
class Distribution:
    """A histogram: edges (n_bins + 1,), counts (n_bins,), and the counts per bin that a normal distribution would have.

    normal: of the sample's mean and deviation, at the returns `at`, both (CURVE,). NaN when: the returns do not vary.
    """

    edges: FloatArray
    counts: FloatArray
    at: FloatArray
    normal: FloatArray


def rolling_statistics(record: Record, *, window: int = TRADING_DAYS) -> pd.DataFrame:
    """Return date, sharpe_ratio, beta and annual_volatility of the `window` sessions up to each date.

    Each is the metric of that name over the window; empty where the test is shorter. NaN when: a return or a
    risk-free rate of the window is unknown (volatility needs none), or what stands below the fraction line is 0.
    """
    if len(record.dates) < window:
        return pd.DataFrame({name: [] for name in ("date", "sharpe_ratio", "beta", "annual_volatility")})
    excess, against = (
        _windows(returns - record.risk_free_returns, window) for returns in (record.returns, record.benchmark_returns)
    )
    centred = against - against.mean(axis=1, keepdims=True)
    covariance = ((excess - excess.mean(axis=1, keepdims=True)) * centred).sum(axis=1) / (window - STD_DDOF)
    spread = _deviation(excess)
    return pd.DataFrame({
        "date": record.dates[window - 1 :],
        "sharpe_ratio": excess.mean(axis=1) / _divisor(spread) * math.sqrt(TRADING_DAYS),
        "beta": covariance / _divisor(_deviation(against)) ** 2,
        "annual_volatility": _deviation(_windows(record.returns, window)) * math.sqrt(TRADING_DAYS),
    })  # fmt: skip


def period_returns(record: Record, unit: str) -> pd.DataFrame:
    """Return period (the first day of the calendar month "M" or year "Y"), strategy and benchmark: compounded returns.

    The first and the last period may be parts of one. NaN when: a return in between is unknown.
    """
    first, periods = _period_starts(record.dates, unit)
    growth = [
        np.multiply.reduceat(1.0 + returns, first) - 1.0 if len(first) else np.empty(0)
        for returns in (record.returns, record.benchmark_returns)
    ]
    return pd.DataFrame({"period": periods, "strategy": growth[0], "benchmark": growth[1]})


def period_turnover(account: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return period (its first day) and turnover: half the value traded over the account's, summed over its sessions.

    account: date (ISO text) and turnover, traded value / equity of each session. NaN when: it is unknown.
    """
    first, periods = _period_starts(account["date"].to_numpy(dtype="datetime64[D]"), unit)
    traded = np.add.reduceat(_column(account, "turnover"), first) if len(first) else np.empty(0)
    return pd.DataFrame({"period": periods, "turnover": traded / 2.0})


def distribution(returns: FloatArray) -> Distribution:
    """Return the histogram of the known returns (n,) in bins of Scott's width, at most MAX_BINS of them.

    Source: Scott (1979), On optimal and data-based histograms.
    """
    known = np.asarray(returns, dtype=float)[np.isfinite(returns)]
    n_bins = max(1, min(MAX_BINS, len(np.histogram_bin_edges(known, bins="scott")) - 1)) if len(known) else 1
    counts, edges = np.histogram(known, bins=n_bins)
    spread = float(np.std(known, ddof=STD_DDOF)) if len(known) > STD_DDOF else 0.0
    at, width = np.linspace(edges[0], edges[-1], CURVE), edges[1] - edges[0]
    if spread <= ZERO:
        return Distribution(edges, counts.astype(float), at, np.full(CURVE, np.nan))
    density = np.exp(-0.5 * ((at - known.mean()) / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))
    return Distribution(edges, counts.astype(float), at, density * width * len(known))


def worst_drawdowns(record: Record, *, most: int = WORST) -> pd.DataFrame:
    """Return the `most` deepest falls from a peak, deepest first, columns DRAWDOWN_COLUMNS.

    start: the date of the peak, the first session where the initial capital was it; recovery: the session that
    regains it, None where none does; dates are ISO texts. depth is a fraction below 0; days are calendar days, to the
    last session where there is no recovery.
    """
    dates = np.concatenate([record.dates[:1], record.dates])
    value = np.concatenate([[record.initial_capital], record.equity])[: len(dates)]
    if not len(dates):
        return pd.DataFrame(columns=pd.Index(DRAWDOWN_COLUMNS))
    below = value / np.maximum.accumulate(value) - 1.0
    found = find_drawdowns(value, below, dates)
    deepest = np.argsort(found.depth, kind="stable")[:most]
    peak, end = found.peak[deepest], found.end[deepest]
    trough = np.array([at + int(below[at : last + 1].argmin()) for at, last in zip(peak, end, strict=True)], dtype=int)
    return pd.DataFrame({
        "number": np.arange(1, len(peak) + 1), "start": dates[peak].astype(str), "trough": dates[trough].astype(str),
        "recovery": np.where(found.recovered[deepest], dates[end].astype(str), None), "depth": found.depth[deepest],
        "days_to_trough": (dates[trough] - dates[peak]).astype(int), "days": found.days[deepest].astype(int),
    })  # fmt: skip


def contributions(trades: pd.DataFrame, initial_capital: float) -> pd.DataFrame:
    """Return a row per traded ticker, what it earned most first, columns CONTRIBUTION_COLUMNS; money in USD.

    trades: ticker, pnl, fees, slippage, borrow. pnl is net of all costs; contribution is pnl / initial_capital.
    """
    sums = ("pnl", "fees", "slippage", "borrow")
    numbers = pd.DataFrame({"ticker": trades["ticker"]} | {name: _column(trades, name) for name in sums})
    grouped = numbers.groupby("ticker", sort=True)
    table = grouped[list(sums)].sum(min_count=1).assign(n_trades=grouped.size()).reset_index()
    table = table.assign(contribution=table["pnl"] / initial_capital)
    return table.sort_values(["pnl", "ticker"], ascending=[False, True], ignore_index=True)[list(CONTRIBUTION_COLUMNS)]


def cost_items(trades: pd.DataFrame, record: Record) -> pd.DataFrame:
    """Return what trading cost by item, columns COST_COLUMNS: USD, as a share of the initial capital and of the value traded.

    Items: commission, half-spread, slippage (its base), market impact, borrow fee, total, and interest earned (what
    the account gained beyond its trades). The value traded leaves out exits that only valued a position.
    trades: fees, slippage (spread, base and impact together), spread, impact, borrow, pnl, quantity, entry_price,
    exit_price, reason. NaN when: not known; slippage then holds what is not told apart.
    """
    names = ("fees", "slippage", "spread", "impact", "borrow")
    fees, whole, spread, impact, borrow = (_total(trades, name) for name in names)
    traded = _traded(trades, record)
    base = whole - sum(part for part in (spread, impact) if math.isfinite(part))
    usd = {
        "Commission": fees, "Half-spread": spread, "Slippage": base, "Market impact": impact, "Borrow fee": borrow,
        "Total costs": sum(part for part in (fees, whole, borrow) if math.isfinite(part)),
        "Interest earned": record.gain - float(np.nansum(_column(trades, "pnl"))),
    }  # fmt: skip
    return pd.DataFrame({
        "item": list(usd), "usd": list(usd.values()), "of_capital": [value / record.initial_capital for value in usd.values()],
        "of_traded": [value / traded if traded > 0 and item != "Interest earned" else math.nan for item, value in usd.items()],
    })  # fmt: skip


def _traded(trades: pd.DataFrame, record: Record) -> float:
    """What was bought and sold, USD: the account's fills less what a delisting settled.

    Of an earlier version, which did not store the fills' value, that of the trades by their entry and exit.
    """
    bought, left = (_column(trades, "quantity") * _column(trades, name) for name in ("entry_price", "exit_price"))
    if np.isfinite(record.traded).any():
        return float(np.nansum(record.traded) - np.nansum(left[trades["reason"] == DELISTED]))
    return float(np.nansum(bought) + np.nansum(left[~trades["reason"].isin(NOT_SOLD)]))


def _column(frame: pd.DataFrame, name: str) -> FloatArray:
    """A column as numbers; one that is not there, as in what an earlier version stored, is unknown."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[name]).to_numpy(dtype=float)


def _total(frame: pd.DataFrame, name: str) -> float:
    """The sum of a column: 0 of no rows, NaN where no row knows it."""
    values = _column(frame, name)
    return float(np.nansum(values)) if not len(values) or np.isfinite(values).any() else math.nan


def _returns(value: FloatArray, initial_capital: float) -> FloatArray:
    before = np.concatenate([[initial_capital], value])[: len(value)]
    return value / np.where(before > 0.0, before, np.nan) - 1.0


def _windows(values: FloatArray, window: int) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(values, window)


def _deviation(windows: FloatArray) -> FloatArray:
    spread: FloatArray = windows.std(axis=1, ddof=STD_DDOF)
    return np.where(spread <= ZERO, 0.0, spread)


def _divisor(values: FloatArray) -> FloatArray:
    return np.where(values > 0.0, values, np.nan)


def _period_starts(dates: DateArray, unit: str) -> tuple[np.ndarray, DateArray]:
    """The row of the first session of each calendar period, and the first day of that period."""
    periods, first = np.unique(dates.astype(f"datetime64[{unit}]"), return_index=True)
    return first, periods.astype("datetime64[D]")
