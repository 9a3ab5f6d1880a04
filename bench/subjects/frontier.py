"""Fifty points of a frontier with a 10 % cap, against PyPortfolioOpt's solve per point and skfolio's frontier."""

import subprocess
import sys
from typing import Any

import config
from bench.measure import Benchmark, Row, Times, race
from bench.stores import simulated

YEARS, POINTS, CAP, RATE = 6, 50, 0.1, 0.02
ROUNDS = {20: 5, 100: 5, 500: 2}  # a round of the peers at 500 assets takes half a minute
COLD = """
import time
from analytics.portfolio import efficient_frontier
import numpy as np
mean, sigma = np.linspace(0.05, 0.1, 50), np.diag(np.linspace(0.02, 0.09, 50))
begin = time.perf_counter()
efficient_frontier(mean, sigma, risk_free_rate=0.02)
print(time.perf_counter() - begin)
"""
COLD_RUNS = 5


def run() -> list[Row]:
    return [*(row for size in ROUNDS for row in _rows(size)), _cold()]


def _rows(size: int) -> list[Row]:
    import numpy as np

    from analytics.conventions import FRONTIER_SESSIONS, TRADING_DAYS
    from analytics.portfolio import efficient_frontier, long_only
    from analytics.portfolio.covariance import ledoit_wolf
    from bench.frontier_peers import pyportfolioopt, skfolio_frontier

    prices = simulated(size + 1, YEARS).prices.pivot(index="date", columns="ticker", values="adj_close").dropna(axis=1)
    returns = prices.to_numpy()[-FRONTIER_SESSIONS - 1 :, :size]  # one was listed late
    returns = returns[1:] / returns[:-1] - 1
    mean, covariance = TRADING_DAYS * returns.mean(axis=0), ledoit_wolf(returns)
    allowed = long_only(len(mean), upper=CAP)

    def ours() -> Any:
        return efficient_frontier(mean, covariance, risk_free_rate=RATE, feasible=allowed, points=POINTS)

    frontier, rows = ours(), []
    targets = frontier.expected_return[1:-1]
    for name, peer in (
        ("PyPortfolioOpt, a solve per point", lambda: pyportfolioopt(mean, covariance, targets, CAP)),
        ("skfolio, its frontier", lambda: skfolio_frontier(returns, POINTS, CAP)),
    ):
        theirs = peer()
        reached = np.clip(theirs @ mean, *frontier.expected_return[[0, -1]])
        exact = np.array([frontier.at_return(value) for value in reached])
        excess = (
            np.einsum("ij,jk,ik->i", theirs, covariance, theirs) / np.einsum("ij,jk,ik->i", exact, covariance, exact)
            - 1
        )
        times = race(ours, peer, rounds=ROUNDS[size])
        rows.append(Row(
            f"frontier, {len(mean)} assets, {POINTS} points", times[0], name, times[1],
            note=f"ours obeys the first-order conditions to {frontier.residual:.0e}; the peer's variances differ from the exact ones by up to {np.abs(excess).max():.0e}.",
        ))  # fmt: skip
    return rows


def _cold() -> Row:
    """The first frontier of a fresh process: numba is imported and the compiled code read from its cache."""
    taken = [
        float(subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True, cwd=config.ROOT).stdout)
        for _ in range(COLD_RUNS + 1)
    ]  # fmt: skip
    return Row("first frontier of a fresh process", Times(tuple(taken[1:])), aim=1.0, judged="p95", note="the first run may compile and is not counted.")  # fmt: skip


BENCHMARK = Benchmark("frontier", "fifty points of the efficient frontier", run)
