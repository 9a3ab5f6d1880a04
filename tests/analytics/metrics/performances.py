"""Performances that the metric tests share."""

import numpy as np

from analytics.metrics import Performance, Trades


def of_returns(returns, *, benchmark=None, risk_free=None, **others) -> Performance:
    returns = np.asarray(returns, dtype=float)
    dates = np.datetime64("2024-01-01") + np.arange(len(returns))
    full = {
        "benchmark_returns": None if benchmark is None else np.broadcast_to(benchmark, returns.shape).astype(float),
        "risk_free_returns": None if risk_free is None else np.broadcast_to(risk_free, returns.shape).astype(float),
    }
    return Performance(dates, returns, **full, **others)


def random_performance(*, seed: int = 7, n: int = 750) -> Performance:
    """Fat-tailed returns with a correlated benchmark and a varying risk-free rate."""
    rng = np.random.default_rng(seed)
    market = 0.0004 + 0.01 * rng.standard_t(4, n)
    returns = 0.0001 + 0.8 * market + 0.006 * rng.standard_t(5, n)
    return of_returns(returns, benchmark=market, risk_free=0.0001 + 0.00005 * np.sin(np.arange(n) / 60))


def trades(pnl, *, return_pct=None, days=None) -> Trades:
    pnl = np.asarray(pnl, dtype=float)
    return Trades(
        pnl=pnl,
        return_pct=pnl / 1_000.0 if return_pct is None else np.asarray(return_pct, dtype=float),
        fees=np.full(len(pnl), 2.0),
        slippage=np.full(len(pnl), 3.0),
        days=np.full(len(pnl), 10.0) if days is None else np.asarray(days, dtype=float),
    )
