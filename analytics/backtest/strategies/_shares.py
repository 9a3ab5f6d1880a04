"""How capital is divided: by expected return or Sharpe ratio, and by the frontier of what was known."""

from hashlib import sha256
from typing import Final

import numpy as np

from analytics.backtest.inputs import StrategyInputs
from analytics.backtest.strategies._positions import known_prices
from analytics.conventions import FRONTIER_SESSIONS, MONTHS, STD_DDOF, TRADING_DAYS, FloatArray
from analytics.parameters import Parameter
from analytics.portfolio.covariance import ledoit_wolf
from analytics.portfolio.frontier import efficient_frontier
from analytics.returns import simple_returns

WINDOW: Final = Parameter(
    "window", "Window", 3 * TRADING_DAYS, "trailing sessions that the frontier is estimated from",
    minimum=TRADING_DAYS // MONTHS, maximum=2 * FRONTIER_SESSIONS,
)  # fmt: skip
FRONTIERS_KEPT: Final = 4_096  # weights of past windows, by the digest of their returns
_FRONTIERS: dict[bytes, FloatArray] = {}
ENDS = 2  # points of the frontier that are asked for: only the two marked portfolios are used


def expected_sharpe(inputs: StrategyInputs, rows: np.ndarray) -> FloatArray:
    """Return (expected return − risk-free rate) / trailing volatility at the given rows, (n_rows, n_tickers).

    All annual: the expected return as known, the session's rate × 252, the volatility of the last 252 returns.
    NaN when: one of them is unknown, or the volatility is 0.
    """
    returns = simple_returns(known_prices(inputs))
    ratio = np.full((len(rows), returns.shape[1]), np.nan)
    for place, row in enumerate(rows):
        if row >= TRADING_DAYS:
            ratio[place] = returns[row - TRADING_DAYS + 1 : row + 1].std(axis=0, ddof=STD_DDOF) * np.sqrt(TRADING_DAYS)
    excess = inputs.known("expected_return")[rows] - TRADING_DAYS * inputs.risk_free[rows, None]
    return np.divide(excess, ratio, out=np.full(ratio.shape, np.nan), where=ratio > 0)


def proportional(values: FloatArray) -> FloatArray:
    """Return values / Σ|values| of each row, (n, n_tickers): shares of the account, with the sign of the value.

    0 where a value is unknown, or all of a row are.
    """
    known = np.nan_to_num(values)
    total = np.abs(known).sum(axis=1, keepdims=True)
    return known / np.where(total > 0, total, 1.0)


def frontier_weights(inputs: StrategyInputs, rows: np.ndarray, *, portfolio: str, window: int) -> FloatArray:
    """Return a portfolio of the long-only frontier at the close of the given rows, (n_rows, n_tickers).

    portfolio: "max_sharpe" or "min_variance". Estimated from the `window` sessions up to each row: mean return and
    Ledoit-Wolf covariance × 252, of the tickers with a price on all of them; the others have weight 0. The risk-free
    rate is the mean over the window, a day on which it is unknown counting as 0.
    """
    returns = simple_returns(known_prices(inputs))
    weights = np.zeros((len(rows), returns.shape[1]))
    for place, row in enumerate(rows):
        past = slice(row - window + 1, row + 1)
        complete = np.isfinite(returns[past]).all(axis=0) if row >= window else np.zeros(returns.shape[1], dtype=bool)
        if complete.any():
            known = np.ascontiguousarray(returns[past, complete])
            rate = TRADING_DAYS * float(np.nan_to_num(inputs.risk_free[past]).mean())
            weights[place, complete] = _weights_of(known, rate, portfolio)
    return weights


def _weights_of(known: FloatArray, rate: float, portfolio: str) -> FloatArray:
    """The portfolio of a window of returns, (n_sessions, n_assets); an audit asks for the same past again and again."""
    key = sha256(known.tobytes() + repr((known.shape, rate, portfolio)).encode()).digest()
    if key not in _FRONTIERS:
        if len(_FRONTIERS) >= FRONTIERS_KEPT:
            _FRONTIERS.clear()
        found = efficient_frontier(
            TRADING_DAYS * known.mean(axis=0), ledoit_wolf(known), risk_free_rate=rate, points=ENDS
        )
        _FRONTIERS[key] = found.max_sharpe if portfolio == "max_sharpe" else found.min_variance
    return _FRONTIERS[key]
