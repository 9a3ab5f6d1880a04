"""Pairs of moving averages swept by vectorbt: wide arrays, its compiled simulator, one account per column."""

from typing import Any

import numpy as np

from analytics.conventions import TRADING_DAYS, FloatArray


def vectorbt_sweep(
    open_: FloatArray,
    close: FloatArray,
    pairs: list[tuple[int, int]],
    *,
    fees: float,
    slippage: float,
    capital: float,
    rate: float,
) -> dict[str, np.ndarray]:
    """Return twelve metrics, each of shape (n_pairs, n_tickers), after filling at the open of the day after.

    Written for speed: an average per window, not per pair; signals compared in numpy; every metric of the returns from
    one pass over them. It has no turnover; the mean gain of a trade stands in for it.
    """  # fmt: skip
    import pandas as pd
    import vectorbt as vbt

    n_tickers = close.shape[1]
    windows = sorted({window for pair in pairs for window in pair})
    averages = vbt.MA.run(pd.DataFrame(close), windows).ma.to_numpy().reshape(len(close), len(windows), n_tickers)
    fast, slow = (averages[:, [windows.index(pair[side]) for pair in pairs]] for side in (0, 1))
    wanted = np.zeros((len(close), len(pairs) * n_tickers), dtype=bool)
    wanted[1:] = (fast > slow).reshape(len(close), -1)[:-1]
    index = pd.bdate_range("2000-01-03", periods=len(close))
    opens, closes = (pd.DataFrame(np.tile(values, (1, len(pairs))), index) for values in (open_, close))
    portfolio = vbt.Portfolio.from_signals(
        closes, wanted, ~wanted, price=opens, fees=fees, slippage=slippage, init_cash=capital, freq="1D", engine="rust"
    )
    found = _metrics(portfolio, rate)
    return {name: np.asarray(values).reshape(len(pairs), n_tickers) for name, values in found.items()}


def _metrics(portfolio: Any, rate: float) -> dict[str, Any]:
    returns = portfolio.returns().vbt.returns(freq="1D", year_freq=f"{TRADING_DAYS} days")
    trades = portfolio.trades
    return {
        "total_return": returns.total(), "annual_return": returns.annualized(),
        "annual_volatility": returns.annualized_volatility(), "sharpe_ratio": returns.sharpe_ratio(risk_free=rate),
        "sortino_ratio": returns.sortino_ratio(required_return=rate), "max_drawdown": returns.max_drawdown(),
        "calmar_ratio": returns.calmar_ratio(), "n_trades": trades.count(), "win_rate": trades.win_rate(),
        "profit_factor": trades.profit_factor(), "exposure_share": trades.coverage(), "expectancy": trades.expectancy(),
    }  # fmt: skip
